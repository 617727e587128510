"""Take a source away: out of config.toml, its records, their XML, its quarantine and its harvests.

lease ─▶ config.toml ─▶ tombstones, a batch at a time ─▶ the rest; the source's row is marked as removed

Decided: nothing leaves the feed. Each record becomes a tombstone at a new position, so that every follower,
however far behind, is told of each deletion; the tombstones stay for good, under the id of the source that
was, as those of any deletion do. A source of that name that is added again takes over the row: it has no
watermark and no past, and what it delivers is created, whatever tombstone lies there. What a person has
forgotten (`windrow forget`) stays forgotten even so.

config.toml comes first, that no scheduled harvest may bring back what is being taken away. After a kill
anywhere, what is left is a source without settings that can be used and checked, and removed again.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from harvester.clock import Clock
from harvester.config_file import remove_source
from harvester.datestamp import format_datestamp
from harvester.fault_point import fault_point
from harvester.store import Store, leases, records, sources

_BATCH = 1000


class Removed(msgspec.Struct, frozen=True):
    """`records` were live; `configured`: config.toml had it."""

    source: str
    records: int
    configured: bool


def remove(
    source: str,
    config: Path,
    store: Store,
    clock: Clock,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> Removed:
    """SourceBusy, or ConfigError where config.toml cannot be written: then nothing is changed."""
    with store.read() as connection:
        state = sources.get(connection, source)
    if state is None:
        return Removed(source, 0, remove_source(config, source))
    removed = 0
    with leases.holding(store, source, clock) as writing:
        configured = remove_source(config, source)
        while True:
            fault_point("removal half done")
            with writing() as connection:
                done = records.bury(connection, state.id, _BATCH)
            if not done:
                break
            removed += done
            on_progress(done)
        with writing() as connection:
            sources.remove(connection, state.id, format_datestamp(clock.now()))
    return Removed(source, removed, configured)
