"""One source with its repository, its store and a clock that does not wait."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from ssl import SSLContext
from typing import Any

import msgspec

from harvester.config import Source
from harvester.details import LIMITS, Detailed, fetch_details
from harvester.harvest import harvest
from harvester.plan import Options
from harvester.record import Record
from harvester.report import Progress, Report
from harvester.store import Store, changes, harvests, quarantine, records, sources
from harvester.store.changes import Change
from harvester.store.harvests import Harvest
from harvester.store.quarantine import Entry
from harvester.store.sources import SourceState
from harvester.transport import Transport, Trust
from tests.fakes.clock import FakeClock
from tests.fakes.repository import FakeRepository, Responder, serving
from tests.fakes.works import Works

NAME = "test"
_COUNTS = ("received", "created", "updated", "unchanged", "deleted", "quarantined")


def counts(report: Report) -> dict[str, int]:
    """Those that are not 0."""
    return {name: getattr(report, name) for name in _COUNTS if getattr(report, name)}


class Rig:
    def __init__(self, repository: FakeRepository, store: Store, clock: FakeClock) -> None:
        self.repository = repository
        self.store = store
        self.clock = clock
        self.source = Source(name=NAME, url=repository.url)
        self.trust: dict[str, Trust] = {}

    @property
    def works(self) -> Works:
        assert isinstance(self.repository.responder, Works)
        return self.repository.responder

    def change_source(self, **fields: Any) -> None:
        self.source = msgspec.structs.replace(self.source, **fields)

    def harvest(
        self, on_progress: Callable[[Progress], None] = lambda _progress: None, /, **options: Any
    ) -> Report:
        """One run. `from_`, `until`, `full`, `limit`, `allow_deletions` as on the command line."""
        self.repository.log.clear()
        transport = Transport(self.clock, "me@uni.example", trust=self.trust)
        try:
            return harvest(self.source, self.store, transport, self.clock, Options(**options), on_progress)
        finally:
            transport.close()

    def fetch_details(self) -> Detailed:
        self.repository.log.clear()
        with closing(Transport(self.clock, "me@uni.example", LIMITS)) as transport:
            return fetch_details(self.source, self.store, transport, self.clock)

    @property
    def feed(self) -> list[Change]:
        with self.store.read() as connection:
            return changes.changes(connection, 0, 100_000)

    @property
    def head(self) -> int:
        with self.store.read() as connection:
            return changes.head(connection)

    @property
    def live(self) -> set[str]:
        return {change.record.identifier for change in self.feed if not change.record.deleted}

    @property
    def tombstones(self) -> set[str]:
        return {change.record.identifier for change in self.feed if change.record.deleted}

    @property
    def refused(self) -> dict[str, Entry]:
        """What is in quarantine, by identifier."""
        with self.store.read() as connection:
            return {entry.identifier: entry for entry in quarantine.entries(connection, self.source.name)}

    def record(self, identifier: str) -> Record:
        with self.store.read() as connection:
            found = records.get(connection, f"{NAME}/{identifier}")
        assert found is not None
        return found

    @property
    def last_run(self) -> Harvest:
        with self.store.read() as connection:
            last = harvests.last(connection, NAME)
        assert last is not None
        return last

    def offsets(self, verb: str = "ListRecords") -> list[int]:
        """Where the pages began that the last run asked for."""
        return [asked.offset for asked in self.repository.asked(verb)]

    def later(self) -> None:
        self.clock.advance(days=1)

    @property
    def state(self) -> SourceState:
        with self.store.read() as connection:
            state = sources.get(connection, NAME)
        assert state is not None
        return state

    def raw_forms(self, identifier: str) -> dict[str, bytes]:
        with self.store.read() as connection:
            return records.raw_forms(connection, f"{NAME}/{identifier}")

    def is_exact(self) -> bool:
        """The store holds what the repository holds: each record once, and counts them rightly."""
        state, feed = self.state, self.feed
        assert len(feed) == len({change.record.identifier for change in feed})
        assert (state.live, state.tombstones) == (len(self.live), len(self.tombstones))
        return self.live == self.works.live


@contextmanager
def rigged(
    folder: Path, responder: Responder, clock: FakeClock, tls: SSLContext | None = None
) -> Iterator[Rig]:
    with serving(responder, tls=tls) as repository:
        store = Store(f"sqlite:///{folder / 'store.db'}")
        try:
            yield Rig(repository, store, clock)
        finally:
            store.close()
