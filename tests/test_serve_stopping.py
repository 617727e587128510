"""`windrow serve` is told to end, in whatever it does: it ends in time, says what is so, goes on later."""

import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from harvester.store import harvests, leases
from harvester.store.harvests import Harvest
from tests.commands import program_in, terminal, windrow
from tests.fakes.clock import FakeClock
from tests.fakes.exports import Exports
from tests.fakes.faults import Gate, offset, status
from tests.fakes.fleet import fleet
from tests.fakes.repository import EXPORT, FakeRepository, serving
from tests.fakes.works import Works
from tests.served import HANGS, Serve, await_fact, await_stopped, running_at, serve
from tests.whole import Stored, assert_holds, assert_sound

pytestmark = pytest.mark.slow
PAGES, A_PAGE = 4, 10
IN_TIME = 10.0  # seconds
TOLD = "the program was told to end"
DAY = 86_400.0


@pytest.fixture
def repository() -> Iterator[FakeRepository]:
    works = Works(PAGES * A_PAGE, FakeClock().now, page_size=A_PAGE)
    works.delete(7)
    with serving(works) as repository:
        repository.exports = Exports(works)
        yield repository


@pytest.fixture
def folder(repository: FakeRepository, tmp_path: Path) -> Path:
    write_config(tmp_path, repository)
    return tmp_path


def write_config(folder: Path, repository: FakeRepository, more: str = "") -> None:
    (folder / "config.toml").write_text(
        f'[sources.test]\nurl = "{repository.url}"\nschedule = "every 6 hours"\n{more}'
    )


def last_run(folder: Path, source: str = "test") -> Harvest:
    with program_in(folder) as program, program.store.read() as connection:
        run = harvests.last(connection, source)
    assert run is not None
    return run


def holders(folder: Path) -> set[str]:
    """Sources that are being harvested."""
    with program_in(folder) as program, program.store.read() as connection:
        return set(leases.held(connection, program.clock.now()))


def works(repository: FakeRepository) -> Works:
    assert isinstance(repository.responder, Works)
    return repository.responder


def ends_in_time(served: Serve, number: signal.Signals = signal.SIGTERM) -> None:
    code, seconds = served.end(number)
    assert code == 0, served.log
    assert served.said("ended")
    assert seconds < IN_TIME, served.log


def ended_honestly(folder: Path, verdict: str, source: str = "test") -> None:
    run = last_run(folder, source)
    assert (run.verdict, run.reason) == (verdict, TOLD)
    assert run.finished
    assert holders(folder) == set()
    assert_sound(folder)


def goes_on(repository: FakeRepository, folder: Path, *sources: str, clock: str = "") -> None:
    """The next start puts all right by itself, and reads no page twice."""
    repository.behave()
    repository.log.clear()
    has_begun = bool(last_run(folder).checkpoint.pages)
    with serve(folder, clock=clock) as served:
        for source in sources or ("test",):
            served.heard("harvest", source=source, verdict="complete")
        ends_in_time(served)
    if has_begun:
        assert repository.asked("Identify") == []
    is_whole(repository, folder)


def is_whole(repository: FakeRepository, folder: Path) -> None:
    checked = windrow(folder, "verify")
    assert checked.code == 0, checked.out + checked.err
    assert_holds(folder, Stored(works(repository).live, works(repository).deleted, set()))


# What waits for the network


class Stage(NamedTuple):
    """`prepare` answers what waits until the stage is reached."""

    verdict: str
    prepare: Callable[[FakeRepository, Path], Callable[[Serve], object]]


def held_at(page: int, how: str) -> Callable[[FakeRepository, Path], Callable[[Serve], object]]:
    """The page, counted from 1, is held back by a `Gate`."""

    def prepare(repository: FakeRepository, _folder: Path) -> Callable[[Serve], object]:
        gate = Gate(repository)
        repository.misbehave(getattr(gate, how), offset((page - 1) * A_PAGE))
        return lambda _served: gate.await_reached()

    return prepare


def asks_to_wait(repository: FakeRepository, _folder: Path) -> Callable[[Serve], object]:
    repository.misbehave(status(503, Retry_After="60"), offset(A_PAGE))
    return lambda served: served.heard("waits", source="test", seconds=60.0)


NETWORK = {
    "no answer to the first question": Stage("failed", held_at(1, "before")),
    "no answer": Stage("partial", held_at(2, "before")),
    "a body that drips": Stage("partial", held_at(3, "dripping")),
    "a body that hangs": Stage("partial", held_at(PAGES, "in_mid_body")),
    "Retry-After": Stage("partial", asks_to_wait),
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("stage", NETWORK.values(), ids=NETWORK)
def test_while_it_waits_for(
    stage: Stage, number: signal.Signals, repository: FakeRepository, folder: Path
) -> None:
    reached = stage.prepare(repository, folder)
    with serve(folder) as served:
        reached(served)
        ends_in_time(served, number)
    ended_honestly(folder, stage.verdict)
    goes_on(repository, folder)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full backlog refuses")
def test_while_it_connects(tmp_path: Path) -> None:
    with fleet([Works(PAGES * A_PAGE, FakeClock().now, page_size=A_PAGE)], dead=1) as ships:
        ships.jam()
        (repository,) = ships.repositories
        write_config(tmp_path, repository)
        with serve(tmp_path) as served:
            connections = psutil.Process(served.process.pid).net_connections
            await_fact(lambda: psutil.CONN_SYN_SENT in {one.status for one in connections()}, "it connects")
            ends_in_time(served)
        ended_honestly(tmp_path, "failed")
        ships.revive()
        goes_on(repository, tmp_path)


def test_while_it_waits_for_its_turn(repository: FakeRepository, folder: Path) -> None:
    other = f'metadata_prefix = "eprints"\n[sources.other]\nurl = "{repository.url}"\n'
    write_config(folder, repository, f'{other}schedule = "every 6 hours"\n')
    gate = Gate(repository)
    repository.misbehave(gate.before, offset(A_PAGE))
    with serve(folder) as served:
        gate.await_reached()
        await_fact(lambda: holders(folder) == {"test", "other"}, "both are at it")
        ends_in_time(served)
    assert {last_run(folder, name).reason for name in ("test", "other")} == {TOLD}
    assert repository.most_at_once == 1
    repository.behave()
    with serve(folder) as served:
        for source in ("test", "other"):
            served.heard("harvest", source=source, verdict="complete")
        ends_in_time(served)
    assert windrow(folder, "verify").code == 0


def test_while_it_fetches_details(repository: FakeRepository, folder: Path) -> None:
    write_config(folder, repository, 'details = "eprints"\ndetails_gap = "0.1"\n')
    gate = Gate(repository)
    repository.misbehave(gate.before, lambda asked: asked.path.startswith(EXPORT))
    with serve(folder) as served:
        gate.await_reached()
        ends_in_time(served)
    assert last_run(folder).verdict == "complete"
    repository.behave()
    with serve(folder) as served:
        assert served.heard("details", source="test")["fetched"] == len(works(repository).live)
        ends_in_time(served)
    is_whole(repository, folder)


# What is the machine's own work


@pytest.mark.parametrize("place", ["half a page written", "records written", "page committed"])
def test_while_it_stores(place: str, repository: FakeRepository, folder: Path) -> None:
    """The page in hand, the second, is stored to its end: each of the places is passed once a page."""
    repository.misbehave(Gate(repository).before, offset(2 * A_PAGE))
    with serve(folder, fault=f"{place}:2:stop") as served:
        await_stopped(served.process.pid)
        served.tell(signal.SIGTERM)
        ends_in_time(served, signal.SIGCONT)
    ended_honestly(folder, "partial")
    assert last_run(folder).checkpoint.total == 2 * A_PAGE
    goes_on(repository, folder)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_while_the_index_hangs(number: signal.Signals, repository: FakeRepository, folder: Path) -> None:
    repository.misbehave(Gate(repository).before, offset(A_PAGE))
    with serve(folder, fault="index batch half added:1:stop") as served:
        await_stopped(served.follower.pid)
        ends_in_time(served, number)
    ended_honestly(folder, "partial")
    goes_on(repository, folder)


def test_while_it_sweeps(repository: FakeRepository, folder: Path) -> None:
    write_config(folder, repository, '[harvest]\nfull = "every 1 day"\n')
    assert windrow(folder, "harvest").code == 0
    works(repository).destroy(1, 2, 3)
    clock, _ = running_at(1.001, ahead=2 * DAY)
    with serve(folder, fault="sweep half done:1:stop", clock=clock) as served:
        await_stopped(served.process.pid)
        served.tell(signal.SIGTERM)
        ends_in_time(served, signal.SIGCONT)
    assert_sound(folder)
    run = last_run(folder)
    assert (run.verdict, run.request.sweeps) == ("verified", True)
    with program_in(folder) as program:
        assert program.searcher().count() == len(works(repository).live)


def test_a_second_signal_ends_it_at_once(repository: FakeRepository, folder: Path) -> None:
    repository.misbehave(Gate(repository).before, offset(A_PAGE))
    with serve(folder, fault="index batch half added:1:stop") as served:
        await_stopped(served.follower.pid)
        follower = served.follower
        served.tell(signal.SIGTERM)
        served.heard("ending")
        served.tell(signal.SIGTERM)
        assert served.ended() == 128 + signal.SIGTERM
        assert not served.said("ended")
        follower.kill()
    goes_on(repository, folder)


def test_while_a_reload_waits_for_another_writer(repository: FakeRepository, folder: Path) -> None:
    with serve(folder) as served:
        served.heard("harvest", source="test", verdict="complete")
        with closing(sqlite3.connect(folder / "data/windrow.db", isolation_level=None)) as store:
            store.execute("BEGIN IMMEDIATE")
            other = '[sources.other]\nurl = "http://127.0.0.1:1/"\nschedule = "every 6 hours"\n'
            write_config(folder, repository, other)
            served.tell(signal.SIGHUP)
            ends_in_time(served)


def test_while_its_terminal_is_stopped(repository: FakeRepository, folder: Path) -> None:
    """By Ctrl-S: what cannot be said holds it up no longer than the ten seconds."""
    repository.misbehave(Gate(repository).before, offset(A_PAGE))
    with terminal(folder, "serve", columns=1000) as served:
        served.until("serving")
        served.stop_output()
        served.process.terminate()
        assert served.process.wait(HANGS) == -signal.SIGALRM
    goes_on(repository, folder)


# Nobody asks


@pytest.mark.parametrize("place", ["body decoded", "half a page written", "page committed"])
@pytest.mark.parametrize("nth", [2, PAGES])
def test_kill_9_costs_the_page_in_hand(
    place: str, nth: int, repository: FakeRepository, folder: Path
) -> None:
    """And the one that was read ahead."""
    with serve(folder, fault=f"{place}:{nth}:kill") as served:
        assert served.ended() == -signal.SIGKILL
    with serve(folder) as served:
        served.heard("harvest", source="test", verdict="complete")
        ends_in_time(served)
    asked = [one.offset for one in repository.asked("ListRecords")]
    assert set(asked) == {page * A_PAGE for page in range(PAGES)}
    assert len(asked) <= PAGES + 2
    assert max(map(asked.count, asked)) <= 2
    is_whole(repository, folder)


def test_kill_9_leaves_no_process_behind(repository: FakeRepository, folder: Path) -> None:
    with serve(folder) as served:
        follower = served.follower
        served.heard("harvest", source="test", verdict="complete")
        served.process.kill()
        assert served.ended() == -signal.SIGKILL
        follower.wait(60)
    is_whole(repository, folder)
