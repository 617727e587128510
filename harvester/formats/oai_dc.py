"""Unqualified Dublin Core in the wrapper of OAI-PMH (`oai_dc`), as some forty kinds of server write it.

Dublin Core does not say which dc:identifier is what (`harvester.clean.links` does), whether a subject is
controlled, or which date is the work's: each is told by its own shape, and by the company it keeps. Subjects
stay whole in `subjects`; only a list between semicolons is known to be keywords.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from lxml.etree import QName, _Element

from harvester.clean import dates, languages, licences, links, markup, names, text, types
from harvester.errors import FormatError
from harvester.identifiers import recognise, url
from harvester.record import Record

WRAPPERS = {
    "http://www.openarchives.org/OAI/2.0/oai_dc/",
    "http://www.openarchives.org/OAI/2.0/oai_dc",
    "https://www.openarchives.org/OAI/2.0/oai_dc/",
    "http://www.openarchives.org/OAI/1.1/oai_dc/",
    "http://purl.org/dc/elements/1.1/",
    "http://purl.org/dc/elements/1.1",
    "https://purl.org/dc/elements/1.1/",
    "http://purl.org/dc/terms/",
    "",
}
# Refinements that turn up in the simple wrapper (CyberLeninka, Dataverse), by the element that they refine.
_REFINED = {
    "alternative": "title", "abstract": "description", "issued": "date", "license": "rights", "eissn": "issn",
    "ispartof": "source", "accessrights": "rights",
}  # fmt: skip
_PLACED = {
    "title", "creator", "contributor", "description", "publisher", "subject", "type", "language", "rights",
    "identifier", "relation", "date", "source", "issn", "volume", "issue", "pages",
}  # fmt: skip
_LABELS = {
    "abstract",
    "seriesinformation",
    "tableofcontents",
    "methods",
    "technicalinfo",
    "other",
}  # DataCite
_NOTHING = {"none", "<none>", "n/a", "null", "unspecified", "-"}
_OJS_SOURCE = re.compile(
    r"([^;]+); (?:(?:Vol|Bd|T|v)\.? ?(\w+))?,? ?(?:(?:No|Nr|Núm|N)\.? ?([\w/-]+))?[^;]*"
    r"(?:; ([\w.]+ ?[-–] ?[\w.]+))?",
    re.I,
)
_ZENODO_SOURCE = re.compile(
    r"(.+?), (?:([\w/]+)(?:\(([\w/-]+)\))?, )?(?:([A-Za-z]?\d+ ?[-–] ?[A-Za-z]?\d+), )?\(\d{4}[\d-]*\)"
)

Fields = Mapping[str, Sequence[str]]


class Container(NamedTuple):
    """OJS says `Journal of Hay; Vol. 3 No. 2 (2015); 12-20`, Zenodo `Journal of Hay, 3(2), 12-20, (2015)`."""

    name: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""


def accepts(element: _Element) -> bool:
    return _is_wrapper(element.tag)


@lru_cache(maxsize=64)
def _is_wrapper(tag: str) -> bool:
    name = QName(tag)
    return name.localname == "dc" and (name.namespace or "") in WRAPPERS


def normalise(element: _Element) -> Record:
    pairs = _pairs(element)
    fields = _grouped(pairs)
    if fields.keys() == {"relation"}:
        raise FormatError("only dc:relation (EPrints' oai_bibl): a list of references, not a record")
    return _record(fields, links.sort_out(pairs, fields))


def _record(fields: Fields, found: links.Links) -> Record:
    titles = _lines(fields, "title")
    abstract, notes = _descriptions(fields)
    subjects, keywords = _subjects(fields)
    kind = types.read(_lines(fields, "type"))
    date = dates.choose(fields.get("date", ())).date
    container, sources = _sources(fields, kind.type)
    rights = _lines(fields, "rights")
    publishers = _lines(fields, "publisher")
    return Record(
        formats=("oai_dc",),
        title=titles[0] if titles else "",
        alternative_titles=titles[1:],
        creators=names.people(fields.get("creator", ())),
        contributors=names.people(fields.get("contributor", ())),
        abstract=abstract,
        keywords=keywords,
        subjects=subjects,
        type=kind.type,
        raw_types=kind.raw,
        date=date,
        year=dates.year(date),
        languages=languages.codes(fields.get("language", ())),
        publisher=publishers[0] if publishers else "",
        container=container.name,
        volume=container.volume,
        issue=container.issue,
        pages=container.pages,
        issn=found.first("issn"),
        isbn=found.first("isbn"),
        doi=found.first("doi"),
        identifiers=found.identifiers,
        landing_url=found.landing_url,
        official_url=found.official_url,
        files=found.files,
        rights=rights,
        license=licences.choose(rights),
        peer_reviewed=kind.peer_reviewed,
        notes=notes,
        citation=found.citation,
        relations=found.relations,
        extra=_extra(
            fields, date, {"identifier": found.unplaced, "source": sources, "publisher": publishers[1:]}
        ),
    )


def _pairs(element: _Element) -> list[tuple[str, str]]:
    """(field, text) in document order; fields are Dublin Core's names, foreign elements' own."""
    found = []
    for child in element.iterchildren("*"):
        value = str(child.xpath("string()")) if len(child) else child.text
        if value and (value := value.strip()):
            found.append((_field(child.tag), value))
    return found


@lru_cache(maxsize=1024)
def _field(tag: str) -> str:
    local = QName(tag).localname.lower()
    return _REFINED.get(local, local)


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for field, value in pairs:
        fields.setdefault(field, []).append(value)
    return fields


def _lines(fields: Fields, field: str) -> tuple[str, ...]:
    values = fields.get(field)
    if not values:
        return ()
    lines = [markup.line(value) for value in values]
    return text.unique([line for line in lines if len(line) > 11 or line.lower() not in _NOTHING])


def _first(fields: Fields, field: str) -> str:
    return next(iter(_lines(fields, field)), "")


def _descriptions(fields: Fields) -> tuple[str, tuple[str, ...]]:
    """The longest is the abstract: DSpace puts sponsors and version notes before or after it."""
    said = [markup.abstract(value) for value in fields.get("description", ())]
    prose = text.unique([one for one in said if len(one) > 100 or not (one.lower() in _LABELS or url(one))])
    if len(prose) < 2:
        return "".join(prose), ()
    abstract = max((one for one in prose if not one.startswith("Comment: ")), key=len, default="")  # arXiv
    return abstract, tuple(one for one in prose if one != abstract)


def _subjects(fields: Fields) -> tuple[tuple[str, ...], tuple[str, ...]]:
    subjects: list[str] = []
    keywords: list[str] = []
    for value in _lines(fields, "subject"):
        if ";" in value:
            keywords.extend(text.words_list(value))
        else:
            subjects.append(value)
    return tuple(subjects), text.unique(keywords)


def _sources(fields: Fields, kind: str) -> tuple[Container, tuple[str, ...]]:
    """The first source that is a container; and those that are nothing we know."""
    said = [(one, _container(one)) for one in _lines(fields, "source")]
    shown = kind in ("image", "audio", "video")  # then it is the object itself, or its tape
    publishers = fields.get("publisher", ())
    found = next((read for one, read in said if read and not shown and one not in publishers), Container())
    rest = tuple(one for one, read in said if read is not found and not recognise(one))
    if not any(found[1:]) and "pages" in fields:  # bibo: CyberLeninka
        found = Container(found.name, *(_first(fields, part) for part in ("volume", "issue", "pages")))
    return found, rest


@lru_cache(maxsize=4096)
def _container(value: str) -> Container | None:
    """None for an identifier, a citation, a paragraph."""
    if len(value) > 200 or value.startswith("http") or recognise(value):
        return None
    if match := _OJS_SOURCE.fullmatch(value) or _ZENODO_SOURCE.fullmatch(value):
        return Container(*(part or "" for part in match.groups()))
    return None if links.is_citation(value) else Container(value)


def _extra(fields: Fields, date: str, rest: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    extra = {field: _lines(fields, field) for field in fields if field not in _PLACED}
    extra.update(rest)
    if fields.get("date", [date]) != [date]:
        extra["date"] = tuple(one for one in _lines(fields, "date") if dates.read(one).date != date)
    if "description" in fields:
        extra["description"] = tuple(filter(url, fields["description"]))  # bepress: the thumbnail's address
    return {field: values for field, values in extra.items() if values}
