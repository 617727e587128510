"""What is read of a Whoosh index: the segments of one commit as one run of numbered documents."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import cached_property, lru_cache
from itertools import accumulate, chain, repeat
from operator import add
from typing import Any as Anything

import msgspec
from whoosh.automata.fsa import find_all_matches
from whoosh.automata.lev import levenshtein_automaton

from index.analysis import beginnings, stem
from index.document import Hit
from index.engines.whoosh_codec import Postings
from index.engines.whoosh_fields import NONE, ORDERED, counted, length_of
from index.fields import SEARCHED

_MOST_HELD = 300_000  # documents of terms, held to be asked for again: about 30 MB
_SEARCHED = tuple(field.name for field in SEARCHED)

_decode_hit = msgspec.json.Decoder(Hit).decode
_decode_values = msgspec.json.Decoder(list[str]).decode

Counts = dict[int, int]  # how often each document has something


class Snapshot:
    """Deleted documents have a number, and are nowhere."""

    def __init__(self, leaves: list[tuple[Anything, int]]) -> None:
        self._leaves = leaves
        self._offsets = [offset for _, offset in leaves]
        self._deleted = frozenset(
            offset + number for leaf, offset in leaves for number in leaf.segment().deleted_docs()
        )
        self._columns: dict[str, list[Anything]] = {}
        self._numbers: dict[str, Sequence[int]] = {}
        self._averages: dict[str, float] = {}
        self.held = _Held(_MOST_HELD).get
        self.alike = lru_cache(10_000)(self._alike)
        self.lexicon = lru_cache(None)(self._lexicon)

    @cached_property
    def documents(self) -> frozenset[int]:
        everything = range(sum(leaf.doc_count_all() for leaf, _ in self._leaves))
        return frozenset(everything) - self._deleted

    def counts(self, field: str, terms: Iterable[str]) -> Counts:
        """Of all the terms together."""
        terms = tuple(terms)
        return self.held(("counts", field, terms), lambda: self._counts(field, terms))

    def together(self, stemmed: str) -> Counts:
        """Of all words of a stem, in all that is searched."""
        return self.held(
            ("together", stemmed),
            lambda: total_of([self.counts(name, self.alike(name, stemmed)) for name in _SEARCHED]),
        )

    def having(self, field: str, terms: Iterable[str]) -> Set[int]:
        """The documents that have any of the terms."""
        found: set[int] = set()
        for term in terms:
            for postings, offset in self._postings(field, term):
                found.update(map(add, postings.numbers, repeat(offset)))
        return found - self._deleted

    def places(self, field: str, terms: Iterable[str], wanted: Set[int]) -> dict[int, list[int]]:
        """Of any of the terms in the wanted documents, in order."""
        found: dict[int, list[int]] = {}
        for term in terms:
            for postings, offset in self._postings(field, term):
                numbers = map(add, postings.numbers, repeat(offset))
                starts = accumulate(postings.counts, initial=0)
                for number, start, count in zip(numbers, starts, postings.counts, strict=False):
                    if number in wanted:
                        found.setdefault(number, []).extend(postings.places[start : start + count])
        return {number: sorted(places) for number, places in found.items()}

    def terms(self, field: str, beginning: str = "") -> Iterator[str]:
        """In order within a segment."""
        for leaf, _ in self._leaves:
            for term in leaf._terms.beginning_with(field, _encoded(beginning)):
                yield term.decode("utf-8", "surrogatepass")

    def near(self, field: str, word: str, edits: int) -> list[str]:
        """The terms at most so many edits away."""
        lexicon = self.lexicon(field)

        def following(term: str) -> str | None:
            at = bisect_right(lexicon, term)
            if at and lexicon[at - 1] == term:
                return term
            return lexicon[at] if at < len(lexicon) else None

        return list(find_all_matches(levenshtein_automaton(word, edits).to_dfa(), following))

    def numbers(self, column: str) -> Sequence[int]:
        """By document."""
        if column not in self._numbers:
            self._numbers[column] = array(
                "q", chain.from_iterable(part.load() for part in self._column(column))
            )
        return self._numbers[column]

    def lengths(self, field: str) -> tuple[Sequence[int], float]:
        """Words of each document, and on average."""
        lengths = self.numbers(length_of(field))
        if field not in self._averages:
            self._averages[field] = sum(lengths) / len(lengths) or 1.0
        return lengths, self._averages[field]

    def hit(self, number: int) -> Hit:
        return _decode_hit(self._value("hit", number))

    def values(self, field: str, numbers: Iterable[int]) -> Iterator[Iterable[str]]:
        """The distinct values of a field in each document."""
        if field in ORDERED:
            kept = self.numbers(field)
            return ((str(kept[number]),) for number in numbers if kept[number] != NONE)
        column = counted(field)
        return (set(_decode_values(one)) for number in numbers if (one := self._value(column, number)))

    def positions(self) -> Iterator[tuple[str, int]]:
        positions = self.numbers("position")
        for number in sorted(self.documents):
            yield bytes(self._value("id", number)).decode(), positions[number]

    def _counts(self, field: str, terms: Iterable[str]) -> Counts:
        counts = total_of([self._counts_of(field, term) for term in terms])
        if self._deleted:
            return {number: count for number, count in counts.items() if number not in self._deleted}
        return counts

    def _counts_of(self, field: str, term: str) -> Counts:
        counts: Counts = {}
        for postings, offset in self._postings(field, term):
            counts.update(zip(map(add, postings.numbers, repeat(offset)), postings.counts, strict=True))
        return counts

    def _postings(self, field: str, term: str) -> Iterator[tuple[Postings, int]]:
        encoded = _encoded(term)
        for leaf, offset in self._leaves:
            found = leaf._terms.postings(field, encoded)
            if found is not None:
                yield found, offset

    def _alike(self, field: str, stemmed: str) -> tuple[str, ...]:
        near = {term for begin in beginnings(stemmed) for term in self.terms(field, begin)}
        return tuple(term for term in near if stem(term) == stemmed)

    def _lexicon(self, field: str) -> list[str]:
        return sorted(set(self.terms(field)))

    def _value(self, column: str, number: int) -> Anything:
        place = bisect_right(self._offsets, number) - 1
        return self._column(column)[place][number - self._offsets[place]]

    def _column(self, name: str) -> list[Anything]:
        """By segment."""
        if name not in self._columns:
            self._columns[name] = [leaf.column_reader(name, translate=False) for leaf, _ in self._leaves]
        return self._columns[name]


class _Held:
    """What was worked out last, `most` documents of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._kept: dict[Anything, Counts] = {}

    def get(self, key: Anything, work_out: Callable[[], Counts]) -> Counts:
        if key in self._kept:
            found = self._kept.pop(key)
            self._size -= len(found)
        else:
            found = work_out()
        self._kept[key] = found
        self._size += len(found)
        while self._size > self._most and len(self._kept) > 1:
            self._size -= len(self._kept.pop(next(iter(self._kept))))
        return found


def total_of(found: list[Counts]) -> Counts:
    found.sort(key=len, reverse=True)
    if len(found) < 2:
        return found[0] if found else {}
    total = dict(found[0])
    for counts in found[1:]:
        for number, count in counts.items():
            total[number] = total.get(number, 0) + count
    return total


def _encoded(term: str) -> bytes:
    return term.encode("utf-8", "surrogatepass")
