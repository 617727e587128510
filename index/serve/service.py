"""`windrow serve`: what is due is harvested and indexed, until it is told to stop.

main thread   waits for signals, sees to the index's follower
APScheduler   wakes: look each second, watchdog; beside them refresh, news, tidy
Runner        a thread for each harvest
follower      a process of its own, as beside any harvest
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from harvester.config import Settings
from harvester.datestamp import format_datestamp
from harvester.errors import ConfigError, StoreReplaced, StoreTooNew, WindrowError
from harvester.notify import Teller
from harvester.runner import Ended, Runner
from harvester.scheduler import Scheduler
from harvester.sending import warning
from harvester.store import harvests
from index.follower import Following
from index.program import Program
from index.serve import systemd, telling
from index.serve.beat import Beat, keep_up
from index.serve.files import allow_many_files
from index.serve.monitor import Monitor
from index.serving import serving

_log = structlog.get_logger(__name__)

# Seconds, by the program's clock.
_LOOK, _REFRESH, _NEWS, _TIDY = 1.0, 30.0, 30.0, 3600.0
_SHORTEST = 0.02  # between two wakings, however fast the clock
_STUCK = 120.0
# Of the ten seconds that ending may take.
_FOR_HARVESTS, _FOR_INDEX = 4.0, 4.0
_AT_MOST = 9.5
_GLANCE = 1.0
_KEPT_RUNS = 1000
_STORE_IS_ANOTHER = 0  # beside the signals, of which none is 0


class Service:
    """`load` reads the settings anew, where SIGHUP asks for that."""

    def __init__(self, program: Program, load: Callable[[], Settings]) -> None:
        self._program = program
        self._load = load
        self._signals: SimpleQueue[int] = SimpleQueue()
        self._may_end_at_once = True  # as nothing has begun
        self._looked = program.clock.monotonic()
        self._runner = Runner(program.settings, program.store, program.clock, self._ended, telling.tell)
        self._scheduler = Scheduler(program.settings, program.store, program.clock, self._runner)
        self._teller = Teller(program.store, program.clock)
        self._monitor: Monitor | None = None
        self._busy: set[str] = set()  # sources that another process was at when we tried last
        self._index = Following(program.settings.path, program.clock, telling.tell_of_index, overheard=True)

    def run(self) -> int:
        """Its exit code. AlreadyServed; whatever else goes wrong is logged, and it goes on.

        Only where its store is another one it ends.
        """
        with ExitStack() as stack:
            self._catch_signals()  # before anybody may find us, and send SIGHUP
            allow_many_files()
            stack.enter_context(serving(self._program.settings.data))
            wakings = self._start(stack)
            self._may_end_at_once = False
            self._say_ready()
            wakings.start()
            told = self._until_told(wakings)
            left = self._end(told, wakings)
        code = int(told == _STORE_IS_ANOTHER)
        if not left:
            self._program.close()
        if threading.active_count() > 1:
            # All is stored; a thread that waits for a server must not meet an interpreter that is half gone.
            os._exit(code)
        return code

    def _start(self, stack: ExitStack) -> BackgroundScheduler:
        self._listen(stack)
        self._index.start()
        self._scheduler.refresh()
        return self._wakings()

    def _listen(self, stack: ExitStack) -> None:
        program = self._program
        if listen := program.settings.serve.listen:
            self._monitor = Monitor(
                listen, program.store, program.generations, program.clock, self.problems, self._configured
            )
            stack.callback(self._monitor.close)
            _log.info(
                "listening", healthz=f"{self._monitor.url}/healthz", metrics=f"{self._monitor.url}/metrics"
            )

    def _configured(self) -> Iterable[str]:
        return self._runner.settings.sources

    def problems(self) -> list[str]:
        """What keeps us from our work, for /healthz; harvests that fail are the sources' trouble."""
        stuck = f"nothing was looked at for {self._quiet:.0f} s" if self._quiet > _STUCK else ""
        return [problem for problem in (stuck, self._scheduler.trouble, self._index.trouble) if problem]

    @property
    def _quiet(self) -> float:
        """Seconds since the last look."""
        return (self._program.clock.monotonic() - self._looked) / self._program.clock.speed

    def _wakings(self) -> BackgroundScheduler:
        """Those that may wait for a mail server, or for another writer, hold up no harvest."""
        wakings = BackgroundScheduler(
            executors={name: ThreadPoolExecutor(1) for name in ("default", "patient", "news")},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )
        self._wake(wakings, self._look, _LOOK)
        if watched := systemd.watchdog_seconds():
            self._wake(wakings, self._feed_watchdog, watched / 3 * self._program.clock.speed)
        self._wake(wakings, self._news, _NEWS, executor="news")
        jobs = {self._scheduler.refresh: _REFRESH, self._check_store: _REFRESH, self._tidy: _TIDY}
        for job, every in jobs.items():
            self._wake(wakings, job, every, executor="patient")
        details = [self._scheduler.fetch_waiting_details, "fetch_waiting_details"]
        wakings.add_job(_logged, args=details, executor="patient")
        return wakings

    def _wake(
        self, wakings: BackgroundScheduler, job: Callable[[], Any], every: float, executor: str = "default"
    ) -> None:
        beat, name = Beat(max(_SHORTEST, every / self._program.clock.speed)), job.__name__.strip("_")
        wakings.add_job(_logged, beat, args=[job, name], id=name, executor=executor)

    def _look(self) -> None:
        self._scheduler.look()
        self._looked = self._program.clock.monotonic()

    def _news(self) -> None:
        if told := self._teller.tell_untold(self._runner.settings):
            _log.info("told", notices=told)

    def _tidy(self) -> None:
        with self._program.store.write() as connection:
            harvests.prune(connection, _KEPT_RUNS)

    def _check_store(self) -> None:
        try:
            self._program.store.check_in_place()
        except (StoreReplaced, StoreTooNew) as error:
            _log.error("store", text=error.message, advice=error.advice)
            self._signals.put(_STORE_IS_ANOTHER)

    def _feed_watchdog(self) -> None:
        if self._quiet < _STUCK:
            systemd.notify("WATCHDOG=1")

    # What the harvests say

    def _ended(self, ended: Ended) -> None:
        if self._monitor is not None:
            self._monitor.ended(ended)
        telling.tell_end(ended, again=ended.is_busy and ended.source in self._busy)
        if ended.is_busy:
            self._busy.add(ended.source)
        else:
            self._busy.discard(ended.source)
        _logged(partial(self._scheduler.ended, ended), "schedule")

    # Signals

    def _catch_signals(self) -> None:
        for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._caught)

    def _caught(self, number: int, _frame: FrameType | None) -> None:
        if number != getattr(signal, "SIGHUP", None):
            if self._may_end_at_once:
                os._exit(128 + number)
            self._may_end_at_once = True
            _end_at_the_latest()
        self._signals.put(number)

    def _until_told(self, wakings: BackgroundScheduler) -> int:
        """The signal that ends it, or _STORE_IS_ANOTHER."""
        while True:
            try:
                number = self._signals.get(timeout=_GLANCE)
            except Empty:
                self._index.restart()
                keep_up(wakings)
                continue
            if number != getattr(signal, "SIGHUP", None):
                return number
            systemd.notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
            wakings.add_job(self._reload, executor="patient")  # not here: it may wait for another writer

    def _reload(self) -> None:
        try:
            settings = self._load()
            self._scheduler.reload(settings)
        except WindrowError as error:
            problems = error.problems if isinstance(error, ConfigError) else ()
            _log.error("reload", text=error.message, problems="; ".join(problems), kept="the old settings")
        else:
            _log.info("reload", sources=len(self._scheduler.scheduled))
            self._say_what_is_amiss(settings)
        systemd.notify("READY=1")

    def _say_what_is_amiss(self, settings: Settings) -> None:
        old = self._program.settings
        changed = {
            "data": old.data != settings.data,
            "store": old.store != settings.store,
            "index": old.index != settings.index,
            "serve.listen": old.serve.listen != settings.serve.listen,
        }
        for name in (name for name, is_other in changed.items() if is_other):
            _log.warning(
                "config", text=f"{name} has changed: that takes effect when windrow serve starts anew"
            )
        for missing in settings.notify.missing:
            _log.warning("config", text=f"{missing}: nobody can be told that way")
        if unwise := warning(settings.notify):
            _log.warning("config", text=unwise)
        if not self._scheduler.scheduled:
            _log.warning(
                "config", text="no source has a schedule: write one in config.toml, then send SIGHUP"
            )

    def _say_ready(self) -> None:
        systemd.notify("READY=1", "STATUS=harvesting what is due")
        due = self._scheduler.next_due()
        sources = len(self._scheduler.scheduled)
        _log.info(
            "serving", sources=sources, next_due=format_datestamp(due) if due else "none", pid=os.getpid()
        )
        self._say_what_is_amiss(self._program.settings)

    def _end(self, told: int, wakings: BackgroundScheduler) -> list[str]:
        """Within ten seconds, whatever the network does; the sources whose runs had to be cut off."""
        self._may_end_at_once = True
        _log.info("ending", **{"signal": signal.Signals(told).name} if told else {})
        systemd.notify("STOPPING=1")
        wakings.shutdown(wait=False)
        left = self._runner.close("the program was told to end", _FOR_HARVESTS * self._program.clock.speed)
        for source in left:
            _log.warning("ending", source=source, text="it is cut off, and goes on from its last page")
        if not self._index.close(_FOR_INDEX):
            _log.warning("ending", text="the index is behind; it follows at the next start")
        _log.info("ended")
        return left


def _end_at_the_latest() -> None:
    """By SIGALRM: whoever writes to a log that nobody reads any more (Ctrl-S, `| less`) waits for ever."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, _AT_MOST)


def _logged(job: Callable[[], Any], name: str) -> None:
    """A job that fails is told, and runs again at its next time."""
    try:
        job()
    except WindrowError as error:
        _log.error(name, text=error.message, advice=error.advice)
