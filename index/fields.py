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
    """`searched`: part of a search without a field name; `weight`: what its exact words add to the score of
    such a search, beside the 1.0 of all the searched text; `facet`: its exact values are counted;
    `offered`: named where people are told what there is.
    """

    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    searched: bool = False
    weight: float = 0.0
    facet: bool = False
    offered: bool = True
    meaning: str = ""


def _text(name: str, meaning: str, *aliases: str, weight: float = 0.0) -> Field:
    return Field(name, Kind.TEXT, aliases, True, weight, meaning=meaning)


def _names(name: str, meaning: str, *aliases: str, weight: float = 0.0) -> Field:
    return Field(name, Kind.NAME, aliases, True, weight, meaning=meaning)


# The weights were tuned on two collections (`make quality`); the scores hardly depend on them.
FIELDS = (
    _text("title", "title and alternative titles", "ti", weight=0.25),
    _text("abstract", "abstract", "ab", "description", weight=0.05),
    _text("keywords", "words of keywords", "kw", weight=0.25),
    _text("subjects", "words of subjects", "su"),
    _names("creators", "names of creators", "author", "authors", "creator", "au", weight=0.25),
    _names("contributors", "editors, supervisors and others", "contributor", "editor"),
    _text("container", "journal, book or site", "journal", "book", "in"),
    _text("publisher", "publisher", "pub"),
    _text("institution", "institution, faculty, department", "division", "divisions"),
    _text("notes", "event, funders, notes, citation, all the rest", "note", "extra"),
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
    Field("open_access", Kind.EXACT, ("oa",), facet=True, meaning="yes or no, where it is known"),
    Field("media_type", Kind.EXACT, ("format",), facet=True, meaning="media type of a file"),
    Field("deposited_by", Kind.NAME, ("depositor",), meaning="who deposited it"),
    Field("identifier", Kind.EXACT, ("id", "doi", "orcid", "issn", "isbn", "url"), meaning="any identifier"),
    Field("identified_by", Kind.EXACT, offered=False, meaning="doi, orcid, issn, isbn, url"),
    Field("year", Kind.NUMBER, facet=True, meaning="year of the work"),
    Field("date", Kind.DATE, meaning="date of the work: 2021, 2021-03, 2021-03-09"),
    Field("deposited", Kind.DATE, meaning="when it was deposited"),
    Field("modified", Kind.DATE, meaning="when it was last changed"),
    Field("first_position", Kind.NUMBER, offered=False, meaning="its first place in the change feed"),
    Field(
        "first_stored",
        Kind.NUMBER,
        offered=False,
        meaning="when it was first stored here, in seconds since 1970",
    ),
)

BY_NAME = {name: field for field in FIELDS for name in (field.name, *field.aliases)}
SEARCHED = tuple(field for field in FIELDS if field.searched)
WEIGHED = tuple(field for field in SEARCHED if field.weight)
FACETS = tuple(field.name for field in FIELDS if field.facet)

KINDS_OF_IDENTIFIERS = ("doi", "orcid", "issn", "isbn", "url")

# Facets and filters are named as people say them; these two differ from the field that holds whole values.
_SPOKEN = {"creator": "creator_name", "author": "creator_name", "publisher": "publisher_name"}
SPOKEN_FACETS = tuple(
    {"creator_name": "creator", "publisher_name": "publisher"}.get(name, name) for name in FACETS
)


def facet_field(name: str) -> Field | None:
    """The field behind a facet or filter name; None where there is none."""
    field = BY_NAME.get(_SPOKEN.get(name, name))
    return field if field is not None and field.kind not in (Kind.TEXT, Kind.NAME) else None
