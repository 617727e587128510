"""A clock that is moved by whoever sleeps: tests of waiting do not wait."""

import threading
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """`slept` has each sleep in seconds."""

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

    def advance(self, seconds: float = 0.0, *, days: float = 0.0) -> None:
        with self._lock:
            self._passed += seconds + days * 86_400
