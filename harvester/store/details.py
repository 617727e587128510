"""Which records want their detail: those whose datestamp is not the one that it was asked for.

Tries in vain are counted, so that one record that cannot be had does not keep the others from us.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.store.schema import records, sources

_MOST_TRIES = 3


def waiting(connection: Connection, source_id: int) -> list[int]:
    """Their rows: those asked for least often first."""
    query = sa.select(records.c.id).where(*_is_waiting([source_id]))
    return list(connection.scalars(query.order_by(records.c.detail_tries, records.c.id)))


def waiting_count(connection: Connection, source_id: int) -> int:
    return waiting_counts(connection, [source_id]).get(source_id, 0)


def waiting_counts(connection: Connection, source_ids: Sequence[int]) -> dict[int, int]:
    """By source: of those where any waits."""
    query = sa.select(records.c.source_id, sa.func.count()).where(*_is_waiting(source_ids))
    return {row[0]: row[1] for row in connection.execute(query.group_by(records.c.source_id))}


def _is_waiting(source_ids: Sequence[int]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        records.c.source_id.in_(source_ids),
        records.c.deleted.is_(False),
        records.c.detail_of.is_distinct_from(records.c.datestamp),
    )


def settle(connection: Connection, rows: Sequence[int]) -> None:
    """Not asked for again until the record changes."""
    if rows:
        connection.execute(_SETTLE, [{"row": row} for row in rows])


def postpone(connection: Connection, row: int) -> bool:
    """Behind all others in the next run. Whether it was the last try: then it is settled."""
    connection.execute(_POSTPONE, {"row": row})
    tries = connection.scalar(sa.select(records.c.detail_tries).where(records.c.id == row)) or 0
    if tries >= _MOST_TRIES:
        settle(connection, [row])
    return tries >= _MOST_TRIES


_MINE = records.c.id == sa.bindparam("row")
_SETTLE = sa.update(records).where(_MINE).values(detail_of=records.c.datestamp, detail_tries=0)
_POSTPONE = sa.update(records).where(_MINE).values(detail_tries=records.c.detail_tries + 1)


def way(connection: Connection, source_id: int) -> str:
    """The one that was open last, or ""."""
    return connection.scalar(sa.select(sources.c.detail_way).where(sources.c.id == source_id)) or ""


def keep_way(connection: Connection, source_id: int, way: str) -> None:
    connection.execute(sa.update(sources).where(sources.c.id == source_id).values(detail_way=way))
