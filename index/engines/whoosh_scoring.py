"""Scores as tantivy has them: BM25 of a stem in all searched text, plus that of words in weighed fields."""

from collections.abc import Set
from math import log

from index.analysis import stem
from index.engines.whoosh_fields import TEXT
from index.engines.whoosh_matching import Matching, fields_of
from index.engines.whoosh_snapshot import Counts, Snapshot
from index.fields import BY_NAME, WEIGHED, Kind
from index.nodes import All, Any, Boosted, Fuzzy, Node, Pattern, Words

_K1, _B = 1.2, 0.75

Scores = dict[int, float]


def scores_of(node: Node, matching: Matching, snapshot: Snapshot) -> Scores:
    """Of all that match; what is no word scores nothing."""
    scoring = _Scoring(matching, snapshot, dict.fromkeys(matching.of(node), 0.0))
    scoring.add(node, scoring.scores.keys(), 1.0)
    return scoring.scores


class _Scoring:
    def __init__(self, matching: Matching, snapshot: Snapshot, scores: Scores) -> None:
        self._matching, self._snapshot = matching, snapshot
        self.scores = scores

    def add(self, node: Node, among: Set[int], factor: float) -> None:
        """What the node says of those among the documents that match it."""
        match node:
            case All() | Any():
                for one in node.nodes:
                    self.add(one, among & self._matching.of(one), factor)
            case Boosted():
                self.add(node.node, among, factor * node.factor)
            case Words():
                self._add_words(node, among, factor)
            case Pattern():
                self._add_constant(node.field, among, factor)
            case Fuzzy():
                self._add_constant(node.field, among, factor)
                self._add_itself(node, among, factor)

    def _add_words(self, node: Words, among: Set[int], factor: float) -> None:
        if node.field:
            each = [
                self._snapshot.counts(node.field, ways)
                for ways in self._matching.spelt(BY_NAME[node.field], node)
            ]
            counts = each[0] if len(each) == 1 else self._matching.counts(node)
            self._add(node.field, counts, each, among, factor)
            return
        stems = [self._snapshot.together(stem(word)) for word in node.words]
        counts = stems[0] if len(stems) == 1 else self._matching.counts(node)
        self._add(TEXT, counts, stems, among, factor)
        for field in WEIGHED if not node.slop else ():
            self._add_exactly(field.name, node.words, among, factor * field.weight)

    def _add_exactly(self, field: str, words: tuple[str, ...], among: Set[int], factor: float) -> None:
        spelt = tuple((word,) for word in words)
        each = [self._snapshot.counts(field, ways) for ways in spelt]
        self._add(field, self._matching.runs(field, spelt), each, among, factor)

    def _add_itself(self, node: Fuzzy, among: Set[int], factor: float) -> None:
        for field in fields_of(node.field):
            counts = self._snapshot.counts(field.name, (node.word,))
            if field.kind is Kind.EXACT:
                self._add_each(among & counts.keys(), factor * self._rarity(counts))
            else:
                self._add(field.name, counts, [counts], among, factor)

    def _add_constant(self, field: str, among: Set[int], factor: float) -> None:
        """How many terms fit says nothing about a document."""
        if not field or BY_NAME[field].kind is not Kind.EXACT:
            self._add_each(among, factor)

    def _add_each(self, among: Set[int], score: float) -> None:
        for number in among:
            self.scores[number] += score

    def _add(self, field: str, counts: Counts, words: list[Counts], among: Set[int], factor: float) -> None:
        """`counts` of a word or phrase, `words` those of its words, which say how rare it is."""
        numbers = counts.keys() & among
        if not numbers:
            return
        lengths, average = self._snapshot.lengths(field)
        gain = factor * (_K1 + 1) * sum(map(self._rarity, words))
        fixed, by_length = _K1 * (1 - _B), _K1 * _B / average
        scores = self.scores
        for number in numbers:
            count = counts[number]
            scores[number] += gain * count / (count + fixed + by_length * lengths[number])

    def _rarity(self, counts: Counts) -> float:
        return log(1 + (len(self._snapshot.documents) - len(counts) + 0.5) / (len(counts) + 0.5))
