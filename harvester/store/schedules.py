"""When each source is due next. It is reckoned anew where its schedule, or its last run, is another one."""

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.store.schema import schedules


class Due(msgspec.Struct, frozen=True):
    """`schedule` and `run` are what `due`, a moment in seconds UTC, was reckoned from."""

    source: str
    schedule: str
    run: str
    due: str


def every(connection: Connection) -> dict[str, Due]:
    """By source."""
    return {row.source: Due(row.source, row.schedule, row.run, row.due) for row in connection.execute(_ALL)}


_ALL = sa.select(schedules)


def put(connection: Connection, dues: Iterable[Due]) -> None:
    rows = [msgspec.structs.asdict(due) for due in dues]
    names = [row["source"] for row in rows]
    connection.execute(sa.delete(schedules).where(schedules.c.source.in_(names)))
    if rows:
        connection.execute(sa.insert(schedules), rows)


def forget(connection: Connection, names: Iterable[str]) -> None:
    """Of sources that have no schedule any more."""
    connection.execute(sa.delete(schedules).where(schedules.c.source.in_(list(names))))
