"""Which of Dublin Core's identifiers and relations is what: landing page, files, numbers, a citation.

A server's own page is told by what it is not. EPrints is recognised by the dc:relation that is its abstract
page; then files and their licences can be paired, and its other relations are the work's own addresses.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from harvester.clean import languages, licences, markup, text, types
from harvester.identifiers import eprint_page, recognise
from harvester.record import File, Identifier

_MEDIA_TYPES = {
    "pdf": "application/pdf", "ps": "application/postscript", "doc": "application/msword",
    "zip": "application/zip",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "txt": "text/plain",
    "csv": "text/csv", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "jpg": "image/jpeg",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation", "jpeg": "image/jpeg",
    "png": "image/png", "tif": "image/tiff", "tiff": "image/tiff", "gif": "image/gif", "mp3": "audio/mpeg",
    "wav": "audio/x-wav", "mp4": "video/mp4", "gz": "application/gzip", "epub": "application/epub+zip",
}  # fmt: skip
# bepress, DSpace, OJS and the Austrian IST, Ghent
_FILE_PATHS = (
    "/viewcontent.cgi", "/bitstream/", "/bitstreams/", "/download/", "/article/viewfile/", "/file/"
)  # fmt: skip
_ACCESS = {
    "openaccess": "open", "restrictedaccess": "restricted", "closedaccess": "restricted",
    "embargoedaccess": "embargoed",
}  # fmt: skip
_ALTERNATE = "info:eu-repo/semantics/altIdentifier/"
_YEAR = re.compile(r"\b1[5-9]\d\d\b|\b20\d\d\b")
_NUMBERED = re.compile(r"\b(?:pp?\.|vol\.?|no\.|in:)|\d\s?\(\d+\)|\d:\s?\d|\d[-–]+\d", re.I)
_CITED_DOI = re.compile(r"\bdoi(?::\s*|\.org/)(10\.\S+)", re.I)
_CITED_ISSN = re.compile(r"\bISSN:? (\d{4}-\d{3}[\dX])\b")
_BARE_ISSN = re.compile(r"(?!19|20)\d{7}[\dX]")
_IN_ANGLES = re.compile(r"\s*<https?://[^>\s]*>")

Fields = Mapping[str, Sequence[str]]


class Found(NamedTuple):
    """`raw` is the address as it was said, if it was one."""

    scheme: str
    value: str
    raw: str


class Links(NamedTuple):
    """What a record's identifiers and relations turn out to be."""

    landing_url: str = ""
    official_url: str = ""
    files: tuple[File, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    citation: str = ""
    relations: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()

    def first(self, scheme: str) -> str:
        return next((one.value for one in self.identifiers if one.scheme == scheme), "")

    def with_cited(self, sentence: str) -> "Links":
        """A sentence on the work ends in its DOI (Kansas, IST), or its journal's ISSN (EPrints, DataCite)."""
        found = [
            (scheme, match[1])
            for scheme, look, pattern in (("doi", "10.", _CITED_DOI), ("issn", "ISSN", _CITED_ISSN))
            if look in sentence and not self.first(scheme) and (match := pattern.search(sentence))
        ]
        known = [known for scheme, number in found if (known := recognise(f"{scheme}:{number}"))]
        return self._replace(identifiers=(*self.identifiers, *(Identifier(*one) for one in known)))


def sort_out(pairs: Sequence[tuple[str, str]], fields: Fields) -> Links:
    """`pairs` are (Dublin Core element, text) in document order, `fields` the same by element."""
    if landing := _eprints_page(fields):
        return _eprints_links(pairs, fields, landing)
    return plain(fields, _other_names(fields)) if "relation" in fields else plain(fields)


def is_citation(value: str) -> bool:
    """A sentence with a year and a volume, page or issue in it."""
    return _is_sentence(value) and bool(_NUMBERED.search(value))


def _is_sentence(value: str) -> bool:
    return len(value) >= 20 and " " in value and bool(_YEAR.search(value))


def _is_file(address: str) -> bool:
    if _extension(address) in _MEDIA_TYPES:
        return True
    low = address.lower()
    return any([path in low for path in _FILE_PATHS])  # noqa: C419  # a generator costs twice as much


def _extension(address: str) -> str:
    if "?" in address:
        address = address.partition("?")[0]
    return address[address.rfind(".") + 1 :].lower()


def plain(fields: Fields, also_named: Sequence[str] = ()) -> Links:
    """Of any other server."""
    found, citations, unplaced = _sorted((*fields.get("identifier", ()), *also_named))
    if unplaced and "relation" in fields:
        found, unplaced = _with_bare_issn(found, unplaced, fields)
    beside = (*fields.get("issn", ()), *fields.get("source", ()))
    also = _recognised(beside) if beside else []
    addresses = [one.raw for one in (*found, *also) if one.scheme == "url"]
    files = [one for one in dict.fromkeys(addresses) if _is_file(one)]  # CiteSeerX: in the source
    pages = [one for one in found if "://" in one.raw and one.scheme != "orcid" and one.raw not in files]
    landing, official = _pages(pages)
    relations = fields.get("relation")
    return Links(
        landing_url=landing
        or next((f"https://doi.org/{one.value}" for one in found if one.scheme == "doi"), ""),
        official_url=official,
        files=tuple([_file(address, fields) for address in files]) if files else (),
        identifiers=_identifiers((*found, *also), {landing, official, *files}),
        citation=citations[0] if citations else "",
        relations=text.unique(map(markup.line, relations)) if relations else (),
        unplaced=(*citations[1:], *unplaced),
    )


def _with_bare_issn(
    found: list[Found], unplaced: tuple[str, ...], fields: Fields
) -> tuple[list[Found], tuple[str, ...]]:
    """MIT's articles have their journal's number without hyphen; elsewhere eight digits are anything."""
    if types.read(tuple(fields.get("type", ()))).type != "article":
        return found, unplaced
    bare = [one for one in unplaced if _BARE_ISSN.fullmatch(one)]
    known = [Found(*known, one) for one in bare if (known := recognise(f"issn:{one}"))]
    return [*found, *known], tuple(one for one in unplaced if one not in {issn.raw for issn in known})


def _other_names(fields: Fields) -> list[str]:
    """Among the relations: what OpenAIRE marks as the work's own, and DSpace's only DOI (MIT, Duke, DASH).

    dc.relation.isversionof loses its qualifier on the way; a dataset's only DOI may be its paper's.
    """
    relations = fields["relation"]
    marked = [one.removeprefix(_ALTERNATE) for one in relations if one.startswith(_ALTERNATE)]
    named = [":".join(one.split("/", 1)) for one in marked]
    schemes = {one.scheme for one in _recognised((*fields.get("identifier", ()), *named))}
    kind = types.read(tuple(fields.get("type", ()))).type
    sure = "handle" in schemes or kind == "article"  # Harvard's pages are no handles
    if kind in ("dataset", "software") or not sure or "doi" in schemes:
        return named
    dois = [one.value for one in _recognised(relations) if one.scheme == "doi"]
    return [*named, *dois] if len(dois) == 1 else named


def _recognised(values: Iterable[str]) -> list[Found]:
    """A soft hyphen or two is no obstacle (Ghent's ISBN)."""
    said = (raw if raw.isascii() else text.line(raw) for raw in values)
    return [Found(*known, raw) for raw in said if (known := recognise(raw))]


def _pages(pages: Sequence[Found]) -> tuple[str, str]:
    """(landing, official): where two places show the work, the second is its publisher's."""
    if len(pages) < 2:
        return (pages[0].raw if pages else ""), ""
    numbers = [one.value.rsplit("/", 1)[-1] for one in pages if one.scheme == "handle"]
    landing = min(pages, key=lambda page: _landing_rank(page, numbers))
    shown = landing.scheme == "handle" or "/handle/" in landing.raw
    others = [
        one.raw for one in pages if one.scheme == "url" and one is not landing and not _is_no_work(one.raw)
    ]
    return landing.raw, others[0] if others and shown else ""


def _landing_rank(page: Found, numbers: Sequence[str]) -> int:
    """The repository's own page before a handle, a handle before pages and resolvers elsewhere.

    Its own bears the handle (Cambridge) or its number (Ghent); where there is no handle, any page may be.
    """
    if page.scheme != "url":
        return 1 if page.scheme == "handle" else 4
    if _is_no_work(page.raw):
        return 5
    end = page.raw.rstrip("/").rsplit("/", 1)[-1]
    own = any(one.removeprefix("LU-") == end for one in numbers) or "/handle/" in page.raw
    return 0 if own else 3 if numbers else 1


def _is_no_work(address: str) -> bool:
    """A site's home (Hacettepe: the national centre of theses), an index (Duke: the Web of Science)."""
    return address.rstrip("/").count("/") == 2 or "gateway.webofknowledge.com" in address


def _file(address: str, fields: Fields) -> File:
    access = next((_ACCESS[end] for one in fields.get("rights", ()) if (end := _last(one)) in _ACCESS), "")
    return File(
        address,
        media_type=_MEDIA_TYPES.get(_extension(address), "") or _only_media_type(fields.get("format", ())),
        access=access,
        version=types.read(tuple(fields.get("type", ()))).version,
    )


def _last(value: str) -> str:
    return value.rsplit("/", 1)[-1].strip().lower()


def _only_media_type(values: Sequence[str]) -> str:
    media = {value.lower() for value in values if "/" in value and " " not in value}
    return media.pop() if len(media) == 1 else ""


def _sorted(values: Iterable[str]) -> tuple[list[Found], list[str], tuple[str, ...]]:
    """Identifiers, citation sentences, the rest."""
    found, citations, unplaced = [], [], []
    for raw in dict.fromkeys(values):
        raw = text.line(markup.unescape(raw)) if "&" in raw or not raw.isascii() else raw
        if known := recognise(raw):
            found.append(Found(*known, raw))
        elif _is_sentence(raw):
            citations.append(_citation(raw))
        else:
            unplaced.append(text.line(raw))
    return found, citations, text.unique(unplaced)


def _citation(raw: str) -> str:
    """LSHTM puts its own page in angles after each name."""
    return markup.line(_IN_ANGLES.sub("", raw) if "<http" in raw else raw)


def _identifiers(found: Iterable[Found], placed: set[str]) -> tuple[Identifier, ...]:
    """All but the addresses that have a place of their own."""
    known = [(one.scheme, one.value) for one in found if one.scheme != "url" or one.raw not in placed]
    return tuple([Identifier(*one) for one in dict.fromkeys(known)])


def _eprints_page(fields: Fields) -> str:
    """Its abstract page is among the relations, first since 3.3, last before (Caltech).

    The short form `…/N/` needs a file below, or a review type.
    """
    for said in fields.get("relation", ()):
        if said.startswith("http") and eprint_page(said) is not None and _is_eprints(said, fields):
            return said
    return ""


def _is_eprints(page: str, fields: Fields) -> bool:
    below = page if page.endswith("/") else f"{page}/"
    return (
        "/id/eprint/" in page
        or any(one.startswith(below) for one in fields.get("identifier", ()))
        or types.read(tuple(fields.get("type", ()))).peer_reviewed is not None
    )


def _eprints_links(pairs: Sequence[tuple[str, str]], fields: Fields, landing: str) -> Links:
    relations = [one for one in fields["relation"] if one != landing]
    files = _eprints_files(pairs, landing)
    own = {one.url for one in files}
    found, citations, unplaced = _sorted(one for one in fields.get("identifier", ()) if one not in own)
    citations += [_citation(one) for one in unplaced if len(one) >= 20 and " " in one]
    also, cited, rest = _sorted(relations)
    official = next((one.raw for one in also if "://" in one.raw), "")
    return Links(
        landing_url=landing,
        official_url=official,
        files=files,
        identifiers=_identifiers((*found, *also), {landing, official}),
        citation=citations[0] if citations else "",
        relations=(*cited, *rest),
        unplaced=(*citations[1:], *(one for one in unplaced if len(one) < 20 or " " not in one)),
    )


def _eprints_files(pairs: Iterable[tuple[str, str]], landing: str) -> tuple[File, ...]:
    """A document's format, language and rights stand before its address; absent ones are simply left out."""
    below = landing if landing.endswith("/") else f"{landing}/"
    files = []
    said: dict[str, str] = {}
    for field, value in pairs:
        if field in ("format", "language", "rights"):
            said[field] = value
        elif field == "identifier" and value.startswith(below):
            files.append(_eprints_file(value, said))
            said = {}
    return tuple(files)


def _eprints_file(address: str, said: Mapping[str, str]) -> File:
    media = said.get("format", "")
    return File(
        address,
        media_type=_MEDIA_TYPES.get(_extension(address), "") or (media if "/" in media else ""),
        language=next(iter(languages.codes([said.get("language", "")])), ""),
        license=licences.licence(said.get("rights", "")),
    )
