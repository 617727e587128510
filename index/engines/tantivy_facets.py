"""The most frequent values of a field over a whole result, with exact counts, however many values there are.

Counting all the values costs a string for each in each segment. So each segment names its most frequent.
What none of them named cannot reach the wanted ones, and what some left out is counted for sure; where values
are so evenly spread that this tells nothing, all are counted.
"""

from typing import Any

from tantivy import Occur, Query, Searcher

from index.engine import MOST_COUNTED
from index.engines.tantivy_query import compiled_query
from index.fields import BY_NAME, Kind
from index.nodes import Exact

_ALL = 2**31 - 1  # of a segment; of the whole, tantivy hands over 65,000 at most
_NAMED = 5000  # by each segment
_FEW = 64  # values that are sooner counted one by one: a list of values means a walk through all there are
_YEARS = 10_000  # more than there are

Counts = list[tuple[Any, int]]


def facet(searcher: Searcher, query: Query, field: str, wanted: int) -> tuple[Counts, int]:
    """Values and counts, equals in the order of the values; and how many more values there are.

    MOST_COUNTED stands for more, too.
    """
    if BY_NAME[field].kind is not Kind.NUMBER:
        return _most_frequent(searcher, query, field, wanted)
    numbers, _ = _terms(searcher, query, field, size=_YEARS)
    written = _ordered({str(int(number)): count for number, count in numbers})
    return written[:wanted], _more(written, wanted)


def _most_frequent(searcher: Searcher, query: Query, field: str, wanted: int) -> tuple[Counts, int]:
    size = wanted + MOST_COUNTED
    counts, missed = _terms(searcher, query, field, size=size, segment_size=max(size, _NAMED))
    more = _more(counts, wanted)
    unnamed = missed + (counts[-1][1] if len(counts) == size else 0)  # the most that others can have
    if unnamed:
        least = counts[wanted - 1][1]
        if least <= unnamed:
            return _by_all(searcher, query, field, wanted), more
        counts = _surely(searcher, query, field, [one for one in counts if one[1] + missed >= least])
    return counts[:wanted], more


def _surely(searcher: Searcher, query: Query, field: str, doubtful: Counts) -> Counts:
    """A count is at least what segments told, and at most that of the value whatever its case."""
    few = len(doubtful) <= _FEW
    sure = [one for one in doubtful if few and _most(searcher, query, field, one[0]) == one[1]]
    left = {value: count for value, count in doubtful if (value, count) not in sure}
    return _ordered(dict(sure + (_counted(searcher, query, field, left, few) if left else [])))


def _most(searcher: Searcher, query: Query, field: str, value: str) -> int:
    having = _both(query, _folded(searcher, field, value))
    count: int = searcher.search(having, limit=1).count  # type: ignore[attr-defined]  # its stubs leave it out
    return count


def _counted(searcher: Searcher, query: Query, field: str, told: dict[str, int], few: bool) -> Counts:
    """Among the documents that have them, where those are so few that no segment leaves a value out."""
    if few:
        any_of = [(Occur.Should, _folded(searcher, field, value)) for value in told]
        having = _both(query, Query.boolean_query(any_of))
        counts, missed = _terms(searcher, having, field, size=_NAMED, segment_size=_NAMED)
        found = [(value, count) for value, count in counts if count >= told.get(value, count + 1)]
        if not missed and len(found) == len(told):
            return found
    return _terms(searcher, query, field, size=len(told), include=list(told))[0]


def _folded(searcher: Searcher, field: str, value: str) -> Query:
    """tantivy lowers letter by letter, a final sigma, too."""
    return compiled_query(Exact(field, "".join(map(str.lower, value))), searcher)


def _both(query: Query, other: Query) -> Query:
    return Query.boolean_query([(Occur.Must, query), (Occur.Must, other)])


def _by_all(searcher: Searcher, query: Query, field: str, wanted: int) -> Counts:
    """Among values of the same count tantivy cuts as it likes, so those of the least count come by name."""
    counts, _ = _terms(searcher, query, field, size=wanted, segment_size=_ALL)
    least, by_name = counts[-1][1], {"_key": "asc"}
    equals, _ = _terms(
        searcher, query, field, size=wanted, segment_size=_ALL, min_doc_count=least, order=by_name
    )
    return _ordered({**dict(counts), **dict(equals)})[:wanted]


def _terms(searcher: Searcher, query: Query, field: str, **terms: Any) -> tuple[Counts, int]:
    """And the most that segments can have left out of a count."""
    found = searcher.aggregate(query, {"of": {"terms": {"field": field, **terms}}})["of"]
    counts = {one["key"]: one["doc_count"] for one in found["buckets"]}
    return _ordered(counts), found.get("doc_count_error_upper_bound", 0)


def _ordered(counts: dict[Any, int]) -> Counts:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _more(counts: Counts, wanted: int) -> int:
    return min(MOST_COUNTED, max(0, len(counts) - wanted))
