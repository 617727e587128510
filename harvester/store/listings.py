"""The identifiers of a ListIdentifiers pass, held against the records of its source, in flat memory."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.fault_point import fault_point
from harvester.store.records import Known, batches
from harvester.store.schema import harvests, listed, quarantine, records


class Listed(msgspec.Struct, frozen=True):
    """A header of the pass. `datestamp` as sent."""

    identifier: str
    datestamp: str = ""
    deleted: bool = False


class Spread(msgspec.Struct, frozen=True):
    """Of the missing: their first and middle datestamps, and the ones that lie next to the middle.

    `before` is how many of all that are listed come before the first. "" where there is none.
    """

    first: str
    below: str
    middle: str
    before: int


def add(connection: Connection, harvest_id: int, headers: Sequence[Listed]) -> None:
    """Of a page; where a list repeats an identifier, live wins."""
    for some in batches(headers):
        _add(connection, harvest_id, some)


def _add(connection: Connection, harvest_id: int, headers: Sequence[Listed]) -> None:
    rows = {header.identifier: header for header in sorted(headers, key=lambda header: not header.deleted)}
    mine = listed.c.harvest_id == harvest_id
    named = listed.c.identifier.in_(list(rows))
    earlier = connection.execute(
        sa.select(listed.c.identifier, listed.c.datestamp, listed.c.deleted).where(mine, named)
    ).all()
    if earlier:
        connection.execute(sa.delete(listed).where(mine, named))
        rows |= {row[0]: Listed(*row) for row in earlier if not row.deleted}
    connection.execute(
        sa.insert(listed),
        [{"harvest_id": harvest_id, **msgspec.structs.asdict(row)} for row in rows.values()],
    )
    fault_point("listed identifiers written")


def clear(connection: Connection, harvest_id: int) -> None:
    connection.execute(sa.delete(listed).where(listed.c.harvest_id == harvest_id))


def missing(
    connection: Connection, harvest_id: int, source_id: int, limit: int, after: str = ""
) -> list[Listed]:
    """By identifier after `after`: see `_missing`."""
    query = (
        sa.select(listed.c.identifier, listed.c.datestamp, listed.c.deleted)
        .where(*_missing(harvest_id, source_id), listed.c.identifier > after)
        .order_by(listed.c.identifier)
        .limit(limit)
    )
    return [Listed(*row) for row in connection.execute(query)]


def missing_count(connection: Connection, harvest_id: int, source_id: int) -> int:
    query = sa.select(sa.func.count()).select_from(listed).where(*_missing(harvest_id, source_id))
    return connection.scalar(query) or 0


def spread(connection: Connection, harvest_id: int, source_id: int, count: int) -> Spread:
    """`count` is how many are missing: at least one."""
    missed = _missing(harvest_id, source_id)
    by_date = sa.select(listed.c.datestamp).where(*missed).order_by(listed.c.datestamp)
    first = connection.execute(by_date.limit(1)).scalar_one()
    middle = connection.execute(by_date.offset(count // 2).limit(1)).scalar_one()
    if middle == first:  # most share one datestamp: the next one divides
        middle = connection.scalar(by_date.where(listed.c.datestamp > first).limit(1)) or ""
    below = sa.select(sa.func.max(listed.c.datestamp)).where(*missed, listed.c.datestamp < middle)
    before = sa.select(sa.func.count()).where(listed.c.harvest_id == harvest_id, listed.c.datestamp < first)
    return Spread(first, connection.scalar(below) or "", middle, connection.scalar(before) or 0)


def _missing(harvest_id: int, source_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Listed as live, but neither stored as it is listed, nor forgotten, nor in quarantine.

    What is listed as older than what is stored is not missed: it was changed since, or comes from a cache.
    """
    here = sa.select(records.c.id).where(
        records.c.source_id == source_id,
        records.c.identifier == listed.c.identifier,
        (records.c.deleted.is_(False) & (records.c.datestamp >= listed.c.datestamp))
        | records.c.forgotten.is_not(None),
    )
    return (
        listed.c.harvest_id == harvest_id,
        listed.c.deleted.is_(False),
        ~here.exists(),
        ~_refused(harvest_id, source_id),
    )


def _refused(harvest_id: int, source_id: int) -> sa.Exists:
    """What could not be fetched is asked for again, but not twice in a run."""
    started = sa.select(harvests.c.started).where(harvests.c.id == harvest_id).scalar_subquery()
    return (
        sa.select(quarantine.c.id)
        .where(
            quarantine.c.source_id == source_id,
            quarantine.c.identifier == listed.c.identifier,
            quarantine.c.unfetched.is_(False) | (quarantine.c.since >= started),
        )
        .exists()
    )


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


def leaves_out(connection: Connection, harvest_id: int, source_id: int, from_: str, until: str) -> bool:
    """Are there live records between these datestamps, as written, that are not listed?"""
    dated = [records.c.datestamp >= from_]
    if until:
        dated.append(sa.func.substr(records.c.datestamp, 1, len(until)) <= until)
    found = sa.select(records.c.id).where(*_vanished(harvest_id, source_id), *dated).limit(1)
    return connection.scalar(found) is not None


def buried(connection: Connection, harvest_id: int, source_id: int, limit: int, after: str) -> list[Listed]:
    """Listed as deleted, by identifier after `after`, and live here: tombstones that never reached us."""
    query: sa.Select[Any] = (
        sa.select(listed.c.identifier, listed.c.datestamp, listed.c.deleted)
        .join(records, records.c.identifier == listed.c.identifier)
        .where(
            listed.c.harvest_id == harvest_id,
            listed.c.deleted.is_(True),
            listed.c.identifier > after,
            records.c.source_id == source_id,
            records.c.deleted.is_(False),
        )
        .order_by(listed.c.identifier)
        .limit(limit)
    )
    return [Listed(*row) for row in connection.execute(query)]
