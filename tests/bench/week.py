"""A week of `windrow serve`, and what it costs: `python -m tests.bench.week [--days N] [--sources N]`.

Real threads, HTTP, store and index; only the clock is ours, and jumps over the time when nobody works.
"""

import argparse
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import psutil

from harvester import config
from harvester.runner import Ended, Runner
from harvester.scheduler import Scheduler
from harvester.store import Store, changes, harvests
from index.generations import Generations
from index.sync import sync
from tests.bench.report import Report
from tests.fakes.clock import JumpingClock
from tests.fakes.harbour import Harbour, harbour
from tests.fakes.works import ARTICLES

_DAY = 86_400.0
_STEP, _REFRESH = 1.0, 3600.0
_HANGS = 120.0
_SCHEDULES = ("every 6 hours", "every 12 hours", "every 1 day", "30 2 * * *")
_WITH_DETAILS = 20  # each so manieth source
_SHARING = 20
_KEPT_RUNS = 1000


class Day(msgspec.Struct, frozen=True):
    """Requests and harvests of one day, what was there at its end. Sizes are in bytes.

    `busiest` is the kind of the repository that got most requests.
    """

    requests: int
    most_requests: int
    busiest: str
    harvests: int
    most_harvests: int
    commits: int
    rss: int
    files: int
    threads: int
    store: int
    index: int


class Week:
    """`watched` has each source's repository by its number."""

    def __init__(self, folder: Path, port: Harbour, clock: JumpingClock, sources: int) -> None:
        self.watched: dict[str, int] = {}
        (folder / "config.toml").write_text(self._config(port.urls, sources))
        self.settings = config.load(folder / "config.toml", {})
        self.store = Store(self.settings.store.url)
        self.generations = Generations(self.settings.index_folder)
        self.clock = clock
        self.verdicts: Counter[tuple[str, str]] = Counter()
        self._folder = self.settings.data
        self._port = port
        self._kinds = kinds(sources)
        self._harvests: Counter[str] = Counter()
        self._commits = 0
        self._errors: list[BaseException] = []
        self._runner = Runner(self.settings, self.store, clock, self._ended)
        self._scheduler = Scheduler(self.settings, self.store, clock, self._runner)
        self._scheduler.refresh()

    def _config(self, urls: list[str], sources: int) -> str:
        lines = ['[harvest]\ntimezone = "Europe/London"\n']
        for number in range(sources):
            at = number if number < len(urls) else number - len(urls)
            self.watched[f"s{number}"] = at
            lines.append(f'[sources.s{number}]\nurl = "{urls[at]}"\n')
            lines.append(f'schedule = "{_SCHEDULES[number % len(_SCHEDULES)]}"\n')
            if number >= len(urls):
                lines.append(f'set = "{ARTICLES}"\n')
            elif number % _WITH_DETAILS == 1:
                lines.append('details = "eprints"\n')
        return "".join(lines)

    def day(self) -> Day:
        ends = self.clock.monotonic() + _DAY
        while self.clock.monotonic() < ends:
            self._scheduler.look()
            self._await_idle()
            self._follow()
            self.clock.jump(min(self._until_next(), ends - self.clock.monotonic()))
        with self.store.write() as connection:
            harvests.prune(connection, _KEPT_RUNS)
        return self._figures()

    def close(self) -> None:
        assert self._runner.close("the week is over", _HANGS) == []
        self.store.close()

    def _await_idle(self) -> None:
        """All runs have ended, or wait for a later time."""
        ends = time.monotonic() + _HANGS
        while _at_work() > self.clock.asleep:
            assert time.monotonic() < ends, threading.enumerate()
            time.sleep(0.0005)

    def _until_next(self) -> float:
        due = self._scheduler.next_due()
        assert due is not None
        return min(max(_STEP, (due - self.clock.now()).total_seconds()), _REFRESH)

    def _follow(self) -> None:
        done = sync(self.store, self.generations, self.settings.index.engine)
        self._commits += bool(done.indexed or done.removed)

    def _ended(self, ended: Ended) -> None:
        self._scheduler.ended(ended)
        if ended.error is not None:
            self._errors.append(ended.error)
        if ended.report is not None:
            self._harvests[ended.source] += 1
            self.verdicts[ended.source, ended.report.verdict] += 1

    def _figures(self) -> Day:
        traffic, us = self._port.traffic(), psutil.Process()
        assert not self._errors, self._errors
        assert traffic.most_at_once <= 1, "two requests were in flight at one host"
        ran, commits = self._harvests, self._commits
        self._harvests, self._commits = Counter(), 0
        return Day(
            sum(traffic.requests),
            max(traffic.requests),
            self._kinds[traffic.requests.index(max(traffic.requests))],
            ran.total(),
            max(ran.values(), default=0),
            commits,
            us.memory_info().rss,
            us.num_fds(),
            threading.active_count(),
            _size(self._folder, "windrow.db*"),
            _size(self._folder, "index/**/*"),
        )

    def live(self) -> dict[str, set[str]]:
        """By source: identifiers."""
        found: dict[str, set[str]] = {name: set() for name in self.watched}
        with self.store.read() as connection:
            for change in changes.changes(connection, 0, 10_000_000):
                if not change.record.deleted:
                    source, _, identifier = change.record.id.partition("/")
                    found[source].add(identifier)
        return found


def _at_work() -> int:
    return sum(thread.name.startswith("harvest ") for thread in threading.enumerate())


def _size(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())


def kinds(sources: int) -> list[str]:
    """Of the repositories: one in twenty sources is the second of its host, one in ten is in trouble."""
    count = sources - sources // _SHARING
    ill = [kind for kind in ("busy", "cutting", "away", "refusing", "dead") for _ in range(count // 50 + 1)]
    return ["well"] * (count - len(ill)) + ill


@contextmanager
def week(folder: Path, sources: int, works: int = 40) -> Iterator[tuple[Week, Harbour]]:
    with (
        harbour(kinds(sources), works) as (port, clock),
        closing(Week(folder, port, clock, sources)) as begun,
    ):
        yield begun, port


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.week", description=__doc__)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--sources", type=int, default=200)
    options = parser.parse_args()
    report, days = Report(), []
    with (
        tempfile.TemporaryDirectory(prefix="windrow-week-") as folder,
        week(Path(folder), options.sources) as (begun, port),
    ):
        for number in range(1, options.days + 1):
            days.append(begun.day())
            port.change(3)
            report.heading(f"day {number}")
            _told(report, days[-1])
    report.heading(f"the end of day {options.days} beside that of day 2")
    for name in ("rss", "files", "threads"):
        before, after = (getattr(day, name) for day in (days[1], days[-1]))
        report.figure(name, after / before, at_most=1.1)


def _told(report: Report, day: Day) -> None:
    report.figure("requests", day.requests)
    report.figure(f"most to one host ({day.busiest})", day.most_requests)
    report.figure("harvests", day.harvests)
    report.figure("most of one source", day.most_harvests)
    report.figure("commits of the index", day.commits)
    report.figure("memory", day.rss / 1e6, "MB")
    report.figure("open files", day.files)
    report.figure("threads", day.threads)
    report.figure("store", day.store / 1e6, "MB")
    report.figure("index", day.index / 1e6, "MB")


if __name__ == "__main__":
    main()
