"""What is in quarantine, tried again with the repairs and formats of today; no network.

entry ─▶ item (its bytes, parsed anew) ─▶ deliver ─┬▶ Write: the entry goes
                                                   └▶ Refused: it stays, with its new reason
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec
from lxml import etree

from harvester.clock import Clock
from harvester.datestamp import parse_datestamp
from harvester.delivery import LONGEST_IDENTIFIER, Delivery, Terms, deliver
from harvester.errors import WindrowError
from harvester.oai.elements import OAI
from harvester.oai.items import Header, Item, read_raw
from harvester.oai.parsing import strict
from harvester.record import Record
from harvester.rework import Desk, as_sent, at_desk
from harvester.store import Store, moments, quarantine, records
from harvester.store.harvests import Counts
from harvester.store.quarantine import Entry
from harvester.store.records import Known

_BATCH = 200


class Requeued(msgspec.Struct, frozen=True):
    """`tried` = created + updated + unchanged + deleted + quarantined, which is what stays."""

    source: str
    tried: int
    created: int
    updated: int
    unchanged: int
    deleted: int
    quarantined: int


def requeue(
    source: str,
    store: Store,
    clock: Clock,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> Requeued:
    """SourceBusy while the source is harvested. Killed in the middle, it has done what it has done."""
    counts, after = Counts(), 0
    with at_desk(source, store, clock) as desk:
        run = _Run(desk)
        while entries := run.next(after):
            counts += run.try_again(entries)
            after = entries[-1].id
            on_progress(len(entries))
    return Requeued(
        source, counts.received, counts.created, counts.updated, counts.unchanged, counts.deleted,
        counts.quarantined,
    )  # fmt: skip


class _Run:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def next(self, after: int) -> list[Entry]:
        with self._desk.store.read() as connection:
            return list(quarantine.entries(connection, self._desk.source, after, _BATCH))

    def try_again(self, entries: Sequence[Entry]) -> Counts:
        counts = Counts()
        for some in _distinct([(entry, item_of(entry)) for entry in entries]):
            found = self._outcomes(some)
            self._keep(found)
            for _, delivery in found:
                counts += delivery.counts
        return counts

    def _outcomes(self, items: Sequence[tuple[Entry, Item]]) -> list[tuple[Entry, Delivery]]:
        identifiers = [item.header.identifier for _, item in items]
        with self._desk.store.read() as connection:
            known = records.known(connection, self._desk.source_id, identifiers)

            def stored(row: int) -> Record | None:
                return records.stored_record(connection, row)

            terms = Terms(detail=lambda row: records.stored_detail(connection, row))
            return [(entry, deliver([_timely(item, known)], known, stored, terms)) for entry, item in items]

    def _keep(self, found: Sequence[tuple[Entry, Delivery]]) -> None:
        """A transaction: what became a record leaves quarantine as it enters the feed."""
        refused = {entry.id: delivery.refused[0].reason for entry, delivery in found if delivery.refused}
        rows = records.pack([write for _, delivery in found for write in delivery.writes])
        with self._desk.writing() as connection:
            quarantine.drop(connection, [entry.id for entry, _ in found if entry.id not in refused])
            quarantine.give_reasons(connection, refused)
            moments.note(connection, self._desk.clock.now())
            records.write(connection, self._desk.source_id, rows)


def _distinct(items: Sequence[tuple[Entry, Item]]) -> Iterator[list[tuple[Entry, Item]]]:
    """In runs that name nothing twice: the second is held against what became of the first."""
    run: dict[str | int, tuple[Entry, Item]] = {}
    for entry, item in items:
        name = item.header.identifier or entry.id
        if name in run:
            yield list(run.values())
            run = {}
        run[name] = (entry, item)
    yield list(run.values())


def _timely(item: Item, known: dict[str, Known]) -> Item:
    """It may have come beside a later form of the same record, which it must not replace."""
    other = known.get(item.header.identifier)
    mine, theirs = parse_datestamp(item.header.datestamp), parse_datestamp(other.datestamp if other else "")
    if item.fault or mine is None or theirs is None or mine >= theirs:
        return item
    return msgspec.structs.replace(item, fault="the store has a later form of this record")


def item_of(entry: Entry) -> Item:
    """As a list would deliver it today; with a fault where it is still none."""
    try:
        return _parsed(entry) if _is_without_header(entry.body) else _as_sent(entry)
    except WindrowError as error:
        return _faulty(entry, error.message)


def _is_without_header(body: bytes) -> bool:
    """`Item.raw`, our own serialisation; what was kept as sent has a header, or does not parse at all."""
    try:
        root = strict(body)
    except (etree.XMLSyntaxError, WindrowError):
        return False
    return root.tag == OAI + "record" and root.find(OAI + "header") is None


def _parsed(entry: Entry) -> Item:
    if len(entry.identifier) >= LONGEST_IDENTIFIER:
        return _faulty(entry, entry.reason)  # only its beginning was kept: nothing can be known by that
    return Item(_header(entry), read_raw(entry.body), entry.body)


def _as_sent(entry: Entry) -> Item:
    item = as_sent(entry.body)
    if item is None:
        return _faulty(entry, entry.reason)
    if item.fault:
        return _faulty(entry, item.fault)
    sets = (*item.header.sets, *(one for one in entry.sets if one not in item.header.sets))
    return msgspec.structs.replace(item, header=msgspec.structs.replace(item.header, sets=sets))


def _faulty(entry: Entry, fault: str) -> Item:
    return Item(_header(entry), raw=entry.body, fault=fault)


def _header(entry: Entry) -> Header:
    return Header(entry.identifier, entry.datestamp, entry.sets)
