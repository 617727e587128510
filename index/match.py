"""What a query means: a tree evaluated on one document in memory. The oracle of the engines' tests."""

from collections.abc import Iterator

from index.analysis import stem, words
from index.document import Document
from index.fields import BY_NAME, SEARCHED, Field, Kind
from index.nodes import All, Any, Everything, Exact, Node, Not, Prefer, Range, Words


def matches(node: Node, document: Document) -> bool:
    match node:
        case Everything():
            return True
        case Words():
            fields = (BY_NAME[node.field],) if node.field else SEARCHED
            return any(_has_words(field, node.words, document) for field in fields)
        case Exact():
            return node.value in {value.lower() for value in document.values.get(node.field, ())}
        case Range():
            return _in_range(node, document.numbers.get(node.field))
        case Not():
            return not matches(node.node, document)
        case All():
            return all(matches(one, document) for one in node.nodes)
        case Any():
            return any(matches(one, document) for one in node.nodes)
        case Prefer():
            return matches(node.node, document)
    raise AssertionError(f"a node without a meaning: {node}")


def _has_words(field: Field, wanted: tuple[str, ...], document: Document) -> bool:
    """All of them, one after the other, in one value of the field."""
    terms = tuple(_term(field, word) for word in wanted)
    return any(terms in set(_runs(value, len(terms))) for value in _analysed(field, document))


def _analysed(field: Field, document: Document) -> Iterator[list[str]]:
    for value in document.values.get(field.name, ()):
        yield [_term(field, word) for word in words(value)]


def _term(field: Field, word: str) -> str:
    return stem(word) if field.kind is Kind.TEXT else word


def _runs(terms: list[str], length: int) -> Iterator[tuple[str, ...]]:
    return (tuple(terms[at : at + length]) for at in range(len(terms) - length + 1))


def _in_range(node: Range, number: int | None) -> bool:
    if number is None:
        return False
    return (node.low is None or node.low <= number) and (node.high is None or number <= node.high)
