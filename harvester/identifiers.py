"""Identifiers of works and persons: recognise, canonical form.

Canonical is bare: doi `10.1234/abc` in lower case, orcid `0000-0003-3870-2609`, issn `1234-567X`, isbn
thirteen digits, handle `2027/mdp.1`, arxiv `2009.09100`, pmid digits, pmcid `PMC270087`; oai, urn and url as
given.
Every reader answers "" for what is none.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote

INVISIBLE = "\u00ad\u200b\u2060\ufeff"  # inside the DOIs of University of South Florida, among others

_LONGEST = 2048  # a longer text is no identifier, and would only cost time

_NO_INVISIBLE = dict.fromkeys(map(ord, INVISIBLE))
_CLOSING = {")": "(", "]": "[", ">": "<", "}": "{"}

_DOI_COSTUME = re.compile(
    r"<?(?:(?:https?:/+)?(?:www\.|dx\.)?doi\.org/|info:doi/|urn:doi:|doi(?:\s*:\s*(?://)?|\s+))\s*", re.I
)
_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/\S+")
_ORCID = re.compile(
    r"(?:https?://(?:www\.)?orcid\.org/|orcid[:\s]\s*)?(\d{4})[- ]?(\d{4})[- ]?(\d{4})[- ]?(\d{3}[\dx])/?",
    re.I,
)
_ISSN = re.compile(r"(?:urn:issn:|[ep]?-?issn[:\s]*(?:\([a-z]+\)[:\s]*)?)?(\d{4})-(\d{3}[\dx])", re.I)
_BARE_ISSN = re.compile(r"(?:urn:issn:|[ep]?-?issn[:\s]*)(\d{4})(\d{3}[\dx])", re.I)
_ISBN_COSTUME = re.compile(r"(?:urn:isbn:|e?-?isbn(?:-1[03])?[:\s]*)", re.I)
_GROUPED_ISBN = re.compile(r"\d{1,5}-(?:\d+-)+[\dX]")
_ISBN = re.compile(r"97[89]\d{10}|\d{9}[\dX]")
_HANDLE = re.compile(r"(?:https?://hdl\.handle\.net/|hdl:\s*|info:hdl/)([^\s/]+/\S+)", re.I)
_ARXIV = re.compile(
    r"(?:arxiv:\s*|https?://(?:www\.|xxx\.)?arxiv\.org/(?:abs|pdf)/)"
    r"(?:(\d{4}\.\d{4,5})|([a-z-]+)(?:\.[a-z]{2})?(/\d{7}))(v\d+)?(?:\.pdf)?(?:\s*\[[a-z.-]+\])?",
    re.I,
)
_PMID = re.compile(
    r"(?:(?:pmid|pubmed)[:\s]\s*|info:pmid/|https?://(?:www\.ncbi\.nlm\.nih\.gov/pubmed|pubmed\.ncbi\.nlm\.nih\.gov)/)"
    r"([1-9]\d{0,8})/?",
    re.I,
)
_PMCID = re.compile(
    r"(?:pmcid:?\s*|https?://(?:www\.ncbi\.nlm\.nih\.gov/pmc/articles|pmc\.ncbi\.nlm\.nih\.gov/articles)/)?"
    r"(PMC[1-9]\d{2,})(?:/\S*)?",
    re.I,
)
_OAI = re.compile(r"oai:[A-Za-z0-9][\w.-]*:\S+")
_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{1,31}:\S+", re.I)
_ARK = re.compile(r"(?:https?://[^/\s]+/)?(ark:/?\d{5,9}/\S+)", re.I)
_URL = re.compile(r"(?:https?|ftp)://[^\s<>\"]+", re.I)
_EPRINT_LONG = re.compile(r"(https?://\S+?)/id/eprint/([1-9]\d*)/?")
_EPRINT_SHORT = re.compile(r"(https?://[^\s/]+)/([1-9]\d*)/?")


def doi(text: str) -> str:
    if "10." not in text or len(text) > _LONGEST:
        return ""
    text = bare = _visible(text)
    while costume := _DOI_COSTUME.match(bare):
        bare = bare[costume.end() :]
    if "%" in bare and bare is not text:
        bare = _visible(unquote(bare))
    bare = _without_trailing_punctuation(bare)
    return bare.lower() if _DOI.fullmatch(bare) else ""


def _visible(text: str) -> str:
    text = text.strip()
    return text if text.isascii() else text.translate(_NO_INVISIBLE).strip()


def _without_trailing_punctuation(text: str) -> str:
    """A sentence's point or bracket after the DOI; brackets with a partner belong to it (SICI)."""
    while text and (
        text[-1] in ".,;:/'\""
        or (text[-1] in _CLOSING and text.count(text[-1]) > text.count(_CLOSING[text[-1]]))
    ):
        text = text[:-1]
    return text


@lru_cache(maxsize=4096)
def orcid(text: str) -> str:
    match = _ORCID.fullmatch(text.strip())
    if match is None:
        return ""
    number = "-".join(match.groups()).upper()
    import idutils  # a quarter of a second: only where there is something to check

    return number if idutils.is_orcid(number) else ""


@lru_cache(maxsize=4096)
def issn(text: str) -> str:
    match = _ISSN.fullmatch(text.strip()) or _BARE_ISSN.fullmatch(text.strip())
    if match is None:
        return ""
    number = "-".join(match.groups()).upper()
    import idutils  # a quarter of a second: only where there is something to check

    return number if idutils.is_issn(number) else ""


def isbn(text: str) -> str:
    number = _ISBN_COSTUME.sub("", text.strip(), count=1).replace("-", "").replace(" ", "").upper()
    if not _ISBN.fullmatch(number):
        return ""
    import idutils  # a quarter of a second: only where there is something to check

    if not idutils.is_isbn(number):
        return ""
    return number if len(number) == 13 else _thirteen(number)


def _thirteen(number: str) -> str:
    digits = f"978{number[:9]}"
    weighed = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(digits))
    return f"{digits}{-weighed % 10}"


def handle(text: str) -> str:
    """Only with its resolver or prefix: bare, a handle looks like any path."""
    match = _HANDLE.fullmatch(text.strip())
    return match[1] if match else ""


def arxiv(text: str) -> str:
    match = _ARXIV.fullmatch(text.strip())
    if match is None:
        return ""
    new, archive, old, version = match.groups()
    return (new or f"{archive.lower()}{old}") + (version or "").lower()


def pmid(text: str) -> str:
    match = _PMID.fullmatch(text.strip())
    return match[1] if match else ""


def pmcid(text: str) -> str:
    match = _PMCID.fullmatch(text.strip())
    return match[1].upper() if match else ""


def oai(text: str) -> str:
    text = text.strip()
    return text if _OAI.fullmatch(text) else ""


def urn(text: str) -> str:
    text = text.strip()
    if text.startswith("urn:urn:"):  # German Medical Science
        text = text[4:]
    return text if _URN.fullmatch(text) else ""


def ark(text: str) -> str:
    match = _ARK.fullmatch(text.strip())
    return match[1] if match else ""


def url(text: str) -> str:
    if "://" not in text[:20]:
        return ""
    text = _visible(text)
    return text if _URL.fullmatch(text) else ""


def _marked_isbn(text: str) -> str:
    """Ten bare digits are not yet an ISBN; thirteen from Bookland are, and ten in its groups."""
    text = text.strip()
    marked = _ISBN_COSTUME.match(text) or text.startswith(("978", "979")) or _GROUPED_ISBN.fullmatch(text)
    return isbn(text) if marked else ""


# (scheme, what its text must contain, reader): the look costs 30 ns, a reader up to a microsecond.
_SCHEMES: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("doi", "10.", doi),
    ("handle", "hdl", handle),
    ("arxiv", "arxiv", arxiv),
    ("pmid", "pm", pmid),
    ("pmid", "pubmed", pmid),
    ("pmcid", "pmc", pmcid),
    ("orcid", "0000-", orcid),
    ("oai", "oai:", oai),
    ("ark", "ark:", ark),
    ("isbn", "97", _marked_isbn),
    ("isbn", "-", _marked_isbn),
    ("isbn", "isbn", _marked_isbn),
    ("url", "://", url),
    ("issn", "-", issn),
    ("issn", "issn", issn),
    ("urn", "urn:", urn),
)


@lru_cache(maxsize=4096)  # an ISSN or a journal's name comes again with every article
def recognise(text: str) -> tuple[str, str] | None:
    """(scheme, canonical value) of a text that is an identifier and nothing besides."""
    if len(text) > _LONGEST:
        return None
    low = text.lower()
    for scheme, look, read in _SCHEMES:
        if look in low and (value := read(text)):
            return scheme, value
    return None


def eprint_page(text: str) -> tuple[str, str] | None:
    """(base URL, eprint number) of an EPrints abstract page.

    `…/id/eprint/N/` since 3.4; `…/N/` before, which only looks like one: ask the rest of the record.
    """
    match = _EPRINT_LONG.fullmatch(text) or _EPRINT_SHORT.fullmatch(text)
    return (match[1], match[2]) if match else None
