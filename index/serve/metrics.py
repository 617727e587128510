"""What Prometheus reads: the state of each source and of the index, from the store at each scrape."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from math import inf
from threading import Lock

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from harvester.clock import Clock
from harvester.datestamp import parse_datestamp
from harvester.errors import IndexFault
from harvester.store import Store, changes, harvests, leases, sources
from harvester.store.harvests import Harvest
from harvester.store.sources import SourceState
from index.generations import Generations

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_IN_VAIN = ("failed", "partial", "deferred")


class Metrics(Collector):
    """Counters begin at 0 with the process; all else is the store's and the index's."""

    def __init__(self, store: Store, generations: Generations, clock: Clock) -> None:
        self._store, self._generations, self._clock = store, generations, clock
        self._lock = Lock()
        self._harvests: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        with store.read() as connection:
            last = harvests.last_of_all(connection)
        self._counted_of = {source: _requests(run) for source, run in last.items()}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def ended(self, run: Harvest) -> None:
        """A run that goes on counts its requests from its beginning: what was counted is not added again."""
        with self._lock:
            last, before = self._counted_of.get(run.source, (0, 0))
            self._counted_of[run.source] = _requests(run)
            self._harvests[run.source] += 1
            self._requests[run.source] += run.checkpoint.requests - (before if last == run.id else 0)
            self._errors[run.source] += run.verdict in _IN_VAIN and not run.checkpoint.stopped

    def text(self) -> bytes:
        """In the format of CONTENT_TYPE."""
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Metric]:
        """Nothing else in the registry has such names, so nobody need read the store to learn them."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("windrow", "The program", {"version": version("windrow")})
        now = self._clock.now()
        with self._store.read() as connection:
            states = sources.every(connection)
            running = leases.held(connection, now)
            proven = harvests.last_proven(connection)
        yield from self._of_state(states)
        yield _by_source("running", "1 while it is harvested", {s.name: s.name in running for s in states})
        ages = {state.name: _age(proven.get(state.name), now) for state in states}
        yield _by_source("success_age_seconds", "Since the last proven harvest; +Inf before the first", ages)
        yield from self._counted()
        yield from self._of_index()

    def _of_state(self, states: list[SourceState]) -> Iterator[Metric]:
        for name, field, explanation in _STATE:
            yield _by_source(name, explanation, {state.name: getattr(state, field) for state in states})

    def _counted(self) -> Iterator[Metric]:
        with self._lock:
            tallies = {
                "harvests": ("Runs that ended", dict(self._harvests)),
                "requests": ("Requests of runs that ended", dict(self._requests)),
                "errors": ("Runs that did not come to the end of their list", dict(self._errors)),
            }
        for name, (explanation, tally) in tallies.items():
            counter = CounterMetricFamily(f"windrow_source_{name}", explanation, labels=["source"])
            for source, value in tally.items():
                counter.add_metric([source], value)
            yield counter

    def _of_index(self) -> Iterator[Metric]:
        try:
            position = self._generations.position().position
            documents = self._generations.searcher().count()
        except IndexFault:
            yield _gauge("index_up", "1 where the index can be searched", 0)
            return
        with self._store.read() as connection:
            lag = changes.lag(connection, position)
        yield _gauge("index_up", "1 where the index can be searched", 1)
        yield _gauge("index_documents", "Documents that can be found", documents)
        yield _gauge("index_lag", "Changes that the index has still to take in", lag)


_STATE = (
    ("records", "live", "Live records"),
    ("deleted", "tombstones", "Tombstones"),
    ("quarantined", "quarantined", "Records in quarantine"),
    ("held", "held", "Deletions held back"),
    ("failures", "failures", "Runs in a row that brought nothing"),
)


def _by_source(name: str, explanation: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(f"windrow_source_{name}", explanation, labels=["source"])
    for source, value in values.items():
        gauge.add_metric([source], value)
    return gauge


def _gauge(name: str, explanation: str, value: float) -> Metric:
    return GaugeMetricFamily(f"windrow_{name}", explanation, value)


def _requests(run: Harvest) -> tuple[int, int]:
    return run.id, run.checkpoint.requests


def _age(moment: str | None, now: datetime) -> float:
    then = parse_datestamp(moment or "")
    return max(0.0, (now - then).total_seconds()) if then else inf
