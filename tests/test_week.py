"""A day of twenty sources, as `python -m tests.bench.week` has a week of two hundred."""

from collections import Counter
from pathlib import Path

import pytest

from tests.bench.week import Week, kinds, week
from tests.fakes.harbour import Harbour
from tests.fakes.works import ARTICLES

pytestmark = pytest.mark.slow
SOURCES, WORKS = 20, 30
RUNS = (4, 2, 1, 1)  # a day, of the schedules that the sources have in turn


def sources_of(begun: Week, *wanted: str) -> list[str]:
    named = kinds(SOURCES)
    return [name for name, at in begun.watched.items() if named[at] in wanted]


def assert_exact(begun: Week, port: Harbour, sources: list[str]) -> None:
    stored, there = begun.live(), port.live()
    for name in sources:
        wanted = there[begun.watched[name]]
        if begun.settings.sources[name].set == ARTICLES:
            wanted = {one for one in wanted if int(one.rpartition(":")[2]) % 2}
        assert stored[name] == wanted, name


def test_two_days(tmp_path: Path) -> None:
    with week(tmp_path, SOURCES, WORKS) as (begun, port):
        first = begun.day()
        healthy = sources_of(begun, "well", "busy", "cutting")
        assert_exact(begun, port, healthy)
        port.change(3)
        begun.verdicts.clear()
        second = begun.day()
        assert_exact(begun, port, healthy)
        runs = Counter(source for source, _verdict in begun.verdicts.elements())
        assert [runs[name] for name in healthy] == [RUNS[int(name[1:]) % len(RUNS)] for name in healthy]
        assert all(runs[name] <= 1 for name in sources_of(begun, "refusing", "dead"))
        assert runs[sources_of(begun, "away")[0]] <= 12
        assert {verdict for source, verdict in begun.verdicts if source in healthy} == {"complete"}
        assert second.files <= first.files + 16  # a few more connections of a pool
        assert second.requests < first.requests
