"""Records at their last state, their raw forms, and what could not become a record."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.fault_point import fault_point
from harvester.record import Record, record_id
from harvester.store.codec import compress_all, decompress, pack_records, unpack_record
from harvester.store.schema import feed, quarantine, raw, records, sources

LIST_FORM = "list"
SENT_FORM = "sent"  # as it came, where the XML had to be repaired
DETAIL_FORM = "detail"  # the richer form, fetched beside the list


_OF_A_REMOVED_SOURCE = b""  # in place of a tombstone's hash


class Known(msgspec.Struct, frozen=True, gc=False):
    """What the store holds of one identifier. `sets` is JSON; `detailed`: its detail was asked for."""

    id: int
    datestamp: str
    deleted: bool
    sets: str
    content_hash: bytes | None
    forgotten: bool = False
    detailed: bool = False

    @property
    def is_of_a_removed_source(self) -> bool:
        """A tombstone of ours: no repository said that it is deleted."""
        return self.deleted and self.content_hash == _OF_A_REMOVED_SOURCE


class Write(msgspec.Struct, frozen=True, gc=False):
    """One row to write. `known` is the row it replaces; only what `moves` is a change to the feed.

    A tombstone (`deleted`) has neither record nor raw. Without `raw` the stored forms stay.
    `sent` is there where the XML was repaired: the record as it came. A `detail` stays until another comes.
    """

    identifier: str
    datestamp: str
    sets: str
    deleted: bool
    moves: bool
    known: Known | None = None
    content_hash: bytes | None = None
    record: Record | None = None
    raw: bytes | None = None
    sent: bytes | None = None
    detail: bytes | None = None


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A received record that goes to quarantine. `sets` is JSON.

    `body` is its XML without the header (`Item.raw`); where that cannot be parsed, the whole record as sent.
    `unfetched`: the repository lists it and cannot give it, so there is no body.
    """

    identifier: str
    datestamp: str
    reason: str
    body: bytes
    sets: str = "[]"
    unfetched: bool = False


def known(connection: Connection, source_id: int, identifiers: Sequence[str]) -> dict[str, Known]:
    found: dict[str, Known] = {}
    for some in batches(identifiers):
        wanted = {"source_id": source_id, "identifiers": some}
        found |= {row[0]: Known(*row[1:]) for row in connection.execute(_KNOWN, wanted)}
    return found


def batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """So many as one statement may name; some repositories send all they have in one page."""
    return (values[at : at + _BATCH] for at in range(0, len(values), _BATCH))


_BATCH = 10_000


# Said once: SQLAlchemy takes longer to put a statement together than SQLite to run it.
_KNOWN = sa.select(
    records.c.identifier, records.c.id, records.c.datestamp, records.c.deleted, records.c.sets,
    records.c.content_hash, records.c.forgotten.is_not(None), records.c.detail_of.is_not(None),
).where(
    records.c.source_id == sa.bindparam("source_id"),
    records.c.identifier.in_(sa.bindparam("identifiers", expanding=True)),
)  # fmt: skip
_INSERT_RECORDS = sa.insert(records)
_INSERT_RAW = sa.insert(raw)
_DROP_RAW = sa.delete(raw).where(raw.c.record_id == sa.bindparam("row"), raw.c.form != DETAIL_FORM)
_DROP_DETAIL = sa.delete(raw).where(raw.c.record_id == sa.bindparam("row"), raw.c.form == DETAIL_FORM)
_FORGET_DETAIL = (
    sa.update(records)
    .where(records.c.id == sa.bindparam("row"), records.c.detail_of.is_not(None))
    .values(detail_of=None)
)
_TAKE_POSITIONS = (
    sa.update(feed).values(position=feed.c.position + sa.bindparam("wanted")).returning(feed.c.position)
)
_COUNT = (
    sa.update(sources)
    .where(sources.c.id == sa.bindparam("source"))
    .values(
        live=sources.c.live + sa.bindparam("more_live"),
        tombstones=sources.c.tombstones + sa.bindparam("more_tombstones"),
    )
)


def stored_record(connection: Connection, id: int) -> Record | None:
    """The record of a row, its header's fields empty."""
    packed = connection.scalar(sa.select(records.c.record).where(records.c.id == id))
    return None if packed is None else unpack_record(packed)


def stored_detail(connection: Connection, id: int) -> bytes | None:
    body = connection.scalar(sa.select(raw.c.body).where(raw.c.record_id == id, raw.c.form == DETAIL_FORM))
    return None if body is None else decompress(body)


class Packed(msgspec.Struct, frozen=True, gc=False):
    """A Write, ready for its rows. `forms` are (form, packed XML)."""

    write: Write
    record: bytes | None
    forms: tuple[tuple[str, bytes], ...] = ()


def pack(writes: Sequence[Write]) -> list[Packed]:
    """Outside the transaction, so that other writers need not wait for it."""
    full = [write.record for write in writes if write.record is not None]
    packed = dict(zip(map(id, full), pack_records(full), strict=True))
    forms = _packed_forms(writes)
    return [Packed(write, packed.get(id(write.record)), tuple(forms[id(write)])) for write in writes]


def _packed_forms(writes: Sequence[Write]) -> dict[int, list[tuple[str, bytes]]]:
    by_format: defaultdict[str, list[tuple[Write, str, bytes]]] = defaultdict(list)
    for write in writes:
        name = write.record.formats[0] if write.record else ""
        forms = ((LIST_FORM, write.raw), (SENT_FORM, write.sent))
        by_format[name] += [(write, form, body) for form, body in forms if body is not None]
        if write.detail is not None:
            by_format[write.record.formats[-1] if write.record else ""].append(
                (write, DETAIL_FORM, write.detail)
            )
    packed: defaultdict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for name, group in by_format.items():
        bodies = compress_all([body for _, _, body in group], name)
        for (write, form, _), body in zip(group, bodies, strict=True):
            packed[id(write)].append((form, body))
    return packed


def write(connection: Connection, source_id: int, rows: Sequence[Packed]) -> None:
    """Call it once in a transaction, last but for the checkpoint: it takes the lock for the append."""
    writes = [row.write for row in rows]
    positions = iter(_take_positions(connection, sum(write.moves for write in writes)))
    created: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    raws: list[dict[str, Any]] = []
    for row in rows:
        known, values = row.write.known, _values(row)
        if row.write.moves:
            values["position"] = next(positions)
        if known is None:
            created.append(values | {"id": values["position"], "source_id": source_id})
        else:
            changed.append(values | {"row": known.id})
        at = known.id if known else values["position"]
        raws += [{"record_id": at, "form": form, "body": body} for form, body in row.forms]
    _execute(connection, _DROP_RAW, [one for one in writes if one.raw or one.deleted])
    _execute(connection, _DROP_DETAIL, [one for one in writes if one.detail or one.deleted])
    _execute(connection, _FORGET_DETAIL, [one for one in writes if one.deleted])
    _insert(connection, _INSERT_RECORDS, created)
    _update_rows(connection, changed)
    fault_point("half a page written")
    _insert(connection, _INSERT_RAW, raws)
    _count(connection, source_id, writes)
    fault_point("records written")


def _values(row: Packed) -> dict[str, Any]:
    write = row.write
    values: dict[str, Any] = {
        "identifier": write.identifier,
        "datestamp": write.datestamp,
        "content_hash": write.content_hash,
        "sets": write.sets,
    }
    if write.moves:
        values |= {"deleted": write.deleted, "record": row.record}
    return values


def _take_positions(connection: Connection, wanted: int) -> range:
    if not wanted:
        return range(0)
    last = connection.scalar(_TAKE_POSITIONS, {"wanted": wanted})
    assert last is not None
    return range(last - wanted + 1, last + 1)


def _insert(connection: Connection, insert: sa.Insert, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert, rows)


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


def _execute(connection: Connection, statement: sa.Executable, replacing: Sequence[Write]) -> None:
    """For the row that each of them replaces."""
    if rows := [{"row": one.known.id} for one in replacing if one.known]:
        connection.execute(statement, rows)


def _count(connection: Connection, source_id: int, writes: Sequence[Write]) -> None:
    """Live records and tombstones are counted as they change: counting 100 million rows is no status."""
    live = tombstones = 0
    for row in writes:
        if row.moves:
            live += (not row.deleted) - (row.known is not None and not row.known.deleted)
            tombstones += row.deleted - (row.known is not None and row.known.deleted)
    if live or tombstones:
        more = {"source": source_id, "more_live": live, "more_tombstones": tombstones}
        connection.execute(_COUNT, more)


def put_in_quarantine(connection: Connection, source_id: int, refused: Sequence[Refused], since: str) -> None:
    """What has no identifier to be known by is known by its body: sent again, it is kept once."""
    if not refused:
        return
    rows = [
        {
            "source_id": source_id,
            "since": since,
            "identifier": one.identifier,
            "datestamp": one.datestamp,
            "reason": one.reason,
            "body": compress_all([one.body], "")[0],
            "sets": one.sets,
            "unfetched": one.unfetched,
        }
        for one in refused
    ]
    connection.execute(_FORGET_REFUSED, [{f"this_{name}": row[name] for name in _THIS} for row in rows])
    connection.execute(sa.insert(quarantine), rows)
    fault_point("quarantine written")


_THIS = ("source_id", "identifier", "body")
_FORGET_REFUSED = sa.delete(quarantine).where(
    *(quarantine.c[name] == sa.bindparam(f"this_{name}") for name in _THIS)
)


def clear_quarantine(connection: Connection, source_id: int, identifiers: Sequence[str]) -> None:
    """Of records that were received anew; those without an identifier were not."""
    named = [identifier for identifier in identifiers if identifier]
    for some in batches(named):
        mine = (quarantine.c.source_id == source_id) & quarantine.c.identifier.in_(some)
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


def bury(connection: Connection, source_id: int, limit: int) -> int:
    """Tombstones, at new positions, in place of some live records; how many. Last in a transaction."""
    query = (
        sa.select(
            records.c.identifier, records.c.id, records.c.datestamp, records.c.deleted, records.c.sets,
            records.c.content_hash,
        )
        .where(records.c.source_id == source_id, records.c.deleted.is_(False))
        .order_by(records.c.position)
        .limit(limit)
    )  # fmt: skip
    found = [(row[0], Known(*row[1:])) for row in connection.execute(query)]
    write(connection, source_id, pack([_buried(name, one) for name, one in found]))
    return len(found)


def _buried(identifier: str, known: Known) -> Write:
    return Write(
        identifier,
        known.datestamp,
        "[]",
        deleted=True,
        moves=True,
        known=known,
        content_hash=_OF_A_REMOVED_SOURCE,
    )


def live(connection: Connection, source: str = "") -> Iterator[Record]:
    """All live records, of one source or of all, in order of position."""
    query = select_records().where(records.c.deleted.is_(False)).order_by(records.c.position)
    if source:
        query = query.where(sources.c.name == source)
    for row in connection.execution_options(yield_per=500).execute(query):
        yield with_header(row)
