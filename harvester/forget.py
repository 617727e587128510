"""Clear a record here and keep it from coming back, whatever its repository goes on to send."""

from sqlalchemy.engine import Connection

from harvester.clock import Clock
from harvester.datestamp import format_datestamp
from harvester.errors import NotFound
from harvester.store import Store, forgetting, leases, quarantine, records, sources


def forget(id: str, store: Store, clock: Clock) -> None:
    """By its full id; what is only in quarantine can be forgotten too.

    SourceBusy while the source is harvested: a page that is being made up would write over it.
    """
    source, identifier = _split(id, store)
    with leases.holding(store, source, clock) as writing, writing() as connection:
        forgetting.forget(connection, _row(connection, source), identifier, format_datestamp(clock.now()))


def undo(id: str, store: Store, clock: Clock) -> None:
    """Lets it come back, the next time that it is delivered."""
    source, identifier = _split(id, store)
    with leases.holding(store, source, clock) as writing, writing() as connection:
        forgetting.undo(connection, _row(connection, source), identifier)


def _split(id: str, store: Store) -> tuple[str, str]:
    source, _, identifier = id.partition("/")
    with store.read() as connection:
        if records.get(connection, id) is None and not quarantine.holds(connection, source, identifier):
            raise NotFound(f"there is no record {id}", "`windrow search` shows ids, `windrow quarantine` too")
    return source, identifier


def _row(connection: Connection, source: str) -> int:
    row = sources.row_of(connection, source)
    assert row is not None, "a record has a source"
    return row
