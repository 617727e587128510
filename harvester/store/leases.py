"""One harvest per source at a time: a lease that expires, with a fencing number.

The number goes up with each holder. Each page's transaction checks it, so a process that was
stopped past its lease and wakes up again cannot write.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from weakref import WeakValueDictionary

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.clock import Clock
from harvester.errors import LeaseLost, SourceBusy
from harvester.fault_point import fault_point
from harvester.processes import began, is_alive
from harvester.store.database import Store
from harvester.store.schema import sources

SECONDS = 300.0


class Lease(msgspec.Struct, frozen=True, weakref=True):
    source_id: int
    source: str
    fence: int


# A run that an interrupt ends just before it can give its lease back leaves none behind in a process that
# lives on: nobody refers to it any more.
_ours: WeakValueDictionary[tuple[str, int, int], Lease] = WeakValueDictionary()


def _key(connection: Connection, source_id: int, fence: int) -> tuple[str, int, int]:
    return str(connection.engine.url), source_id, fence


def refuse_busy(connection: Connection, source: str, now: datetime) -> None:
    """SourceBusy while another run that may still be alive holds it."""
    found = connection.execute(sa.select(sources).where(sources.c.name == source)).one_or_none()
    if found is None or not found.lease_holder or found.lease_expires <= now.timestamp():
        return
    if _may_be_alive(found.lease_holder, _key(connection, found.id, found.fence)):
        until = datetime.fromtimestamp(found.lease_expires, UTC)
        raise SourceBusy(
            f"{source} is being harvested by {_described(found.lease_holder)}",
            f"wait for it to end; if it is gone, the source is free again at {until:%H:%M} UTC",
        )


def held(connection: Connection, now: datetime) -> dict[str, str]:
    """Source → its holder in words, where one may still be at work."""
    rows = connection.execute(sa.select(sources).where(sources.c.lease_expires > now.timestamp()))
    return {
        row.name: _described(row.lease_holder)
        for row in rows
        if row.lease_holder and _may_be_alive(row.lease_holder, _key(connection, row.id, row.fence))
    }


def take(connection: Connection, source: str, now: datetime) -> Lease:
    """SourceBusy as `refuse_busy`. The lease ends with the last reference to it, if not before."""
    refuse_busy(connection, source, now)
    found = connection.execute(sa.select(sources).where(sources.c.name == source)).one()
    lease = Lease(found.id, source, found.fence + 1)
    _ours[_key(connection, found.id, lease.fence)] = lease
    held = {"lease_holder": _me(), "lease_expires": now.timestamp() + SECONDS, "fence": lease.fence}
    connection.execute(sa.update(sources).where(sources.c.id == found.id).values(held))
    fault_point("lease taken")
    return lease


def renew(connection: Connection, lease: Lease, now: datetime) -> None:
    """Call it first in each transaction of the holder. LeaseLost when another took over."""
    held = {"mine": lease.source_id, "fenced": lease.fence, "expires": now.timestamp() + SECONDS}
    if connection.execute(_RENEW, held).rowcount != 1:
        raise _lost(lease)
    fault_point("lease renewed")


_RENEW = (
    sa.update(sources)
    .where(sources.c.id == sa.bindparam("mine"), sources.c.fence == sa.bindparam("fenced"))
    .values(lease_expires=sa.bindparam("expires"))
)


def give_back(connection: Connection, lease: Lease) -> None:
    mine = (sources.c.id == lease.source_id) & (sources.c.fence == lease.fence)
    free = sa.update(sources).where(mine).values(lease_holder=None, lease_expires=None)
    if connection.execute(free).rowcount != 1:
        raise _lost(lease)


@contextmanager
def holding(
    store: Store, source: str, clock: Clock
) -> Iterator[Callable[[], AbstractContextManager[Connection]]]:
    """The lease, for what is no harvest; gives the transactions of its holder. SourceBusy, LeaseLost."""
    with store.write() as connection:
        lease = take(connection, source, clock.now())

    @contextmanager
    def writing() -> Iterator[Connection]:
        with store.write() as connection:
            renew(connection, lease, clock.now())
            yield connection

    try:
        yield writing
    finally:
        with suppress(LeaseLost), store.write() as connection:
            give_back(connection, lease)


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(
        f"another process has taken over the harvest of {lease.source}",
        "nothing is lost: it goes on from the last stored page",
    )


def _me() -> str:
    return f"{os.getpid()} {began():.2f} {socket.gethostname()}"


def _may_be_alive(holder: str, key: tuple[str, int, int]) -> bool:
    """A holder on this machine that is gone needs no waiting for; its number may be another's by now."""
    if holder == _me():
        return key in _ours
    pid, started, host = holder.split(" ", 2)
    if host != socket.gethostname():
        return True
    return is_alive(int(pid), float(started))


def _described(holder: str) -> str:
    pid, _, host = holder.split(" ", 2)
    return f"process {pid} on {host}"
