"""Record → Document: the flat, searchable projection. Pure."""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from harvester.record import File, Record
from index.analysis import joined, prepare, words
from index.fields import FIELDS, Kind
from index.identifiers import identifier_key

_LONGEST_VALUE = 1000  # characters of a whole value
_LONGEST_TEXT = 100_000  # characters of one value; more is no prose (FAULTS M04)


class Hit(msgspec.Struct, frozen=True):
    """What a result shows and a snippet is cut from; the engine stores it with the document."""

    id: str
    title: str
    creators: tuple[str, ...] = ()
    year: int | None = None
    type: str = ""
    source: str = ""
    landing_url: str = ""
    abstract: str = ""
    keywords: tuple[str, ...] = ()
    container: str = ""
    doi: str = ""


class Document(msgspec.Struct, frozen=True):
    """`values` by field name (fields.py), texts and names prepared; `numbers` has years and `date_number`s.

    Texts and names end with the joined forms of their hyphenated words, each a value of its own, so that
    phrases keep their places.
    `position` is the record's place in the change feed: what tells a document that is behind.
    """

    id: str
    position: int
    values: dict[str, list[str]]
    numbers: dict[str, int]
    hit: Hit


class Arrival(msgspec.Struct, frozen=True):
    """When a record was first stored here: its place in the change feed then; seconds since 1970."""

    position: int
    at: int


def document(record: Record, position: int, arrival: Arrival | None = None) -> Document:
    texts = {
        "title": (record.title, *record.alternative_titles),
        "abstract": (record.abstract,),
        "keywords": record.keywords,
        "subjects": record.subjects,
        "creators": tuple(name.name for name in record.creators),
        "contributors": tuple(name.name for name in record.contributors),
        "container": (record.container,),
        "publisher": (record.publisher,),
        "institution": (record.institution, *record.divisions),
        "notes": _rest(record),
        "type": (record.type,),
        "source": (record.source,),
        "language": record.languages,
        "creator_name": tuple(name.name for name in record.creators),
        "keyword": record.keywords,
        "subject": record.subjects,
        "publisher_name": (record.publisher,),
        "license": _distinct((record.license, *(file.license for file in record.files))),
        "set": record.sets,
        "peer_reviewed": () if record.peer_reviewed is None else ("yes" if record.peer_reviewed else "no",),
        "status": (record.status,),
        "open_access": (_open_access(record),),
        "media_type": _distinct(file.media_type for file in record.files),
        "deposited_by": (record.deposited_by,),
        "identifier": identifiers(record),
        "identified_by": _kinds(record),
    }
    values = {name: kept for name, found in texts.items() if (kept := [value for value in found if value])}
    for name in values:
        values[name] = _prepared(values[name]) if name in _PREPARED else [_short(one) for one in values[name]]
    return Document(record.id, position, values, {**_numbers(record), **_arrival(arrival)}, hit(record))


_PREPARED = frozenset(field.name for field in FIELDS if field.kind in (Kind.TEXT, Kind.NAME))


def _short(value: str) -> str:
    """On a line, where tantivy's wildcards stop: engines take no more than 64 KB as one value."""
    value = " ".join(value.split()) if "\n" in value else value
    return value if len(value) < _LONGEST_VALUE else value[:_LONGEST_VALUE]


def _prepared(values: list[str]) -> list[str]:
    prepared = [prepare(value) for value in values]
    hyphened = [value for value in prepared if "-" in value or "'" in value]
    return prepared + [form for value in hyphened for form in joined(value)] if hyphened else prepared


def _open_access(record: Record) -> str:
    """Of the whole work: yes where one file is open, or the licence or the rights say so."""
    if not (record.files or record.license or record.rights):
        return ""
    said = {file.access for file in record.files}
    licences = (record.license, *(file.license for file in record.files))
    rights = [right.lower().rstrip("/").rpartition("/")[2].replace(" ", "") for right in record.rights]
    if "open" in said or "openaccess" in rights or any(map(_is_open, licences)):
        return "yes"
    return "no" if said & _CLOSED or _CLOSED_RIGHTS.intersection(rights) else ""


def _is_open(licence: str) -> bool:
    return licence.startswith(("CC-", "CC0")) or "creativecommons.org" in licence


_CLOSED = {"restricted", "embargoed"}
_CLOSED_RIGHTS = {"closedaccess", "restrictedaccess", "embargoedaccess", "metadataonlyaccess"}


def identifiers(record: Record) -> tuple[str, ...]:
    """Everything one may look a record up by, lower case: ids, DOI, ORCIDs, URLs, the eprint number."""
    number = record.identifier.rpartition(":")[2]
    people = (name.orcid for name in (*record.creators, *record.contributors))
    urls = (record.landing_url, record.official_url, *(file.url for file in record.files))
    known = (one.value for one in record.identifiers)
    own = (record.id, record.identifier, number, record.doi, record.issn, record.isbn)
    short = (url.replace("/id/eprint/", "/") for url in urls if "/id/eprint/" in url)  # as browsers show it
    titles = map(title_key, (record.title, *record.alternative_titles))
    keys = (
        identifier_key(value[:_LONGEST_VALUE]) for value in (*own, *known, *people, *urls, *short) if value
    )
    return _distinct((*keys, *titles))


def _kinds(record: Record) -> tuple[str, ...]:
    """Of identifiers that it has: for `doi:*`."""
    has_orcid = any(name.orcid for name in (*record.creators, *record.contributors))
    url = record.landing_url or record.official_url
    told = {"doi": record.doi, "orcid": has_orcid, "issn": record.issn, "isbn": record.isbn, "url": url}
    return tuple(kind for kind, value in told.items() if value)


def title_key(title: str) -> str:
    """Under which a record is looked up by a whole title, whatever its case and signs; "" without a word."""
    found = " ".join(words(title)).encode()
    return f"title:{blake2b(found, digest_size=8).hexdigest()}" if found else ""


def date_number(date: str, *, last: bool = False) -> int | None:
    """`2021-03` → 20210300, or 20210399 for the last day it may mean. None for what is no date."""
    parts = date[:10].split("-")
    if not all(part.isascii() and part.isdigit() for part in parts) or len(parts) > 3:
        return None
    filler = "99" if last else "00"
    year, month, day = [*parts, filler, filler][:3]
    return int(f"{int(year):04}{month:>02}{day:>02}")


def _arrival(arrival: Arrival | None) -> dict[str, int]:
    if arrival is None:
        return {}
    return {"first_position": arrival.position, "first_stored": arrival.at}


def _numbers(record: Record) -> dict[str, int]:
    dates = {
        "date": date_number(record.date) if record.date else None,
        "deposited": date_number(record.deposited) if record.deposited else None,
        "modified": date_number(record.modified) if record.modified else None,
        "year": record.year,
    }
    return {name: number for name, number in dates.items() if number is not None and number >= 0}


def _rest(record: Record) -> tuple[str, ...]:
    files = tuple(text for file in record.files for text in _words_of_file(file))
    extra = tuple(value for values in record.extra.values() for value in values)
    single = (record.event, record.citation, record.volume, record.issue, record.pages)
    many = (*record.raw_types, *record.funders, *record.notes, *record.rights, *record.relations)
    return tuple(text[:_LONGEST_TEXT] for text in (*single, *many, *files, *extra))


def _words_of_file(file: File) -> tuple[str, ...]:
    """Its size as repositories show it: 295 kB."""
    size = f"{file.size // 1024} kB" if file.size else ""
    return file.url.rpartition("/")[2], file.version, size


def hit(record: Record) -> Hit:
    return Hit(
        id=record.id,
        title=record.title,
        creators=tuple(name.name for name in record.creators),
        year=record.year,
        type=record.type,
        source=record.source,
        landing_url=record.landing_url,
        abstract=record.abstract[:_LONGEST_TEXT],
        keywords=record.keywords,
        container=record.container,
        doi=record.doi,
    )


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, values)))
