"""`windrow serve` beside other processes, and beside a config.toml that is changed under it."""

import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harvester.store import leases
from tests.commands import program_in, windrow
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Gate, offset
from tests.fakes.fleet import fleet
from tests.fakes.repository import FakeRepository
from tests.fakes.works import Works
from tests.held import stop_between_transactions
from tests.served import await_fact, running_at, serve

pytestmark = pytest.mark.slow
PAGES, A_PAGE = 4, 10
RECORDS = PAGES * A_PAGE
SPEED = 1800.0  # two seconds are an hour


@pytest.fixture
def repositories() -> Iterator[list[FakeRepository]]:
    with fleet([Works(RECORDS, FakeClock().now, page_size=A_PAGE) for _ in range(2)]) as ships:
        yield ships.repositories


@pytest.fixture
def repository(repositories: list[FakeRepository]) -> FakeRepository:
    return repositories[0]


@pytest.fixture
def folder(repositories: list[FakeRepository], tmp_path: Path) -> Path:
    write_config(tmp_path, repositories[0])
    return tmp_path


def write_config(folder: Path, *repositories: FakeRepository, more: str = "") -> None:
    """Sources 0, 1 … in this order."""
    (folder / "config.toml").write_text(
        more
        + "".join(
            f'[sources.{name}]\nurl = "{one.url}"\nschedule = "every 1 hour"\n'
            for name, one in enumerate(repositories)
        )
    )


def rows(folder: Path) -> list[str]:
    """But what is due, which a serve that wakes up reckons anew from what others have harvested."""
    with closing(sqlite3.connect(folder / "data/windrow.db")) as store:
        return [line for line in store.iterdump() if '"schedules"' not in line]


def is_sound(folder: Path, records: int) -> None:
    checked = windrow(folder, "verify")
    assert checked.code == 0, checked.out + checked.err
    with program_in(folder) as program:
        assert program.searcher().count() == records


# Other processes


def test_a_second_one_says_who_serves_and_leaves(folder: Path) -> None:
    with serve(folder) as served:
        second = windrow(folder, "serve")
        assert (second.code, second.out) == (3, "")
        assert f"is served already, by process {served.process.pid} on" in second.err
        assert f"kill {served.process.pid}" in second.err
        served.heard("harvest", source="0", verdict="complete")
        assert served.end()[0] == 0
    with serve(folder) as third:
        assert third.end()[0] == 0


def test_who_wakes_up_past_its_lease_writes_nothing_and_serves_on(
    repositories: list[FakeRepository], folder: Path
) -> None:
    repository, other = repositories
    gate = Gate(repository)
    repository.misbehave(gate.before, offset(2 * A_PAGE), times=1)
    setting, clock = running_at(200.0, ahead=60.0)
    with serve(folder, clock=setting) as served:
        gate.await_reached()
        stop_between_transactions(served.process.pid, folder)
        with program_in(folder) as program, program.store.read() as connection:
            await_fact(lambda: not leases.held(connection, clock.now()), "the lease ran out")
        taken_over = windrow(folder, "harvest", "--json", env={"WINDROW_CLOCK": setting})
        assert taken_over.code == 0, taken_over.err
        assert taken_over.lines[0]["verdict"] == "complete"
        before = rows(folder)
        gate.opened.set()
        served.tell(signal.SIGCONT)
        lost = served.heard("harvest", source="0", level="warning")
        assert "another process has taken over the harvest of 0" in lost["text"]
        assert rows(folder) == before
        write_config(folder, repository, other)
        served.tell(signal.SIGHUP)
        served.heard("harvest", source="1", verdict="complete")
        assert served.end()[0] == 0
    is_sound(folder, 2 * RECORDS)


def test_it_leaves_a_store_that_was_put_in_the_place_of_its_own(
    repository: FakeRepository, folder: Path
) -> None:
    """As from a backup."""
    data, backup = folder / "data", folder / "backup"
    assert windrow(folder, "harvest").code == 0
    shutil.copytree(data, backup)
    clock, _ = running_at(SPEED)
    with serve(folder, clock=clock) as served:
        data.rename(folder / "aside")
        backup.rename(data)
        assert "was replaced by another one" in served.heard("store", level="error")["text"]
        assert served.ended() == 1
    with serve(folder, clock=clock) as served:
        repository.responder.put(RECORDS + 1)
        served.heard("harvest", created=1)
        assert served.end()[0] == 0
    is_sound(folder, RECORDS + 1)


def test_a_harvest_by_hand_is_told_who_is_at_it(repository: FakeRepository, folder: Path) -> None:
    gate = Gate(repository)
    repository.misbehave(gate.before, offset(2 * A_PAGE), times=1)
    with serve(folder) as served:
        gate.await_reached()
        second = windrow(folder, "harvest")
        assert (second.code, second.out) == (3, "")
        assert f"0 is being harvested by process {served.process.pid} on" in second.err
        gate.opened.set()
        assert served.heard("harvest", source="0")["created"] == RECORDS
        assert served.end()[0] == 0
    assert [asked.offset for asked in repository.asked("ListRecords")] == [0, 10, 20, 30]
    is_sound(folder, RECORDS)


# The machine


@pytest.mark.parametrize("lack", ["full", "memory"])
def test_what_the_machine_lacks_is_told_and_the_harvest_goes_on_later(
    lack: str, repository: FakeRepository, folder: Path
) -> None:
    setting, _clock = running_at(SPEED, ahead=60.0)
    with serve(folder, clock=setting, fault=f"half a page written:3:{lack}") as served:
        cut = served.heard("harvest", source="0", verdict="partial")
        assert ("No space left" if lack == "full" else "memory") in cut["reason"]
        assert served.heard("harvest", source="0", verdict="complete")["resumed_at_page"] == 3
        assert served.end()[0] == 0
    is_sound(folder, RECORDS)


# config.toml


def test_a_new_source_is_taken_up_while_a_harvest_runs(
    repositories: list[FakeRepository], folder: Path
) -> None:
    repository, other = repositories
    gate = Gate(repository)
    repository.misbehave(gate.before, offset(2 * A_PAGE), times=1)
    with serve(folder) as served:
        gate.await_reached()
        write_config(folder, repository, other)
        served.tell(signal.SIGHUP)
        assert served.heard("reload")["sources"] == 2
        served.heard("harvest", source="1", verdict="complete")
        assert not served.said("harvest", source="0")
        gate.opened.set()
        served.heard("harvest", source="0", verdict="complete")
        assert served.end()[0] == 0
    assert [asked.offset for asked in repository.asked("ListRecords")] == [0, 10, 20, 30]
    is_sound(folder, 2 * RECORDS)


def test_a_faulty_config_is_told_and_the_old_one_kept(repository: FakeRepository, folder: Path) -> None:
    setting, _clock = running_at(SPEED, ahead=60.0)
    with serve(folder, clock=setting) as served:
        served.heard("harvest", source="0")
        write_config(folder, repository, more="[serve]\npool = 0\n")
        served.tell(signal.SIGHUP)
        told = served.heard("reload", level="error")
        assert "serve.pool" in told["problems"]
        served.heard("harvest", times=len(served.said("harvest")) + 2, source="0", verdict="complete")
        write_config(folder, repository, more="[serve]\npool = 2\n")
        served.tell(signal.SIGHUP)
        served.heard("reload", level="info")
        assert served.end()[0] == 0


def test_a_disabled_source_is_left_alone(repositories: list[FakeRepository], folder: Path) -> None:
    write_config(folder, *repositories)
    setting, _clock = running_at(SPEED, ahead=60.0)
    with serve(folder, clock=setting) as served:
        for name in "01":
            served.heard("harvest", source=name, verdict="complete")
        assert windrow(folder, "source", "disable", "0").code == 0
        served.heard("reload", sources=1)
        times = {name: len(served.said("harvest", source=name)) for name in "01"}
        served.heard("harvest", times=times["1"] + 3, source="1")
        assert len(served.said("harvest", source="0")) <= times["0"] + 1  # one may have been under way
        asked = len(repositories[0].log)
        served.heard("harvest", times=times["1"] + 5, source="1")
        assert len(repositories[0].log) == asked
        assert served.end()[0] == 0


def test_a_harvest_is_ended_at_its_limit_and_goes_on(repository: FakeRepository, folder: Path) -> None:
    write_config(folder, repository, more='[serve]\nlongest = "1 hour"\n')
    gate = Gate(repository)
    repository.misbehave(gate.before, offset(2 * A_PAGE), times=1)
    setting, _clock = running_at(SPEED / 3, ahead=60.0)
    with serve(folder, clock=setting) as served:
        ended = served.heard("harvest", source="0")
        assert (ended["verdict"], ended["reason"]) == ("partial", "it was ended at its limit of 1 hour")
        gate.opened.set()
        assert served.heard("harvest", source="0", verdict="complete")["resumed_at_page"] == 3
        assert served.end()[0] == 0
    is_sound(folder, RECORDS)
