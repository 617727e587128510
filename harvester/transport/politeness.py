"""One request in flight per host; after a 429 or 503 a gap between two, which stays for the run."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from harvester.clock import Clock

_FIRST_GAP = 1.0


class Turns:
    """`gaps` has the seconds between the end of one request and the next, by host."""

    def __init__(self, clock: Clock, gaps: Mapping[str, float], cap: float) -> None:
        self.gaps = dict(gaps)
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
        self.gaps[host] = min(self._cap, max(_FIRST_GAP, 2 * self.gaps.get(host, 0.0)))

    def _keep_gap(self, host: str) -> None:
        gap = self.gaps.get(host)
        if gap is None or host not in self._ended:
            return
        wait = self._ended[host] + gap - self._clock.monotonic()
        if wait > 0:
            self._clock.sleep(wait)
