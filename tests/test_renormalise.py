"""Stored metadata through today's code: what an earlier Windrow made of it, made anew."""

import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from harvester import renormalise
from harvester.errors import NotFound, SourceBusy, WindrowError
from harvester.ledger import Ledger
from harvester.record import Record
from harvester.removal import remove
from harvester.renormalise import Renormalised
from harvester.store import Store, leases, originals, schema
from harvester.store.codec import compress_all, pack_records, unpack_record
from index.sync import rebuild
from tests.commands import KHAN, demo_folder, inside, program_in, windrow
from tests.fakes.clock import FakeClock
from tests.test_requeue import OAI, SOURCE, Desk, Upgrade, better_repair, desk, record
from tests.test_verify import broken

__all__ = ["better_repair", "desk"]  # fixtures
DATA = Path(__file__).parents[2] / "shared/data/responses"


def age(store: Store, change: Callable[[Record], Record], like: str = "%") -> None:
    """The records as an earlier Windrow left them."""
    with store.write() as connection:
        table = schema.records.c
        found = connection.execute(
            sa.select(table.id, table.record).where(table.identifier.like(like), table.deleted.is_(False))
        )
        for id, packed in found.all():
            (aged,) = pack_records([change(unpack_record(packed))])
            connection.execute(sa.update(schema.records).where(table.id == id).values(record=aged))


def of_old(record: Record) -> Record:
    return replace(record, title=f"old {record.title}", keywords=(*record.keywords, "old"))


def again(desk: Desk, on_progress: Callable[[int], None] = lambda _done: None) -> Renormalised:
    found = renormalise.renormalise("src", desk.store, desk.clock, on_progress)
    assert found.read == found.changed + found.unchanged + found.failed
    return found


def rows(desk: Desk) -> list[Any]:
    """All that the store has of records and their forms."""
    with desk.store.read() as connection:
        return [
            row
            for table in (schema.records, schema.raw)
            for row in connection.execute(sa.select(table).order_by(*table.primary_key))
        ]


def test_what_is_as_it_was_is_not_touched(desk: Desk) -> None:
    desk.deliver(record(1, "Tides"), record(2, "Ebb"), record(3, ""))
    before = rows(desk)
    assert again(desk) == Renormalised("src", 2, 0, 2, 0, {}, ())
    assert rows(desk) == before


def test_what_changes_is_a_change_and_nothing_else_is(desk: Desk) -> None:
    desk.deliver(*(record(number, f"Work {number}") for number in range(1, 6)))
    made, forms = desk.feed, desk.forms(2)
    age(desk.store, of_old, "%:2")
    age(desk.store, lambda one: replace(one, keywords=("old",)), "%:4")
    found = again(desk)
    assert (found.changed, found.unchanged, found.fields) == (2, 3, {"keywords": 2, "title": 1})
    assert [one.identifier[-1] for one in desk.feed] == ["1", "3", "5", "2", "4"]
    assert sorted(desk.feed, key=lambda one: one.id) == made
    assert desk.forms(2) == forms
    before = rows(desk)
    assert again(desk).changed == 0
    desk.deliver(*(record(number, f"Work {number}") for number in range(1, 6)))
    assert rows(desk) == before, "the harvest after it finds all unchanged"


def test_its_header_stays(desk: Desk) -> None:
    desk.deliver(record(1, "Tides"))
    (before,) = desk.feed
    age(desk.store, of_old)
    again(desk)
    assert desk.feed == [before]
    assert (before.datestamp, before.sets, before.title) == ("2020-01-01T00:00:00Z", ("a", "wanted"), "Tides")


def spoil(desk: Desk, number: int, body: bytes, form: str = "list") -> None:
    mine = (schema.raw.c.form == form) & schema.raw.c.record_id.in_(
        sa.select(schema.records.c.id).where(schema.records.c.identifier == f"oai:x:{number}")
    )
    with desk.store.write() as connection:
        connection.execute(sa.update(schema.raw).where(mine).values(body=body))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (compress_all([f'<record xmlns="{OAI}"/>'.encode()], "")[0], "without metadata"),
        (
            compress_all([f'<record xmlns="{OAI}"><metadata><html/></metadata></record>'.encode()], "")[0],
            "no format reads",
        ),
        (compress_all([b"<record>"], "")[0], "stored XML is broken"),
        (b"no zstd", "please report it"),
    ],
)
def test_what_cannot_be_read_stays_and_is_named(desk: Desk, body: bytes, why: str) -> None:
    desk.deliver(*(record(number, f"Work {number}") for number in (1, 2, 3)))
    age(desk.store, of_old)
    spoil(desk, 2, body)
    found = again(desk)
    assert (found.changed, found.unchanged, found.failed) == (2, 0, 1)
    (failure,) = found.failures
    assert failure.id == "src/oai:x:2"
    assert why in failure.reason
    assert [one.title for one in desk.feed] == ["old Work 2", "Work 1", "Work 3"]


def test_of_very_many_the_first_are_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renormalise, "_MOST_FAILURES", 3)
    desk.deliver(*(record(number, f"Work {number}") for number in range(5)))
    for number in range(5):
        spoil(desk, number, b"")
    found = again(desk)
    assert (found.failed, len(found.failures)) == (5, 3)


def test_without_its_xml_it_stays(desk: Desk) -> None:
    desk.deliver(record(1, "Tides"))
    with desk.store.write() as connection:
        connection.execute(sa.delete(schema.raw))
    (failure,) = again(desk).failures
    assert failure.reason == "the XML that it was made from is not in the store"


UNBOUND = "Tides & ebb"  # which is repaired


def test_what_was_repaired_is_repaired_as_today(desk: Desk, better_repair: Upgrade) -> None:
    """The bytes as sent stay; the list's form is today's, and the next harvest finds it unchanged."""
    desk.deliver(record(1, UNBOUND), record(2, "Ebb"))
    assert again(desk).changed == 0
    sent = record(1, "Tides <5")
    spoil(desk, 1, compress_all([sent.encode()], "")[0], "sent")
    better_repair()
    assert again(desk).fields == {"title": 1}
    assert (desk.feed[-1].title, desk.forms(1)["sent"]) == ("Tides <5", sent.encode())
    assert b"Tides &lt;5" in desk.forms(1)["list"]
    assert again(desk).changed == 0
    head = len(desk.feed)
    desk.deliver(sent)
    assert (len(desk.feed), desk.feed[-1].title) == (head, "Tides <5")


def test_prefixes_that_only_its_page_had_bound(desk: Desk, better_repair: Upgrade) -> None:
    sent = record(1, "x").replace("<dc:title>x</dc:title>", "<q:title>A & B</q:title>")
    sent = sent.replace("</d:dc>", "<dc:date>2020</dc:date></d:dc>")
    page = f'<OAI-PMH xmlns="{OAI}" xmlns:q="http://purl.org/dc/elements/1.1/">'
    desk.deliver_body(f"{page}<ListRecords>{sent}</ListRecords></OAI-PMH>".encode())
    assert [one.title for one in desk.feed] == ["A & B"]
    assert desk.forms(1)["sent"] == sent.encode()
    assert again(desk) == Renormalised("src", 1, 0, 1, 0, {}, ())
    spoil(desk, 1, compress_all([sent.replace("A & B", "A <5").encode()], "")[0], "sent")
    better_repair()
    assert again(desk).changed == 1
    assert [one.title for one in desk.feed] == ["A <5"]


@pytest.mark.parametrize("sent", [b"", b"noise", b"<record", record(2, "Another").encode()])
def test_what_no_repair_makes_whole_is_read_as_it_was(desk: Desk, sent: bytes) -> None:
    desk.deliver(record(1, UNBOUND))
    spoil(desk, 1, compress_all([sent], "")[0], "sent")
    assert again(desk) == Renormalised("src", 1, 0, 1, 0, {}, ())


def test_a_source_under_harvest_is_left_alone(desk: Desk) -> None:
    desk.deliver(record(1, "Tides"))
    age(desk.store, of_old)
    ledger = Ledger(SOURCE, desk.store, desk.clock)
    with pytest.raises(SourceBusy):
        again(desk)
    with desk.store.write() as connection:
        leases.give_back(connection, ledger._lease)
    assert again(desk).changed == 1
    Ledger(SOURCE, desk.store, desk.clock)  # the lease was given back


def test_a_source_that_nobody_has(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no source nobody"):
        renormalise.renormalise("nobody", desk.store, desk.clock)


class _Stop(Exception):
    pass


def stop_after(wanted: int) -> Callable[[int], None]:
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        if done >= wanted:
            raise _Stop

    return count


@pytest.fixture
def many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """45 records of an earlier Windrow, 10 a batch."""
    monkeypatch.setattr(renormalise, "_BATCH", 10)
    desk.deliver(*(record(number, f"Work {number}") for number in range(45)))
    age(desk.store, of_old)
    return desk


def test_what_was_stopped_goes_on(many: Desk) -> None:
    steps: list[int] = []
    with pytest.raises(_Stop):
        again(many, stop_after(20))
    assert sum(one.title.startswith("old") for one in many.feed) == 25
    found = again(many, steps.append)
    assert steps == [20, 10, 10, 5]
    assert (found.read, found.changed, found.fields) == (45, 45, {"keywords": 45, "title": 45})
    assert not any(one.title.startswith("old") for one in many.feed)
    steps.clear()
    assert (again(many, steps.append).changed, steps) == (0, [0, 10, 10, 10, 10, 5])


def test_another_windrow_begins_anew(many: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(_Stop):
        again(many, stop_after(20))
    monkeypatch.setattr(renormalise, "_code", lambda: "another")
    found = again(many)
    assert (found.read, found.changed, found.unchanged) == (45, 25, 20)


def test_a_removed_source_has_no_pass(many: Desk, tmp_path: Path) -> None:
    with pytest.raises(_Stop):
        again(many, stop_after(20))
    (tmp_path / "config.toml").write_text('[sources.src]\nurl = "https://x.example/oai"\n')
    remove("src", tmp_path / "config.toml", many.store, many.clock)
    with many.store.read() as connection:
        assert originals.progress(connection, 1) is None
    with pytest.raises(NotFound):
        again(many)


@pytest.mark.skipif(not DATA.exists(), reason="the responses of real servers are kept beside the project")
def test_what_real_servers_sent_is_as_it_was_made(desk: Desk) -> None:
    """What is made of a page is what is made of its stored parts, repaired ones too."""
    for path in sorted(DATA.rglob("*.xml")):
        with suppress(WindrowError):  # no list of records, or none at all
            desk.deliver_body(path.read_bytes())
    found = again(desk)
    assert found.read > 3000
    assert (found.changed, found.failures) == (0, ())


# On the command line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = demo_folder(tmp_path / "demo")
    with program_in(folder) as program:
        age(program.store, lambda one: replace(one, title="Zymurgy", keywords=()), "%:111396")
        rebuild(program.store, program.generations, "tantivy")
    return folder


def test_changes_reach_the_index(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def found(query: str) -> list[str]:
        return [hit["id"] for hit in inside(folder, capsys, "search", query, "--json").lines[0]["hits"]]

    assert (found("zymurgy"), found("title:narrative keyword:coproduction")) == ([KHAN], [])
    ran = inside(folder, capsys, "renormalise")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "demo  224 records read again: 1 changed, 223 unchanged\n         1  keywords\n         1  title\n"
    )
    assert (found("zymurgy"), found("title:narrative keyword:coproduction")) == ([], [KHAN])
    assert inside(folder, capsys, "changes", "--since", "230").lines[0]["position"] == 231
    assert broken(inside(folder, capsys, "verify", "--json")) == {}


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = inside(folder, capsys, "renormalise", "demo", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines == [
        {
            "source": "demo",
            "read": 224,
            "changed": 1,
            "unchanged": 223,
            "failed": 0,
            "fields": {"keywords": 1, "title": 1},
            "failures": [],
        }
    ]


def test_a_failure_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with program_in(folder) as program, program.store.write() as connection:
        connection.execute(sa.delete(schema.raw).where(schema.raw.c.record_id == 7))
    ran = inside(folder, capsys, "renormalise")
    assert (ran.code, "1 failed" in ran.out) == (0, True)
    assert "Kept as it was: demo/oai:windrow.example:" in ran.err
    assert "is not in the store" in ran.err


def test_a_source_under_harvest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with program_in(folder) as program, program.store.write() as connection:
        _held = leases.take(connection, "demo", program.clock.now())
    ran = inside(folder, capsys, "renormalise")
    assert (ran.code, ran.out) == (3, "")
    assert "is being harvested" in ran.err


def test_unknown_removed_and_empty(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = inside(folder, capsys, "renormalise", "dem")
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean demo?" in ran.err
    assert inside(folder, capsys, "source", "remove", "demo", "--yes").code == 0
    ran = inside(folder, capsys, "renormalise", "demo")
    assert (ran.code, ran.out) == (2, "")
    assert "demo was removed here on 2" in ran.err
    ran = inside(folder, capsys, "renormalise")
    assert (ran.code, ran.out) == (0, "Nothing is stored yet.\n")


# Killed


RECORDS = 1200  # three batches


@pytest.mark.slow
@pytest.mark.parametrize("place", ["half a page written", "records written", "batch renormalised"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_kill_9(tmp_path: Path, place: str, nth: int) -> None:
    folder = tmp_path
    (folder / "config.toml").write_text('[sources.src]\nurl = "https://x.example/oai"\n')
    with program_in(folder) as program:
        desk = Desk(program.store, FakeClock())
        desk.deliver(*(record(number, f"Work {number}") for number in range(RECORDS)))
        expected = {one.id: one for one in desk.feed}
        age(program.store, of_old)
    assert windrow(folder, "sync").code == 0
    env = {"WINDROW_FAULT": f"{place}:{nth}:kill"}
    assert windrow(folder, "renormalise", env=env).code == -signal.SIGKILL
    ran = windrow(folder, "renormalise", "--json")
    assert ran.code == 0, ran.err
    assert (ran.lines[0]["read"], ran.lines[0]["changed"], ran.lines[0]["failed"]) == (RECORDS, RECORDS, 0)
    with program_in(folder) as program:
        feed = Desk(program.store, FakeClock()).feed
        assert len(feed) == RECORDS
        assert {one.id: one for one in feed} == expected
        assert program.searcher().count() == RECORDS
    assert broken(windrow(folder, "verify", "--json")) == {}
    status = windrow(folder, "status", "--json").lines[0]
    assert status["index"]["lag"] == 0
