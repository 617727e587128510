"""The index while another process writes it: what is wanted of it is done by that one, or in our turn."""

from collections.abc import Callable
from typing import TypeVar

from harvester.clock import Clock
from harvester.errors import IndexBusy, IndexFault
from harvester.store import Store
from harvester.store import changes as feed
from index.generations import Generations
from index.sync import Synced, rebuild, sync

T = TypeVar("T")
Counting = Callable[[int], None]

_GLANCE = 0.2  # seconds
_PATIENCE = 120.0  # seconds, with a writer of whom nothing is seen


def sync_in_turn(
    store: Store,
    generations: Generations,
    engine: str,
    clock: Clock,
    on_progress: Counting = lambda _done: None,
    on_wait: Callable[[], None] = lambda: None,
) -> Synced:
    """As `sync`; what is stored now may be taken in by another process, which is waited for.

    `on_wait` is called once, where that is so. IndexBusy only where the other makes no progress for minutes.
    """
    with store.read() as connection:
        head = feed.head(connection)

    def taken_in() -> Synced | None:
        try:
            at = generations.position()
        except IndexFault:  # it is only just making it
            return None
        is_there = (at.store_id, at.engine) == (store.id, engine) and at.position >= head
        return Synced(at.position) if is_there else None

    return _in_turn(
        lambda: sync(store, generations, engine, on_progress), taken_in, generations, clock, on_wait
    )


def rebuild_in_turn(
    store: Store,
    generations: Generations,
    engine: str,
    clock: Clock,
    on_progress: Counting = lambda _done: None,
    on_wait: Callable[[], None] = lambda: None,
) -> Synced:
    """As `rebuild`, after that of another process. `on_wait` and IndexBusy as with `sync_in_turn`."""
    return _in_turn(
        lambda: rebuild(store, generations, engine, on_progress), lambda: None, generations, clock, on_wait
    )


def _in_turn(
    work: Callable[[], T],
    done_by_another: Callable[[], T | None],
    generations: Generations,
    clock: Clock,
    on_wait: Callable[[], None],
) -> T:
    seen: object = None
    since = clock.monotonic()
    while True:
        try:
            return work()
        except IndexBusy:
            if (done := done_by_another()) is not None:
                return done
            if seen is None:
                on_wait()
            if seen != (seen := generations.progress()):
                since = clock.monotonic()
            if clock.monotonic() - since > _PATIENCE * clock.speed:
                raise
        clock.sleep(_GLANCE * clock.speed)
