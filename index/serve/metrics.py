"""What Prometheus reads: the state of each source and of the index, from the store at each scrape."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from harvester.runner import Ended
from harvester.store import Store, changes, harvests, leases, sources
from harvester.store.sources import SourceState
from index.generations import Generations

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_IN_VAIN = ("failed", "partial", "deferred")
_States = Mapping[str, SourceState | None]  # None: it never ran


class Metrics(Collector):
    """Counters begin at 0 with the process; all else is the store's and the index's.

    `configured` says which sources are in config.toml, be it that they never ran.
    """

    def __init__(
        self, store: Store, generations: Generations, clock: Clock, configured: Callable[[], Iterable[str]]
    ) -> None:
        self._store, self._generations, self._clock = store, generations, clock
        self._configured = configured
        self._lock = Lock()
        self._harvests: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def ended(self, ended: Ended) -> None:
        run = ended.run
        with self._lock:
            self._requests[ended.source] += ended.requests
            if run is not None:
                self._harvests[run.source] += 1
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
        known: _States = {**dict.fromkeys(self._configured()), **{state.name: state for state in states}}
        yield from _of_state(known)
        yield _by_source("running", "1 while it is harvested", {name: name in running for name in known})
        ages = {state.name: _age(proven.get(state.name), now) for state in states}
        yield _by_source("success_age_seconds", "Since the last proven harvest; +Inf before the first", ages)
        yield from self._counted(known)
        yield from self._of_index()

    def _counted(self, known: _States) -> Iterator[Metric]:
        """From 0 on: of a series that begins with its first fault, Prometheus sees no increase."""
        with self._lock:
            tallies = {
                "harvests": ("Runs that ended", self._harvests.copy()),
                "requests": ("Requests of runs that ended, those for details too", self._requests.copy()),
                "errors": ("Runs that did not come to the end of their list", self._errors.copy()),
            }
        for name, (explanation, tally) in tallies.items():
            counter = CounterMetricFamily(f"windrow_source_{name}", explanation, labels=["source"])
            for source in {**known, **tally}:
                counter.add_metric([source], tally[source])
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


def _of_state(known: _States) -> Iterator[Metric]:
    for name, field, explanation in _STATE:
        values = {source: getattr(state, field) if state else 0 for source, state in known.items()}
        yield _by_source(name, explanation, values)


def _by_source(name: str, explanation: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(f"windrow_source_{name}", explanation, labels=["source"])
    for source, value in values.items():
        gauge.add_metric([source], value)
    return gauge


def _gauge(name: str, explanation: str, value: float) -> Metric:
    return GaugeMetricFamily(f"windrow_{name}", explanation, value)


def _age(moment: str | None, now: datetime) -> float:
    then = parse_datestamp(moment or "")
    return max(0.0, (now - then).total_seconds()) if then else inf
