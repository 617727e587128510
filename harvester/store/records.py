"""Records at their last state, their raw forms, and what could not become a record."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.record import Record, record_id
from harvester.store.codec import decompress, unpack_record
from harvester.store.schema import feed, quarantine, raw, records, sources

LIST_FORM = "list"


class Known(msgspec.Struct, frozen=True, gc=False):
    """What the store holds of one identifier. `sets` is JSON."""

    id: int
    datestamp: str
    deleted: bool
    sets: str
    content_hash: bytes | None


class Write(msgspec.Struct, frozen=True, gc=False):
    """One row to write. `known` is the row it replaces; only what `moves` is a change to the feed.

    `record` and `raw` are packed; a tombstone (`deleted`) has neither. Without `raw` the stored form stays.
    """

    identifier: str
    datestamp: str
    sets: str
    deleted: bool
    moves: bool
    known: Known | None = None
    content_hash: bytes | None = None
    record: bytes | None = None
    raw: bytes | None = None


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A received record that goes to quarantine. `body` is packed."""

    identifier: str
    datestamp: str
    reason: str
    body: bytes


def known(connection: Connection, source_id: int, identifiers: Sequence[str]) -> dict[str, Known]:
    query = sa.select(
        records.c.identifier, records.c.id, records.c.datestamp, records.c.deleted, records.c.sets,
        records.c.content_hash,
    ).where(records.c.source_id == source_id, records.c.identifier.in_(identifiers))  # fmt: skip
    return {row[0]: Known(*row[1:]) for row in connection.execute(query)}


def packed_records(connection: Connection, ids: Sequence[int]) -> dict[int, bytes | None]:
    query = sa.select(records.c.id, records.c.record).where(records.c.id.in_(ids))
    return {row[0]: row[1] for row in connection.execute(query)}


def write(connection: Connection, source_id: int, writes: Sequence[Write]) -> None:
    """Call it once in a transaction, last but for the checkpoint: it takes the lock for the append."""
    positions = iter(_take_positions(connection, sum(row.moves for row in writes)))
    created: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    raws: list[dict[str, Any]] = []
    for row in writes:
        values = _values(row)
        if row.moves:
            values["position"] = next(positions)
        if row.known is None:
            created.append(values | {"id": values["position"], "source_id": source_id})
        else:
            changed.append(values | {"row": row.known.id})
        if row.raw is not None:
            at = row.known.id if row.known else values["position"]
            raws.append({"record_id": at, "form": LIST_FORM, "body": row.raw})
    _replace_raw(connection, [row.known.id for row in writes if row.known and (row.raw or row.deleted)])
    _insert(connection, records, created)
    _update_rows(connection, changed)
    _insert(connection, raw, raws)
    _count(connection, source_id, writes)


def _values(row: Write) -> dict[str, Any]:
    values: dict[str, Any] = {
        "identifier": row.identifier,
        "datestamp": row.datestamp,
        "content_hash": row.content_hash,
        "sets": row.sets,
    }
    if row.moves:
        values |= {"deleted": row.deleted, "record": row.record}
    return values


def _take_positions(connection: Connection, wanted: int) -> range:
    if not wanted:
        return range(0)
    last = connection.scalar(
        sa.update(feed).values(position=feed.c.position + wanted).returning(feed.c.position)
    )
    assert last is not None
    return range(last - wanted + 1, last + 1)


def _insert(connection: Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(table), rows)


def _update_rows(connection: Connection, rows: list[dict[str, Any]]) -> None:
    moved = [row for row in rows if "position" in row]
    stayed = [row for row in rows if "position" not in row]
    for some in (moved, stayed):
        if some:
            columns: dict[str, Any] = {
                name: sa.bindparam(name) for name in some[0] if name not in ("row", "identifier")
            }
            here = [{name: row[name] for name in (*columns, "row")} for row in some]
            connection.execute(
                sa.update(records).where(records.c.id == sa.bindparam("row")).values(columns), here
            )


def _replace_raw(connection: Connection, ids: Sequence[int]) -> None:
    if ids:
        connection.execute(sa.delete(raw).where(raw.c.record_id.in_(ids)))


def _count(connection: Connection, source_id: int, writes: Sequence[Write]) -> None:
    """Live records and tombstones are counted as they change: counting 100 million rows is no status."""
    live = tombstones = 0
    for row in writes:
        if row.moves:
            live += (not row.deleted) - (row.known is not None and not row.known.deleted)
            tombstones += row.deleted - (row.known is not None and row.known.deleted)
    if live or tombstones:
        counts = {"live": sources.c.live + live, "tombstones": sources.c.tombstones + tombstones}
        connection.execute(sa.update(sources).where(sources.c.id == source_id).values(counts))


def put_in_quarantine(connection: Connection, source_id: int, refused: Sequence[Refused], since: str) -> None:
    """The latest of an identifier replaces what was there of it."""
    _insert(connection, quarantine, [
        {"source_id": source_id, "since": since, **msgspec.structs.asdict(one)} for one in refused
    ])  # fmt: skip


def clear_quarantine(connection: Connection, source_id: int, identifiers: Sequence[str]) -> None:
    mine = (quarantine.c.source_id == source_id) & quarantine.c.identifier.in_(identifiers)
    connection.execute(sa.delete(quarantine).where(mine))


def get(connection: Connection, id: str) -> Record | None:
    """A record or tombstone by its full id, SOURCE/IDENTIFIER."""
    source, _, identifier = id.partition("/")
    query = select_records().where(sources.c.name == source, records.c.identifier == identifier)
    row = connection.execute(query).one_or_none()
    return None if row is None else with_header(row)


def raw_forms(connection: Connection, id: str) -> dict[str, bytes]:
    """form → XML, of one record by its full id."""
    source, _, identifier = id.partition("/")
    query = (
        sa.select(raw.c.form, raw.c.body)
        .join(records, raw.c.record_id == records.c.id)
        .join(sources, records.c.source_id == sources.c.id)
        .where(sources.c.name == source, records.c.identifier == identifier)
    )
    return {row.form: decompress(row.body) for row in connection.execute(query)}


def select_records() -> sa.Select[Any]:
    return sa.select(
        records.c.position, sources.c.name, records.c.identifier, records.c.datestamp, records.c.sets,
        records.c.deleted, records.c.record,
    ).join(sources, records.c.source_id == sources.c.id)  # fmt: skip


_decode_sets = msgspec.json.Decoder(tuple[str, ...]).decode


def with_header(row: Any) -> Record:
    """A row of `select_records` as a Record: the columns hold the header, the packed record the rest."""
    _, source, identifier, datestamp, sets, deleted, packed = row
    record = unpack_record(packed) if packed is not None else Record()
    return msgspec.structs.replace(
        record,
        id=record_id(source, identifier),
        source=source,
        identifier=identifier,
        datestamp=datestamp,
        sets=_decode_sets(sets),
        deleted=deleted,
    )


def ids_of(connection: Connection, identifier: str) -> list[str]:
    """Full ids of the records, live or deleted, that have this OAI identifier: one a source at most."""
    query = (
        sa.select(sources.c.name, records.c.identifier)
        .join(sources, records.c.source_id == sources.c.id)
        .where(records.c.identifier == identifier, records.c.source_id.in_(sa.select(sources.c.id)))
    )
    return [record_id(*row) for row in connection.execute(query)]


def live(connection: Connection, source: str = "") -> Iterator[Record]:
    """All live records, of one source or of all, in order of position."""
    query = select_records().where(records.c.deleted.is_(False)).order_by(records.c.position)
    if source:
        query = query.where(sources.c.name == source)
    for row in connection.execution_options(yield_per=500).execute(query):
        yield with_header(row)
