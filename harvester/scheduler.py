"""What is due is started: when is `timetable`'s, in which order is `dispatch`'s, the work is `runner`'s."""

import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from harvester import dispatch, timetable
from harvester.clock import Clock
from harvester.config import Settings, Source
from harvester.datestamp import format_datestamp, parse_datestamp
from harvester.dispatch import Waiting
from harvester.errors import StoreError
from harvester.runner import Ended, Runner
from harvester.schedule import zone_named
from harvester.store import Store, details, harvests, schedules, sources
from harvester.store.harvests import Harvest
from harvester.store.schedules import Due
from harvester.store.sources import SourceState
from harvester.transport.words import host_of

_STAGGER = 1.0  # seconds between two starts, on the whole
_AGAIN = timedelta(minutes=1)  # after a run that another process, or a full disk, kept from beginning


class Scheduler:
    """Call `refresh` where the store may know more than we do, `look` about once a second."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, runner: Runner) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._runner = runner
        self._zone = zone_named(settings.harvest.timezone)
        self._due: dict[str, datetime] = {}
        self._not_before: dict[str, datetime] = {}
        self._stopped_until: datetime | None = None
        self._last_start = clock.monotonic()
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
        with self._lock:
            self._settings, self._zone = settings, zone
            self._runner.settings = settings
        self.refresh()

    def refresh(self) -> None:
        """Read what has run, here or elsewhere, and store what follows from it."""
        with self._reckoning:
            with self._store.read() as connection:
                runs = harvests.last_of_all(connection)
                states = {state.name: state for state in sources.every(connection)}
                known = schedules.every(connection)
            dues = {name: self._reckoned(name, runs, states, known) for name in self.scheduled}
            self._keep([due for name, due in dues.items() if due != known.get(name)], set(known) - set(dues))
            with self._lock:
                self._due = {name: _moment(due) for name, due in dues.items()}

    def _refresh_one(self, name: str) -> None:
        with self._reckoning:
            if name not in self.scheduled:
                return
            with self._store.read() as connection:
                run, state = harvests.last(connection, name), sources.get(connection, name)
                known = schedules.every(connection)
            due = self._reckoned(name, {name: run} if run else {}, {name: state} if state else {}, known)
            self._keep([due], ())
            with self._lock:
                self._due[name] = _moment(due)

    def _reckoned(
        self,
        name: str,
        runs: Mapping[str, Harvest],
        states: Mapping[str, SourceState],
        known: Mapping[str, Due],
    ) -> Due:
        """What is stored, unless its schedule or its last run is another one."""
        source, last, due = self._settings.sources[name], runs.get(name), known.get(name)
        if due is not None and not timetable.is_current(due, source, last):
            due = None
        now = self._clock.now()
        if due is not None and not timetable.is_of_the_future(last, now):
            return due
        moment = timetable.next_run(
            source, last, states.get(name), self._zone, self._settings.serve.jitter, now
        )
        assert moment is not None, "it has a schedule"
        new = Due(name, source.schedule, timetable.reckoned_from(last), format_datestamp(moment))
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
        if not allowed or (self._stopped_until and now < self._stopped_until):
            return
        scheduled = self.scheduled
        with self._lock:
            waiting = [
                Waiting(name, host_of(scheduled[name].url), due)
                for name, due in self._due.items()
                if due <= now and name in scheduled and now >= self._not_before.get(name, now)
            ]
        if not waiting:
            return
        pool = self._settings.serve.pool
        for name in dispatch.to_start(waiting, self._runner.running, now, pool)[:allowed]:
            self._runner.start(scheduled[name])

    def ended(self, ended: Ended) -> None:
        """A run is over: its next one is due when that says. What could not even begin waits a little."""
        again = self._clock.now() + _AGAIN
        with self._lock:
            self._not_before.pop(ended.source, None)
            if ended.error is not None:
                self._not_before[ended.source] = again
            if isinstance(ended.error, StoreError) and not ended.is_busy:
                self._stopped_until = again
        if ended.report is not None:
            self._refresh_one(ended.source)

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
