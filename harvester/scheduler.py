"""What is due is started: when is `timetable`'s, in which order is `dispatch`'s, the work is `runner`'s."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from harvester import dispatch, timetable
from harvester.clock import Clock
from harvester.config import Settings, Source
from harvester.datestamp import format_datestamp, parse_datestamp
from harvester.dispatch import Waiting
from harvester.errors import StoreError
from harvester.plan import of_this_list
from harvester.runner import Ended, Runner
from harvester.schedule import zone_named
from harvester.store import Store, details, harvests, schedules, sources
from harvester.store.harvests import Harvest
from harvester.store.schedules import Due
from harvester.store.sources import SourceState
from harvester.transport.words import host_of

_STAGGER = 1.0  # seconds between two starts, on the whole
_AGAIN = 60.0  # seconds after a run that another process, or a full disk, kept from beginning


class Scheduler:
    """Call `refresh` where the store may know more than we do, `look` about once a second."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, runner: Runner) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._runner = runner
        self._zone = zone_named(settings.harvest.timezone)
        self._due: dict[str, datetime] = {}
        # By monotonic(): the other clock may be put back.
        self._not_before: dict[str, float] = {}
        self._stopped_until = self._last_start = clock.monotonic()
        self._trouble = ""
        self._lock = threading.Lock()  # of what is due
        self._reckoning = threading.Lock()  # or an older reading might replace a newer one

    @property
    def scheduled(self) -> Mapping[str, Source]:
        every = self._settings.sources
        return {name: source for name, source in every.items() if source.enabled and source.schedule}

    def next_due(self) -> datetime | None:
        with self._lock:
            return min(self._due.values(), default=None)

    def reload(self, settings: Settings) -> None:
        """What runs goes on as it began."""
        zone = zone_named(settings.harvest.timezone)
        with self._reckoning:
            self._settings, self._zone = settings, zone
        self._runner.reload(settings)
        self.refresh()

    def refresh(self) -> None:
        """Read what has run, here or elsewhere, and store what follows from it."""
        with self._reckoning:
            with self._store.read() as connection:
                runs = harvests.last_regular(connection)
                states = {state.name: state for state in sources.every(connection)}
                known = schedules.every(connection)
            dues = {
                name: self._reckoned(source, runs.get(name), states.get(name), known.get(name))
                for name, source in self.scheduled.items()
            }
            self._keep([due for name, due in dues.items() if due != known.get(name)], set(known) - set(dues))
            with self._lock:
                self._due = {name: _moment(due) for name, due in dues.items()}

    def _refresh_one(self, name: str) -> None:
        with self._reckoning, self._rest_where_the_store_fails():
            if source := self.scheduled.get(name):
                self._keep([self._reckoned_now(source)], ())

    def _is_due(self, source: Source) -> bool:
        """Still: somebody else may have harvested it meanwhile. Waits for no other writer."""
        with self._rest_where_the_store_fails():
            return _moment(self._reckoned_now(source)) <= self._clock.now()

    def _reckoned_now(self, source: Source) -> Due:
        name = source.name
        with self._store.read() as connection:
            last = harvests.last_regular(connection, name).get(name)
            state = sources.get(connection, name)
            known = schedules.every(connection).get(name)
        due = self._reckoned(source, last, state, known)
        with self._lock:
            self._due[name] = _moment(due)
        return due

    def _reckoned(
        self, source: Source, last: Harvest | None, state: SourceState | None, due: Due | None
    ) -> Due:
        """What is stored, unless its schedule or its last run is another one."""
        last = of_this_list(last, source)
        if due is not None and not timetable.is_current(due, source, last):
            due = None
        now = self._clock.now()
        if due is not None and not timetable.may_be_of_the_future(due, last, now):
            return due
        moment = timetable.next_run(source, last, state, self._zone, self._settings.serve.jitter, now)
        assert moment is not None, "it has a schedule"
        new = Due(source.name, source.schedule, timetable.reckoned_from(last), format_datestamp(moment))
        return min(due, new, key=_moment) if due else new

    def _keep(self, new: Sequence[Due], gone: Collection[str]) -> None:
        if new or gone:
            with self._store.write() as connection:
                schedules.put(connection, new)
                schedules.forget(connection, gone)

    def look(self) -> None:
        """Start what is due, not all at the same moment."""
        self._runner.end_overdue()
        now, allowed = self._clock.now(), self._allowed()
        at = self._clock.monotonic()
        if not allowed or at < self._stopped_until:
            return
        scheduled = self.scheduled
        with self._lock:
            waiting = [
                Waiting(name, host_of(scheduled[name].url), due)
                for name, due in self._due.items()
                if due <= now and name in scheduled and at >= self._not_before.get(name, at)
            ]
        if not waiting:
            return
        pool = self._settings.serve.pool
        for name in dispatch.to_start(waiting, self._runner.running, now, pool)[:allowed]:
            if self._is_due(scheduled[name]):
                self._runner.start(scheduled[name])

    def ended(self, ended: Ended) -> None:
        """A run is over: its next one is due when that says. What could not even begin waits a little."""
        with self._lock:
            self._not_before.pop(ended.source, None)
            if ended.error is not None:
                self._not_before[ended.source] = self._clock.monotonic() + _AGAIN
        if isinstance(ended.error, StoreError) and not ended.is_busy:
            self._rest(ended.error)
        if ended.report is not None:
            self._refresh_one(ended.source)

    @contextmanager
    def _rest_where_the_store_fails(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            self._rest(error)
            raise

    def _rest(self, error: StoreError) -> None:
        """Each run would fail, and say so."""
        self._stopped_until, self._trouble = self._clock.monotonic() + _AGAIN, error.message

    @property
    def trouble(self) -> str:
        """Why nothing is started now, or ""."""
        return self._trouble if self._clock.monotonic() < self._stopped_until else ""

    def fetch_waiting_details(self) -> None:
        """What an earlier service left."""
        with self._store.read() as connection:
            states = {state.name: state.id for state in sources.every(connection)}
            waiting = [
                source
                for name, source in self.scheduled.items()
                if source.details and name in states and details.waiting_count(connection, states[name])
            ]
        for source in waiting:
            self._runner.start_details(source)

    def _allowed(self) -> int:
        """How many may begin now, a second for each that has passed."""
        allowed = int((self._clock.monotonic() - self._last_start) / _STAGGER)
        self._last_start += allowed * _STAGGER
        return allowed


def _moment(due: Due) -> datetime:
    moment = parse_datestamp(due.due)
    assert moment is not None, f"a moment of our own: {due.due}"
    return moment
