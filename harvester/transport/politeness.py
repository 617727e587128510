"""One request in flight per host; after a 429 or 503 a gap between two, which stays for the run."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from harvester.clock import Clock

_FIRST_GAP = 1.0


class Turns:
    """A gap is from the end of one request to the next, in seconds."""

    def __init__(self, clock: Clock, cap: float) -> None:
        self._gaps: dict[str, float] = {}
        self._clock = clock
        self._cap = cap
        self._ended: dict[str, float] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        with self._locks[host]:
            self._keep_gap(host)
            try:
                yield
            finally:
                self._ended[host] = self._clock.monotonic()

    def widen(self, host: str) -> None:
        """The host said that it is busy."""
        self._gaps[host] = min(self._cap, max(_FIRST_GAP, 2 * self.gap(host)))

    def start(self, host: str, last: float) -> None:
        """With half the gap of the last run: a host that was busy once may have recovered."""
        if last >= 2 * _FIRST_GAP:
            self._gaps[host] = max(self.gap(host), min(self._cap, last / 2))

    def keep(self, host: str, least: float) -> None:
        self._gaps[host] = max(self.gap(host), least)

    def gap(self, host: str) -> float:
        return self._gaps.get(host, 0.0)

    def _keep_gap(self, host: str) -> None:
        gap = self.gap(host)
        if not gap or host not in self._ended:
            return
        wait = self._ended[host] + gap - self._clock.monotonic()
        if wait > 0:
            self._clock.sleep(wait)
