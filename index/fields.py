"""The one table of searchable fields: engines, parser and documentation read it."""

from enum import Enum

import msgspec


class Kind(Enum):
    """TEXT: words, stemmed. NAME: words as they are. EXACT: the whole value. NUMBER, DATE: ordered."""

    TEXT = "text"
    NAME = "name"
    EXACT = "exact"
    NUMBER = "number"
    DATE = "date"


class Field(msgspec.Struct, frozen=True):
    """`boost` > 0 makes a field part of a search without a field name; `facet` counts its exact values."""

    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    boost: float = 0.0
    facet: bool = False
    meaning: str = ""


FIELDS = (
    Field("title", Kind.TEXT, ("ti",), 3.0, meaning="title and alternative titles"),
    Field("abstract", Kind.TEXT, ("ab", "description"), 1.0, meaning="abstract"),
    Field("keywords", Kind.TEXT, ("kw",), 2.0, meaning="words of keywords"),
    Field("subjects", Kind.TEXT, ("su",), 1.5, meaning="words of subjects"),
    Field("creators", Kind.NAME, ("author", "authors", "creator", "au"), 2.0, meaning="names of creators"),
    Field(
        "contributors", Kind.NAME, ("contributor", "editor"), 1.0, meaning="editors, supervisors and others"
    ),
    Field("container", Kind.TEXT, ("journal", "book", "in"), 1.0, meaning="journal, book or site"),
    Field("publisher", Kind.TEXT, ("pub",), 0.5, meaning="publisher"),
    Field(
        "institution", Kind.TEXT, ("division", "divisions"), 0.5, meaning="institution, faculty, department"
    ),
    Field(
        "notes", Kind.TEXT, ("note", "extra"), 0.5, meaning="event, funders, notes, citation, all the rest"
    ),
    Field("type", Kind.EXACT, facet=True, meaning="article, book, thesis …"),
    Field("source", Kind.EXACT, facet=True, meaning="the source's name in config.toml"),
    Field("language", Kind.EXACT, ("lang",), facet=True, meaning="language code: en, de, cy …"),
    Field("creator_name", Kind.EXACT, facet=True, meaning="a creator's whole name: Khan, Nagina"),
    Field("keyword", Kind.EXACT, facet=True, meaning="a whole keyword"),
    Field("subject", Kind.EXACT, facet=True, meaning="a whole subject"),
    Field("publisher_name", Kind.EXACT, facet=True, meaning="a publisher's whole name"),
    Field("license", Kind.EXACT, ("licence",), facet=True, meaning="licence: CC-BY-4.0 …"),
    Field("set", Kind.EXACT, meaning="set of the repository, as it writes it"),
    Field("peer_reviewed", Kind.EXACT, ("refereed",), facet=True, meaning="yes or no"),
    Field("status", Kind.EXACT, facet=True, meaning="published, in press, submitted …"),
    Field("media_type", Kind.EXACT, ("format",), facet=True, meaning="media type of a file"),
    Field("deposited_by", Kind.NAME, ("depositor",), meaning="who deposited it"),
    Field("identifier", Kind.EXACT, ("id", "doi", "orcid", "issn", "isbn", "url"), meaning="any identifier"),
    Field("year", Kind.NUMBER, facet=True, meaning="year of the work"),
    Field("date", Kind.DATE, meaning="date of the work: 2021, 2021-03, 2021-03-09"),
    Field("deposited", Kind.DATE, meaning="when it was deposited"),
    Field("modified", Kind.DATE, meaning="when it was last changed"),
)

BY_NAME = {name: field for field in FIELDS for name in (field.name, *field.aliases)}
SEARCHED = tuple(field for field in FIELDS if field.boost)
FACETS = tuple(field.name for field in FIELDS if field.facet)

# Facets and filters are named as people say them; these two differ from the field that holds whole values.
_SPOKEN = {"creator": "creator_name", "author": "creator_name", "publisher": "publisher_name"}
SPOKEN_FACETS = tuple(
    {"creator_name": "creator", "publisher_name": "publisher"}.get(name, name) for name in FACETS
)


def facet_field(name: str) -> Field | None:
    """The field behind a facet or filter name; None where there is none."""
    field = BY_NAME.get(_SPOKEN.get(name, name))
    return field if field is not None and field.kind not in (Kind.TEXT, Kind.NAME) else None
