"""Several processes on one data folder (FAULTS section 5): nobody errs, nothing comes twice."""

import os
import resource
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from index.search import search
from tests.commands import Ran, command, environment, inside, program_in, windrow
from tests.fakes.clock import FakeClock
from tests.fakes.repository import FakeRepository, serving
from tests.fakes.works import Works, identifier
from tests.held import HANGS, held, stop_between_transactions
from tests.whole import Stored, assert_holds

pytestmark = pytest.mark.slow
PAGES, A_PAGE = 6, 10
RECORDS = PAGES * A_PAGE


@pytest.fixture
def repository() -> Iterator[FakeRepository]:
    with serving(Works(RECORDS, FakeClock().now, page_size=A_PAGE)) as repository:
        yield repository


@pytest.fixture
def folder(tmp_path: Path, repository: FakeRepository) -> Path:
    (tmp_path / "config.toml").write_text(f'[sources.test]\nurl = "{repository.url}"\n')
    return tmp_path


@pytest.fixture
def both(repository: FakeRepository, folder: Path) -> Path:
    """With a second source of the same host."""
    with (folder / "config.toml").open("a") as config:
        config.write(f'[sources.other]\nurl = "{repository.url}"\nmetadata_prefix = "eprints"\n')
    return folder


def works(repository: FakeRepository) -> Works:
    assert isinstance(repository.responder, Works)
    return repository.responder


def all_of(repository: FakeRepository) -> Stored:
    return Stored(works(repository).live, works(repository).deleted, set())


class Started:
    """A command that runs beside the test."""

    def __init__(self, folder: Path, *arguments: str, fault: str = "") -> None:
        self.process = subprocess.Popen(
            command(*arguments),
            cwd=folder,
            env=environment(WINDROW_FAULT=fault),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def await_stopped(self) -> None:
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def ended(self) -> Ran:
        out, err = self.process.communicate(timeout=HANGS)
        return Ran(self.process.returncode, out.decode(), err.decode())


# One source


def test_the_second_is_told_at_once(
    repository: FakeRepository, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with held(repository, folder, 3 * A_PAGE) as first:
        asked = len(repository.log)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        second = inside(folder, capsys, "harvest")
        assert (second.code, second.out) == (3, "")
        assert f"test is being harvested by process {first.process.pid} on" in second.err
        assert len(repository.log) == asked
        # It did not start a follower, which would have to wait for that of the first.
        assert resource.getrusage(resource.RUSAGE_CHILDREN) == children
        first.gate.opened.set()
        (report,) = first.ended().lines
    assert (report["verdict"], report["created"], report["pages"]) == ("complete", RECORDS, PAGES)
    assert len(repository.asked("ListRecords")) == PAGES
    assert_holds(folder, all_of(repository))


def test_who_wakes_up_past_its_lease_writes_nothing(repository: FakeRepository, folder: Path) -> None:
    with held(repository, folder, 3 * A_PAGE) as first:
        stop_between_transactions(first.process.pid, folder)
        with closing(sqlite3.connect(folder / "data/windrow.db")) as store, store:
            store.execute("UPDATE sources SET lease_expires = 0")
        second = windrow(folder, "harvest", "--json")
        assert (second.code, second.lines[0]["verdict"]) == (0, "complete")
        assert (second.lines[0]["received"], second.lines[0]["created"]) == (RECORDS, RECORDS)
        before = all_rows(folder)
        first.gate.opened.set()
        os.kill(first.process.pid, signal.SIGCONT)
        ended = first.ended()
    assert (ended.code, ended.out) == (3, "")
    assert "another process has taken over the harvest of test" in ended.err
    assert all_rows(folder) == before
    assert_holds(folder, all_of(repository))


def all_rows(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "data/windrow.db")) as store:
        return list(store.iterdump())


# One host


def test_one_request_in_flight_for_all_sources_of_a_host(repository: FakeRepository, both: Path) -> None:
    """Of two processes: tests/test_neighbours.py."""
    assert [line["created"] for line in windrow(both, "harvest", "--json").lines] == [RECORDS, RECORDS]
    assert repository.most_at_once == 1
    assert len(find_all(both)) == 2 * RECORDS


# The index


def test_a_harvest_that_ends_before_the_switch(repository: FakeRepository, folder: Path) -> None:
    """Its follower has written into the old generation; the new one takes the same in."""
    assert windrow(folder, "harvest", "--limit", "20").code == 3
    rebuild = Started(folder, "rebuild", fault="generation built:1:stop")
    rebuild.await_stopped()
    assert windrow(folder, "harvest").code == 0
    assert_holds(folder, all_of(repository))
    rebuild.process.send_signal(signal.SIGCONT)
    assert rebuild.ended().code == 0
    assert_holds(folder, all_of(repository))


def test_a_rebuild_in_the_middle_of_a_harvest(repository: FakeRepository, folder: Path) -> None:
    with held(repository, folder, 3 * A_PAGE) as harvest:
        rebuilt = windrow(folder, "rebuild")
        assert rebuilt.code in (0, 3), rebuilt.err  # 3: the follower is just making the first index
        harvest.gate.opened.set()
        assert harvest.ended().code == 0
    assert_holds(folder, all_of(repository))


def test_searches_during_all_of_it(repository: FakeRepository, folder: Path) -> None:
    """A record that was found stays found, and one that went never comes back."""
    assert windrow(folder, "harvest").code == 0
    gone = {f"test/{identifier(number)}" for number in range(1, 11)}
    for number in range(1, 11):
        works(repository).delete(number)
    for number in range(RECORDS + 1, 3 * RECORDS):
        works(repository).put(number)
    found = [find_all(folder)]
    harvest = Started(folder, "harvest")
    while harvest.process.poll() is None:
        rebuild = Started(folder, "rebuild")
        while rebuild.process.poll() is None:
            found.append(find_all(folder))
        rebuilt = rebuild.ended()
        assert rebuilt.code == 0, rebuilt.err
    assert harvest.ended().code == 0
    found.append(find_all(folder))
    for earlier, later in pairwise(found):
        assert earlier - later <= gone
        assert not (later - earlier) & gone
    assert (found[0] > gone, len(found[-1])) == (True, 3 * RECORDS - 1 - len(gone))


def find_all(folder: Path) -> set[str]:
    with program_in(folder) as program:
        return {hit.id for hit in search(program.searcher(), "work", limit=1000).hits}


def test_all_at_once(both: Path) -> None:
    """Whoever cannot do its part says so, and one more run makes it whole."""
    assert windrow(both, "harvest", "test", "--limit", "10").code == 3
    commands = ("harvest", "harvest test", "rebuild", "sync", "search work", "verify")
    started = [Started(both, *one.split()) for one in commands]
    for ran in [one.ended() for one in started]:
        assert ran.code in (0, 3), ran.err
        assert "Traceback" not in ran.err
    assert windrow(both, "harvest").code == 0
    assert windrow(both, "verify").code == 0
    assert len(find_all(both)) == 2 * RECORDS
