"""Tell a run in another thread to stop: it ends at once, whatever the network does, and keeps what it has."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue
from typing import TypeVar

from harvester.clock import Clock

T = TypeVar("T")
_Outcome = tuple[T | None, BaseException | None]


class Stopped(BaseException):
    """No fault, as Ctrl-C is none: what handles faults lets it through.

    `reason` is for the verdict; `pause` is how many seconds the source is then left alone.
    """

    def __init__(self, reason: str, pause: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pause = pause


class Stop:
    """One for each run. `tell` may be called from any thread, also a second time: the first reason stays."""

    def __init__(self) -> None:
        self._reason, self._pause = "", 0.0
        self._told = threading.Event()
        self._lock = threading.Lock()
        self._waiting: set[SimpleQueue[None]] = set()

    @property
    def is_told(self) -> bool:
        return self._told.is_set()

    def tell(self, reason: str, pause: float = 0.0) -> None:
        with self._lock:
            if not self._told.is_set():
                self._reason, self._pause = reason, pause
            self._told.set()
            for waiting in self._waiting:
                waiting.put(None)

    def check(self) -> None:
        if self._told.is_set():
            raise self._stopped

    @property
    def _stopped(self) -> Stopped:
        return Stopped(self._reason, self._pause)

    def sleep(self, clock: Clock, seconds: float) -> None:
        if clock.wait(self._told, seconds):
            raise self._stopped

    def unless_told(self, work: Callable[[], T]) -> T:
        """What `work` answers or raises; Stopped as soon as this is told.

        What is left alone then ends by its own time-outs, in a thread that keeps no program from ending.
        """
        outcomes: SimpleQueue[_Outcome[T] | None] = SimpleQueue()
        with self._lock:
            self.check()
            self._waiting.add(outcomes)  # type: ignore[arg-type]  # only None is put from here
        context = copy_context()
        threading.Thread(
            target=lambda: outcomes.put(context.run(_outcome, work)), name="request", daemon=True
        ).start()
        try:
            outcome = outcomes.get()
        finally:
            with self._lock:
                self._waiting.discard(outcomes)
        if outcome is None:
            raise self._stopped
        answer, error = outcome
        if error is not None:
            raise error
        return answer  # type: ignore[return-value]  # None only where T has it


def _outcome(work: Callable[[], T]) -> _Outcome[T]:
    try:
        return work(), None
    except BaseException as error:  # noqa: BLE001  raised again where it is waited for
        return None, error
