"""Unqualified Dublin Core in the wrapper of OAI-PMH (`oai_dc`) or in none, as forty kinds of server write it.

Dublin Core does not say which dc:identifier is what (`harvester.clean.links` does), whether a subject is
controlled, or which date is the work's: each is told by its own shape, and by the company it keeps. Subjects
stay whole in `subjects`; only a list in one value is known to be keywords.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from lxml.etree import QName, _Element
from msgspec.structs import replace

from harvester.clean import (
    containers,
    dates,
    descriptions,
    languages,
    licences,
    links,
    markup,
    names,
    roles,
    text,
)
from harvester.clean import types as kinds
from harvester.clean.containers import Container
from harvester.errors import FormatError
from harvester.identifiers import recognise
from harvester.record import Record

DUBLIN_CORE = {
    "http://purl.org/dc/elements/1.1/",
    "http://purl.org/dc/elements/1.1",
    "https://purl.org/dc/elements/1.1/",
    "http://purl.org/dc/terms/",
}
WRAPPERS = DUBLIN_CORE | {
    "http://www.openarchives.org/OAI/2.0/oai_dc/",
    "http://www.openarchives.org/OAI/2.0/oai_dc",
    "https://www.openarchives.org/OAI/2.0/oai_dc/",
    "http://www.openarchives.org/OAI/1.1/oai_dc/",
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
_NOTHING = {"none", "<none>", "n/a", "null", "unspecified", "-"}
_NOISE = ("Item is not available",)  # dc:status of each of Dryad's items, available or not
_ARXIV = ("http://arxiv.org/abs/", "https://arxiv.org/abs/")
_NOWHERE = Container()
_TRANSLATED = "description (translated)"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

Pairs = list[tuple[str, str]]
Fields = Mapping[str, Sequence[str]]


def accepts(element: _Element) -> bool:
    return _is_wrapper(element.tag) or (_is_bare(element.tag) and element.getparent() is not None)


@lru_cache(maxsize=64)
def _is_wrapper(tag: str) -> bool:
    name = QName(tag)
    return name.localname == "dc" and (name.namespace or "") in WRAPPERS


@lru_cache(maxsize=64)
def _is_bare(tag: str) -> bool:
    """Denmark's SLKS puts its elements straight into <metadata>: the first stands for all."""
    return (QName(tag).namespace or "-") in DUBLIN_CORE


def normalise(element: _Element) -> Record:
    wrapper = element if _is_wrapper(element.tag) else element.getparent()
    pairs, fields = _read(element if wrapper is None else wrapper)
    if fields.keys() == {"relation"}:
        raise FormatError("only dc:relation (EPrints' oai_bibl): a list of references, not a record")
    return _record(fields, links.sort_out(pairs, fields))


def _record(fields: Fields, found: links.Links) -> Record:
    titles = _titles(fields)
    abstract, notes = descriptions.choose(fields.get("description", ()))
    if found.citation or notes:
        found, notes = _cited(found, notes)
    subjects, keywords = text.subjects(_lines(fields, "subject")) if "subject" in fields else ((), ())
    kind = kinds.read(_lines(fields, "type"))
    date = dates.choose(_own_dates(fields)).date
    container, sources = _sources(fields, kind.type)
    if sources and not found.citation:
        sources, found = _citation_among(sources, found)
    if not container.name and (found.citation or found.relations):
        container, found = _in_relations(container, found, titles, kind)
    rights = _lines(fields, "rights")
    publishers = _lines(fields, "publisher")
    creators = names.read(fields["creator"]) if "creator" in fields else names.NOBODY
    contributors = names.read(fields["contributor"]) if "contributor" in fields else names.NOBODY
    if not creators.people and contributors.people:
        creators, contributors = _authors_among(contributors)
    return Record(
        formats=("oai_dc",),
        title=titles[0] if titles else "",
        alternative_titles=titles[1:],
        creators=creators.people,
        contributors=contributors.people,
        abstract=abstract,
        keywords=keywords,
        subjects=subjects,
        type=kind.type or ("preprint" if found.landing_url.startswith(_ARXIV) else ""),
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
            fields,
            date,
            ("identifier", found.unplaced),
            ("source", sources),
            ("publisher", publishers[1:]),
            ("creator", creators.affiliations),
            ("contributor", contributors.affiliations),
        ),
    )


def _cited(found: links.Links, notes: tuple[str, ...]) -> tuple[links.Links, tuple[str, ...]]:
    """Kansas calls one of its descriptions `Citation: …`."""
    citations = [one for one in notes if one.startswith("Citation: ")]
    if citations and not found.citation:
        found = found._replace(citation=citations[0].removeprefix("Citation: "))
        notes = tuple(one for one in notes if one != citations[0])
    for sentence in (found.citation, *(one for one in notes if "ISSN" in one)):
        found = found.with_cited(sentence)
    return found, notes


def _own_dates(fields: Fields) -> Sequence[str]:
    """CiteSeerX says first when it last looked, and when it found the paper."""
    said = fields.get("date", ())
    is_found = len(said) > 1 and any("citeseerx" in one for one in fields.get("identifier", ())[:1])
    return said[2:] if is_found else said


def _in_relations(
    known: Container, found: links.Links, titles: Sequence[str], kind: kinds.Types
) -> tuple[Container, links.Links]:
    """The journal, where no dc:source names it."""
    if kind.peer_reviewed is not None:  # EPrints
        cited = kind.type == "article" and titles
        return (containers.cited(found.citation, titles[0]) if cited else known), found
    related = containers.related(found.relations, found.citation)
    if not related.name:
        return known, found
    rest = tuple(one for one in found.relations if containers.read(one) != related)
    return related, found._replace(relations=rest)


def _citation_among(sources: tuple[str, ...], found: links.Links) -> tuple[tuple[str, ...], links.Links]:
    """Austria's IST puts it into dc:source."""
    for one in sources:
        if links.is_citation(one) and "doi" in one:
            return tuple(other for other in sources if other != one), found._replace(citation=one).with_cited(
                one
            )
    return sources, found


def _authors_among(contributors: names.Found) -> tuple[names.Found, names.Found]:
    """Arizona has no creators, but contributors who are `(Author)` or `(Composer)`."""
    authors = tuple(
        replace(one, role="") if one.role == "author" else one
        for one in contributors.people
        if one.role in roles.CREATORS
    )
    others = tuple(one for one in contributors.people if one.role not in roles.CREATORS)
    return names.Found(authors), names.Found(others, contributors.affiliations)


def _read(element: _Element) -> tuple[Pairs, dict[str, list[str]]]:
    """(field, text) in document order, and texts by field: Dublin Core's names, foreign elements' own."""
    pairs: Pairs = []
    fields: dict[str, list[str]] = {}
    for child in element.iterchildren("*"):
        value = str(child.xpath("string()")) if len(child) else child.text
        if value and (value := value.strip()):
            field = _field(child.tag)
            pairs.append((field, value))
            if field in fields:
                fields[field].append(value)
            else:
                fields[field] = [value]
    for field in ("title", "description"):
        if len(fields.get(field, ())) > 1:
            _sort_by_language(element, fields, field)
    return pairs, fields


@lru_cache(maxsize=1024)
def _field(tag: str) -> str:
    local = QName(tag).localname.lower()
    return _REFINED.get(local, local)


def _sort_by_language(element: _Element, fields: dict[str, list[str]], field: str) -> None:
    """Those in the record's own language first; an abstract in another one is no remark on it (Érudit)."""
    tongues = {
        str(child.xpath("string()")).strip(): child.get(_XML_LANG)
        for child in element.iterchildren("*")
        if _field(child.tag) == field
    }
    own = languages.codes(fields.get("language", ()))[:1]
    first = [one for one in fields[field] if own and languages.codes([tongues.get(one) or ""]) == own]
    if not first or len(set(tongues.values())) < 2:
        return
    others = [one for one in fields[field] if one not in first]
    if field == "title":
        fields[field] = [*first, *others]
    else:
        fields[field] = [*first, *(one for one in others if not tongues.get(one))]
        fields[_TRANSLATED] = [one for one in others if tongues.get(one)]


def _lines(fields: Fields, field: str) -> tuple[str, ...]:
    values = fields.get(field)
    if not values:
        return ()
    if len(values) == 1:
        line = markup.line(values[0])
        return (line,) if line and (len(line) > 11 or line.lower() not in _NOTHING) else ()
    lines = [markup.line(value) for value in values]
    return text.unique([line for line in lines if len(line) > 11 or line.lower() not in _NOTHING])


def _titles(fields: Fields) -> tuple[str, ...]:
    return tuple([markup.without_latex(line) for line in _lines(fields, "title")])


def _first(fields: Fields, field: str) -> str:
    return next(iter(_lines(fields, field)), "")


def _sources(fields: Fields, kind: str) -> tuple[Container, tuple[str, ...]]:
    """The first source that is a container; and those that are nothing we know."""
    if "source" not in fields and "pages" not in fields:
        return _NOWHERE, ()
    found = _NOWHERE
    rest: list[str] = []
    shown = kind in ("image", "audio", "video")  # then it is the object itself, or its tape
    for one in _lines(fields, "source"):
        known = None if shown or found is not _NOWHERE else containers.read(one)
        if known is None or one in fields.get("publisher", ()):
            rest += () if recognise(one) else (one,)
        else:
            found = known
            rest += (one,) if containers.says_more(one, known) else ()
    if not any(found[1:]) and "pages" in fields:  # bibo: CyberLeninka
        found = Container(found.name, *(_first(fields, part) for part in ("volume", "issue", "pages")))
    return found, tuple(rest)


def _says_more(said: str, date: str) -> bool:
    return dates.read(said).date != date or dates.is_span(said)


def _extra(fields: Fields, date: str, *rest: tuple[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """What has no place; `rest` is what is left of the fields that have one."""
    extra = {field: _lines(fields, field) for field in fields if field not in _PLACED}
    extra.update([one for one in rest if one[1]])
    said = fields.get("date", ())
    if len(said) > 1 or (said and said[0] != date):
        extra["date"] = text.unique([one for one in said if not date or _says_more(one, date)])
    if "description" in fields:
        extra["description"] = descriptions.unplaced(fields["description"])
    if "language" in fields:
        extra["language"] = languages.unknown(fields["language"])
    if "status" in fields:
        extra["status"] = tuple(one for one in extra["status"] if one not in _NOISE)
    return {field: values for field, values in extra.items() if values}
