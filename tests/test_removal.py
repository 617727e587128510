"""A source that is removed: nothing of it stays, every follower is told, and a kill leaves nothing half."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from harvester import config
from harvester.errors import ConfigError, LeaseLost, SourceBusy
from harvester.forget import forget, undo
from harvester.ledger import Ledger
from harvester.removal import remove
from harvester.store import leases, records, schema, sources
from harvester.store.records import Refused
from tests.commands import KHAN, Ran, demo_folder, environment, inside, on_terminal, program_in, windrow
from tests.fakes.rig import NAME, Rig, counts
from tests.fakes.works import identifier
from tests.test_verify import broken

LIVE, DELETED = 224, 6
OTHER = "# Ask Jim.\n[sources.other]  # here\nurl = 'https://x.example/oai'\n"


@pytest.fixture
def config_file(rig: Rig, tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(f"[sources.{NAME}]\nurl = '{rig.repository.url}'\n\n{OTHER}")
    return path


def test_nothing_stays_but_tombstones(rig: Rig, config_file: Path) -> None:
    rig.works.delete(3)
    rig.harvest()
    head = rig.head
    removed = remove(NAME, config_file, rig.store, rig.clock)
    assert (removed.records, removed.configured) == (49, True)
    assert config_file.read_text() == OTHER
    assert [(change.position, change.record.deleted) for change in rig.feed if change.position > head] == [
        (head + at, True) for at in range(1, 50)
    ]
    assert (rig.live, len(rig.tombstones)) == (set(), 50)
    with rig.store.read() as connection:
        assert sources.every(connection) == []
        assert sources.removed_since(connection, NAME)
        for table in (schema.raw, schema.quarantine, schema.harvests, schema.listed):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_added_again_it_starts_anew(rig: Rig, config_file: Path) -> None:
    rig.harvest()
    remove(NAME, config_file, rig.store, rig.clock)
    rig.later()
    del rig.repository.log[:]
    report = rig.harvest()
    assert (report.verdict, counts(report)) == ("complete", {"received": 50, "created": 50})
    assert {asked.verb for asked in rig.repository.log} == {"Identify", "ListRecords"}, "as of any new source"
    assert rig.is_exact()
    rig.later()
    assert rig.harvest().received < 50, "its new watermark holds"


def test_a_part_of_it_that_is_added_again_is_not_disturbed(rig: Rig, config_file: Path) -> None:
    rig.harvest()
    remove(NAME, config_file, rig.store, rig.clock)
    rig.works.destroy(*range(1, 11))
    rig.works.delete(11)
    assert counts(rig.harvest(full=True)) == {"received": 40, "created": 39, "unchanged": 1}
    assert rig.is_exact()
    assert rig.harvest(full=True).verdict == "verified"


def test_what_was_forgotten_stays_forgotten(rig: Rig, config_file: Path) -> None:
    rig.harvest()
    seven = f"{NAME}/{identifier(7)}"
    forget(seven, rig.store, rig.clock)
    remove(NAME, config_file, rig.store, rig.clock)
    rig.harvest()
    assert identifier(7) not in rig.live
    remove(NAME, config_file, rig.store, rig.clock)
    undo(seven, rig.store, rig.clock)
    rig.harvest()
    assert identifier(7) in rig.live


def test_a_source_under_harvest_is_left_alone(rig: Rig, config_file: Path) -> None:
    rig.harvest()
    before = config_file.read_text()
    _held = Ledger(rig.source, rig.store, rig.clock)
    with pytest.raises(SourceBusy):
        remove(NAME, config_file, rig.store, rig.clock)
    assert (len(rig.live), config_file.read_text()) == (50, before)


def test_a_harvest_that_slept_through_it_cannot_write(rig: Rig, config_file: Path) -> None:
    rig.harvest()
    asleep = Ledger(rig.source, rig.store, rig.clock)
    rig.clock.advance(leases.SECONDS + 1)
    remove(NAME, config_file, rig.store, rig.clock)
    with pytest.raises(LeaseLost):
        asleep.keep_lease()
    rig.harvest()
    with pytest.raises(LeaseLost):
        asleep.keep_lease()


def test_a_config_that_cannot_be_written_changes_nothing(
    rig: Rig, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    rig.harvest()
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ConfigError, match="No space left"):
        remove(NAME, config_file, rig.store, rig.clock)
    assert len(rig.live) == 50
    Ledger(rig.source, rig.store, rig.clock)  # the lease was given back


# On the command line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a record in quarantine, too."""
    folder = demo_folder(tmp_path)
    with program_in(folder) as program, program.store.write() as connection:
        records.put_in_quarantine(connection, 1, [Refused("oai:odd", "", "why", b"<raw/>")], "2026")
    (folder / "config.toml").write_text((folder / "config.toml").read_text() + "\n" + OTHER)
    return folder


Run = Callable[..., Ran]


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *arguments: inside(folder, capsys, *arguments)


def is_gone(folder: Path, run: Run) -> None:
    """From config.toml, store and index; a follower who had seen everything is told of each record."""
    assert set(config.load(folder / "config.toml", {}).sources) == {"other"}
    assert (folder / "config.toml").read_text() == OTHER
    assert [source["name"] for source in run("status", "--json").lines[0]["sources"]] == ["other"]
    assert run("status", "--json").lines[0]["index"]["documents"] == 0
    told = run("changes", "--since", str(LIVE + DELETED)).lines
    assert {change["op"] for change in told} == {"delete"}
    assert len({change["id"] for change in told}) == len(told) == LIVE
    assert len({change["id"] for change in run("changes").lines}) == LIVE + DELETED
    assert broken(run("verify", "--json")) == {}


def test_it_is_gone(folder: Path, run: Run) -> None:
    ran = windrow(folder, "source", "remove", "demo", "--yes")
    assert (ran.code, ran.out) == (0, "demo is removed, and 224 records with it.\n")
    assert "no longer in" in ran.err
    is_gone(folder, run)
    assert f"{KHAN} went with its source, which was removed here on 20" in run("show", KHAN).out


def test_again(folder: Path, run: Run) -> None:
    run("source", "remove", "demo", "--yes")
    again = run("source", "remove", "demo", "--json")
    assert (again.code, again.lines) == (0, [{"source": "demo", "records": 0, "configured": False}])
    is_gone(folder, run)


def test_json(run: Run) -> None:
    ran = run("source", "remove", "demo", "--yes", "--json")
    assert (ran.lines, ran.err) == ([{"source": "demo", "records": 224, "configured": True}], "")


def test_one_that_was_never_harvested(folder: Path, run: Run) -> None:
    ran = run("source", "remove", "other", "--yes")
    assert (ran.code, ran.out) == (0, "other is removed, and 0 records with it.\n")
    assert set(config.load(folder / "config.toml", {}).sources) == {"demo"}
    assert run("search", "author:khan", "--json").lines[0]["total"] == 1


def test_one_that_config_toml_has_lost(folder: Path, run: Run) -> None:
    (folder / "config.toml").write_text(OTHER)
    assert run("source", "remove", "demo", "--yes").code == 0
    is_gone(folder, run)


@pytest.mark.parametrize("typed", ["y\n", "n\n"])
def test_it_asks_on_a_terminal(folder: Path, run: Run, typed: str) -> None:
    shown = " ".join(on_terminal(folder, "source", "remove", "demo", typed=typed).split())
    assert "Remove demo (224 records, 1 record in quarantine) from" in shown
    if typed == "y\n":
        is_gone(folder, run)
    else:
        assert "Nothing was changed." in shown
        assert run("show", KHAN).code == 0
        assert "demo" in config.load(folder / "config.toml", {}).sources


def test_it_does_not_act_unasked(folder: Path, run: Run) -> None:
    ran = windrow(folder, "source", "remove", "demo")
    assert ran.code == 2
    assert "--yes" in ran.err
    assert run("show", KHAN).code == 0


def test_a_name_that_nobody_has(run: Run) -> None:
    ran = run("source", "remove", "dmeo", "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean demo?" in ran.err
    assert run("source", "destroy", "demo").code == 2


# Kill -9

# Ends itself right before or right after the commit of its transaction number N; batches are small.
DYING = """
import os, signal, sys
from contextlib import contextmanager
from harvester import removal
from harvester.store import Store
from index.cli import run

number, when = int(sys.argv[1]), sys.argv[2]
removal._BATCH = 100
real, begun = Store.write, 0

@contextmanager
def write(self):
    global begun
    begun += 1
    mine = begun
    with real(self) as connection:
        yield connection
        if (mine, when) == (number, "before"):
            os.kill(os.getpid(), signal.SIGKILL)
    if mine == number:
        os.kill(os.getpid(), signal.SIGKILL)

Store.write = write
sys.exit(run(sys.argv[3:]))
"""
TRANSACTIONS = 7  # the lease, three batches and the look that finds no fourth, the rest, the lease given back


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, TRANSACTIONS + 1))
def test_kill_9(folder: Path, run: Run, number: int, when: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DYING, str(number), when, "source", "remove", "demo", "--yes"],
        cwd=folder,
        env=environment(),
        check=False,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL
    assert broken(run("verify", "--json")) == {}, "what is half removed is whole in itself"
    again = windrow(folder, "source", "remove", "demo", "--yes")
    assert again.code == 0, again.err
    is_gone(folder, run)


@pytest.mark.slow
def test_that_is_all_there_is_to_kill(folder: Path) -> None:
    script = [sys.executable, "-c", DYING, str(TRANSACTIONS + 1), "after"]
    subprocess.run(
        [*script, "source", "remove", "demo", "--yes"], cwd=folder, env=environment(), check=True, timeout=120
    )
