"""A record that is forgotten here stays away, and comes back when it may."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harvester.errors import NotFound, SourceBusy
from harvester.forget import forget, undo
from harvester.ledger import Ledger
from harvester.store import forgetting, leases, listings, quarantine, records
from harvester.store.listings import Listed
from harvester.store.records import Refused
from tests.commands import KHAN, Ran, demo_folder, inside, on_terminal, program_in, windrow
from tests.fakes import faults
from tests.fakes.rig import NAME, Rig, counts
from tests.fakes.works import identifier
from tests.test_verify import broken

SEVEN = f"{NAME}/{identifier(7)}"
ALL = {identifier(number) for number in range(1, 51)}


def forget_seven(rig: Rig) -> None:
    forget(SEVEN, rig.store, rig.clock)


def is_forgotten(rig: Rig) -> bool:
    """A tombstone, marked, and nothing else of it."""
    with rig.store.read() as connection:
        marked = forgetting.since(connection, SEVEN) is not None
        refused = quarantine.holds(connection, NAME, identifier(7))
        known = records.known(connection, rig.state.id, [identifier(7)])[identifier(7)]
    gone = (
        identifier(7) not in rig.live
        and not rig.raw_forms(identifier(7))
        and not rig.record(identifier(7)).title
    )
    return gone and marked and not refused and known.deleted and known.content_hash is None


def test_it_leaves_through_the_feed(rig: Rig) -> None:
    rig.harvest()
    before = rig.head
    forget_seven(rig)
    (change,) = [change for change in rig.feed if change.position > before]
    assert (change.record.id, change.record.deleted, change.record.sets) == (SEVEN, True, ())
    assert is_forgotten(rig)
    assert (rig.state.live, rig.state.tombstones) == (49, 1)


@pytest.mark.parametrize("full", [False, True])
def test_no_harvest_brings_it_back(rig: Rig, full: bool) -> None:
    rig.harvest()
    forget_seven(rig)
    head = rig.head
    rig.later()
    rig.works.put(7, title="Anew")
    report = rig.harvest(full=full)
    assert report.verdict == ("verified" if full else "complete")
    assert counts(report) == {"received": report.received, "unchanged": report.received}
    assert (rig.head, is_forgotten(rig)) == (head, True)
    rig.works.delete(7)
    rig.later()
    assert counts(rig.harvest())["unchanged"] >= 1
    assert (rig.head, is_forgotten(rig)) == (head, True)


def test_nor_does_quarantine_keep_it(rig: Rig) -> None:
    rig.harvest()
    forget_seven(rig)
    rig.repository.misbehave(faults.replaced("Work 7<", "p <5 mg<"))
    report = rig.harvest(full=True)
    assert (report.quarantined, report.unchanged, is_forgotten(rig)) == (0, 50, True)


def test_what_is_in_quarantine_can_be_forgotten(rig: Rig) -> None:
    rule = rig.repository.misbehave(faults.replaced("Work 7<", "p <5 mg<"))
    assert rig.harvest().quarantined == 1
    assert rule.fired
    forget_seven(rig)
    assert is_forgotten(rig)
    rig.repository.behave()
    rig.harvest(full=True)
    assert (rig.live, is_forgotten(rig)) == (ALL - {identifier(7)}, True)


def test_it_is_not_missed(rig: Rig) -> None:
    """A list that has it is no list that we have not all of."""
    rig.harvest()
    forget_seven(rig)
    ledger = Ledger(rig.source, rig.store, rig.clock)
    ledger.resume(rig.last_run)
    with rig.store.write() as connection:
        listings.add(connection, rig.last_run.id, [Listed(identifier(7)), Listed(identifier(8))])
    assert ledger.missing(10) == []


def test_it_comes_back_when_it_may(rig: Rig) -> None:
    rig.harvest()
    forget_seven(rig)
    undo(SEVEN, rig.store, rig.clock)
    assert identifier(7) not in rig.live
    assert counts(rig.harvest(full=True)) == {"received": 50, "created": 1, "unchanged": 49}
    assert rig.live == ALL


def test_a_source_under_harvest_is_left_alone(rig: Rig) -> None:
    rig.harvest()
    _held = Ledger(rig.source, rig.store, rig.clock)
    with pytest.raises(SourceBusy):
        forget_seven(rig)
    with pytest.raises(SourceBusy):
        undo(SEVEN, rig.store, rig.clock)
    assert identifier(7) in rig.live


@pytest.mark.parametrize("id", ["test/oai:no:1", "other/oai:x:1", "nonsense", ""])
def test_what_was_never_here(rig: Rig, id: str) -> None:
    rig.harvest()
    with pytest.raises(NotFound):
        forget(id, rig.store, rig.clock)


# On the command line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return demo_folder(tmp_path)


Run = Callable[..., Ran]


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *arguments: inside(folder, capsys, *arguments)


def test_the_index_and_followers_lose_it(folder: Path, run: Run) -> None:
    ran = windrow(folder, "forget", "111396", "--yes")
    assert (ran.code, ran.out) == (0, f"{KHAN} is forgotten here.\n")
    assert f"windrow forget --undo {KHAN}" in ran.err
    assert run("search", "author:khan", "--json").lines[0]["total"] == 0
    assert run("changes", "--since", "230").lines == [
        {"position": 231, "op": "delete", "id": KHAN, "record": None}
    ]
    assert broken(run("verify", "--json")) == {}


def test_show_says_so(run: Run) -> None:
    run("forget", KHAN, "--yes")
    assert f"{KHAN} was forgotten here on 20" in run("show", KHAN).out
    again = run("forget", KHAN)
    assert (again.code, again.err) == (0, "")
    assert "was forgotten here on 20" in again.out
    undone = run("forget", "--undo", KHAN)
    assert undone.code == 0
    assert "windrow harvest demo --full" in undone.err
    assert "was deleted" in run("show", KHAN).out
    assert run("forget", "--undo", KHAN).out == f"{KHAN} is not forgotten.\n"


def test_json(run: Run) -> None:
    (line,) = run("forget", KHAN, "--yes", "--json").lines
    assert (line["id"], line["forgotten"][:2]) == (KHAN, "20")
    ran = run("forget", "--undo", KHAN, "--json")
    assert (ran.lines, ran.err) == ([{"id": KHAN, "forgotten": None}], "")


def test_what_is_only_in_quarantine(folder: Path, run: Run) -> None:
    with program_in(folder) as program, program.store.write() as connection:
        records.put_in_quarantine(connection, 1, [Refused("oai:odd", "", "why", b"<raw/>")], "2026")
    assert run("forget", "demo/oai:odd", "--yes").code == 0
    assert run("quarantine", "--json").out == ""
    assert broken(run("verify", "--json")) == {}


@pytest.mark.parametrize(("typed", "forgotten"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_it_asks_on_a_terminal(folder: Path, run: Run, typed: str, forgotten: bool) -> None:
    shown = on_terminal(folder, "forget", KHAN, typed=typed)
    assert f"Forget {KHAN} (What Is 'Really' Required" in " ".join(shown.split())
    assert ("Nothing was changed." in shown) is not forgotten
    assert bool(run("forget", "--undo", KHAN, "--json").lines) is True
    assert ("was deleted" in run("show", KHAN).out) is forgotten


def test_it_does_not_act_unasked(folder: Path, run: Run) -> None:
    ran = windrow(folder, "forget", KHAN)
    assert ran.code == 2
    assert "--yes" in ran.err
    assert run("search", "author:khan", "--json").lines[0]["total"] == 1


def test_a_source_under_harvest_is_told(folder: Path, run: Run) -> None:
    with program_in(folder) as program, program.store.write() as connection:
        _held = leases.take(connection, "demo", program.clock.now())
    ran = run("forget", KHAN, "--yes")
    assert (ran.code, ran.out) == (3, "")
    assert "is being harvested" in ran.err


def test_nobody_of_that_name(run: Run) -> None:
    ran = run("forget", "nobody", "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert "no record answers to nobody" in ran.err
