"""The change feed: each record once, in order of its last change."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.record import Record
from harvester.store.records import select_records, with_header
from harvester.store.schema import feed, records


class Change(msgspec.Struct, frozen=True, gc=False):
    """A record, or a tombstone (`record.deleted`), at its position in the feed.

    `added` is the position at which it was first stored.
    """

    position: int
    record: Record
    added: int


def changes(connection: Connection, since: int, limit: int) -> list[Change]:
    """Up to `limit` changes after position `since`, oldest first."""
    query = select_records().add_columns(records.c.id).where(records.c.position > since)
    rows = connection.execute(query.order_by(records.c.position).limit(limit))
    return [Change(row[0], with_header(row[:-1]), row[-1]) for row in rows]


def head(connection: Connection) -> int:
    """The last position given out; a follower there has seen everything."""
    return connection.scalar(sa.select(feed.c.position)) or 0


def lag(connection: Connection, since: int) -> int:
    """How many changes a follower at `since` has still to see."""
    return connection.scalar(sa.select(sa.func.count()).where(records.c.position > since)) or 0
