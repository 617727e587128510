"""What somebody is to be told: kept until it was, so that no crash and no mail server swallows it."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.store.schema import notices

_KEPT = 10_000


class Kind(StrEnum):
    FAILING = "failing"
    RECOVERED = "recovered"
    HELD = "held"
    QUARANTINE = "quarantine"
    TEST = "test"  # never stored


class Way(StrEnum):
    """How they go out; each way has its own column of when."""

    WEBHOOK = "posted"
    EMAIL = "mailed"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """`at` is a moment in seconds UTC; `id` is the store's."""

    at: str
    source: str
    kind: Kind
    message: str
    advice: str = ""
    id: int = 0


def add(connection: Connection, new: Iterable[Notice]) -> None:
    rows = [{**msgspec.structs.asdict(notice), "id": None} for notice in new]
    if rows:
        connection.execute(sa.insert(notices), rows)


def is_failing(connection: Connection, source: str) -> bool:
    """Is that the last that there was to tell of it?"""
    of_its_state = notices.c.kind.in_((Kind.FAILING, Kind.RECOVERED))
    query = sa.select(notices.c.kind).where(notices.c.source == source, of_its_state)
    return connection.scalar(query.order_by(notices.c.id.desc()).limit(1)) == Kind.FAILING


def untold(connection: Connection, way: Way, limit: int = 1000) -> list[Notice]:
    """The oldest first."""
    query = sa.select(notices).where(notices.c[way].is_(None)).order_by(notices.c.id).limit(limit)
    return [
        Notice(
            at=row.at,
            source=row.source,
            kind=Kind(row.kind),
            message=row.message,
            advice=row.advice,
            id=row.id,
        )
        for row in connection.execute(query)
    ]


def last_told(connection: Connection, way: Way) -> str | None:
    """When anybody was told anything this way."""
    return connection.scalar(sa.select(sa.func.max(notices.c[way]))) or None


def told(connection: Connection, those: Sequence[Notice], way: Way, at: str) -> None:
    """`at` is "" where nobody wants to be told this way. Of those that are done with, the last are kept."""
    ids = [notice.id for notice in those]
    connection.execute(sa.update(notices).where(notices.c.id.in_(ids)).values({way: at}))
    done_with = sa.and_(*(notices.c[each].is_not(None) for each in Way))
    last = sa.select(sa.func.max(notices.c.id)).scalar_subquery()
    connection.execute(sa.delete(notices).where(done_with, notices.c.id <= last - _KEPT))
