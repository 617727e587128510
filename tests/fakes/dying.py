"""Work in a process of its own that dies where it is told to: a real SIGKILL, and a real store left behind.

The processes are forked off a server that has one thread and Windrow imported: some milliseconds each.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from harvester.config import Source
from harvester.details import LIMITS, fetch_details
from harvester.harvest import harvest
from harvester.plan import Options
from harvester.store import Store
from harvester.transport import Transport
from index.generations import Generations
from index.sync import sync
from tests.fakes.clock import FakeClock

_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["__main__", __name__])
_HANGS = 120


class SharedClock(FakeClock):
    """What one process sleeps has passed for all that share `passed`.

    `jumped` is how many seconds somebody has set this wall clock wrong.
    """

    def __init__(self, passed: Any = None, jumped: float = 0.0) -> None:
        super().__init__()
        self.passed = _FORKED.RawValue("d", 0.0) if passed is None else passed
        self.jumped = jumped

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.jumped)

    @property
    def _passed(self) -> float:
        return float(self.passed.value)

    @_passed.setter
    def _passed(self, seconds: float) -> None:
        self.passed.value = seconds


def dies_harvesting(
    place: str, nth: int, source: Source, store: Store, clock: SharedClock, **options: Any
) -> bool:
    """Whether it did: it does not where the run passes `place` less often."""
    return _dies(place, nth, _harvest, source, str(store.url), clock.passed, clock.jumped, options)


def dies_detailing(place: str, nth: int, source: Source, store: Store, clock: SharedClock) -> bool:
    return _dies(place, nth, _fetch_details, source, str(store.url), clock.passed)


def dies_indexing(place: str, nth: int, store: Store, folder: Path) -> bool:
    return _dies(place, nth, _index, str(store.url), folder)


def _dies(place: str, nth: int, work: Callable[..., None], *arguments: Any) -> bool:
    process = _FORKED.Process(target=_doomed, args=(f"{place}:{nth}:kill", work, *arguments))
    process.start()
    process.join(_HANGS)
    code = process.exitcode
    assert code in (0, -signal.SIGKILL), f"the process ended with {code}; its words are on standard error"
    process.close()
    return code != 0


def _doomed(fault: str, work: Callable[..., None], *arguments: Any) -> None:
    os.environ["WINDROW_FAULT"] = fault
    work(*arguments)


def _harvest(source: Source, url: str, passed: Any, jumped: float, options: dict[str, Any]) -> None:
    clock = SharedClock(passed, jumped)
    with closing(Store(url)) as store, closing(Transport(clock, "me@uni.example")) as transport:
        harvest(source, store, transport, clock, Options(**options))


def _fetch_details(source: Source, url: str, passed: Any) -> None:
    clock = SharedClock(passed)
    with closing(Store(url)) as store, closing(Transport(clock, "me@uni.example", LIMITS)) as transport:
        fetch_details(source, store, transport, clock)


def _index(url: str, folder: Path) -> None:
    with closing(Store(url)) as store:
        sync(store, Generations(folder), "tantivy")
