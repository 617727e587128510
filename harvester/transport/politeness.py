"""One request in flight per host; after a 429 or 503 a gap between two, which stays for the run."""

import math
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path

from harvester.clock import Clock
from harvester.transport.limits import Limits
from harvester.transport.neighbours import Neighbours

_FIRST_GAP = 1.0
_GLANCE = 0.5  # seconds between looks whether to go on waiting


class Turns:
    """A gap is from the end of one request to the next, in seconds. Hosts do not wait for each other."""

    def __init__(self, clock: Clock, cap: float, neighbours: Neighbours | None = None) -> None:
        self._gaps: dict[str, float] = {}
        self._clock = clock
        self._cap = cap
        self._ended: dict[str, float] = {}
        self._answering: dict[str, str] = {}
        self._lines: defaultdict[str, _Line] = defaultdict(_Line)
        self._making = threading.Lock()
        self._neighbours = neighbours

    @contextmanager
    def turn(
        self,
        host: str,
        least: float = 0.0,
        sleep: Callable[[float], None] | None = None,
        check: Callable[[], None] = lambda: None,
        on_neighbour: Callable[[str], None] = lambda _host: None,
    ) -> Iterator[None]:
        """Who asked first is first, `least` seconds after the last one's end, or the host's gap.

        Another host that answers for this one has its turn, too. `check` raises where there is no use in
        waiting any more; `on_neighbour` is given the host where another process is waited for.
        """
        with ExitStack() as stack:
            for one in sorted({host, self._answering.get(host, host)}):  # or two could wait for each other
                beside = self._neighbours and self._neighbours.turn(one, check, partial(on_neighbour, one))
                stack.enter_context(self._line(one).first(check))
                passed = stack.enter_context(beside or nullcontext(math.inf))
                self._keep_gap(one, least, passed, sleep or self._clock.sleep)
                stack.callback(self._note_end, one)
            yield

    def _keep_gap(self, host: str, least: float, passed: float, sleep: Callable[[float], None]) -> None:
        wait = max(least, self.gap(host)) - min(passed, self._passed(host))
        if wait > 0:
            sleep(wait)

    def _note_end(self, host: str) -> None:
        self._ended[host] = self._clock.monotonic()

    def answered(self, host: str, by: str) -> None:
        """A request to `host`, which may have redirected it."""
        if by != host:
            self._answering[host] = by
        else:
            self._answering.pop(host, None)

    def widen(self, host: str) -> None:
        """The host said that it is busy."""
        self._gaps[host] = min(self._cap, max(_FIRST_GAP, 2 * self.gap(host)))

    def start(self, host: str, last: float) -> None:
        """With half the gap of the last run: a host that was busy once may have recovered.

        A wider one stays while others are in line, who may have found it just now.
        """
        gap = min(self._cap, last / 2) if last >= 2 * _FIRST_GAP else 0.0
        self._gaps[host] = max(self.gap(host), gap) if self._line(host).is_wanted else gap

    def gap(self, host: str) -> float:
        return self._gaps.get(host, 0.0)

    def _line(self, host: str) -> "_Line":
        with self._making:
            return self._lines[host]

    def _passed(self, host: str) -> float:
        """Seconds since the last request ended."""
        return self._clock.monotonic() - self._ended.get(host, -math.inf)


def turns_on(data: Path, clock: Clock, limits: Limits) -> Turns:
    """Taken with all other processes that have this data folder."""
    return Turns(clock, limits.gap_cap, Neighbours(data / "hosts", clock, limits.deadline + limits.gap_cap))


class _Line:
    """Those who want one host, in the order in which they came."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @property
    def is_wanted(self) -> bool:
        return bool(self._waiting)

    @contextmanager
    def first(self, check: Callable[[], None]) -> Iterator[None]:
        mine = object()
        self._waiting.append(mine)
        try:
            with self._changed:
                while self._waiting[0] is not mine:
                    check()
                    self._changed.wait(_GLANCE)
            check()
            yield
        finally:
            with self._changed:
                self._waiting.remove(mine)
                self._changed.notify_all()
