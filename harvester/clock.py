"""Time comes in from outside: a `Clock` where something waits, `now` where something is decided."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """`speed`: how many of its seconds pass in one."""

    speed: float

    def now(self) -> datetime:
        """The wall clock, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards, for durations."""

    def sleep(self, seconds: float) -> None: ...

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Until `event` is set, but no longer than `seconds`; is it set?"""


class SystemClock:
    speed = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(seconds)


class FastClock:
    """Runs `speed` times faster than time since `began` (seconds since 1970), the same in all processes."""

    def __init__(self, speed: float, began: float) -> None:
        self.speed = speed
        self._began = datetime.fromtimestamp(began, UTC)

    def now(self) -> datetime:
        passed = datetime.now(UTC) - self._began
        return self._began + timedelta(seconds=passed.total_seconds() * self.speed)

    def monotonic(self) -> float:
        return time.monotonic() * self.speed

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self.speed)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(seconds / self.speed)


def this_clock() -> Clock:
    """The system's; tests of months give WINDROW_CLOCK=SPEED:BEGAN, as `FastClock` takes them."""
    if fast := os.environ.get("WINDROW_CLOCK"):
        speed, began = fast.split(":")
        return FastClock(float(speed), float(began))
    return SystemClock()
