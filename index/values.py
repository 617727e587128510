"""A value in a query → node, by the kind of its field: words in all their ways, or a whole value."""

import re
from itertools import groupby
from math import comb

from index.analysis import prepare, with_joined, words
from index.fields import BY_NAME, FIELDS, Field, Kind
from index.identifiers import identifier_key
from index.nodes import WIDEST_SLOP, All, Exact, Fuzzy, Has, Node, Pattern, Spellings, Words
from index.ranges import ORDERED, range_node
from index.tokens import Value

MOST_ARRANGEMENTS = 100  # of a phrase with slop: tantivy is asked for each
# Of these tantivy makes automata of some hundred states, in milliseconds; its end is at 1,000.
MOST_SIGNS = 4
LONGEST_PATTERN = 40
SHORTEST_FOR_TWO_EDITS = 5

_LEADING_SIGN = re.compile(r"[*?]+[^\W_]")
_PIECE = re.compile(r"[^\W_]+(?:[*?]+[^\W_]+)*(?:\*+(?=[,;]*\Z))?")
_SIGN = re.compile(r"\*+|\?")
_INNER_SIGN = re.compile(r"[*?][^\W_]")
_EXACT_PATTERN = re.compile(r"[^*?]*[^\W_].*?(?:\*|\?.)", re.DOTALL)
_LETTER = re.compile(r"[^\W\d_]")
_NOT_TEXT = re.compile(r"[\ud800-\udfff]")  # what a terminal makes of bytes that are no UTF-8


def direct_node(field: Field, value: Value) -> Node | None:
    """Of a value right behind `field:`, where a wildcard or a bracket is meant as one."""
    if field.kind not in ORDERED and value.kind != "phrase":
        if value.text == "*":
            return Has(field.name, value.place)
        refuse_leading_sign(value)
        if value.kind == "range":
            ordered = ", ".join(one.name for one in FIELDS if one.kind in ORDERED and one.offered)
            raise value.fault(f"{field.name} has no order, so no range", f"ranges are for {ordered}")
    return value_node(field, value)


def value_node(field: Field | None, value: Value) -> Node | None:
    if field is None or field.kind in (Kind.TEXT, Kind.NAME):
        return _textual(field.name if field else "", value)
    return _whole(field, value) if field.kind is Kind.EXACT else range_node(field, value)


def identifier_node(value: Value, *, alone: bool) -> Node:
    """Among other words it may be part of a title."""
    exact = _whole(BY_NAME["identifier"], value)
    as_words = None if alone else _written("", value, 0)
    return exact if as_words is None else Spellings((exact, as_words))


def wildcards(node: Node) -> int:
    """How many signs for other letters there are: each *, ? and ~, and ~2 is two."""
    match node:
        case Pattern():
            return len(_SIGN.findall(node.pattern))
        case Fuzzy():
            return node.edits
    return 0


def spread(node: Node) -> int:
    """The letters of what has signs for others, ~2 twice: what tells how large an engine's automata are."""
    match node:
        case Pattern():
            return len(node.pattern)
        case Fuzzy():
            return len(node.word) * node.edits
    return 0


def arrangements(node: Node) -> int:
    """In how many ways the words of a phrase may stand, if others may be in between."""
    return _ways(node.slop, len(node.words)) if isinstance(node, Words) and node.slop else 0


def refuse_leading_sign(value: Value) -> None:
    if _LEADING_SIGN.match(value.text):
        message = f"{value.text[0]} has no letter before it"
        raise value.fault(message, f"a word may have a wildcard inside or at its end: harv{value.text[0]}st")


def _textual(field: str, value: Value) -> Node | None:
    if value.kind == "word":
        if value.tilde is not None:
            return _fuzzy(field, value)
        if (node := _wild(field, value)) is not None:
            return node
    return _written(field, value, _slop(value) if value.kind == "phrase" else 0)


def _written(field: str, value: Value, slop: int) -> Node | None:
    """As it is written, or with its hyphenated words joined."""
    text = prepare(value.text)
    ways = dict.fromkeys(tuple(words(way)) for way in (text, with_joined(text)))
    nodes = tuple(Words(way, field, value.place, slop if len(way) > 1 else 0) for way in ways if way)
    return Spellings(nodes) if len(nodes) > 1 else next(iter(nodes), None)


def _slop(value: Value) -> int:
    slop, length = int(value.tilde or 0), len(words(value.text))
    if slop and length > 1:
        slops = range(WIDEST_SLOP + 1)
        most = max(one for one in slops if _ways(one, length) <= MOST_ARRANGEMENTS)
        if slop > most:
            message = f"{length} words may have {most} others in between at most, not {slop}"
            raise value.fault(message, "ask for fewer words, or for less in between")
    return slop


def _ways(slop: int, length: int) -> int:
    return comb(slop + length - 1, length - 1)


def _fuzzy(field: str, value: Value) -> Node | None:
    *before, last = words(with_joined(prepare(value.text))) or [""]
    if not _LETTER.search(last) or len(last) > LONGEST_PATTERN:
        return _written(field, value, 0)
    fuzzy = Fuzzy(last, field, value.place, _edits(value, last))
    return All((Words(tuple(before), field, value.place), fuzzy)) if before else fuzzy


def _edits(value: Value, word: str) -> int:
    if value.tilde not in ("", "1", "2"):
        raise value.fault(f"a word may be 1 or 2 letters off, not {value.tilde}", "write word~ or word~2")
    if value.tilde == "2" and len(word) < SHORTEST_FOR_TWO_EDITS:
        message = f"~2 is for words of {SHORTEST_FOR_TWO_EDITS} letters and more"
        raise value.fault(message, f"write {word}~, which is one letter off")
    return int(value.tilde or 1)


def _wild(field: str, value: Value) -> Node | None:
    """None where there is no wildcard. One inside a word may be part of a title, too: F*R*I*E*N*D*S."""
    pieces = [_SIGN.sub(_one_sign, piece) for piece in _PIECE.findall(with_joined(prepare(value.text)))]
    if not any(map(_is_pattern, pieces)):
        return None
    nodes: list[Node] = []
    for wild, run in groupby(pieces, _is_pattern):
        if wild:
            nodes += (Pattern(piece, field, value.place) for piece in run)
        elif plain := tuple(words(" ".join(run))):
            nodes.append(Words(plain, field, value.place))
    node = nodes[0] if len(nodes) == 1 else All(tuple(nodes))
    if not any(_INNER_SIGN.search(piece) for piece in pieces):
        return node
    return Spellings((node, Words(tuple(words(value.text)), field, value.place)))


def _one_sign(signs: re.Match[str]) -> str:
    return signs.group()[0]


def _is_pattern(piece: str) -> bool:
    return 0 < len(_SIGN.findall(piece)) <= MOST_SIGNS and len(piece) <= LONGEST_PATTERN


def _whole(field: Field, value: Value) -> Node:
    text = exact_value(field, value.text)
    if value.tilde is not None:
        return Fuzzy(text, field.name, value.place, _edits(value, text))
    if value.kind != "phrase" and _is_exact_pattern(field, text):
        return Pattern(_SIGN.sub(_one_sign, text), field.name, value.place)
    return Exact(field.name, text, value.place)


def _is_exact_pattern(field: Field, text: str) -> bool:
    """URLs have question marks of their own."""
    wild = "*" in text if field.name == "identifier" else True
    return wild and _EXACT_PATTERN.match(text) is not None and _is_pattern(text)


def exact_value(field: Field, text: str) -> str:
    value = _NOT_TEXT.sub("\ufffd", text.strip('"'))
    if field.name == "identifier":
        return identifier_key(value)
    if field.name in ("peer_reviewed", "open_access"):
        return {"true": "yes", "false": "no"}.get(value.lower(), value.lower())
    return value.lower()
