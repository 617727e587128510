"""Identifiers as people paste them: told from words, and brought to the one spelling that is indexed."""

import re

_COSTUME = r"(?:(?:https?:/+)?(?:www\.|dx\.)?doi\.org/|info:doi/|urn:doi:|doi(?:\s*:\s*/*|\s+))"
_PERSON = r"(?:(?:https?:/+)?(?:www\.)?orcid(?:\.org/|\s*:\s*|\s+))"
_IDENTIFIER = re.compile(
    rf"""
    [<\[]?
    (?: (?: {_COSTUME}10\.[0-9.]+(?:/|%2F)            # a DOI
          | 10\.[0-9]{{4,9}}(?:\.[0-9]+)*(?:/|%2F)
          | https?://
          | (?:[\w.-]+/)?oai:                         # a record's id, too
          | arxiv:\s*(?:[a-z-]+/)?(?=[0-9])
        ) [^\s"]+
      | {_PERSON}?[0-9]{{4}}(?:-[0-9]{{4}}){{2}}-[0-9]{{3}}[0-9X](?![\w*?-])
      | (?P<digits>[0-9]{{15}}[0-9X])(?![\w*?])           # an ORCID, if its check digit is right
      | (?:(?:[a-z0-9-]+\.)+[a-z]{{2,}}(?::[0-9]+)?/(?:id/eprint/)?|/id/eprint/)[0-9]+/?(?=[\s.,;)>\]]|\Z)
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SCHEME = re.compile(
    rf"{_COSTUME}|{_PERSON}|https?:/+(?:hdl\.handle\.net/)?|hdl:\s*|arxiv:\s*", re.IGNORECASE
)
INVISIBLE = "\u00ad\u200b\u200e\u200f\u2060\ufeff"  # what comes along out of a PDF
_EPRINT = re.compile(r"([^/\s]*)/id/eprint/([0-9]+)")
_NO_INVISIBLE = dict.fromkeys(map(ord, INVISIBLE))
_CLOSING = {")": "(", "]": "[", ">": "<", "}": "{"}
_PUNCTUATION = ".,;:!?'"
_MAY_END = tuple(_PUNCTUATION) + tuple(_CLOSING)


def identifier_at(text: str, at: int) -> str:
    """The identifier that begins there, or ""; nothing of a sentence around it."""
    match = _IDENTIFIER.match(text, at)
    if match is None or (match["digits"] and not _is_orcid(match["digits"])):
        return ""
    return _without_punctuation(match.group())


def identifier_key(value: str) -> str:
    """The one spelling under which an identifier is indexed and looked up."""
    key, before = value if value.isascii() else value.translate(_NO_INVISIBLE), ""
    key = key.strip().lower()
    while key != before and not key.isalnum():
        before, key = key, _undressed(key)
    if key.startswith("10."):
        key = key.replace("%2f", "/")
    if eprint := _EPRINT.match(key):  # browsers show it without
        key = f"{eprint[1]}/{eprint[2]}{key[eprint.end() :]}".lstrip("/")
    return "-".join(re.findall("....", key)) if len(key) == 16 and _is_orcid(key) else key


def _undressed(key: str) -> str:
    key = key.lstrip("<[")
    match = _SCHEME.match(key)
    return _without_punctuation(key[match.end() if match else 0 :]).rstrip("/")


def _without_punctuation(text: str) -> str:
    """A DOI may hold brackets; one that closes what it did not open is none of it."""
    if not text.endswith(_MAY_END):
        return text
    end = len(text)
    surplus = {sign: text.count(sign) - text.count(opening) for sign, opening in _CLOSING.items()}
    while end and (text[end - 1] in _PUNCTUATION or surplus.get(text[end - 1], 0) > 0):
        end -= 1
        if text[end] in surplus:
            surplus[text[end]] -= 1
    return text[:end]


def _is_orcid(digits: str) -> bool:
    """Sixteen characters, the last of which is the check digit (ISO 7064, MOD 11-2)."""
    if not re.fullmatch("[0-9]{15}[0-9Xx]", digits):
        return False
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    return digits[-1].upper() == "0123456789X"[(12 - total % 11) % 11]
