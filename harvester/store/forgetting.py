"""Records that are not to be kept here: tombstones with a mark, which nothing delivered replaces."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.store import records as store
from harvester.store.records import Known, Write
from harvester.store.schema import records, sources


def forget(connection: Connection, source_id: int, identifier: str, now: str) -> None:
    """As a deletion clears, quarantine too. Last in a transaction: it takes the lock for the append."""
    store.clear_quarantine(connection, source_id, [identifier])
    known = store.known(connection, source_id, [identifier]).get(identifier)
    if known is None or not known.deleted:
        store.write(connection, source_id, store.pack([_tombstone(identifier, known)]))
    _mark(connection, source_id, identifier, now)


def undo(connection: Connection, source_id: int, identifier: str) -> None:
    """It stays a tombstone until it is delivered again."""
    _mark(connection, source_id, identifier, None)


def since(connection: Connection, id: str) -> str | None:
    """When a record, by its full id, was forgotten here."""
    source, _, identifier = id.partition("/")
    query = (
        sa.select(records.c.forgotten)
        .join(sources)
        .where(sources.c.name == source, records.c.identifier == identifier)
    )
    return connection.scalar(query)


def _mark(connection: Connection, source_id: int, identifier: str, now: str | None) -> None:
    mine = (records.c.source_id == source_id) & (records.c.identifier == identifier)
    connection.execute(sa.update(records).where(mine).values(forgotten=now))


def _tombstone(identifier: str, known: Known | None) -> Write:
    datestamp = known.datestamp if known else ""
    return Write(identifier, datestamp, sets="[]", deleted=True, moves=True, known=known)
