"""Node → the documents that match, worked out on whole sets of documents.

Whoosh's own matchers step through every field of every word one document at a time, which costs far more.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence, Set
from fnmatch import translate
from math import inf

import msgspec

from index.analysis import stem
from index.engines.whoosh_snapshot import Counts, Snapshot, total_of
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

Spelt = tuple[tuple[str, ...], ...]  # the words of a phrase, each in all the ways that a field has it

_LITERAL = re.compile(r"[^*?]*")


class Matching:
    """Of one query; what matches a part of it is worked out once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._known: dict[Node, Set[int]] = {}

    def of(self, node: Node) -> Set[int]:
        if getattr(node, "place", 0):
            node = msgspec.structs.replace(node, place=0)
        if node not in self._known:
            self._known[node] = self._combined(node)
        return self._known[node]

    def counts(self, node: Words) -> Counts:
        """How often each document has the words."""
        found = [self.runs(field.name, self.spelt(field, node), node.slop) for field in fields_of(node.field)]
        return total_of(found)

    def spelt(self, field: Field, node: Words) -> Spelt:
        if node.field and field.kind is Kind.NAME:
            return tuple((word,) for word in node.words)
        return tuple(self._snapshot.alike(field.name, stem(word)) for word in node.words)

    def runs(self, field: str, spelt: Spelt, slop: int = 0) -> Counts:
        """How often the words follow each other, with at most `slop` others in between."""
        if len(spelt) == 1:
            return self._snapshot.counts(field, spelt[0])
        return self._snapshot.held(("runs", field, spelt, slop), lambda: self._runs(field, spelt, slop))

    def _combined(self, node: Node) -> Set[int]:
        match node:
            case Everything() | All(nodes=()):
                return self._snapshot.documents
            case Not():
                return self._snapshot.documents - self.of(node.node)
            case Boosted():
                return self.of(node.node)
            case All():
                smallest, *others = sorted(map(self.of, node.nodes), key=len)
                return frozenset(smallest).intersection(*others)
            case Any():
                return frozenset[int]().union(*map(self.of, node.nodes))
        return self._single(node)

    def _single(self, node: Node) -> Set[int]:
        match node:
            case Words():
                return self._words(node)
            case Pattern() | Fuzzy():
                names = (field.name for field in fields_of(node.field))
                return frozenset[int]().union(
                    *(self._snapshot.having(name, self._terms(name, node)) for name in names)
                )
            case Exact():
                return self._snapshot.counts(node.field, (node.value,)).keys()
            case Has():
                return self._snapshot.counts("has", (node.field,)).keys()
            case Range():
                return self._range(node)
        raise AssertionError(f"a node that Whoosh does not know: {node}")

    def _words(self, node: Words) -> Set[int]:
        if len(node.words) == 1 and not node.field:
            return self._snapshot.together(stem(node.words[0])).keys()
        return self.counts(node).keys()

    def _runs(self, field: str, spelt: Spelt, slop: int) -> Counts:
        smallest, *others = sorted((self._snapshot.counts(field, ways) for ways in set(spelt)), key=len)
        wanted = frozenset(smallest).intersection(*others)
        if not wanted:
            return {}
        places = {ways: self._snapshot.places(field, ways, wanted) for ways in set(spelt)}
        counts = ((number, _runs([places[ways][number] for ways in spelt], slop)) for number in wanted)
        return {number: count for number, count in counts if count}

    def _terms(self, field: str, node: Pattern | Fuzzy) -> Iterable[str]:
        if isinstance(node, Fuzzy):
            return self._snapshot.near(field, node.word, node.edits)
        beginning = _LITERAL.match(node.pattern)
        assert beginning is not None
        fits = re.compile(translate(node.pattern.replace("[", "[[]"))).match
        return filter(fits, self._snapshot.terms(field, beginning.group()))

    def _range(self, node: Range) -> Set[int]:
        low, high = max(node.low or 0, 0), inf if node.high is None else node.high
        numbers = self._snapshot.numbers(node.field)
        return frozenset(number for number in self._snapshot.documents if low <= numbers[number] <= high)


def fields_of(name: str) -> Sequence[Field]:
    return (BY_NAME[name],) if name else SEARCHED


def _runs(places: list[list[int]], slop: int) -> int:
    """`places` are those of each word, in order."""
    if slop:
        longest = len(places) + slop
        return sum(_end(start, places[1:]) - start < longest for start in places[0])
    starts = set(places[0])
    for at, found in enumerate(places):
        starts.intersection_update([place - at for place in found])
        if not starts:
            break
    return len(starts)


def _end(place: float, rest: list[list[int]]) -> float:
    """Where the last of the words comes first, each behind the one before."""
    for found in rest:
        at = bisect_right(found, place)
        if at == len(found):
            return inf
        place = found[at]
    return place
