"""What was received and could not become a record: to be looked at, and tried again."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.store.codec import decompress
from harvester.store.records import batches
from harvester.store.schema import quarantine, sources


class Entry(msgspec.Struct, frozen=True):
    """`body` as in `records.Refused`; `since` when it was put there."""

    id: int
    source: str
    identifier: str
    datestamp: str
    sets: tuple[str, ...]
    since: str
    reason: str
    body: bytes


_decode_sets = msgspec.json.Decoder(tuple[str, ...]).decode


def entries(
    connection: Connection, source: str = "", after: int = 0, limit: int | None = None
) -> Iterator[Entry]:
    """Of one source or of all, in the order in which they came, those behind row `after`."""
    query = (
        sa.select(quarantine, sources.c.name)
        .join(sources)
        .where(quarantine.c.id > after, *_of(source))
        .order_by(quarantine.c.id)
        .limit(limit)
    )
    for row in connection.execution_options(yield_per=100).execute(query):
        yield Entry(
            row.id, row.name, row.identifier, row.datestamp, _decode_sets(row.sets), row.since, row.reason,
            decompress(row.body),
        )  # fmt: skip


def reasons(connection: Connection, source: str = "") -> list[tuple[str, str, int]]:
    """(source, reason, how many), the commonest first."""
    count = sa.func.count().label("count")
    query = (
        sa.select(sources.c.name, quarantine.c.reason, count)
        .join_from(quarantine, sources)
        .where(*_of(source))
        .group_by(sources.c.name, quarantine.c.reason)
        .order_by(count.desc(), sources.c.name, quarantine.c.reason)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def identifiers(connection: Connection, source: str, reason: str, most: int) -> list[str]:
    """Of some that are there for this reason; "" where one has none."""
    query = (
        sa.select(quarantine.c.identifier).join(sources).where(quarantine.c.reason == reason, *_of(source))
    )
    return list(connection.scalars(query.order_by(quarantine.c.id).limit(most)))


def holds(connection: Connection, source: str, identifier: str) -> bool:
    query = sa.select(quarantine.c.id).join(sources)
    return bool(connection.scalar(query.where(quarantine.c.identifier == identifier, *_of(source)).limit(1)))


def drop(connection: Connection, ids: Sequence[int]) -> None:
    for some in batches(ids):
        connection.execute(sa.delete(quarantine).where(quarantine.c.id.in_(some)))


def give_reasons(connection: Connection, new: Mapping[int, str]) -> None:
    """By row. The rows stay, with their bytes and since when they are there."""
    if new:
        told = sa.update(quarantine).where(quarantine.c.id == sa.bindparam("row"))
        rows = [{"row": row, "new_reason": reason} for row, reason in new.items()]
        connection.execute(told.values(reason=sa.bindparam("new_reason")), rows)


def _of(source: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (sources.c.name == source,) if source else ()
