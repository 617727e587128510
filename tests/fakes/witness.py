"""Watches each run over a `Provider`, and holds it to the invariants of the design (FAULTS section 4)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from math import ceil

import sqlalchemy as sa

from harvester.datestamp import parse_datestamp
from harvester.store import Store, harvests
from harvester.store.codec import decompress
from harvester.store.harvests import Harvest
from harvester.store.schema import quarantine, raw, records
from harvester.transport.limits import Limits
from tests.fakes.model import GONE, Provider, version_of_raw
from tests.fakes.rig import NAME, Rig

PROVEN = ("complete", "verified")
_TRIES = 2 * Limits().tries  # one more round where compression was at fault
_FEW, _SHARE = 50, 0.1


@dataclass
class Book:
    """When a run began: the provider's last event, the live records here. `told` dates its first page."""

    began: int
    live: int
    told: datetime | None = None
    allowed: bool = False


class Witness:
    def __init__(self, rig: Rig, provider: Provider) -> None:
        self.rig = rig
        self.provider = provider
        self.books: dict[int, Book] = {}
        self.watermark: str | None = None

    def watch(self, work: Callable[[], object], *, allowed: bool = False) -> Harvest | None:
        """`work` is one run, or part of one, or dies; `allowed`: with --allow-deletions."""
        self.provider.let_appear()
        self.provider.answered.clear()
        self.provider.list_is_open = True
        book = Book(self.provider.serial, len(live(versions(self.rig.store))))
        fired = self._fired()
        work()
        last = last_run(self.rig.store)
        if last is not None:
            self._examine(last, self.books.setdefault(last.id, book), allowed)
        self._ends(self._fired() - fired)
        return last

    def _examine(self, last: Harvest, book: Book, allowed: bool) -> None:
        book.told = book.told or self._first_told()
        book.allowed = book.allowed or allowed
        held = versions(self.rig.store)
        self._nothing_is_invented(held)
        self._checkpoint_does_not_lead(last, held)
        self._watermark_is_safe(last, book)
        self._counts_sum(last)
        assert book.allowed or book.live - len(live(held)) <= max(_FEW, _SHARE * book.live), (
            "12: mass deletion"
        )
        if last.verdict in PROVEN and not last.request.bounded:
            self._nothing_is_lost(last, book, held)
        self.provider.list_is_open = last.verdict in (None, "partial", "deferred")

    def _nothing_is_invented(self, held: dict[str, bytes]) -> None:
        for one, version in held.items():
            sent = self.provider.sends.get(one, {})
            assert version in sent or (version == GONE and sent), f"2: {one} was never sent as it is held"

    def _checkpoint_does_not_lead(self, last: Harvest, held: dict[str, bytes]) -> None:
        token = last.checkpoint.token
        refused, held_back = refused_by(self.rig.store), last.checkpoint.counts.held
        while token:
            page = self.provider.pages[token]
            for one, sending in page.records:
                if one not in refused and not (held_back and self._tombstone_since(one, sending)):
                    assert one in held, f"7: {one} was on a page before {token}"
                    kept = self.provider.sends[one].get(held[one], 0)
                    assert kept >= sending, f"7: {one} is older than on a page before {token}"
            token = page.asked_with

    def _tombstone_since(self, one: str, sending: int) -> bool:
        return self.provider.sends[one].get(GONE, 0) >= sending

    def _watermark_is_safe(self, last: Harvest, book: Book) -> None:
        before, after = self.watermark, self.rig.state.watermark
        self.watermark = after
        if after == before:
            return
        assert last.verdict in PROVEN, f"8: a run that is {last.verdict} moved the watermark"
        assert not last.request.bounded, "8: a window of one's own moved the watermark"
        assert before is None or before <= (after or ""), "8: the watermark went back"
        moment = parse_datestamp(after or "")
        assert moment is not None
        assert book.told is not None
        assert moment <= book.told, f"8: the watermark {after} lies beyond the first page of {book.told}"

    def _ends(self, fired: int) -> None:
        """9: three times the pages of both lists, 30, one for each fault; each record twice by itself."""
        known = len(self.provider.touched)
        pages = ceil(known / self.provider.records_a_page) + 1
        asked = [one.arguments for one in list(self.provider.answered)]
        singles = sum(one.get("verb") == "GetRecord" for one in asked)
        most = 3 * 2 * pages + 30 + fired
        assert singles <= 2 * known + fired, f"9: {singles} times GetRecord for {known} records"
        assert len(asked) - singles <= most, f"9: {len(asked)} requests, {pages} pages, {fired} faults"
        in_a_row = max((len(list(same)) for _, same in groupby(asked)), default=0)
        assert in_a_row <= _TRIES, f"9: the same request {in_a_row} times in a row"

    def _counts_sum(self, last: Harvest) -> None:
        counts = last.checkpoint.counts
        kinds = (counts.created, counts.updated, counts.unchanged, counts.deleted, counts.quarantined)
        assert counts.received == sum(kinds), f"11: {counts}"

    def _nothing_is_lost(self, last: Harvest, book: Book, held: dict[str, bytes]) -> None:
        """1: what was so when the run began, and dates can show, or the list was whole."""
        truth, refused = self.provider.truth, refused_by(self.rig.store)
        # Read in parts, a list is held against the store by its datestamps: back-dated changes are not seen.
        whole = last.request.full and not last.checkpoint.note
        swept = last.request.sweeps and last.verdict == "verified" and not last.checkpoint.counts.held
        for one in self.provider.certain(book.began, listed_whole=whole) - refused:
            wanted, kept = truth.get(one), held.get(one, GONE)
            if wanted:
                assert kept == wanted, f"1: {one} is lost, or an older one; the run says {last.verdict}"
            elif swept or (wanted == GONE and not last.checkpoint.counts.held):
                assert kept == GONE, f"1: {one} is deleted there and live here; the run says {last.verdict}"
            elif kept != GONE:
                continue  # still excused, or held back
            self.provider.excused.pop(one, None)

    def _first_told(self) -> datetime | None:
        """The date of the first page; answers before it were spoilt, and asked for again."""
        told = None
        for one in list(self.provider.answered):
            if one.arguments.get("verb") == "ListRecords":
                if "resumptionToken" in one.arguments:
                    break
                told = one.at
        return told

    def _fired(self) -> int:
        return sum(rule.fired for rule in self.rig.repository.rules if rule.times is not None)


def last_run(store: Store) -> Harvest | None:
    with store.read() as connection:
        return harvests.last(connection, NAME)


def versions(store: Store) -> dict[str, bytes]:
    """The version of each identifier. Invariant 3: each is there once."""
    joined = sa.and_(raw.c.record_id == records.c.id, raw.c.form == "list")
    query = sa.select(records.c.identifier, records.c.deleted, raw.c.body)
    with store.read() as connection:
        rows = connection.execute(query.join_from(records, raw, joined, isouter=True)).all()
    found = {one: GONE if deleted else version_of_raw(decompress(body)) for one, deleted, body in rows}
    assert len(found) == len(rows), "3: an identifier is there twice"
    return found


def live(held: dict[str, bytes]) -> set[str]:
    return {one for one, version in held.items() if version != GONE}


def refused_by(store: Store) -> set[str]:
    with store.read() as connection:
        return set(connection.execute(sa.select(quarantine.c.identifier)).scalars())
