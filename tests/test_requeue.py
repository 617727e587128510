"""What is in quarantine: seen by a person, and tried again with better repairs and formats."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harvester import formats, requeue
from harvester.config import Source
from harvester.delivery import Terms, deliver
from harvester.errors import FormatError, SourceBusy
from harvester.ledger import Ledger
from harvester.oai import parsing
from harvester.oai.repair import Repaired
from harvester.oai.response import read_page
from harvester.record import Record
from harvester.store import Store, changes, leases, quarantine, records, sources
from harvester.store.harvests import Checkpoint, Request
from harvester.store.quarantine import Entry
from harvester.store.records import Refused
from tests.commands import Ran, demo_folder, inside, program_in
from tests.fakes.clock import FakeClock
from tests.test_verify import broken

SOURCE = Source("src", "https://x.example/oai")
STAMP, LATER = "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"
OAI = "http://www.openarchives.org/OAI/2.0/"
BARE_LESS_THAN = "p <5 mg"  # which no repair can be right about


def record(number: int, title: str, stamp: str = STAMP, prefix: str = "") -> str:
    """As a list has it; `prefix` stands before the protocol's own elements."""
    text = (
        f'<record><header status="{"" if title else "deleted"}"><identifier>oai:x:{number}</identifier>'
        f"<datestamp>{stamp}</datestamp><setSpec>a</setSpec></header>"
        + (f"<metadata>{_dc(title)}</metadata>" if title else "")
        + "</record>"
    )
    names = ("record", "header", "identifier", "datestamp", "setSpec", "metadata")
    for name in names if prefix else ():
        text = text.replace(f"<{name}", f"<{prefix}:{name}").replace(f"</{name}", f"</{prefix}:{name}")
    return text


def _dc(title: str) -> str:
    return (
        '<d:dc xmlns:d="http://www.openarchives.org/OAI/2.0/oai_dc/" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></d:dc>'
    )


class Desk:
    """A store with one source, and pages delivered to it as a harvest does."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.store, self.clock = store, clock

    def deliver(self, *received: str, prefix: str = "") -> None:
        bound = f'xmlns{":" + prefix if prefix else ""}="{OAI}"'
        colon = prefix + ":" if prefix else ""
        body = "".join((f"<{colon}ListRecords>", *received, f"</{colon}ListRecords>"))
        self.deliver_body(f"<{colon}OAI-PMH {bound}>{body}</{colon}OAI-PMH>".encode())

    def deliver_body(self, body: bytes) -> None:
        page = read_page(body, "ListRecords")
        ledger = Ledger(SOURCE, self.store, self.clock)
        ledger.begin(Request("oai_dc", "wanted"))
        terms = Terms("wanted")
        ledger.store_items(
            page.items, deliver(page.items, ledger.known(page.items), ledger.stored, terms), Checkpoint()
        )
        with self.store.write() as connection:
            leases.give_back(connection, ledger._lease)

    def retry(self) -> dict[str, int]:
        found = requeue.requeue("src", self.store, self.clock)
        names = ("tried", "created", "updated", "unchanged", "deleted", "quarantined")
        assert found.tried == sum(getattr(found, name) for name in names[1:])
        return {name: getattr(found, name) for name in names if getattr(found, name)}

    @property
    def entries(self) -> list[Entry]:
        with self.store.read() as connection:
            return list(quarantine.entries(connection))

    @property
    def feed(self) -> list[Record]:
        with self.store.read() as connection:
            return [change.record for change in changes.changes(connection, 0, 100_000)]

    def forms(self, number: int) -> dict[str, bytes]:
        with self.store.read() as connection:
            return records.raw_forms(connection, f"src/oai:x:{number}")


@pytest.fixture
def desk(tmp_path: Path, clock: FakeClock) -> Iterator[Desk]:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Desk(store, clock)
    store.close()


Upgrade = Callable[[], None]


@pytest.fixture
def without_format(monkeypatch: pytest.MonkeyPatch) -> Upgrade:
    """No format reads anything, until the upgrade."""

    def refuse(_element: object) -> Record:
        raise FormatError("no format reads it")

    monkeypatch.setattr(formats, "normalise", refuse)
    return monkeypatch.undo


@pytest.fixture
def better_repair(monkeypatch: pytest.MonkeyPatch) -> Upgrade:
    """From then on a bare < is escaped."""

    def repair(part: bytes) -> Repaired:
        return Repaired(part.replace(b"<5", b"&lt;5"), ("bare less-than signs escaped",))

    return lambda: monkeypatch.setattr(parsing, "repair", repair)


def test_what_no_format_read_becomes_a_record(desk: Desk, without_format: Upgrade) -> None:
    desk.deliver(record(1, "Tides"), record(2, "Ebb"))
    assert [entry.reason for entry in desk.entries] == ["no format reads it"] * 2
    without_format()
    assert desk.retry() == {"tried": 2, "created": 2}
    assert [(one.title, one.datestamp, one.sets) for one in desk.feed] == [
        ("Tides", STAMP, ("a", "wanted")),
        ("Ebb", STAMP, ("a", "wanted")),
    ]
    assert (desk.entries, desk.retry()) == ([], {})
    desk.deliver(record(1, "Tides"), record(2, "Ebb"))
    with desk.store.read() as connection:
        assert changes.head(connection) == 2, "the harvest after it finds it unchanged"


@pytest.mark.parametrize("prefix", ["", "oai"])
def test_what_was_broken_is_mended_and_its_bytes_are_kept(
    desk: Desk, better_repair: Upgrade, prefix: str
) -> None:
    sent = record(2, BARE_LESS_THAN, prefix=prefix)
    desk.deliver(record(1, "Tides", prefix=prefix), sent, prefix=prefix)
    (entry,) = desk.entries
    assert (entry.body, entry.identifier, entry.sets) == (sent.encode(), "oai:x:2", ("wanted",))
    better_repair()
    assert desk.retry() == {"tried": 1, "created": 1}
    mended = desk.feed[-1]
    assert (mended.title, mended.sets) == (BARE_LESS_THAN, ("a", "wanted"))
    assert desk.forms(2)["sent"] == sent.encode()
    assert b"p &lt;5 mg" in desk.forms(2)["list"]


def test_a_live_record_is_updated(desk: Desk) -> None:
    desk.deliver(record(1, "Tides"))
    desk.deliver(record(1, BARE_LESS_THAN, LATER))
    assert desk.retry() == {"tried": 1, "quarantined": 1}
    (entry,) = desk.entries
    with desk.store.write() as connection:
        whole = Refused("oai:x:1", LATER, "of old", record(1, "Ebb", LATER).encode(), '["wanted"]')
        quarantine.drop(connection, [entry.id])
        records.put_in_quarantine(connection, 1, [whole], STAMP)
    assert desk.retry() == {"tried": 1, "updated": 1}
    assert [one.title for one in desk.feed] == ["Ebb"]


def test_what_stays_has_its_new_reason_and_all_else_as_it_was(
    desk: Desk, without_format: Upgrade, better_repair: Upgrade
) -> None:
    desk.deliver(record(1, BARE_LESS_THAN))
    (before,) = desk.entries
    assert before.reason.startswith("its XML is broken")
    better_repair()
    desk.clock.advance(days=1)
    assert desk.retry() == {"tried": 1, "quarantined": 1}
    (after,) = desk.entries
    assert after.reason == "no format reads it"
    assert (after.id, after.since, after.body, after.identifier) == (
        before.id, before.since, before.body, "oai:x:1",
    )  # fmt: skip
    without_format()
    better_repair()
    assert desk.retry() == {"tried": 1, "created": 1}


def test_a_later_form_is_not_replaced_by_what_came_beside_it(desk: Desk, better_repair: Upgrade) -> None:
    desk.deliver(record(1, BARE_LESS_THAN), record(1, "Ebb", LATER))
    better_repair()
    assert desk.retry() == {"tried": 1, "quarantined": 1}
    assert [entry.reason for entry in desk.entries] == ["the store has a later form of this record"]
    assert [one.title for one in desk.feed] == ["Ebb"]


def test_of_two_of_a_name_the_second_meets_the_first(desk: Desk, better_repair: Upgrade) -> None:
    desk.deliver(record(1, BARE_LESS_THAN), record(1, BARE_LESS_THAN + "!", LATER))
    assert len(desk.entries) == 2
    better_repair()
    assert desk.retry() == {"tried": 2, "created": 1, "updated": 1}
    assert [one.title for one in desk.feed] == [BARE_LESS_THAN + "!"]


def test_a_tombstone_that_was_broken_deletes(desk: Desk, better_repair: Upgrade) -> None:
    desk.deliver(record(1, "Tides"))
    desk.deliver(record(1, "").replace("</header>", "<5</header>"))
    better_repair()
    assert desk.retry() == {"tried": 1, "deleted": 1}
    assert [one.deleted for one in desk.feed] == [True]


@pytest.mark.parametrize(
    "body",
    [b"", b"noise", b"<record>", b"<html><body/></html>", record(1, "a").encode() * 2, b"\xff\xfe<\x00",
     b"<!DOCTYPE x><record/>", f'<record xmlns="{OAI}"/>'.encode(), b"<error code='badVerb'/>"],
)  # fmt: skip
def test_what_is_no_record_stays(desk: Desk, body: bytes) -> None:
    desk.deliver(record(9, "Nine"))
    with desk.store.write() as connection:
        records.put_in_quarantine(connection, 1, [Refused("oai:x:1", STAMP, "why", body)], STAMP)
    assert desk.retry() == {"tried": 1, "quarantined": 1}
    (entry,) = desk.entries
    assert entry.reason
    assert entry.body == body


def test_an_identifier_of_which_only_the_beginning_was_kept_names_nothing(desk: Desk) -> None:
    desk.deliver(record(9, "Nine"))
    desk.deliver(record(1, "Tides").replace("oai:x:1", "oai:" + "x" * 5000))
    assert desk.retry() == {"tried": 1, "quarantined": 1}
    assert [entry.reason for entry in desk.entries] == ["an identifier of 5,004 characters"]


def test_more_than_a_batch(desk: Desk, without_format: Upgrade, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.deliver(*(record(number, f"Work {number}") for number in range(25)))
    without_format()
    monkeypatch.setattr(requeue, "_BATCH", 10)
    assert desk.retry() == {"tried": 25, "created": 25}
    assert (desk.entries, len(desk.feed)) == ([], 25)


def test_a_source_under_harvest_is_left_alone(desk: Desk, without_format: Upgrade) -> None:
    desk.deliver(record(1, "Tides"))
    ledger = Ledger(SOURCE, desk.store, desk.clock)
    with pytest.raises(SourceBusy):
        desk.retry()
    with desk.store.write() as connection:
        leases.give_back(connection, ledger._lease)
    assert desk.retry() == {"tried": 1, "quarantined": 1}
    Ledger(SOURCE, desk.store, desk.clock)  # the lease was given back


# On the command line


NOISE = b"<record><header><identifier>oai:odd:1</identifier></header>\x1b[31m\xff \xe2\x80\xae <"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two records in quarantine: one that today's formats read, and one that nothing reads."""
    folder = demo_folder(tmp_path / "demo")
    good = f'<record xmlns="{OAI}"><metadata>{_dc("Zymurgy")}</metadata></record>'
    with program_in(folder) as program, program.store.write() as connection:
        state = sources.get(connection, "demo")
        assert state is not None
        refused = [
            Refused("oai:new:1", STAMP, "no format reads it", good.encode()),
            Refused("oai:odd:1", "", "its XML is\x1b broken", NOISE),
        ]
        records.put_in_quarantine(connection, state.id, refused, LATER)
    return folder


Run = Callable[..., Ran]


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *arguments: inside(folder, capsys, *arguments)


def test_a_person_sees_reasons_then_records(run: Run) -> None:
    ran = run("quarantine")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "2 records in quarantine; `windrow quarantine --retry` tries them again.",
        "",
        "       1  demo  its XML is� broken",
        "       1  demo  no format reads it",
        "",
        f"demo  oai:new:1  {STAMP}  since {LATER}  no format reads it",
        f"demo  oai:odd:1  since {LATER}  its XML is� broken",
    ]
    assert run("quarantine", "demo").out == ran.out


def test_raw_bytes_are_escaped(run: Run) -> None:
    out = run("quarantine", "--raw").out
    assert r"</header>\x1b[31m\xff \u202e <" in out
    assert not {"\x1b", "\u202e"} & set(out)


def test_a_limit(run: Run) -> None:
    out = run("quarantine", "--limit", "1").out
    assert "oai:new:1" in out
    assert "oai:odd:1" not in out
    assert "… and 1 more: `--limit 2` shows all" in out
    assert len(run("quarantine", "--json", "--limit", "1").lines) == 1


def test_json(run: Run) -> None:
    ran = run("quarantine", "--json")
    first, second = ran.lines
    assert list(first) == ["source", "identifier", "datestamp", "sets", "since", "reason", "raw"]
    assert "Zymurgy" in first["raw"]
    assert (second["source"], second["identifier"], second["reason"]) == (
        "demo", "oai:odd:1", "its XML is\x1b broken",
    )  # fmt: skip
    assert "\x1b" not in ran.out


def test_retry_makes_a_record_that_is_found(run: Run) -> None:
    ran = run("quarantine", "--retry")
    assert ran.code == 0
    assert ran.out == "demo  2 records tried again: 1 created, 1 still in quarantine\n"
    assert "windrow quarantine demo" in ran.err
    assert run("search", "zymurgy", "--json").lines[0]["total"] == 1
    assert broken(run("verify", "--json")) == {}
    (left,) = run("quarantine", "--json").lines
    assert left["identifier"] == "oai:odd:1"


def test_retry_in_json(run: Run) -> None:
    ran = run("quarantine", "demo", "--retry", "--json")
    assert ran.lines == [
        {
            "source": "demo",
            "tried": 2,
            "created": 1,
            "updated": 0,
            "unchanged": 0,
            "deleted": 0,
            "quarantined": 1,
        }
    ]
    assert ran.err == ""


def test_retry_of_a_source_under_harvest(run: Run, folder: Path) -> None:
    with program_in(folder) as program, program.store.write() as connection:
        _held = leases.take(connection, "demo", program.clock.now())
    ran = run("quarantine", "--retry")
    assert (ran.code, ran.out) == (3, "")
    assert "is being harvested" in ran.err


def test_nothing_in_quarantine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = demo_folder(tmp_path)
    for arguments in ([], ["--retry"]):
        ran = inside(folder, capsys, "quarantine", *arguments)
        assert (ran.code, ran.out) == (0, "Nothing is in quarantine.\n")
    assert inside(folder, capsys, "quarantine", "--json").out == ""


def test_a_source_that_nobody_has(run: Run) -> None:
    ran = run("quarantine", "dem")
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean demo?" in ran.err
