"""Live records beside what they were made from, to be made anew; and how far a pass over them has come."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.record import Record, record_id
from harvester.store.codec import decompress, unpack_record
from harvester.store.records import SENT_FORM, Known
from harvester.store.schema import raw, records, sources


class Original(msgspec.Struct, frozen=True, gc=False):
    """Unpacked when asked for: what is damaged fails alone."""

    identifier: str
    known: Known
    packed: bytes
    packed_forms: Sequence[tuple[str, bytes]]

    def record(self) -> Record:
        """As stored, its header's fields empty."""
        return unpack_record(self.packed)

    def forms(self) -> dict[str, bytes]:
        """form → XML"""
        return {form: decompress(body) for form, body in self.packed_forms}


class Unreadable(msgspec.Struct, frozen=True):
    id: str
    reason: str


class Progress(msgspec.Struct, frozen=True):
    """Of a pass by one state of the code; `after` is the last identifier it has been through.

    read = changed + unchanged + failed; `fields`: how many records changed in each; `failures` are the first.
    """

    code: str
    after: str = ""
    read: int = 0
    changed: int = 0
    failed: int = 0
    fields: dict[str, int] = {}
    failures: tuple[Unreadable, ...] = ()


def originals(connection: Connection, source_id: int, after: str, limit: int) -> list[Original]:
    """In the order of their identifiers, which no change moves."""
    return _read(connection, _NEXT, {"source": source_id, "behind": after, "most": limit})


def of_rows(connection: Connection, rows: Sequence[int]) -> list[Original]:
    """Those of them that are live, in the order of their identifiers."""
    return _read(connection, _THESE, {"rows": rows})


def _read(connection: Connection, query: sa.Select[Any], wanted: dict[str, Any]) -> list[Original]:
    rows = connection.execute(query, wanted).all()
    forms = _forms(connection, [row.id for row in rows])
    return [
        Original(
            row.identifier,
            Known(row.id, row.datestamp, deleted=False, sets=row.sets, content_hash=row.content_hash),
            row.record,
            forms[row.id],
        )
        for row in rows
    ]


# Said once, as in `records`.
_LIVE = (
    sa.select(
        records.c.identifier, records.c.id, records.c.datestamp, records.c.sets, records.c.content_hash,
        records.c.record,
    )
    .where(records.c.deleted.is_(False))
    .order_by(records.c.identifier)
)  # fmt: skip
_NEXT = _LIVE.where(
    records.c.source_id == sa.bindparam("source"), records.c.identifier > sa.bindparam("behind")
).limit(sa.bindparam("most"))
_THESE = _LIVE.where(records.c.id.in_(sa.bindparam("rows", expanding=True)))
_FORMS = sa.select(raw).where(raw.c.record_id.in_(sa.bindparam("rows", expanding=True)))


def _forms(connection: Connection, rows: Sequence[int]) -> dict[int, list[tuple[str, bytes]]]:
    found: defaultdict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for row in connection.execute(_FORMS, {"rows": rows}):
        found[row.record_id].append((row.form, row.body))
    return found


def progress(connection: Connection, source_id: int) -> Progress | None:
    """Of a pass that has not come to its end."""
    saved = connection.scalar(sa.select(sources.c.renormalising).where(sources.c.id == source_id))
    return None if saved is None else msgspec.json.decode(saved, type=Progress)


def save(connection: Connection, source_id: int, progress: Progress | None) -> None:
    """None when the pass is at its end."""
    saved: Any = None if progress is None else msgspec.json.encode(progress).decode()
    mine = sa.update(sources).where(sources.c.id == source_id)
    connection.execute(mine.values(renormalising=saved))


def repaired(connection: Connection, source: str, most: int) -> tuple[int, tuple[str, ...]]:
    """How many live records had to be repaired, and the ids of some."""
    mine = (
        sa.select(records.c.identifier)
        .join_from(records, sources)
        .join(raw, raw.c.record_id == records.c.id)
        .where(sources.c.name == source, raw.c.form == SENT_FORM)
    )
    count = connection.scalar(sa.select(sa.func.count()).select_from(mine.subquery())) or 0
    some = connection.scalars(mine.order_by(records.c.identifier).limit(most)) if count else ()
    return count, tuple(record_id(source, identifier) for identifier in some)
