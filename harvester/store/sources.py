"""What is harvested: how far, how many records, and whether its request is still the same.

A removed source is none: only its row stays, for the tombstones that followers have still to see, and for
the fence, which must not begin anew. `ensure` makes a source of it again.
"""

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.fault_point import fault_point
from harvester.store import schema
from harvester.store.schema import sources


class Dates:
    """What a repository makes of from and until, where it is not what section 2.7.1 says."""

    DAYS = "days"  # refuses seconds, whatever Identify says
    REFUSED = "refused"
    IGNORED = "ignored"


class SourceState(msgspec.Struct, frozen=True):
    """`watermark` is a datestamp in seconds or None; `live` and `tombstones` count records.

    `gap` is how many seconds the last run left between two requests, because the host was busy; `held` how
    many tombstones it did not believe. `echo` tells whether a run brought what the last one did.
    `audited` and `read_whole` are moments in seconds, or None. `failures` counts the runs in a row that
    brought nothing, since `failing_since` (a moment, or "").
    """

    id: int
    name: str
    watermark: str | None
    last_full: int | None
    doubted: bool
    live: int
    tombstones: int
    quarantined: int
    gap: float = 0.0
    held: int = 0
    dates: str = ""
    echo: str = ""
    audited: str | None = None
    read_whole: str | None = None
    failures: int = 0
    failing_since: str = ""


def ensure(connection: Connection, name: str, fingerprint: str) -> SourceState:
    """A source whose request changed forgets its watermark: what lay before it was another list's."""
    anew = {
        "fingerprint": fingerprint,
        "watermark": None,
        "last_full": None,
        "doubted": False,
        "removed": None,
        "held": 0,
        "dates": "",
        "echo": "",
        "audited": None,
        "read_whole": None,
        "failures": 0,
        "failing_since": "",
    }
    known = connection.execute(sa.select(sources).where(sources.c.name == name)).one_or_none()
    if known is None:
        connection.execute(sa.insert(sources), {"name": name, "fingerprint": fingerprint})
    elif known.removed or known.fingerprint != fingerprint:
        connection.execute(sa.update(sources).where(sources.c.id == known.id).values(anew))
    state = get(connection, name)
    assert state is not None
    return state


def get(connection: Connection, name: str) -> SourceState | None:
    return next(iter(_states(connection, sources.c.name == name)), None)


def every(connection: Connection) -> list[SourceState]:
    return _states(connection, sa.true())


def _states(connection: Connection, those: sa.ColumnElement[bool]) -> list[SourceState]:
    in_quarantine = (
        sa.select(sa.func.count())
        .where(schema.quarantine.c.source_id == sources.c.id)
        .scalar_subquery()
        .label("quarantined")
    )
    query = sa.select(sources, in_quarantine).where(sources.c.removed.is_(None), those)
    return [
        SourceState(
            row.id, row.name, row.watermark, row.last_full, row.doubted, row.live, row.tombstones,
            row.quarantined, row.gap, row.held, row.dates, row.echo, row.audited, row.read_whole,
            row.failures, row.failing_since,
        )
        for row in connection.execute(query.order_by(sources.c.name))
    ]  # fmt: skip


def removed_since(connection: Connection, name: str) -> str | None:
    """When a source was removed that is none now."""
    return connection.scalar(sa.select(sources.c.removed).where(sources.c.name == name))


def row_of(connection: Connection, name: str) -> int | None:
    """Of a removed source, too."""
    return connection.scalar(sa.select(sources.c.id).where(sources.c.name == name))


def remove(connection: Connection, source_id: int, now: str) -> None:
    """All but its tombstones, which its live records have become before."""
    runs = sa.select(schema.harvests.c.id).where(schema.harvests.c.source_id == source_id)
    connection.execute(sa.delete(schema.listed).where(schema.listed.c.harvest_id.in_(runs)))
    for table in (schema.harvests, schema.quarantine):
        connection.execute(sa.delete(table).where(table.c.source_id == source_id))
    nothing = {"watermark": None, "last_full": None, "doubted": False, "removed": now, "renormalising": None}
    connection.execute(sa.update(sources).where(sources.c.id == source_id).values(nothing))


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the end of a harvest changes of its source; None leaves a value as it is."""

    watermark: str | None = None
    last_full: int | None = None
    gap: float | None = None
    audited: str | None = None
    read_whole: str | None = None
    doubted: bool
    held: int
    dates: str
    echo: str | None = None
    failures: int = 0
    failing_since: str = ""


def settle(connection: Connection, source_id: int, outcome: Outcome) -> None:
    changed = {name: value for name, value in msgspec.structs.asdict(outcome).items() if value is not None}
    fault_point("watermark about to be written")
    connection.execute(sa.update(sources).where(sources.c.id == source_id).values(changed))
    fault_point("watermark written")
