"""The identifiers of a ListIdentifiers pass, held against the records of its source, in flat memory."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.fault_point import fault_point
from harvester.store.records import Known, batches
from harvester.store.schema import listed, quarantine, records


def add(connection: Connection, harvest_id: int, headers: Sequence[tuple[str, bool]]) -> None:
    """(identifier, deleted) of a page; where a list repeats an identifier, live wins."""
    for some in batches(headers):
        _add(connection, harvest_id, some)


def _add(connection: Connection, harvest_id: int, headers: Sequence[tuple[str, bool]]) -> None:
    rows = dict(sorted(headers, key=lambda header: not header[1]))
    mine = listed.c.harvest_id == harvest_id
    earlier = connection.execute(
        sa.select(listed.c.identifier, listed.c.deleted).where(mine, listed.c.identifier.in_(list(rows)))
    ).all()
    if earlier:
        connection.execute(sa.delete(listed).where(mine, listed.c.identifier.in_(list(rows))))
        rows |= {identifier: False for identifier, deleted in earlier if not deleted}
    connection.execute(
        sa.insert(listed),
        [{"harvest_id": harvest_id, "identifier": name, "deleted": gone} for name, gone in rows.items()],
    )
    fault_point("listed identifiers written")


def clear(connection: Connection, harvest_id: int) -> None:
    connection.execute(sa.delete(listed).where(listed.c.harvest_id == harvest_id))


def missing(connection: Connection, harvest_id: int, source_id: int, limit: int) -> list[str]:
    """Listed as live, but neither live nor forgotten in the store, nor in quarantine."""
    here = sa.select(records.c.id).where(
        records.c.source_id == source_id,
        records.c.identifier == listed.c.identifier,
        records.c.deleted.is_(False) | records.c.forgotten.is_not(None),
    )
    refused = sa.select(quarantine.c.id).where(
        quarantine.c.source_id == source_id, quarantine.c.identifier == listed.c.identifier
    )
    query = sa.select(listed.c.identifier).where(
        listed.c.harvest_id == harvest_id, listed.c.deleted.is_(False), ~here.exists(), ~refused.exists()
    )
    return list(connection.execute(query.limit(limit)).scalars())


def vanished_count(connection: Connection, harvest_id: int, source_id: int) -> int:
    query = sa.select(sa.func.count()).select_from(records).where(*_vanished(harvest_id, source_id))
    return connection.scalar(query) or 0


def vanished(
    connection: Connection, harvest_id: int, source_id: int, after: int, limit: int
) -> list[tuple[str, Known]]:
    """Live records that the list no longer has (absent, or listed as deleted), by id after `after`."""
    query = (
        sa.select(
            records.c.identifier, records.c.id, records.c.datestamp, records.c.deleted, records.c.sets,
            records.c.content_hash,
        )
        .where(*_vanished(harvest_id, source_id), records.c.id > after)
        .order_by(records.c.id)
        .limit(limit)
    )  # fmt: skip
    return [(row[0], Known(*row[1:])) for row in connection.execute(query)]


def _vanished(harvest_id: int, source_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    in_list = sa.select(listed.c.identifier).where(
        listed.c.harvest_id == harvest_id,
        listed.c.identifier == records.c.identifier,
        listed.c.deleted.is_(False),
    )
    return records.c.source_id == source_id, records.c.deleted.is_(False), ~in_list.exists()
