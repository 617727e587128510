"""What a query means: a tree evaluated on one document in memory. The oracle of the engines' tests."""

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase

from index.analysis import stem, words
from index.document import Document
from index.fields import BY_NAME, SEARCHED, Field, Kind
from index.nodes import (
    All,
    Any,
    Boosted,
    Everything,
    Exact,
    Fuzzy,
    Has,
    Node,
    Not,
    Pattern,
    Range,
    Words,
)


def matches(node: Node, document: Document) -> bool:
    match node:
        case Everything():
            return True
        case Not():
            return not matches(node.node, document)
        case All():
            return all(matches(one, document) for one in node.nodes)
        case Any():
            return any(matches(one, document) for one in node.nodes)
        case Boosted():
            return matches(node.node, document)
    return _holds(node, document)


def _holds(node: Node, document: Document) -> bool:
    match node:
        case Words():
            return any(_has_words(field, node, document) for field in _fields(node.field))
        case Pattern(pattern, field):
            return _has_word(field, lambda word: fits(pattern, word), document)
        case Fuzzy(wanted, field, _, edits):
            return _has_word(field, lambda word: within(edits, wanted, word), document)
        case Exact():
            return node.value in {value.lower() for value in document.values.get(node.field, ())}
        case Has():
            return bool(document.values.get(node.field)) or node.field in document.numbers
        case Range():
            return _in_range(node, document.numbers.get(node.field))
    raise AssertionError(f"a node without a meaning: {node}")


def fits(pattern: str, word: str) -> bool:
    """`?` stands for one character, `*` for any number of them; no other character is special."""
    return fnmatchcase(word, pattern.replace("[", "[[]"))


def within(edits: int, one: str, other: str) -> bool:
    """Whether so many insertions, deletions and replacements make one of the other (Levenshtein)."""
    same = _same_start(one, other)
    one, other = one[same:], other[same:]
    if not one or not other:
        return len(one) + len(other) <= edits
    return edits > 0 and (
        within(edits - 1, one[1:], other[1:])
        or within(edits - 1, one[1:], other)
        or within(edits - 1, one, other[1:])
    )


def _same_start(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _fields(name: str) -> Sequence[Field]:
    return (BY_NAME[name],) if name else SEARCHED


def _has_words(field: Field, node: Words, document: Document) -> bool:
    """All of them, in order and near enough, in one value. Names are stemmed only where no field is named."""
    term = stem if field.kind is Kind.TEXT or not node.field else str
    wanted = list(map(term, node.words))
    values = (list(map(term, words(value))) for value in _values(field, document))
    return any(_has_run(wanted, len(wanted) + node.slop, terms) for terms in values)


def _has_run(wanted: list[str], longest: int, terms: list[str]) -> bool:
    starts = (at for at, term in enumerate(terms) if term == wanted[0])
    return any(_in_order(wanted, terms[start : start + longest]) for start in starts)


def _in_order(wanted: list[str], terms: list[str]) -> bool:
    left = iter(terms)
    return all(one in left for one in wanted)


def _has_word(name: str, suits: Callable[[str], bool], document: Document) -> bool:
    return any(suits(word) for field in _fields(name) for word in _unstemmed(field, document))


def _unstemmed(field: Field, document: Document) -> Iterator[str]:
    """The words of a field; of an exact field, its whole values."""
    for value in _values(field, document):
        yield from (value.lower(),) if field.kind is Kind.EXACT else words(value)


def _values(field: Field, document: Document) -> Sequence[str]:
    return document.values.get(field.name, ())


def _in_range(node: Range, number: int | None) -> bool:
    if number is None:
        return False
    return (node.low is None or node.low <= number) and (node.high is None or number <= node.high)
