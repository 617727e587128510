"""What a search takes: beside tantivy's own time, over a mixed load, in a fresh process, of memory."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from index.engine import Searcher
from index.search import search
from tests.bench.load import Asked
from tests.bench.measure import run
from tests.bench.report import Report

WINDROW = [sys.executable, "-m", "index.cli"]
_COLD = 9
_COLD_QUERIES = (
    "machine translation",
    '"neural network"',
    "title:parsing year:2010..2015",
    "translat evaluation corpus",
)
_ROUNDS = 3
_HOSTILE = {
    "10,000 words": " ".join(f"word{number}" for number in range(10_000)),
    "8 KB of the commonest words": " ".join(["the of language model"] * 380)[:8190],
    "8 KB of different words": " ".join(f"w{number}" for number in range(1400))[:8190],
    "1,000 brackets inside each other": "(" * 1000 + "language" + ")" * 1000,
    "60 brackets inside each other": "(" * 60 + "language" + ")" * 60,
    "1,000 wildcards": " ".join(["a*"] * 1000),
    "50 wildcards": " ".join(f"{letter}*" for letter in "abcdefghijklmnopqrstuvwxy" * 2),
    "50 wildcards, any of them": " OR ".join(f"{letter}*" for letter in "abcdefghijklmnopqrstuvwxy" * 2),
    "a word of 40 wildcards": "a*" * 40,
    "one letter and a wildcard": "a*",
    "fuzzy ~2 on short words": " ".join(f"{word}~2" for word in ("model", "parse", "words", "tests")),
    "a hundred fuzzy words": " OR ".join(f"{word}{at}~2" for at in range(25) for word in ("lang", "mode")),
    "a phrase of 1,000 words": '"' + "the " * 1000 + '"',
    "a phrase with a wide slop": '"the of and in"~50',
    "regular expression": r"/(a+)+$/ .*[^a]{1,1000} a\\b",
    "NUL and right-to-left marks": "lang\x00uage \u202emodel\u202c \u200f",
}


def measured(
    report: Report, place: Path, searcher: Searcher, load: Sequence[Asked], p95: float | None = None
) -> None:
    """`p95` is the bar of the mixed load, in milliseconds."""
    mixed_load(report, searcher, load, p95)
    if hasattr(searcher, "_searcher"):
        over_tantivy(report, searcher, load)
    many_values(report, searcher)
    cold(report, place)
    memory(report, place, searcher.count())
    hostile(report, place)


def mixed_load(report: Report, searcher: Searcher, load: Sequence[Asked], p95: float | None) -> None:
    took: dict[str, list[float]] = {}
    for asked in load:
        took.setdefault(asked.kind, []).append(_median(partial(_answer, searcher, asked)))
    every = [one for some in took.values() for one in some]
    report.figure(f"{len(every)} mixed queries, p50", statistics.median(every), "ms")
    report.figure(f"{len(every)} mixed queries, p95", _p95(every), "ms", at_most=p95)
    for kind, some in took.items():
        report.say(f"  {kind}", f"p50 {statistics.median(some):.2f}, p95 {_p95(some):.2f} ms ({len(some)})")


def _answer(searcher: Searcher, asked: Asked) -> object:
    return search(searcher, asked.query, filters=asked.filters, facets=asked.facets)


class _Listening:
    """tantivy's searcher; remembers what a search asks of it."""

    def __init__(self, searcher: Any) -> None:
        self._own = searcher
        self.searches: list[Callable[[], Any]] = []
        self.counts: list[Callable[[], Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def search(self, *arguments: Any, **named: Any) -> Any:
        self.searches.append(partial(self._own.search, *arguments, **named))
        return self.searches[-1]()

    def aggregate(self, *arguments: Any, **named: Any) -> Any:
        self.counts.append(partial(self._own.aggregate, *arguments, **named))
        return self.counts[-1]()


def over_tantivy(report: Report, searcher: Any, load: Sequence[Asked]) -> None:
    """The same compiled query once more, given to tantivy alone; where several were asked, the slowest."""
    own = searcher._searcher
    over, calls = [], []
    for asked in load:
        took = _median(partial(_answer, searcher, asked))
        searcher._searcher = listening = _Listening(own)
        _answer(searcher, asked)
        searcher._searcher = own
        alone = max(map(_median, listening.searches), default=0) + sum(map(_median, listening.counts))
        over.append(took - alone)
        calls.append(len(listening.searches))
    report.figure("search() over tantivy's own time, median", statistics.median(over), "ms", at_most=2)
    report.figure("search() over tantivy's own time, p95", _p95(over), "ms")
    report.figure("queries that tantivy is asked, for one of ours", statistics.mean(calls))


def many_values(report: Report, searcher: Searcher) -> None:
    for query in ("language", "*"):
        for facet in ("creator", "keyword"):
            took = _median(partial(search, searcher, query, facets=(facet,)))
            report.figure(f"facet {facet} over {query}", took, "ms", at_most=300)


def cold(report: Report, place: Path) -> None:
    for query in _COLD_QUERIES:
        runs = [run([*WINDROW, "search", query, "--json"], place) for _ in range(_COLD)]
        total = json.loads(runs[0].output)["total"]
        cpu = statistics.median(one.cpu for one in runs)
        wall = statistics.median(one.wall for one in runs)
        report.figure(f"cold search: {query} ({total:,} hits, CPU {cpu:.2f} s)", wall, "s", at_most=0.3)


def memory(report: Report, place: Path, count: int) -> None:
    deep = min(500_000, count - 10)
    scenarios: dict[str, dict[str, Any]] = {
        f"paging to {deep:,}": {"offset": deep},
        f"paging to {deep:,}, newest first": {"offset": deep, "sort": "newest"},
        f"facets over {count:,} hits": {"facets": ["type", "year", "language"]},
        f"facets creator, keyword over {count:,} hits": {"facets": ["creator", "keyword"]},
    }
    for what, options in scenarios.items():
        found = one_query(place, {"query": "*", **options})
        report.figure(f"memory of {what} ({found['took']:.0f} ms)", found["grown"], "MB", at_most=100)


def hostile(report: Report, place: Path) -> None:
    for what, query in _HOSTILE.items():
        found = one_query(place, {"query": query})
        what = f"{what} ({found['said']}; {found['grown']:.0f} MB more)"
        report.figure(what, found["took"], "ms", at_most=1000)


def one_query(place: Path, options: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.one_query", str(place), json.dumps(options)]
    found: dict[str, Any] = json.loads(run(command, Path(__file__).parents[2]).output)
    return found


def _median(do: Callable[[], object]) -> float:
    """Milliseconds of CPU: a search is one thread, and others may use the machine."""
    took = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        do()
        took.append(1000 * (time.process_time() - began))
    return statistics.median(took)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]
