"""What the store promises, whatever database it is in: section 4 of the design, point by point."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from harvester.config import Source
from harvester.delivery import deliver
from harvester.errors import LeaseLost, SourceBusy, StoreTooNew
from harvester.ledger import Ledger
from harvester.oai.items import Item
from harvester.oai.response import Page, read_page
from harvester.record import Record
from harvester.store import Store, changes, harvests, leases, listings, records, schema, sources
from harvester.store.changes import Change
from harvester.store.codec import compress_all, decompress, pack_records, unpack_record
from harvester.store.harvests import Checkpoint, Request
from harvester.store.listings import Listed
from harvester.store.records import Refused
from harvester.verdict import Judgement
from tests.fakes.clock import FakeClock

SOURCE = Source(name="src", url="https://x.example/oai")
DC = Request(metadata_prefix="oai_dc", full=True)
STAMP = "2020-01-01T00:00:00Z"

# A second process that takes the lease of "src", says so, and waits for a word.
HOLDER = """
import sys
from datetime import datetime
from harvester.store import Store, leases
store = Store(sys.argv[1])
with store.write() as connection:
    leases.take(connection, "src", datetime.fromisoformat(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


def page(*works: tuple[int, str], token: str = "next") -> Page:
    """(number, title) of each record; without a title it is deleted."""
    body = "".join(
        f"<record><header status='{'' if title else 'deleted'}'>"
        f"<identifier>oai:x:{number}</identifier><datestamp>{STAMP}</datestamp></header>"
        + (f"<metadata>{_dc(title)}</metadata>" if title else "")
        + "</record>"
        for number, title in works
    )
    return read_page(
        f'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>{body}'
        f"<resumptionToken>{token}</resumptionToken></ListRecords></OAI-PMH>".encode(),
        "ListRecords",
    )


def gone(identifier: str) -> Listed:
    return Listed(identifier, deleted=True)


def _dc(title: str) -> str:
    return (
        '<d:dc xmlns:d="http://www.openarchives.org/OAI/2.0/oai_dc/" '
        f'xmlns="http://purl.org/dc/elements/1.1/"><title>{title}</title></d:dc>'
    )


class Harvesting:
    """A run over "src", a page at a time."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.ledger = Ledger(SOURCE, store, clock)
        self.ledger.begin(DC)

    def store(self, received: Page) -> None:
        delivery = deliver(received.items, self.ledger.known(received.items), self.ledger.stored)
        listed = self.ledger.checkpoint.listed + len(received.items)
        checkpoint = Checkpoint(token=received.token, listed=listed)
        self.ledger.store_items(received.items, delivery, checkpoint)

    def end(self) -> None:
        self.ledger.end(DC, Judgement("complete"), "")


def feed(store: Store, since: int = 0) -> list[Change]:
    with store.read() as connection:
        return changes.changes(connection, since, 1_000_000)


def titles(store: Store) -> list[tuple[str, str]]:
    return [(change.record.identifier[-1], change.record.title) for change in feed(store)]


def tell(store: Store, **values: Any) -> None:
    """Write straight into the row of "src"."""
    with store.write() as connection:
        connection.execute(sa.update(schema.sources).where(schema.sources.c.name == "src").values(values))


class StorePromises:
    """`url` says where the store of a test is."""

    def url(self, folder: Path) -> str:
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = Store(self.url(tmp_path))
        yield store
        store.close()

    @pytest.fixture
    def run(self, store: Store, clock: FakeClock) -> Harvesting:
        return Harvesting(store, clock)

    # 1. A page is a transaction

    def test_records_quarantine_and_checkpoint_come_together(self, store: Store, run: Harvesting) -> None:
        refused = Item(page((3, "Flow")).items[0].header, None, b"<raw/>")
        run.store(Page((*page((1, "Tides"), (2, "")).items, refused), token="next"))
        with store.read() as connection:
            last = harvests.last(connection, "src")
            state = sources.get(connection, "src")
        assert last is not None
        assert last.checkpoint == Checkpoint(token="next", listed=3)
        assert state is not None
        assert (state.live, state.tombstones, state.quarantined) == (1, 1, 1)

    @pytest.mark.parametrize("step", ["put_in_quarantine", "write"])
    def test_or_not_at_all(
        self, store: Store, run: Harvesting, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        run.store(page((1, "Tides")))
        before = (titles(store), self._saved(store))
        self._fails_after(monkeypatch, records, step)
        with pytest.raises(ZeroDivisionError):
            run.store(page((1, "Ebb"), (2, "Flow"), token="after"))
        assert (titles(store), self._saved(store)) == before
        monkeypatch.undo()
        run.store(page((1, "Ebb"), (2, "Flow"), token="after"))
        assert titles(store) == [("1", "Ebb"), ("2", "Flow")]

    def _fails_after(self, monkeypatch: pytest.MonkeyPatch, module: Any, step: str) -> None:
        real = getattr(module, step)

        def fail(*arguments: Any) -> None:
            real(*arguments)
            raise ZeroDivisionError

        monkeypatch.setattr(module, step, fail)

    def _saved(self, store: Store) -> tuple[int, Checkpoint]:
        with store.read() as connection:
            last = harvests.last(connection, "src")
            assert last is not None
            return changes.head(connection), last.checkpoint

    # 2. The feed

    def test_the_feed_has_each_record_once_at_its_last_change(self, store: Store, run: Harvesting) -> None:
        run.store(page((1, "Tides"), (2, "Flow"), (3, "Neap")))
        run.store(page((1, "Ebb"), (2, "")))
        found = feed(store)
        assert [change.position for change in found] == [3, 4, 5]
        assert titles(store) == [("3", "Neap"), ("1", "Ebb"), ("2", "")]
        assert [change.record.deleted for change in found] == [False, False, True]

    def test_a_follower_goes_on_from_its_place(self, store: Store, run: Harvesting) -> None:
        run.store(page(*((number, f"Work {number}") for number in range(1, 6))))
        with store.read() as connection:
            first = changes.changes(connection, 0, 2)
            rest = changes.changes(connection, first[-1].position, 10)
            assert changes.lag(connection, first[-1].position) == len(rest) == 3
            assert changes.head(connection) == rest[-1].position

    def test_an_empty_feed(self, store: Store) -> None:
        with store.read() as connection:
            assert changes.changes(connection, 0, 10) == []
            assert (changes.head(connection), changes.lag(connection, 0)) == (0, 0)

    # 3. Raw metadata

    def test_raw_metadata_is_kept_and_replaced(self, store: Store, run: Harvesting) -> None:
        for title in ("Tides", "Ebb"):
            run.store(page((1, title)))
            with store.read() as connection:
                (form,) = records.raw_forms(connection, "src/oai:x:1").items()
            assert form[0] == "list"
            assert f"<title>{title}</title>" in form[1].decode()

    # 4. Unchanged is noticed

    def test_what_is_unchanged_does_not_move(self, store: Store, run: Harvesting) -> None:
        both = page((1, "Tides"), (2, ""))
        run.store(both)
        before = feed(store)
        run.store(both)
        assert feed(store) == before

    # 6. A deletion clears

    def test_a_tombstone_keeps_nothing_but_its_header(self, store: Store, run: Harvesting) -> None:
        run.store(page((1, "Tides")))
        run.store(page((1, "")))
        (change,) = feed(store)
        assert change.record == Record(
            id="src/oai:x:1", source="src", identifier="oai:x:1", datestamp=STAMP, deleted=True
        )
        with store.read() as connection:
            assert records.raw_forms(connection, "src/oai:x:1") == {}
            row = connection.execute(sa.select(schema.records)).one()
        assert (row.record, row.content_hash) == (None, None)

    def test_the_counters_count(self, store: Store, run: Harvesting) -> None:
        for received, counted in (
            (page((1, "Tides"), (2, "Flow"), (3, "")), (2, 1)),
            (page((1, "Ebb"), (2, "")), (1, 2)),
            (page((3, "Neap")), (2, 1)),
            (page((3, "Neap")), (2, 1)),
        ):
            run.store(received)
            with store.read() as connection:
                state = sources.get(connection, "src")
            assert state is not None
            assert (state.live, state.tombstones) == counted

    # 9. One harvest at a time

    def test_a_harvest_that_was_overtaken_cannot_write(
        self, store: Store, clock: FakeClock, run: Harvesting
    ) -> None:
        run.store(page((1, "Tides")))
        clock.advance(leases.SECONDS + 1)
        other = Harvesting(store, clock)
        before = (titles(store), self._saved(store))
        with pytest.raises(LeaseLost):
            run.store(page((1, "Ebb")))
        with pytest.raises(LeaseLost):
            run.ledger.keep_lease()
        with pytest.raises(LeaseLost):
            run.end()
        assert (titles(store), self._saved(store)) == before
        other.store(page((1, "Ebb")))
        assert titles(store) == [("1", "Ebb")]

    def test_each_write_renews_the_lease(self, store: Store, clock: FakeClock, run: Harvesting) -> None:
        for _ in range(3):
            clock.advance(leases.SECONDS - 1)
            run.ledger.keep_lease()
            with pytest.raises(SourceBusy):
                Ledger(SOURCE, store, clock)

    def test_an_ended_harvest_gives_the_source_back(
        self, store: Store, clock: FakeClock, run: Harvesting
    ) -> None:
        run.end()
        Harvesting(store, clock)

    def test_a_living_process_keeps_others_out_and_a_dead_one_does_not(
        self, store: Store, tmp_path: Path, clock: FakeClock
    ) -> None:
        Harvesting(store, clock).end()
        command = [sys.executable, "-c", HOLDER, self.url(tmp_path), clock.now().isoformat()]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(SourceBusy, match=f"process {holder.pid} on") as caught:
                Ledger(SOURCE, store, clock)
            assert "12:05 UTC" in caught.value.advice
            holder.kill()
        Harvesting(store, clock)  # at once: nobody has to wait for the lease of the dead to expire

    def test_a_holder_on_another_machine_is_waited_for(
        self, store: Store, clock: FakeClock, run: Harvesting
    ) -> None:
        tell(store, lease_holder="1 1.0 another.example")
        with pytest.raises(SourceBusy, match=r"process 1 on another\.example"):
            Ledger(SOURCE, store, clock)
        clock.advance(leases.SECONDS + 1)
        Ledger(SOURCE, store, clock)

    def test_another_process_of_the_same_number_is_not_the_holder(
        self, store: Store, clock: FakeClock, run: Harvesting
    ) -> None:
        with store.read() as connection:
            holder = connection.scalar(sa.select(schema.sources.c.lease_holder))
        pid, _, host = str(holder).split(" ", 2)
        tell(store, lease_holder=f"{pid} 1.0 {host}")
        Ledger(SOURCE, store, clock)

    # Versions

    def test_a_newer_store_is_refused_and_left_alone(self, store: Store, tmp_path: Path) -> None:
        version = sa.update(schema.meta).where(schema.meta.c.key == "schema_version")
        with store.write() as connection:
            connection.execute(version.values(value="99"))
        with pytest.raises(StoreTooNew, match="version 99") as caught:
            Store(self.url(tmp_path))
        assert "upgrade Windrow" in caught.value.advice
        with store.read() as connection:
            written = sa.select(schema.meta.c.value).where(schema.meta.c.key == "schema_version")
            assert connection.scalar(written) == "99"

    def test_one_that_is_upgraded_while_it_is_open_is_told(self, store: Store) -> None:
        store.check_in_place()
        with store.write() as connection:
            version = sa.update(schema.meta).where(schema.meta.c.key == "schema_version")
            connection.execute(version.values(value="99"))
        with pytest.raises(StoreTooNew, match="version 99"):
            store.check_in_place()

    def test_a_store_keeps_its_id(self, store: Store, tmp_path: Path) -> None:
        again = Store(self.url(tmp_path))
        again.close()
        assert again.id == store.id

    @pytest.mark.parametrize("folder", [f"try {number}" for number in range(20)])
    def test_several_may_open_a_new_store_at_once(self, tmp_path: Path, folder: str) -> None:
        opened: list[Store] = []
        start = threading.Barrier(4)

        def open_it() -> None:
            start.wait()
            opened.append(Store(self.url(tmp_path / folder)))

        threads = [threading.Thread(target=open_it) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one in opened:
            one.close()
        assert len(opened) == 4
        assert len({one.id for one in opened}) == 1

    # Reading and writing beside each other

    def test_a_reader_sees_one_moment(self, store: Store, run: Harvesting) -> None:
        run.store(page((1, "Tides")))
        with store.read() as connection:
            assert changes.head(connection) == 1
            run.store(page((2, "Flow")))
            assert changes.head(connection) == 1
        assert len(feed(store)) == 2

    def test_a_reader_waits_for_nobody(self, store: Store, run: Harvesting) -> None:
        run.store(page((1, "Tides")))
        with store.write() as connection:
            connection.execute(sa.delete(schema.raw))
            assert titles(store) == [("1", "Tides")]

    # Lookups

    def test_records_are_found_by_id(self, store: Store, run: Harvesting) -> None:
        run.store(page((1, "Tides"), (2, "")))
        with store.read() as connection:
            found = records.get(connection, "src/oai:x:1")
            assert found is not None
            assert found.title == "Tides"
            assert records.get(connection, "src/oai:x:9") is None
            assert records.get(connection, "other/oai:x:1") is None
            assert records.ids_of(connection, "oai:x:2") == ["src/oai:x:2"]
            assert [record.title for record in records.live(connection)] == ["Tides"]

    def test_a_page_may_be_the_whole_repository(
        self, store: Store, run: Harvesting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """More records than one statement may name."""
        monkeypatch.setattr(records, "_BATCH", 7)
        self._limit_names(store)
        all_of_it = page(*((number, f"Work {number}") for number in range(50)))
        for _ in range(2):
            run.store(all_of_it)
            run.ledger.store_listed([Listed(item.header.identifier) for item in all_of_it.items])
        assert len(feed(store)) == 50
        assert run.ledger.missing(10) == []
        assert run.ledger.vanished() == (50, 0)

    def _limit_names(self, store: Store) -> None:
        with store.read() as connection:
            driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 20)

    # Quarantine and lists

    def test_what_is_refused_is_kept_whole(self, store: Store, run: Harvesting) -> None:
        bodies = [b"", b"<raw/>", bytes(range(256)) * 40]
        refused = [Refused(f"oai:x:{at}", STAMP, "why", body) for at, body in enumerate(bodies)]
        with store.write() as connection:
            records.put_in_quarantine(connection, 1, refused, STAMP)
        with store.read() as connection:
            rows = connection.execute(sa.select(schema.quarantine).order_by(schema.quarantine.c.id)).all()
        assert [decompress(row.body) for row in rows] == bodies
        assert [row.identifier for row in rows] == ["oai:x:0", "oai:x:1", "oai:x:2"]

    def test_of_a_repeated_header_the_live_one_counts(self, store: Store, run: Harvesting) -> None:
        run.store(page((1, "Tides"), (2, "Flow"), (3, "Neap")))
        with store.write() as connection:
            listings.add(connection, 1, [gone("oai:x:1"), Listed("oai:x:1"), Listed("oai:x:2")])
            listings.add(connection, 1, [gone("oai:x:2")])
        assert run.ledger.vanished() == (3, 1)
        assert run.ledger.missing(10) == []
        run.ledger.delete_vanished(batch=1)
        assert [change.record.identifier for change in feed(store) if change.record.deleted] == ["oai:x:3"]


# Records as they lie in the store


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
RECORDS = st.builds(
    Record,
    title=TEXT,
    abstract=TEXT,
    keywords=st.lists(TEXT, max_size=3).map(tuple),
    year=st.none() | st.integers(0, 9999),
    extra=st.dictionaries(TEXT, st.lists(TEXT, max_size=2).map(tuple), max_size=2),
)


def check_records_survive(some: Sequence[Record]) -> None:
    assert [unpack_record(packed) for packed in pack_records(some)] == list(some)


@given(some=st.lists(RECORDS, max_size=4))
def test_a_record_comes_back_as_it_was(some: list[Record]) -> None:
    check_records_survive(some)


@given(
    bodies=st.lists(st.binary(max_size=5000), max_size=4),
    name=st.sampled_from(["", "oai_dc", "eprints", "new"]),
)
def test_bytes_come_back_as_they_were(bodies: list[bytes], name: str) -> None:
    assert [decompress(packed) for packed in compress_all(bodies, name)] == bodies
