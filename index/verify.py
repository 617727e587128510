"""The invariants of the store and the index, checked on a user's own data. Changes nothing.

Numbers in brackets are those of FAULTS section 4 of the design.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.datestamp import parse_datestamp
from harvester.deletions import most_deletions
from harvester.errors import IndexMissing, WindrowError
from harvester.record import Record, record_id
from harvester.store import Store
from harvester.store.codec import decompress, unpack_record
from harvester.store.harvests import Checkpoint, Request
from harvester.store.schema import feed, harvests, quarantine, raw, records, sources
from index.engine import SCHEMA_VERSION
from index.generations import Generations

_EXAMPLES = 5
_BATCH = 500


class Checked(msgspec.Struct, frozen=True):
    """`checked` counts what was looked at; `examples` are some of the violations, in words."""

    invariant: str
    holds: bool
    checked: int
    examples: tuple[str, ...] = ()


def verify(store: Store, generations: Generations) -> Iterator[Checked]:
    """One invariant after the other, each over all of the data, in flat memory."""
    yield _checked("the database file is sound", 1, iter(store.check_integrity()))
    for invariant, check in _STORE:
        with store.read() as connection:
            yield _over(invariant, check(connection))
    for invariant, check_index in _INDEX:
        with store.read() as connection:
            yield _over(invariant, check_index(connection, store, generations))


# A check yields "" for each thing that is as it should be, and a sentence for each that is not.
_Check = Iterator[str]


def _over(invariant: str, outcomes: _Check) -> Checked:
    count, wrong, examples = 0, 0, []
    try:
        for outcome in outcomes:
            count += 1
            if outcome:
                wrong += 1
                examples += [outcome] if wrong <= _EXAMPLES else []
    except WindrowError as error:
        wrong, examples = wrong + 1, [*examples, error.message]
    return Checked(invariant, not wrong, count, tuple(examples))


def _checked(invariant: str, count: int, faults: Iterator[str]) -> Checked:
    examples = tuple(islice(faults, _EXAMPLES))
    return Checked(invariant, not examples, count, examples)


def _rows(connection: Connection, query: sa.Select[Any]) -> Iterator[Any]:
    yield from connection.execution_options(yield_per=_BATCH).execute(query)


def _one_row_each(connection: Connection) -> _Check:
    twice = (
        sa.select(records.c.identifier, sa.func.count().label("rows"))
        .group_by(records.c.source_id, records.c.identifier)
        .having(sa.func.count() > 1)
    )
    for row in _rows(connection, twice):
        yield f"{row.identifier} has {row.rows} rows"
    yield from [""] * (connection.scalar(sa.select(sa.func.count()).select_from(sources)) or 0)


def _positions(connection: Connection) -> _Check:
    head = connection.scalar(sa.select(feed.c.position)) or 0
    last = 0
    for row in _rows(connection, sa.select(records.c.id, records.c.position).order_by(records.c.position)):
        fits = row.id <= row.position and last < row.position <= head
        yield "" if fits else f"row {row.id} stands at position {row.position}, the feed's last is {head}"
        last = row.position


def _readable(connection: Connection) -> _Check:
    query = sa.select(records.c.identifier, records.c.record).where(records.c.deleted.is_(False))
    for row in _rows(connection, query):
        yield _fault_of_record(row.identifier, row.record)


def _fault_of_record(identifier: str, packed: bytes | None) -> str:
    if packed is None:
        return f"{identifier} is live and has no record"
    try:
        record = unpack_record(packed)
    except Exception as error:  # noqa: BLE001  whatever a damaged row raises is the finding
        return f"{identifier} cannot be read: {error}"
    return "" if record != Record() else f"{identifier} is empty"


def _raw_forms(connection: Connection) -> _Check:
    """[4] What a record was made from is kept, and parses alone."""
    query = (
        sa.select(records.c.identifier, raw.c.body)
        .join_from(records, raw, sa.and_(raw.c.record_id == records.c.id, raw.c.form == "list"), isouter=True)
        .where(records.c.deleted.is_(False))
    )
    for row in _rows(connection, query):
        yield _fault_of_raw(row.identifier, row.body)


def _fault_of_raw(identifier: str, body: bytes | None) -> str:
    from lxml import etree

    if body is None:
        return f"{identifier} has lost the XML that it was made from"
    try:
        etree.fromstring(decompress(body))
    except Exception as error:  # noqa: BLE001  as above
        return f"the XML of {identifier} cannot be read: {error}"
    return ""


def _tombstones(connection: Connection) -> _Check:
    query = (
        sa.select(records.c.identifier, records.c.record, sa.func.count(raw.c.form).label("forms"))
        .join_from(records, raw, raw.c.record_id == records.c.id, isouter=True)
        .where(records.c.deleted.is_(True))
        .group_by(records.c.id)
    )
    for row in _rows(connection, query):
        cleared = row.record is None and row.forms == 0
        yield "" if cleared else f"{row.identifier} is deleted, but its content is still there"


def _forgotten(connection: Connection) -> _Check:
    query = sa.select(
        records.c.identifier,
        records.c.deleted & records.c.record.is_(None) & records.c.content_hash.is_(None),
        sa.exists().where(raw.c.record_id == records.c.id),
        sa.exists().where(
            quarantine.c.source_id == records.c.source_id, quarantine.c.identifier == records.c.identifier
        ),
    ).where(records.c.forgotten.is_not(None))
    for identifier, is_cleared, has_raw, is_refused in _rows(connection, query):
        kept = not is_cleared or has_raw or is_refused
        yield f"{identifier} was forgotten here, but its content is still there" if kept else ""


def _counts(connection: Connection) -> _Check:
    for source in connection.execute(sa.select(sources)).all():
        counted = sa.select(sa.func.count()).where(records.c.source_id == source.id)
        live = connection.scalar(counted.where(records.c.deleted.is_(False)))
        tombstones = connection.scalar(counted.where(records.c.deleted.is_(True)))
        right = (live, tombstones) == (source.live, source.tombstones)
        yield (
            ""
            if right
            else (
                f"{source.name} counts {source.live} records and {source.tombstones} deleted, "
                f"there are {live} and {tombstones}"
            )
        )


def _removed(connection: Connection) -> _Check:
    for source in connection.execute(sa.select(sources).where(sources.c.removed.is_not(None))).all():
        kept = source.live + sum(
            connection.scalar(sa.select(sa.func.count()).where(table.c.source_id == source.id)) or 0
            for table in (harvests, quarantine)
        )
        yield f"{source.name} was removed, but something of it is still there" if kept else ""


def _sums(connection: Connection) -> _Check:
    """[11]"""
    for row in _rows(connection, sa.select(harvests.c.id, harvests.c.checkpoint)):
        counts = msgspec.json.decode(row.checkpoint)["counts"]
        kinds = ("created", "updated", "unchanged", "deleted", "quarantined")
        total = sum(counts[kind] for kind in kinds)
        right = counts["received"] == total
        yield "" if right else f"harvest {row.id} received {counts['received']} records and counts {total}"


def _watermarks(connection: Connection) -> _Check:
    """[8] No watermark lies beyond what a complete run of its source was told by the repository."""
    for source in connection.execute(sa.select(sources).where(sources.c.watermark.is_not(None))).all():
        ended = sa.select(harvests.c.checkpoint).where(
            harvests.c.source_id == source.id, harvests.c.verdict.in_(("complete", "verified"))
        )
        seen = [msgspec.json.decode(row.checkpoint)["response_date"] for row in connection.execute(ended)]
        latest = max(filter(None, map(parse_datestamp, seen)), default=None)
        watermark = parse_datestamp(source.watermark)
        right = watermark is not None and bool(seen) and (latest is None or watermark <= latest)
        told = latest or ("any date" if seen else "any complete harvest")
        yield "" if right else f"the watermark of {source.name}, {source.watermark}, lies beyond {told}"


def _guarded(connection: Connection) -> _Check:
    """[12] No run ended more lives than the guard lets it, but where a person allowed it."""
    for row in _rows(connection, sa.select(harvests.c.id, harvests.c.checkpoint)):
        checkpoint = msgspec.json.decode(row.checkpoint, type=Checkpoint)
        gone = checkpoint.counts.deleted + checkpoint.counts.vanished
        most = most_deletions(checkpoint.live_before + checkpoint.counts.created)
        right = checkpoint.allowed or gone <= most or not checkpoint.live_before
        yield "" if right else f"harvest {row.id} deleted {gone} of {checkpoint.live_before} records"


def _checkpoints(connection: Connection) -> _Check:
    """[7] A run that is to be gone on with has a request that leads on from what is stored."""
    for row in _rows(connection, sa.select(harvests.c.id, harvests.c.request, harvests.c.checkpoint)):
        try:
            msgspec.json.decode(row.request, type=Request)
            checkpoint = msgspec.json.decode(row.checkpoint, type=Checkpoint)
        except msgspec.DecodeError as error:
            yield f"the checkpoint of harvest {row.id} cannot be read: {error}"
            continue
        leads = bool(checkpoint.token) and not checkpoint.pages
        yield f"harvest {row.id} would go on from a page that it never had" if leads else ""


def _quarantined(connection: Connection) -> _Check:
    for row in _rows(connection, sa.select(quarantine.c.identifier, quarantine.c.reason)):
        yield "" if row.reason else f"{row.identifier} is in quarantine without a reason"


def _index_position(_connection: Connection, store: Store, generations: Generations) -> _Check:
    """[13] The index's position never leads its documents, nor the store."""
    try:
        at = generations.position()
    except IndexMissing:
        return
    head = _connection.scalar(sa.select(feed.c.position)) or 0
    if at.store_id != store.id:
        yield "the index belongs to another store: run `windrow rebuild`"
    elif at.schema_version != SCHEMA_VERSION:
        yield "the index was built by another version: run `windrow rebuild`"
    else:
        yield "" if at.position <= head else f"the index stands at {at.position}, the store at {head}"


def _index_documents(connection: Connection, _store: Store, generations: Generations) -> _Check:
    """[13] Each live record up to the index's position is there, as it is now; nothing else is."""
    try:
        at, searcher = generations.snapshot()
    except IndexMissing:
        return
    query = (
        sa.select(records.c.position, sources.c.name, records.c.identifier)
        .join(sources, records.c.source_id == sources.c.id)
        .where(records.c.deleted.is_(False), records.c.position <= at.position)
        .order_by(records.c.position)
    )
    stored = ((row.position, 0, record_id(row.name, row.identifier)) for row in _rows(connection, query))
    indexed = ((position, 1, id) for id, position in searcher.positions())
    yield from _paired(merge(stored, indexed), connection, at.position)


def _paired(both: Iterator[tuple[int, int, str]], connection: Connection, upto: int) -> _Check:
    """Store and index side by side, by position: each entry of one meets its like of the other."""
    waiting: tuple[int, str] | None = None
    for position, side, id in both:
        if side == 0:
            if waiting:
                yield f"{waiting[1]} is not in the index"
            waiting = (position, id)
        elif waiting == (position, id):
            waiting = None
            yield ""
        else:
            yield _fault_of_document(connection, id, upto)
    if waiting:
        yield f"{waiting[1]} is not in the index"


def _fault_of_document(connection: Connection, id: str, upto: int) -> str:
    """A document without its like is in order only where its record has changed since."""
    source, _, identifier = id.partition("/")
    query = (
        sa.select(records.c.position)
        .join(sources, records.c.source_id == sources.c.id)
        .where(sources.c.name == source, records.c.identifier == identifier)
    )
    position = connection.scalar(query)
    if position is not None and position > upto:
        return ""
    return f"{id} is in the index and should not be, or not as it is there"


_STORE = (
    ("each identifier of a source has one row", _one_row_each),
    ("positions rise, none is beyond the feed's last", _positions),
    ("each live record can be read", _readable),
    ("each live record has the XML it was made from", _raw_forms),
    ("tombstones hold no content", _tombstones),
    ("forgotten records hold no content", _forgotten),
    ("each source counts its records rightly", _counts),
    ("removed sources hold nothing but tombstones", _removed),
    ("what is to be gone on with leads on from what is stored", _checkpoints),
    ("each received record is counted once", _sums),
    ("no harvest deleted more than the guard lets it", _guarded),
    ("no watermark lies beyond what the repository said", _watermarks),
    ("what is in quarantine has a reason", _quarantined),
)
_INDEX = (
    ("the index follows this store and does not lead it", _index_position),
    ("the index holds each live record as it is, and nothing else", _index_documents),
)
