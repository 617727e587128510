"""How Whoosh keeps a document: its schema, a document's fields."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any as Anything

import msgspec
from whoosh import columns, fields, formats

from harvester.errors import IndexFault
from index.analysis import words
from index.document import Document
from index.engines.whoosh_codec import Numbers, Places
from index.fields import BY_NAME, FIELDS, SEARCHED, Kind
from index.nodes import WIDEST_SLOP

NONE = -1  # a number that a document does not have
ORDERED = frozenset(field.name for field in FIELDS if field.kind in (Kind.NUMBER, Kind.DATE))
TEXT = "text"  # all that is searched, taken together: only its length is kept
_WORDED = tuple(field.name for field in FIELDS if field.kind in (Kind.TEXT, Kind.NAME))
_SEARCHED = tuple(field.name for field in SEARCHED)
_GAP = WIDEST_SLOP + 1  # places between two values of a field: no phrase crosses it

_encode = msgspec.json.Encoder().encode
_decode_document = msgspec.json.Decoder(Document).decode


class _Words(fields.FieldType):  # type: ignore[misc]  # Whoosh carries no types
    """Words at their places, value by value."""

    def __init__(self) -> None:
        super().__init__(Places(), None)

    def index(self, values: list[list[str]], **_: Anything) -> Iterator[tuple[bytes, int, float, bytes]]:
        places, at = defaultdict(list), 0
        for value in values:
            for place, word in enumerate(value, at):
                places[word].append(place)
            at += len(value) + _GAP
        for word, found in places.items():
            yield word.encode(), len(found), float(len(found)), self.format.encode(found)


@cache
def schema() -> Anything:
    """Each field has its words as they are; those that share a stem are found when they are asked for."""
    number = fields.COLUMN(Numbers("q", default=NONE))
    length = fields.COLUMN(Numbers("I"))
    exact = fields.FieldType(formats.Existence(), None)
    built = fields.Schema(
        id=fields.ID(sortable=True),
        has=exact,
        position=number,
        sorted_date=number,
        hit=fields.COLUMN(columns.CompressedBytesColumn()),
    )
    for field in FIELDS:
        if field.name in ORDERED:
            built.add(field.name, number)
        elif field.kind is Kind.EXACT:
            built.add(field.name, exact)
            if field.facet:
                built.add(counted(field.name), fields.COLUMN(columns.VarBytesColumn()))
        else:
            built.add(field.name, _Words())
    for name in (TEXT, *_WORDED):
        built.add(length_of(name), length)
    return built


def counted(name: str) -> str:
    """The column of a field's values as they are written; EXACT terms are lower case."""
    return f"counted_{name}"


def length_of(name: str) -> str:
    """The column of how many words a field has."""
    return f"length_{name}"


def as_fields(document: Document) -> dict[str, Anything]:
    values = document.values
    exact = {name: values[name] for name in values if BY_NAME[name].kind is Kind.EXACT}
    worded = {name: [words(value) for value in values[name]] for name in _WORDED if name in values}
    lengths = {name: sum(map(len, found)) for name, found in worded.items()}
    lengths[TEXT] = sum(lengths.get(name, 0) for name in _SEARCHED)
    return {
        **worded,
        **{length_of(name): length for name, length in lengths.items()},
        **{name: [value.lower() for value in found] for name, found in exact.items()},
        **{counted(name): _encode(found) for name, found in exact.items() if BY_NAME[name].facet},
        **document.numbers,
        "has": [*values, *document.numbers],
        "id": document.id,
        "position": document.position,
        "sorted_date": document.numbers.get("date") or document.numbers.get("year", 0) * 10_000,
        "hit": _encode(document.hit),
    }


def check(document: Document) -> None:
    """A document that Whoosh takes only half would lose others without a word."""
    try:
        _decode_document(_encode(document))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as error:
        raise _unfit(document, str(error)) from error
    numbers = {**document.numbers, "position": document.position}
    if wrong := [f"{name} is {number}" for name, number in numbers.items() if not 0 <= number < 2**63]:
        raise _unfit(document, ", ".join(wrong))
    if unknown := (document.values.keys() - BY_NAME.keys()) | (document.numbers.keys() - ORDERED):
        raise _unfit(document, f"no field {', '.join(sorted(unknown))}")


def _unfit(document: Document, why: str) -> IndexFault:
    return IndexFault(
        f"the document {document.id} cannot be indexed: {why}", "report this as a fault of Windrow"
    )
