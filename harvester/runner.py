"""Harvests beside each other, a thread for each: the list, then the details.

start ─▶ harvest ─▶ notices ─▶ on_end, and then the details, until the next harvest of the source takes over
"""

import threading
from collections.abc import Callable
from datetime import timedelta

import msgspec

from harvester import noticing
from harvester.clock import Clock
from harvester.config import Settings, Source
from harvester.details import LIMITS as DETAIL_LIMITS
from harvester.details import Detailed, fetch_details
from harvester.dispatch import Running
from harvester.errors import LeaseLost, SourceBusy
from harvester.harvest import harvest
from harvester.plan import Options
from harvester.report import Report
from harvester.stopping import Stop, Stopped
from harvester.store import Store, harvests, notices, sources
from harvester.store.harvests import Harvest
from harvester.store.sources import SourceState
from harvester.transport import Limits, Transport, trust_of, turns_on
from harvester.transport.words import host_of

_SLOW = 10.0  # seconds without an answer
_PAUSE = timedelta(hours=1)  # after a run that was ended at its limit
# Who is asked to wait for longer is due then: that says more than a harvest which is at it for hours.
_LIMITS = Limits(retry_after_cap=60.0)
_MOST_DETAILS = 32  # sources of which they are fetched at once


class Ended(msgspec.Struct, frozen=True):
    """One of `report`, `details` and `error` is there; `run` is what is stored of that harvest.

    `requests` are those of this job alone, however it ended. `is_busy`: another process has the source.
    """

    source: str
    report: Report | None = None
    run: Harvest | None = None
    details: Detailed | None = None
    error: BaseException | None = None
    requests: int = 0

    @property
    def is_busy(self) -> bool:
        return isinstance(self.error, SourceBusy | LeaseLost)


class Told(msgspec.Struct, frozen=True):
    """What a run has to say while it goes: a wait in seconds, or 0 for what a person should know."""

    source: str
    sentence: str
    wait: float = 0.0


class _Job:
    def __init__(self, source: Source, transport: Transport, stop: Stop, began: float) -> None:
        self.source = source
        self.transport = transport
        self.stop = stop
        self.began = began
        self.thread: threading.Thread | None = None


class Runner:
    """`on_told` and `on_end` are called in the threads of the runs."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        on_end: Callable[[Ended], None],
        on_told: Callable[[Told], None] = lambda _told: None,
    ) -> None:
        self.settings = settings
        self._store = store
        self._clock = clock
        self._on_end = on_end
        self._on_told = on_told
        self._turns = turns_on(settings.data, clock, Limits())
        self._lock = threading.Condition()
        self._harvests: dict[str, _Job] = {}
        self._details: dict[str, _Job] = {}
        self._details_later: dict[str, Source] = {}
        self._closed = False

    @property
    def running(self) -> list[Running]:
        """The harvests; details take no place, as they mostly wait, for the sake of the repository."""
        now = self._clock.monotonic()
        with self._lock:
            jobs = list(self._harvests.values())
        return [
            Running(job.source.name, host_of(job.source.url), now - job.transport.heard > _SLOW)
            for job in jobs
        ]

    def start(self, source: Source) -> None:
        """Its details go on after that."""
        with self._lock:
            fetching = self._details.get(source.name)
        if fetching is not None:
            fetching.stop.tell("its list is harvested first")
        self._begin(self._harvests, source, self._harvest, _LIMITS)

    def start_details(self, source: Source) -> None:
        """Where none of it are being fetched; as soon as there is room."""
        if not self._is_wanted(source):
            return
        with self._lock:
            at_work = self._details.get(source.name)
            is_ending = at_work is not None and at_work.stop.is_told
            if is_ending or len(self._details) >= _MOST_DETAILS:
                self._details_later[source.name] = source
                return
        self._begin(self._details, source, self._fetch_details, DETAIL_LIMITS)

    def _start_details_of(self, name: str) -> None:
        """By the settings of now."""
        source = self.settings.sources.get(name)
        if source is not None and source.details:
            self.start_details(source)

    def reload(self, settings: Settings) -> None:
        """A harvest goes on as it began; details may take days, and end with what is left alone now."""
        self.settings = settings
        with self._lock:
            unwanted = [job for job in self._details.values() if not self._is_wanted(job.source)]
            later = self._details_later.items()
            self._details_later = {name: source for name, source in later if self._is_wanted(source)}
        for job in unwanted:
            job.stop.tell("config.toml has other settings for it now")
            self._start_details_of(job.source.name)

    def _is_wanted(self, source: Source) -> bool:
        now = self.settings.sources.get(source.name)
        return now is not None and now.enabled and _asked_for(now) == _asked_for(source)

    def await_quiet(self, seconds: float) -> bool:
        """Until nothing runs, details neither; no longer than so many seconds."""
        with self._lock:
            return self._lock.wait_for(lambda: not (self._harvests or self._details), seconds)

    def end_overdue(self) -> None:
        """Those that have taken longer than a harvest may."""
        longest = self.settings.serve.longest
        with self._lock:
            jobs = list(self._harvests.values())
        for job in jobs:
            if self._clock.monotonic() - job.began > longest.total_seconds():
                job.stop.tell(f"it was ended at its limit of {_in_words(longest)}", _PAUSE.total_seconds())

    def close(self, reason: str, seconds: float) -> list[str]:
        """Nothing is started any more, and all is told to end; who has not within `seconds`."""
        with self._lock:
            self._closed = True
            jobs = [*self._harvests.values(), *self._details.values()]
        for job in jobs:
            job.stop.tell(reason)
        ends = self._clock.monotonic() + seconds
        for job in jobs:
            assert job.thread is not None
            job.thread.join(max(0.0, (ends - self._clock.monotonic()) / self._clock.speed))
        return [job.source.name for job in jobs if job.thread and job.thread.is_alive()]

    def _begin(
        self, jobs: dict[str, _Job], source: Source, work: Callable[[_Job], Ended], limits: Limits
    ) -> None:
        with self._lock:
            if self._closed or source.name in jobs:
                return
            stop = Stop()
            job = _Job(source, self._transport(source, stop, limits), stop, self._clock.monotonic())
            job.thread = threading.Thread(
                target=self._run, args=(jobs, job, work), name=f"harvest {source.name}", daemon=True
            )
            job.thread.start()  # or the system refuses, and nothing has begun
            jobs[source.name] = job

    def _transport(self, source: Source, stop: Stop, limits: Limits) -> Transport:
        return Transport(
            self._clock,
            self.settings.harvest.contact,
            limits,
            lambda seconds, why: self._on_told(Told(source.name, why, seconds)),
            on_notice=lambda sentence: self._on_told(Told(source.name, sentence)),
            trust=trust_of(self.settings.sources),
            turns=self._turns,
            stop=stop,
        )

    def _run(self, jobs: dict[str, _Job], job: _Job, work: Callable[[_Job], Ended]) -> None:
        """Whatever goes wrong is told, and goes no further: the others go on."""
        name = job.source.name
        try:
            ended = work(job)
        except Stopped:
            ended = Ended(name)
        except BaseException as error:  # noqa: BLE001  told by on_end
            ended = Ended(name, error=error)
        finally:
            job.stop.tell("it is over")  # to whoever reads ahead for it, and may wait for hours
            job.transport.close()
        try:
            self._on_end(msgspec.structs.replace(ended, requests=job.transport.requests))
            if ended.report and ended.report.verdict not in ("failed", "deferred"):
                self._start_details_of(name)
        finally:
            with self._lock:
                del jobs[name]
                self._start_later_details()
                self._lock.notify_all()

    def _start_later_details(self) -> None:
        if self._details_later and not self._closed and len(self._details) < _MOST_DETAILS:
            self.start_details(self._details_later.pop(next(iter(self._details_later))))

    def _harvest(self, job: _Job) -> Ended:
        name = job.source.name
        often = self.settings.harvest
        with self._store.read() as connection:
            before = sources.get(connection, name)
        options = Options(audit=often.audit, reread=often.full)
        report = harvest(job.source, self._store, job.transport, self._clock, options)
        return Ended(name, report, self._note_news(name, before))

    def _note_news(self, name: str, before: SourceState | None) -> Harvest | None:
        """What somebody should be told of the run that has ended."""
        with self._store.write() as connection:
            after, run = sources.get(connection, name), harvests.last(connection, name)
            if after is None or run is None:  # the source was removed meanwhile
                return None
            is_told = notices.is_failing(connection, name)
            now = self._clock.now()
            notices.add(connection, noticing.notices(before, after, run, now, failing_is_told=is_told))
        return run

    def _fetch_details(self, job: _Job) -> Ended:
        found = fetch_details(job.source, self._store, job.transport, self._clock)
        return Ended(job.source.name, details=found)


def _asked_for(source: Source) -> tuple[str, str, str]:
    """What its details depend on."""
    return source.url, source.details, source.details_gap


def _in_words(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    count, unit = (minutes, "minute") if minutes % 60 else (minutes // 60, "hour")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
