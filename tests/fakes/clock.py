"""Clocks that are moved: tests of waiting do not wait."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

NOON = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
_GLANCE = 0.05  # seconds between looks whether who sleeps was told to stop


class FakeClock:
    """Moved by whoever sleeps. `slept` has each sleep in seconds."""

    speed = 1.0
    _passed: float = 0.0

    def __init__(self, now: datetime = NOON) -> None:
        self.slept: list[float] = []
        self._began = now
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if not event.is_set():
            self.sleep(seconds)
        return event.is_set()

    def put_back(self, *, days: float) -> None:
        """The clock on the wall; no time passes."""
        self._began -= timedelta(days=days)

    def advance(self, seconds: float = 0.0, *, days: float = 0.0) -> None:
        with self._lock:
            self._passed += seconds + days * 86_400


class JumpingClock:
    """Stands still while anybody works; `jump` moves it to where somebody wakes up, or as far as is said."""

    speed = 1.0

    def __init__(self, passed: Any, now: datetime = NOON) -> None:
        self._passed = passed  # a ctypes double, shared with processes that live by the same clock
        self._began = now
        self._changed = threading.Condition()
        self._sleepers: list[_Sleeper] = []

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self._passed.value)

    def monotonic(self) -> float:
        return float(self._passed.value)

    def sleep(self, seconds: float) -> None:
        self.wait(threading.Event(), seconds)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        me = _Sleeper(event, self.monotonic() + seconds)
        with self._changed:
            self._sleepers.append(me)
            while me in self._sleepers and not event.is_set():
                self._changed.wait(_GLANCE)
            if me in self._sleepers:
                self._sleepers.remove(me)
        return event.is_set()

    @property
    def asleep(self) -> int:
        """How many threads wait for a later time, and for nothing else."""
        with self._changed:
            return sum(not one.told.is_set() for one in self._sleepers)

    def jump(self, seconds: float) -> None:
        """Up to so far."""
        with self._changed:
            alarms = [one.alarm for one in self._sleepers]
            self._passed.value = min([self.monotonic() + seconds, *alarms])
            # Who wakes up works again from this moment on, not from when its thread has its turn.
            self._sleepers = [one for one in self._sleepers if one.alarm > self._passed.value]
            self._changed.notify_all()


@dataclass(eq=False)
class _Sleeper:
    told: threading.Event
    alarm: float
