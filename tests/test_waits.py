"""What a harvest waits for, as the transport knows it, the checkpoint has it and `windrow status` says it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harvester.ledger import Ledger
from harvester.oai import ahead
from harvester.plan import Options
from harvester.run import Run
from harvester.store.harvests import Checkpoint, Counts, Harvest, Request
from harvester.store.schema import sources
from harvester.transport import Turns, Wait
from harvester.transport.words import host_of
from index.cli.overview import progress
from index.cli.standing import under_way
from tests.fakes import faults
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.echo import Make, get
from tests.fakes.faults import Gate, offset
from tests.fakes.repository import Answer, Asked, FakeRepository, When
from tests.fakes.rig import Rig, rigged
from tests.fakes.works import Works
from tests.served import HANGS, await_fact

BUSY = faults.status(503, Retry_After="77")
ASKED = Wait("as the repository asked", "2026-06-01T12:01:17Z")


class SeenClock(FakeClock):
    """Calls `on_sleep` while somebody sleeps on it."""

    on_sleep: Callable[[], object] = staticmethod(lambda: None)

    def sleep(self, seconds: float) -> None:
        self.on_sleep()
        super().sleep(seconds)


@pytest.fixture
def clock() -> SeenClock:
    return SeenClock()


# The transport


def test_before_another_try_and_for_a_busy_host(
    transport_with: Make, server: FakeRepository, clock: SeenClock
) -> None:
    seen: list[Wait | None] = []
    transport = transport_with()
    clock.on_sleep = lambda: seen.append(transport.waiting)
    server.misbehave(BUSY, times=1)
    get(transport, server)
    get(transport, server)
    assert seen == [ASKED, Wait(f"as {host_of(server.url)} was busy", "2026-06-01T12:01:18Z")]


def test_after_what_broke(transport_with: Make, server: FakeRepository, clock: SeenClock) -> None:
    seen: list[Wait | None] = []
    transport = transport_with()
    clock.on_sleep = lambda: seen.append(transport.waiting)
    server.misbehave(faults.status(500), times=1)
    get(transport, server)
    (wait,) = filter(None, seen)
    assert wait.why == f"since {server.url}?verb=Identify answers 500 Internal Server Error"


def test_while_it_is_asked_it_waits_for_nothing(transport_with: Make, server: FakeRepository) -> None:
    seen: list[Wait | None] = []
    transport = transport_with()

    def look(_asked: Asked, answer: Answer) -> Answer:
        seen.append(transport.waiting)
        return answer

    server.misbehave(BUSY, times=1)
    server.misbehave(look)
    get(transport, server)
    assert seen == [None, None]


def test_for_a_turn(transport_with: Make, server: FakeRepository, clock: SeenClock) -> None:
    turns, gate = Turns(clock, 60), Gate(server)
    first, second = transport_with(turns=turns), transport_with(turns=turns)
    server.misbehave(gate.before, times=1)
    threads = [threading.Thread(target=get, args=[one, server]) for one in (first, second)]
    threads[0].start()
    gate.await_reached()
    threads[1].start()
    await_fact(lambda: second.waiting == Wait(f"for its turn at {host_of(server.url)}"), "it waits")
    gate.opened.set()
    for thread in threads:
        thread.join()
    assert second.waiting is None


# The checkpoint


@pytest.fixture
def rig(tmp_path: Path, clock: SeenClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(ahead, "_GLANCE", 0.01)
    with rigged(tmp_path, Works(50, clock.now, page_size=10), clock) as rig:
        yield rig


@contextmanager
def asleep(rig: Rig, clock: SeenClock, *where: When) -> Iterator[None]:
    """A harvest waits there, as the repository asked; in the end it goes on, to its own end."""
    waiting, woken = threading.Event(), threading.Event()

    def sleeps() -> None:
        waiting.set()
        woken.wait(2 * HANGS)

    clock.on_sleep = sleeps
    rig.repository.misbehave(BUSY, *where, times=1)
    harvest = threading.Thread(target=rig.harvest, daemon=True)
    harvest.start()
    try:
        assert waiting.wait(60)
        yield
    finally:
        woken.set()
        harvest.join()


def test_it_is_stored_as_long_as_it_lasts(rig: Rig, clock: SeenClock) -> None:
    with asleep(rig, clock, offset(20)):
        noted = await_fact(lambda: rig.last_run.checkpoint.waits and rig.last_run.checkpoint, "it is stored")
        assert (Wait(noted.waits, noted.waits_until), noted.total) == (ASKED, 20)
        await_lease_kept(rig, clock)
    assert (rig.last_run.verdict, rig.last_run.checkpoint.waits) == ("complete", "")


def test_a_first_answer_that_is_late_loses_no_lease(rig: Rig, clock: SeenClock) -> None:
    """Before there is a run whose checkpoint could say so."""
    with asleep(rig, clock):
        await_lease_kept(rig, clock)
    assert rig.last_run.verdict == "complete"


def await_lease_kept(rig: Rig, clock: SeenClock) -> None:
    before = lease_ends(rig)
    clock.advance(31)
    await_fact(lambda: lease_ends(rig) > before, "the lease is kept")


def test_a_page_that_comes_ends_it(rig: Rig, transport_with: Make, clock: SeenClock) -> None:
    transport = transport_with()
    ledger = Ledger(rig.source, rig.store, clock)
    ledger.begin(Request("oai_dc"))
    run = Run(rig.source, ledger, transport, clock, Options(), lambda _progress: None)

    def pages() -> Iterator[str]:
        transport.waiting = ASKED
        await_fact(lambda: run.checkpoint.waits == ASKED.why, "it is stored")
        yield "page"

    assert [(page, run.checkpoint.waits) for page in run.ahead(pages())] == [("page", "")]


def lease_ends(rig: Rig) -> float:
    with rig.store.read() as connection:
        return float(connection.scalar(sources.select().with_only_columns(sources.c.lease_expires)) or 0)


def test_who_was_cut_off_in_a_wait_goes_on_without_it(rig: Rig, clock: SeenClock) -> None:
    rig.harvest(limit=20)
    with rig.store.write() as connection:
        connection.exec_driver_sql(
            "UPDATE harvests SET verdict = NULL, checkpoint = json_set(checkpoint, '$.waits', 'for ever')"
        )
    gate = Gate(rig.repository)
    rig.repository.misbehave(gate.before, offset(20), times=1)
    harvest = threading.Thread(target=rig.harvest)
    harvest.start()
    gate.await_reached()
    assert rig.last_run.checkpoint.waits == ""
    gate.opened.set()
    harvest.join()


# In words


@pytest.mark.parametrize(
    ("waits", "until", "words"),
    [
        ("as the repository asked", "2026-06-01T12:00:40Z", "waits 40 s, as the repository asked"),
        ("for its turn at kent.example", "", "waits for its turn at kent.example"),
        ("as the repository asked", "2026-06-01T12:00:00Z", "2 a second, 40 s left"),
    ],
)
def test_status_says_it(waits: str, until: str, words: str) -> None:
    checkpoint = Checkpoint(
        token="next",
        pages=2,
        listed=20,
        list_size=100,
        counts=Counts(received=20),
        seconds=10,
        waits=waits,
        waits_until=until,
    )
    run = Harvest(1, "kar", "", "", Request("oai_dc"), checkpoint)
    told = progress(under_way(run, "process 7 on kent", None, NOON))
    assert told == f"20 of 100 records (20 %), {words}: process 7 on kent"


def test_status_says_it_before_the_first_page() -> None:
    run = Harvest(1, "kar", "", "", Request("oai_dc"), Checkpoint(waits="for its turn at kent.example"))
    told = progress(under_way(run, "process 7 on kent", None, NOON))
    assert told == "no page yet, waits for its turn at kent.example: process 7 on kent"
