"""A run that is told to stop: at once, whatever it waits for, and what came is kept."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from harvester.clock import SystemClock
from harvester.config import Source
from harvester.harvest import harvest
from harvester.report import Report
from harvester.stopping import Stop, Stopped
from harvester.store import Store, harvests, sources
from harvester.transport import Transport, Turns
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Gate, offset
from tests.fakes.repository import FakeRepository, serving
from tests.fakes.works import Works

WHY = "the program was told to end"


def test_the_first_reason_stays() -> None:
    stop = Stop()
    stop.check()
    stop.tell("first", 5)
    stop.tell("second")
    with pytest.raises(Stopped, match="first") as told:
        stop.check()
    assert told.value.pause == 5


def test_an_answer_comes_through_and_so_does_an_error() -> None:
    stop = Stop()
    assert stop.unless_told(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        stop.unless_told(lambda: 1 // 0)
    stop.tell(WHY)
    with pytest.raises(Stopped):
        stop.unless_told(lambda: 7)


def test_what_is_waited_for_is_left_alone() -> None:
    stop, begun, never = Stop(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        never.wait()

    threading.Thread(target=lambda: (begun.wait(), stop.tell(WHY))).start()
    with pytest.raises(Stopped):
        stop.unless_told(work)
    never.set()


def test_a_sleep_is_cut_short() -> None:
    stop = Stop()
    threading.Timer(0.01, stop.tell, [WHY]).start()
    with pytest.raises(Stopped):
        stop.sleep(SystemClock(), 3600)


class Stopping:
    """A harvest in a thread, which ends when it is told to, or not at all."""

    def __init__(self, source: Source, folder: Path) -> None:
        self.stop = Stop()
        self.reports: list[Report] = []
        self._source = source
        self._store = Store(f"sqlite:///{folder / 'store.db'}")
        self.turns = Turns(SystemClock(), 60)
        self.waits = threading.Event()

    def run(self, stop: Stop | None = None) -> None:
        with closing(
            Transport(SystemClock(), on_wait=lambda *_: self.waits.set(), turns=self.turns, stop=stop)
        ) as transport:
            self.reports.append(harvest(self._source, self._store, transport, SystemClock()))

    @contextmanager
    def under_way(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run, args=[self.stop])
        thread.start()
        yield
        self.stop.tell(WHY)
        thread.join(30)
        assert not thread.is_alive()

    def await_asking(self) -> None:
        """Until it waits for an answer, or for its turn to ask."""
        while not self.stop._waiting:
            pass

    def last(self) -> harvests.Harvest:
        with self._store.read() as connection:
            last = harvests.last(connection, self._source.name)
        assert last is not None
        return last

    def failures(self) -> int:
        with self._store.read() as connection:
            state = sources.get(connection, self._source.name)
        assert state is not None
        return state.failures

    def close(self) -> None:
        self._store.close()


@pytest.fixture
def repository() -> Iterator[FakeRepository]:
    with serving(Works(60, FakeClock().now, page_size=10)) as repository:
        yield repository


@pytest.mark.parametrize("verb", ["Identify", "ListRecords"])
def test_while_an_answer_is_waited_for(repository: FakeRepository, tmp_path: Path, verb: str) -> None:
    gate = Gate(repository)
    start = 20 if verb == "ListRecords" else 0
    repository.misbehave(gate.before, offset(start, verb), times=1)
    with closing(Stopping(Source("test", repository.url), tmp_path)) as stopping:
        with stopping.under_way():
            gate.await_reached()
        (report,) = stopping.reports
        assert (report.verdict, report.reason) == ("failed" if verb == "Identify" else "partial", WHY)
        assert report.received == start
        assert stopping.last().checkpoint.stopped
        assert stopping.failures() == 0
        gate.opened.set()
        repository.behave()
        stopping.run()
        assert (stopping.reports[-1].verdict, stopping.reports[-1].received) == ("complete", 60)
        assert not stopping.last().checkpoint.stopped


def test_while_it_waits_as_it_was_asked_to(repository: FakeRepository, tmp_path: Path) -> None:
    repository.misbehave(faults.status(503, Retry_After="3000"), offset(20))
    with closing(Stopping(Source("test", repository.url), tmp_path)) as stopping:
        with stopping.under_way():
            assert stopping.waits.wait(30)
        assert (stopping.reports[0].verdict, stopping.reports[0].reason) == ("partial", WHY)


def test_while_it_waits_for_its_turn(repository: FakeRepository, tmp_path: Path) -> None:
    with closing(Stopping(Source("test", repository.url), tmp_path)) as stopping:
        host = repository.url.split("/")[2]
        with stopping.turns.turn(host), stopping.under_way():
            stopping.await_asking()
        assert (stopping.reports[0].verdict, stopping.reports[0].reason) == ("failed", WHY)
        assert not repository.log


def test_while_it_connects(tmp_path: Path) -> None:
    """A host that accepts nobody: its line of those who wait is full."""
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/oai"
        with closing(Stopping(Source("test", url), tmp_path)) as stopping:
            with stopping.under_way():
                stopping.await_asking()
            assert (stopping.reports[0].verdict, stopping.reports[0].reason) == ("failed", WHY)
