"""Follow the change feed into an engine; rebuild beside the old index, then switch.

store.changes since the generation's position ─▶ document | tombstone ─▶ session ─▶ commit ─▶ position saved
"""

from collections.abc import Callable
from contextlib import ExitStack, suppress

import msgspec

from harvester.datestamp import parse_datestamp
from harvester.errors import IndexBusy, IndexDamaged, IndexFault, IndexMissing, IndexUnusable
from harvester.fault_point import fault_point
from harvester.store import Store, moments
from harvester.store import changes as feed
from harvester.store.changes import Change
from index.document import Arrival, Document, document
from index.engine import SCHEMA_VERSION, Session
from index.generations import Generation, Generations, Position

NO_INDEX = "there was no index"
_READ = 1000
_COMMIT_EVERY = 20_000


class Synced(msgspec.Struct, frozen=True):
    """`indexed` and `removed` count changes; `rebuilt` says why a new generation was built, or is ""."""

    position: int
    indexed: int = 0
    removed: int = 0
    rebuilt: str = ""


def sync(
    store: Store,
    generations: Generations,
    engine: str,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> Synced:
    """Catch up with the store; another engine, schema or store means a rebuild. May raise IndexBusy."""
    reason = needs_rebuild(store, generations, engine)
    if reason:
        return _rebuilt(reason, store, generations, engine, on_progress)
    generation = generations.current()
    try:
        return _follow(store, generation, on_progress)
    except IndexDamaged as error:
        return _rebuilt(error.message, store, generations, engine, on_progress)
    except IndexMissing:
        if generations.current().folder == generation.folder:
            raise
    return sync(store, generations, engine, on_progress)  # a rebuild came between


def _rebuilt(
    reason: str, store: Store, generations: Generations, engine: str, on_progress: Callable[[int], None]
) -> Synced:
    return msgspec.structs.replace(rebuild(store, generations, engine, on_progress), rebuilt=reason)


def rebuild(
    store: Store,
    generations: Generations,
    engine: str,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> Synced:
    """A new generation from nothing; the old one answers searches until the switch."""
    with generations.rebuilding():
        generation = generations.new(engine, store.id)
        try:
            synced = _follow(store, generation, on_progress)
            _overtake(store, generation, generations)
        except BaseException:
            generation.remove()  # a half of an index would only fill the disk
            raise
        fault_point("generation built")
        generations.switch(generation)
    with suppress(IndexBusy, IndexMissing):  # whoever wrote the old one has come over; or it was built anew
        _follow(store, generation, on_progress)
    return synced


def _overtake(store: Store, generation: Generation, generations: Generations) -> None:
    """What came meanwhile, and may be in the old one by now: no search may fall back."""
    before = -1
    while before < (now := _follow(store, generation, lambda _done: None).position):
        before = now
        try:
            if generations.position().position <= now:
                return
        except IndexFault:
            return


def needs_rebuild(store: Store, generations: Generations, engine: str) -> str:
    """Why the current generation cannot be followed on, in words; "" where it can."""
    try:
        at = generations.position()
    except IndexMissing:
        return NO_INDEX
    except IndexUnusable as error:
        return error.message
    with store.read() as connection:
        head = feed.head(connection)
    if at.store_id != store.id or at.position > head:
        return "the index belonged to another store"
    if at.schema_version != SCHEMA_VERSION:
        return "the index was of another version"
    if at.engine != engine:
        return f"the index was built by {at.engine}"
    try:
        generations.snapshot()
    except IndexUnusable as error:
        return error.message
    return ""


def _follow(store: Store, generation: Generation, on_progress: Callable[[int], None]) -> Synced:
    with Follower(store, generation) as follower:
        while done := follower.step():
            on_progress(done)
        follower.commit()
    return follower.synced


class Follower:
    """Follows one generation as far as the store goes, step by step; writes only where there are changes.

    The writer is opened with the first change and closed when the context ends.
    """

    def __init__(self, store: Store, generation: Generation) -> None:
        self._store = store
        self._generation = generation
        self._stack = ExitStack()
        self._session: Session | None = None
        self._saved: Position = generation.position
        self._uncommitted = 0
        self._level = self._saved.level
        self._moments: list[moments.Moment] = []
        self.synced = Synced(self._saved.position)

    def __enter__(self) -> "Follower":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def step(self) -> int:
        """Take in the next changes; how many there were. 0: the store has no more."""
        if self._session is None and not self._has_work():
            return 0
        session = self._session or self._open()
        changes = self._next_changes()
        if changes:
            self._take_in(session, changes)
            self._uncommitted += len(changes)
            if self._uncommitted >= _COMMIT_EVERY:
                self.commit()
        else:
            self._level = self.synced.position
        return len(changes)

    def commit(self) -> None:
        """What was taken in becomes searchable; then, and only then, the position moves."""
        if self._session is None:
            return
        if self._uncommitted:
            self._session.commit()
            fault_point("index committed")
        elif self._level == self._saved.level:
            return
        self._saved = msgspec.structs.replace(self._saved, position=self.synced.position, level=self._level)
        self._generation.save(self._saved)
        fault_point("index position written")
        self._uncommitted = 0

    @property
    def uncommitted(self) -> int:
        return self._uncommitted

    @property
    def is_writing(self) -> bool:
        """No other process can."""
        return self._session is not None

    def _next_changes(self) -> list[Change]:
        with self._store.read() as connection:
            later = moments.since(connection, self._moments[-1][0] if self._moments else 0)
            self._moments[-1:] = later  # the last of them may have been put off
            return feed.changes(connection, self.synced.position, _READ)

    def _has_work(self) -> bool:
        with self._store.read() as connection:
            head = feed.head(connection)
        if not head == self._saved.position == self._saved.level:
            self._saved = self._generation.position  # another writer may have moved it meanwhile
        return head > self._saved.position or self._saved.level != self._saved.position

    def _take_in(self, session: Session, changes: list[Change]) -> None:
        fault_point("index batch begun")
        live = [change for change in changes if not change.record.deleted]
        session.delete(change.record.id for change in changes if change.record.deleted)
        fault_point("index batch half added")
        session.put(self._document(change) for change in live)
        self.synced = msgspec.structs.replace(
            self.synced,
            position=changes[-1].position,
            indexed=self.synced.indexed + len(live),
            removed=self.synced.removed + len(changes) - len(live),
        )

    def _document(self, change: Change) -> Document:
        came = parse_datestamp(moments.came(self._moments, change.added, change.record.datestamp))
        at = max(0, int(came.timestamp())) if came else 0
        return document(change.record, change.position, Arrival(change.added, at))

    def _open(self) -> Session:
        """The lock first, then the position: another writer may have moved it meanwhile."""
        self._stack.enter_context(self._generation.locked())
        self._saved = self._generation.position
        self._level = self._saved.level
        self.synced = Synced(self._saved.position)
        self._session = self._stack.enter_context(self._generation.engine().session())
        return self._session


def unseen(store: Store, generations: Generations) -> int:
    """How many changes the index has still to see."""
    position = generations.position().position
    with store.read() as connection:
        return feed.lag(connection, position)


__all__ = ["NO_INDEX", "Follower", "Synced", "needs_rebuild", "rebuild", "sync", "unseen"]
