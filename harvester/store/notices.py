"""What somebody is to be told: kept until it was, so that no crash and no mail server swallows it."""

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.store.schema import notices

_KEPT = 10_000


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """`at` is a moment in seconds UTC; `kind` is one of `harvester.noticing.KINDS`; `id` is the store's."""

    at: str
    source: str
    kind: str
    message: str
    advice: str = ""
    id: int = 0


def add(connection: Connection, new: Iterable[Notice]) -> None:
    rows = [{**msgspec.structs.asdict(notice), "id": None} for notice in new]
    if rows:
        connection.execute(sa.insert(notices), rows)


def untold(connection: Connection, limit: int = 1000) -> list[Notice]:
    """The oldest first."""
    query = sa.select(notices).where(notices.c.sent.is_(None)).order_by(notices.c.id).limit(limit)
    return [
        Notice(at=row.at, source=row.source, kind=row.kind, message=row.message, advice=row.advice, id=row.id)
        for row in connection.execute(query)
    ]


def last_told(connection: Connection) -> str | None:
    """When anybody was told anything."""
    latest: str | None = connection.scalar(sa.select(sa.func.max(notices.c.sent)))
    return latest


def told(connection: Connection, those: Sequence[Notice], at: str) -> None:
    """Only the last so many that were told are kept."""
    ids = [notice.id for notice in those]
    connection.execute(sa.update(notices).where(notices.c.id.in_(ids)).values(sent=at))
    last = sa.select(sa.func.max(notices.c.id)).scalar_subquery()
    connection.execute(sa.delete(notices).where(notices.c.sent.is_not(None), notices.c.id <= last - _KEPT))
