"""What a query finds in one segment of a Whoosh index, worked out on whole sets of documents.

Whoosh's own matchers step through every field of every word one document at a time, which costs far more.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import inf, log
from typing import Any as Anything

import msgspec
from whoosh.scoring import bm25

from index.analysis import stem
from index.document import Hit
from index.engine import Sort
from index.fields import BY_NAME, FIELDS, SEARCHED, Field, Kind
from index.nodes import All, Any, Everything, Exact, Node, Not, Range, Words

NONE = -1  # a number that a document does not have
_B, _K1 = 0.75, 1.2

ORDERED = frozenset(field.name for field in FIELDS if field.kind in (Kind.NUMBER, Kind.DATE))
_decode_hit = msgspec.json.Decoder(Hit).decode
_decode_values = msgspec.json.Decoder(list[str]).decode

Scores = dict[int, float]


class Segment:
    """One segment, and `whole`, the index whose statistics score it."""

    def __init__(self, leaf: Anything, whole: Anything) -> None:
        self._leaf, self._whole = leaf, whole
        self._numbers: dict[str, list[int]] = {}
        self._columns: dict[str, Anything] = {}

    def scores(self, node: Node) -> Scores:
        """The live documents that match; what is no word scores nothing."""
        match node:
            case Everything():
                return dict.fromkeys(self._leaf.all_doc_ids(), 0.0)
            case Words():
                return _sum([self._words(field, node.words) for field in _fields_of(node)])
            case Exact():
                return dict.fromkeys(numbers_of(self._leaf, node.field, node.value), 0.0)
            case Range():
                return self._range(node)
            case Not():
                excluded = self.scores(node.node)
                return {number: 0.0 for number in self._leaf.all_doc_ids() if number not in excluded}
            case All():
                return self._all([self.scores(one) for one in node.nodes])
            case Any():
                return _sum([self.scores(one) for one in node.nodes])
        raise AssertionError(f"a node that Whoosh does not know: {node}")

    def ranked(self, scores: Scores, sort: Sort) -> Iterator[tuple[float, int]]:
        """(key, number) of each document, the smallest key first."""
        if sort is Sort.RELEVANCE:
            return ((-score, number) for number, score in scores.items())
        keys = self._numbers_in("position" if sort is Sort.ADDED else "sorted_date")
        if sort is Sort.OLDEST:
            return ((keys[number] or inf, number) for number in scores)
        return ((-keys[number], number) for number in scores)

    def hit(self, number: int) -> Hit:
        return _decode_hit(self._column("hit")[number])

    def values(self, name: str, scores: Scores) -> Iterator[Iterable[str]]:
        """The distinct values of a field in each document."""
        if name in ORDERED:
            numbers = self._numbers_in(name)
            return ((str(numbers[number]),) for number in scores if numbers[number] != NONE)
        column = self._column(counted(name))
        return (set(_decode_values(kept)) for number in scores if (kept := column[number]))

    def positions(self) -> Iterator[tuple[str, int]]:
        ids, positions = self._column("id"), self._numbers_in("position")
        return ((bytes(ids[number]).decode(), positions[number]) for number in self._leaf.all_doc_ids())

    def _words(self, field: Field, wanted: tuple[str, ...]) -> Scores:
        terms = [term_of(field, word) for word in wanted]
        counts = self._weights(field.name, terms[0]) if len(terms) == 1 else self._runs(field.name, terms)
        rarity = sum(self._rarity(field.name, term) for term in terms)
        average = self._whole.field_length(field.name) / self._whole.doc_count_all() or 1.0
        length, boost = self._leaf.doc_field_length, 1.0 + 8 * field.weight
        return {
            number: boost * bm25(rarity, count, length(number, field.name, 1), average, _B, _K1)
            for number, count in counts.items()
        }

    def _rarity(self, field: str, term: str) -> float:
        return log(self._whole.doc_count_all() / (self._whole.doc_frequency(field, term) + 1)) + 1

    def _weights(self, field: str, term: str) -> Scores:
        matcher, weights = _postings(self._leaf, field, term), {}
        while matcher is not None and matcher.is_active():
            weights[matcher.id()] = matcher.weight()
            matcher.next()
        return weights

    def _runs(self, field: str, terms: list[str]) -> Scores:
        """How often the terms follow each other in each document."""
        wanted = set.intersection(*(set(numbers_of(self._leaf, field, term)) for term in terms))
        starts: dict[int, set[int]] = {}
        for at, term in enumerate(terms):
            for number, places in self._places(field, term, wanted):
                begun = {place - at for place in places}
                starts[number] = starts[number] & begun if at else begun
        return {number: float(len(found)) for number, found in starts.items() if found}

    def _places(self, field: str, term: str, wanted: set[int]) -> Iterator[tuple[int, list[int]]]:
        matcher = _postings(self._leaf, field, term)
        for number in sorted(wanted):
            matcher.skip_to(number)
            yield number, matcher.value_as("positions")

    def _range(self, node: Range) -> Scores:
        low = max(node.low or 0, 0)
        high = inf if node.high is None else node.high
        numbers = self._numbers_in(node.field)
        return {number: 0.0 for number in self._leaf.all_doc_ids() if low <= numbers[number] <= high}

    def _all(self, found: list[Scores]) -> Scores:
        if not found:
            return self.scores(Everything())
        smallest = min(found, key=len)
        common = (number for number in smallest if all(number in scores for scores in found))
        return {number: sum(scores[number] for scores in found) for number in common}

    def _numbers_in(self, field: str) -> list[int]:
        if field not in self._numbers:
            self._numbers[field] = list(self._column(field))
        return self._numbers[field]

    def _column(self, name: str) -> Anything:
        if name not in self._columns:
            self._columns[name] = self._leaf.column_reader(name, translate=False)
        return self._columns[name]


def _fields_of(node: Words) -> Sequence[Field]:
    return (BY_NAME[node.field],) if node.field else SEARCHED


def _sum(found: list[Scores]) -> Scores:
    total: Scores = {}
    for scores in found:
        for number, score in scores.items():
            total[number] = total.get(number, 0.0) + score
    return total


def term_of(field: Field, word: str) -> str:
    # Whoosh's own porter2 stems 58 words in 36,160 otherwise than Snowball does.
    return stem(word) if field.kind is Kind.TEXT else word


def counted(name: str) -> str:
    """The column of a field's values as they are written; EXACT terms are lower case."""
    return f"counted_{name}"


def hold_deletions(leaf: Anything) -> None:
    """Whoosh copies the set of deleted documents for each term that it reads; a frozen set is not copied."""
    deleted = frozenset(leaf._perdoc.deleted_docs())
    leaf._perdoc.deleted_docs = lambda: deleted


def numbers_of(leaf: Anything, field: str, term: str) -> list[int]:
    matcher = _postings(leaf, field, term)
    return [] if matcher is None else list(matcher.all_ids())


def _postings(leaf: Anything, field: str, term: str) -> Anything:
    encoded = term.encode("utf-8", "surrogatepass")
    return leaf.postings(field, encoded) if (field, encoded) in leaf else None
