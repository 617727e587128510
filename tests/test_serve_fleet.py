"""Fifty repositories, well and ill, harvested by themselves for hours that pass in seconds."""

import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from harvester.clock import FastClock
from harvester.datestamp import parse_datestamp
from harvester.store import Store, changes, harvests, quarantine, schedules, sources
from harvester.store.harvests import Harvest
from index.sync import unseen
from tests.commands import program_in, windrow
from tests.fakes.faults import Gate, half_a_page, in_drops, replaced, sent, status
from tests.fakes.fleet import Fleet, fleet
from tests.fakes.harbour import change
from tests.fakes.repository import FakeRepository, Fault
from tests.fakes.works import ARTICLES, THESES, Works
from tests.served import await_fact, running_at, serve

pytestmark = pytest.mark.slow
SPEED = 240.0  # fifteen seconds are an hour; where the machine cannot keep up with it, a minute is
SLOWER = SPEED / 4
HOURS = 4
RESTARTS = 3
WORKS, A_PAGE = 25, 10
JITTER = timedelta(minutes=10)
STALL = 4  # seconds for which a machine that has much to do may stand still, now and then
WEEKS = 20 * 86_400.0  # after which everything is due
SLOW, BREATH = 0.4, 0.1  # seconds
DROP = 500  # bytes
SEED = int(os.environ.get("WINDROW_SEED", "8"))  # another one, for another world

KINDS = {
    "well": 30,
    "slow": 4,
    "dripping": 3,
    "cutting": 2,
    "busy": 1,
    "away": 2,
    "refusing": 2,
    "malformed": 2,
    "endless": 1,
    "silent": 2,
    "dead": 1,
}
FAILING = ("away", "refusing", "malformed", "silent", "dead")
SHARED = ("well0", "slow0", "slow1")  # harvested by two sets beside the whole
TRIES = 4  # that failing sources get in so many hours
WELL = ("complete", "verified")
LAST_TAGS = r"(?:<resumptionToken[^>]*(?:/>|>[^<]*</resumptionToken>))?</(List\w+)>"
ENDLESS = "<resumptionToken>verb=ListRecords&amp;metadataPrefix=oai_dc&amp;offset=0</resumptionToken></\\1>"


Span = tuple[datetime, datetime]
Runs = dict[str, list[Harvest]]
Sets = tuple[set[str], set[str]]  # of identifiers: those that live, and those that are deleted


def moment(text: str | None) -> datetime:
    found = parse_datestamp(text or "")
    assert found is not None, text
    return found


class Hands:
    """The clock of the repositories, which can be put forward."""

    def __init__(self, clock: FastClock) -> None:
        self.clock = clock

    def now(self) -> datetime:
        return self.clock.now()


class Watch:
    """What was due when, as the store said while it was."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._due: dict[tuple[str, str], str] = {}

    def look(self) -> None:
        with self._store.read() as connection:
            for due in schedules.every(connection).values():
                self._due[due.source, due.run] = due.due

    def runs(self) -> Runs:
        """By source, the oldest first."""
        with self._store.read() as connection:
            return {
                state.name: harvests.past(connection, 1000, state.name)[::-1]
                for state in sources.every(connection)
            }

    def spans(self, runs: list[Harvest]) -> Iterator[Span]:
        """From when it was due to its start, of each that followed a finished one."""
        for before, run in pairwise(runs):
            if due := self._due.get((run.source, f"{before.id} {before.finished}")):
                yield moment(due), moment(run.started)


def kinds() -> list[str]:
    """Of each repository; the dead are the last."""
    return [f"{kind}{number}" for kind, count in KINDS.items() for number in range(count)]


def kind_of(source: str) -> str:
    return source.partition("-")[0].rstrip("0123456789")


def misbehave(repository: FakeRepository, kind: str, chance: random.Random) -> None:
    faults: dict[str, Fault] = {
        "slow": sent(midway=lambda: repository.ending.wait(SLOW)),
        "dripping": lambda _asked, answer: in_drops(answer.body, DROP, lambda: repository.ending.wait(0.01)),
        "busy": status(503, Retry_After="20"),
        "away": status(503, Retry_After="7200"),
        "refusing": status(403),
        "malformed": half_a_page,
        "endless": replaced(LAST_TAGS, ENDLESS),
        "silent": Gate(repository).before,
    }
    if kind == "cutting":
        repository.misbehave(sent(share=0.6, coding=""), lambda _asked: chance.random() < 0.3)
    elif kind == "busy":
        repository.misbehave(faults[kind], lambda _asked: chance.random() < 0.2)
    elif kind in faults:
        repository.misbehave(faults[kind])


def harvested(ships: Fleet) -> Iterator[tuple[str, str, FakeRepository]]:
    """(source, set, repository)."""
    for name, repository in zip(kinds(), ships.repositories, strict=True):
        yield name, "", repository
        if name in SHARED:
            yield f"{name}-articles", ARTICLES, repository
            yield f"{name}-theses", THESES, repository


def config(ships: Fleet) -> str:
    return f'[serve]\npool = 4\nlongest = "1 hour"\njitter = "{JITTER.seconds // 60} minutes"\n' + "".join(
        f'[sources.{source}]\nurl = "{repository.url}"\nset = "{spec}"\nschedule = "every 1 hour"\n'
        for source, spec, repository in harvested(ships)
    )


def expected(ships: Fleet) -> dict[str, Sets]:
    found = {}
    for source, spec, repository in harvested(ships):
        items = [item for item in works_of(repository).items if not spec or spec in item.set_specs]
        live = {item.identifier for item in items if not item.deleted}
        found[source] = (live, {item.identifier for item in items} - live)
    return found


def works_of(repository: FakeRepository) -> Works:
    assert isinstance(repository.responder, Works)
    return repository.responder


def stored(folder: Path) -> dict[str, Sets]:
    found: dict[str, Sets] = defaultdict(lambda: (set(), set()))
    with program_in(folder) as program, program.store.read() as connection:
        assert list(quarantine.entries(connection)) == []
        for change in changes.changes(connection, 0, 1_000_000):
            source, _, identifier = change.record.id.partition("/")
            live, deleted = found[source]
            assert identifier not in live | deleted
            (deleted if change.record.deleted else live).add(identifier)
    return dict(found)


class Late(AssertionError):
    """Something was not harvested when it was due."""


def test_it_runs_by_itself(tmp_path: Path) -> None:
    print(f"WINDROW_SEED={SEED}")  # noqa: T201  tells how to fail the same way again
    try:
        runs_by_itself(tmp_path / "fast", SPEED)
    except Late:
        runs_by_itself(tmp_path / "slower", SLOWER)


def runs_by_itself(folder: Path, speed: float) -> None:
    folder.mkdir()
    chance = random.Random(SEED)
    setting, clock = running_at(speed, ahead=60.0)
    hands = Hands(clock)
    responders = [Works(WORKS, hands.now, page_size=A_PAGE) for _ in kinds()]
    with fleet(responders, dead=KINDS["dead"]) as ships:
        for name, repository in zip(kinds(), ships.repositories, strict=True):
            misbehave(repository, kind_of(name), chance)
        (folder / "config.toml").write_text(config(ships))
        with closing(Store(f"sqlite:///{folder / 'data' / 'windrow.db'}")) as store:
            watch = Watch(store)
            down = serve_for_hours(folder, setting, clock, watch, responders, chance)
            runs = watch.runs()
        assert_in_time(watch, runs, down, timedelta(seconds=STALL * speed))
        assert_backed_off(runs)
        ships.revive()
        setting, hands.clock = running_at(3 * speed, ahead=clock.now().timestamp() - time.time() + WEEKS)
        serve_until_quiet(folder, setting, hands.clock)
        assert ships.most_at_once == 1
        wanted = expected(ships)
    assert stored(folder) == wanted
    assert windrow(folder, "verify").code == 0
    with program_in(folder) as program:
        assert unseen(program.store, program.generations) == 0
        assert program.searcher().count() == sum(len(live) for live, _deleted in wanted.values())


def serve_for_hours(
    folder: Path, setting: str, clock: FastClock, watch: Watch, responders: list[Works], chance: random.Random
) -> list[Span]:
    """When nobody served."""
    with ExitStack() as stack:
        served, down = stack.enter_context(serve(folder, clock=setting)), []
        ends = clock.now() + timedelta(hours=HOURS)
        strikes = sorted(ends - timedelta(hours=chance.uniform(0.5, HOURS - 0.5)) for _ in range(RESTARTS))
        while clock.now() < ends:
            watch.look()
            change(chance.choice(responders), chance)
            if strikes and clock.now() > strikes[0]:
                gone = strikes.pop(0)
                number = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
                assert served.end(number)[0] == (0 if number == signal.SIGTERM else -number), served.log
                served = stack.enter_context(serve(folder, clock=setting))
                down.append((gone, clock.now()))
            time.sleep(BREATH)
        assert served.end()[0] == 0, served.log
    return down


def serve_until_quiet(folder: Path, setting: str, clock: FastClock) -> None:
    since = clock.now()

    def ill() -> dict[str, Harvest]:
        with program_in(folder) as program, program.store.read() as connection:
            last = harvests.last_of_all(connection)
        return {
            source: run
            for source, run in last.items()
            if run.verdict not in WELL or moment(run.started) <= since
        }

    with serve(folder, clock=setting) as served:
        await_fact(lambda: not ill(), lambda: f"all was well, but {ill()}")
        assert served.end()[0] == 0, served.log


def assert_in_time(watch: Watch, runs: Runs, down: list[Span], stall: timedelta) -> None:
    """The well ones, each hour, not counting the time when nobody served."""
    late = {}
    for source, of_source in runs.items():
        if kind_of(source) == "well":
            late[source] = [began - due - shared((due, began), down) for due, began in watch.spans(of_source)]
            if len(of_source) < HOURS - 1 or len(late[source]) < HOURS - 2:
                raise Late(of_source)
    each = sorted(delay for of_source in late.values() for delay in of_source)
    if each[len(each) * 9 // 10] > JITTER or each[-1] > JITTER + stall:
        raise Late(late)


def shared(span: Span, others: list[Span]) -> timedelta:
    parts = (min(span[1], end) - max(span[0], start) for start, end in others)
    return sum((part for part in parts if part > timedelta()), timedelta())


def assert_backed_off(runs: Runs) -> None:
    """What was cut off, by us, is tried again at once."""
    for source, of_source in runs.items():
        if kind_of(source) in FAILING:
            tries = [run for run in of_source if run.verdict and not run.checkpoint.stopped]
            assert len(tries) <= (1 if kind_of(source) == "refusing" else TRIES), of_source
