"""When positions were given out, to the minute: what tells since when a record is here."""

from bisect import bisect_left
from datetime import datetime, timedelta
from operator import itemgetter

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.datestamp import format_datestamp, parse_datestamp
from harvester.store.schema import feed, moments

_APART = timedelta(minutes=1)

Moment = tuple[int, str]  # a position, and the time at which it was the last one given out


def note(connection: Connection, now: datetime) -> None:
    """Before a page's records are written: the positions that follow are given out from `now` on."""
    last = connection.execute(_LAST).first()
    if last is not None and not _is_over(last.at, now):
        return
    row = {"position": connection.scalar(sa.select(feed.c.position)) or 0, "at": format_datestamp(now)}
    if last is not None and last.position == row["position"]:
        connection.execute(sa.update(moments).where(moments.c.position == last.position), row)
    else:
        connection.execute(sa.insert(moments), row)


_LAST = sa.select(moments).order_by(moments.c.position.desc()).limit(1)


def _is_over(at: str, now: datetime) -> bool:
    last = parse_datestamp(at)
    return last is None or now - last > _APART


def since(connection: Connection, position: int) -> list[Moment]:
    """Those at and after `position`, in order."""
    query = sa.select(moments).where(moments.c.position >= position).order_by(moments.c.position)
    return [(row.position, row.at) for row in connection.execute(query)]


def came(known: list[Moment], position: int, datestamp: str) -> str:
    """When `position` was given out, within a minute; before any moment is known, the record's datestamp."""
    at = bisect_left(known, position, key=itemgetter(0))
    if at:
        return known[at - 1][1]
    return min(datestamp, known[0][1]) if known and datestamp else datestamp
