"""The book of one run: its lease, its row, its checkpoint. Each method is one transaction.

Every write renews the lease first, so a process that lost it cannot write (LeaseLost).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from sqlalchemy.engine import Connection

from harvester import plan
from harvester.clock import Clock
from harvester.config import Source
from harvester.datestamp import format_datestamp
from harvester.delivery import Delivery
from harvester.fault_point import fault_point
from harvester.oai.items import Item
from harvester.record import Record
from harvester.store import Store, harvests, leases, listings, moments, records, sources
from harvester.store.harvests import Checkpoint, Harvest, Request, Window
from harvester.store.listings import Listed, Spread
from harvester.store.records import Known, Write
from harvester.store.sources import Outcome
from harvester.verdict import Judgement


class Ledger:
    """`state` is the source as it was when the run began; `last` the run before this one."""

    def __init__(self, source: Source, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._fingerprint = plan.fingerprint(source)
        self._row: int | None = None
        self.checkpoint = Checkpoint()
        with store.write() as connection:
            self.state = sources.ensure(connection, source.name, self._fingerprint)
            self._lease = leases.take(connection, source.name, clock.now())
            self.last = harvests.last(connection, source.name)
        self._may_hold_refused = self.state.quarantined > 0

    def resume(self, harvest: Harvest) -> None:
        self._row, self.checkpoint = harvest.id, harvest.checkpoint
        with self._writing() as connection:
            harvests.reopen(connection, harvest.id)

    def begin(self, request: Request) -> None:
        with self._writing() as connection:
            row = harvests.begin(connection, self.state.id, self._fingerprint, request, self._now)
        self._row = row  # now that it is there
        self.checkpoint = msgspec.structs.replace(self.checkpoint, live_before=self.state.live)

    @property
    def has_begun(self) -> bool:
        return self._row is not None

    def change_request(self, request: Request) -> None:
        with self._writing() as connection:
            harvests.change_request(connection, self._id, request)

    def reread(self) -> None:
        """After an interrupt, which may have come between a commit and our own note of it."""
        if self._row is not None:
            with self._store.read() as connection:
                self.checkpoint = harvests.checkpoint_of(connection, self._row)

    def keep_lease(self) -> None:
        with self._writing():
            pass

    def save(self, checkpoint: Checkpoint) -> None:
        with self._writing() as connection:
            harvests.save_checkpoint(connection, self._id, checkpoint)
        self.checkpoint = checkpoint

    def known(self, items: Sequence[Item]) -> dict[str, Known]:
        with self._store.read() as connection:
            return records.known(connection, self.state.id, [item.header.identifier for item in items])

    def stored(self, id: int) -> Record | None:
        with self._store.read() as connection:
            return records.stored_record(connection, id)

    def detail(self, id: int) -> bytes | None:
        with self._store.read() as connection:
            return records.stored_detail(connection, id)

    def store_items(self, items: Sequence[Item], delivery: Delivery, checkpoint: Checkpoint) -> None:
        """Records, quarantine and checkpoint together, or none of them."""
        received = [item.header.identifier for item in items]
        rows = records.pack(delivery.writes)
        with self._writing() as connection:
            if self._may_hold_refused:
                records.clear_quarantine(connection, self.state.id, received)
            records.put_in_quarantine(connection, self.state.id, delivery.refused, self._now)
            moments.note(connection, self._clock.now())
            records.write(connection, self.state.id, rows)
            harvests.save_checkpoint(connection, self._id, checkpoint)
        fault_point("page committed")
        self._may_hold_refused = self._may_hold_refused or bool(delivery.refused)
        self.checkpoint = checkpoint

    def forget_listed(self) -> None:
        with self._writing() as connection:
            listings.clear(connection, self._id)

    def store_listed(self, headers: Sequence[Listed]) -> None:
        with self._writing() as connection:
            listings.add(connection, self._id, headers)

    def missing(self, limit: int, after: str = "") -> list[Listed]:
        """Of what is listed: neither stored as it is listed, nor in quarantine."""
        with self._store.read() as connection:
            return listings.missing(connection, self._id, self.state.id, limit, after)

    def missing_count(self) -> int:
        with self._store.read() as connection:
            return listings.missing_count(connection, self._id, self.state.id)

    def spread_of_missing(self, count: int) -> Spread:
        with self._store.read() as connection:
            return listings.spread(connection, self._id, self.state.id, count)

    def leaves_out(self, window: Window) -> bool:
        """Does the pass of identifiers lack live records of the window?"""
        with self._store.read() as connection:
            return listings.leaves_out(connection, self._id, self.state.id, window.from_, window.until)

    def buried(self, limit: int, after: str) -> list[Listed]:
        """Listed as deleted, and live here."""
        with self._store.read() as connection:
            return listings.buried(connection, self._id, self.state.id, limit, after)

    def vanished(self) -> tuple[int, int]:
        """(live records, those of them that are no longer listed)."""
        with self._store.read() as connection:
            now = sources.get(connection, self.state.name)
            assert now is not None
            return now.live, listings.vanished_count(connection, self._id, self.state.id)

    def some_vanished(self, after: int, limit: int) -> list[tuple[str, Known]]:
        with self._store.read() as connection:
            return listings.vanished(connection, self._id, self.state.id, after, limit)

    def delete_vanished(self, batch: int) -> None:
        deleted_up_to = 0
        while True:
            with self._writing() as connection:
                gone = listings.vanished(connection, self._id, self.state.id, deleted_up_to, batch)
                records.write(connection, self.state.id, records.pack([_cleared(*one) for one in gone]))
            fault_point("sweep half done")
            if not gone:
                return
            deleted_up_to = gone[-1][1].id

    def end(
        self,
        request: Request,
        judgement: Judgement,
        error: str,
        gap: float | None = None,
        *,
        audited: bool = False,
        failures: int = 0,
    ) -> Harvest:
        """The verdict, what it moves, and the lease given back. `failures` in a row, with this run."""
        if self._row is None:
            self.begin(request)
        outcome = msgspec.structs.replace(
            self._outcome(request, judgement, audited),
            gap=gap,
            failures=failures,
            failing_since=(self.state.failing_since or self._now) if failures else "",
        )
        with self._writing() as connection:
            listings.clear(connection, self._id)
            harvests.save_checkpoint(connection, self._id, self.checkpoint)
            sources.settle(connection, self.state.id, outcome)
            harvests.end(
                connection,
                self._id,
                finished=self._now,
                verdict=judgement.verdict,
                reason=judgement.reason,
                error=error,
                watermark=outcome.watermark or self.state.watermark,
            )
            leases.give_back(connection, self._lease)
            ended = harvests.last(connection, self.state.name)
        assert ended is not None
        return ended

    def _outcome(self, request: Request, judgement: Judgement, audited: bool) -> Outcome:
        if not judgement.is_proven:
            doubted = judgement.verdict == "unproven" or self.state.doubted
            held = max(self.checkpoint.held_tombstones, self.state.held)
            return Outcome(doubted=doubted, held=held, dates=self.state.dates)
        counts = self.checkpoint.counts
        is_whole = request.full and not request.bounded
        return Outcome(
            watermark=plan.next_watermark(self.state, request, self.checkpoint),
            last_full=self.checkpoint.total if is_whole and not counts.held else None,
            audited=self._now if audited or is_whole else None,
            read_whole=self._now if is_whole or self.state.read_whole is None else None,
            doubted=False,
            held=self.state.held if request.bounded else self.checkpoint.held_tombstones,
            dates=request.dates,
            echo=plan.echo(request, self.checkpoint),
        )

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._store.write() as connection:
            leases.renew(connection, self._lease, self._clock.now())
            yield connection

    @property
    def _id(self) -> int:
        assert self._row is not None, "begin or resume comes first"
        return self._row

    @property
    def _now(self) -> str:
        return format_datestamp(self._clock.now())


def _cleared(identifier: str, known: Known) -> Write:
    return Write(
        identifier=identifier,
        datestamp=known.datestamp,
        sets=known.sets,
        deleted=True,
        moves=True,
        known=known,
    )
