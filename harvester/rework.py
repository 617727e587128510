"""What the store has kept, gone through again: one source, under its lease; its bytes read as of a list."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from xml.sax.saxutils import quoteattr

import msgspec
from sqlalchemy.engine import Connection

from harvester.clock import Clock
from harvester.errors import NotFound
from harvester.oai.elements import OAI
from harvester.oai.items import Item
from harvester.oai.response import read_page
from harvester.store import Store, leases, sources

_NAMESPACE = OAI.strip("{}")
_PREFIX = re.compile(rb"<([A-Za-z_][\w.-]*):record[\s>]")


class Desk(msgspec.Struct, frozen=True):
    """`writing()` is a transaction of the lease's holder."""

    source: str
    source_id: int
    store: Store
    writing: Callable[[], AbstractContextManager[Connection]]
    clock: Clock


@contextmanager
def at_desk(source: str, store: Store, clock: Clock) -> Iterator[Desk]:
    """SourceBusy while the source is harvested; NotFound."""
    with store.read() as connection:
        state = sources.get(connection, source)
    if state is None:
        raise NotFound(f"there is no source {source}", "`windrow status` lists them")
    with leases.holding(store, source, clock) as writing:
        yield Desk(source, state.id, store, writing, clock)


def as_sent(record: bytes, bound: Mapping[str, str] | None = None) -> Item | None:
    """A whole record in a page of its own, that what mends a page may mend it. None where it is not just one.

    `bound` are prefixes that its own page had bound for it.
    """
    items = read_page(_page(record, bound or {}), "ListRecords").items
    return items[0] if len(items) == 1 else None


def _page(record: bytes, bound: Mapping[str, str]) -> bytes:
    """With the prefix bound that its own page had for OAI-PMH's elements."""
    match = _PREFIX.match(record)
    prefixes = {**bound, **({match[1].decode("ascii", "replace"): _NAMESPACE} if match else {})}
    names = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in prefixes.items())
    head = f'<OAI-PMH xmlns="{_NAMESPACE}"{names}><ListRecords>'.encode()
    return head + record + b"</ListRecords></OAI-PMH>"
