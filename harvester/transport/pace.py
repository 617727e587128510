"""The deadline and the least rate of a request, held against the clock whenever bytes arrive.

A timeout of a socket is for one read: a server that drips a byte a minute never meets it, be it in its
headers, between chunks or in the body. So the check is where the bytes come in, below all of these.
"""

import http.client
import socket
from contextvars import ContextVar
from typing import Any

from harvester.clock import Clock
from harvester.errors import TimedOut
from harvester.fault_point import fault_point
from harvester.transport.limits import Limits

# A repository that thinks for minutes and then answers at once is slow, not dripping.
_LONGEST_PAUSE = 10.0


class Pace:
    """Of one request, its redirects included; `host` is for the messages."""

    def __init__(self, clock: Clock, limits: Limits, host: str) -> None:
        self._clock = clock
        self._limits = limits
        self._host = host
        self._began = self._last = clock.monotonic()
        self._ends = self._last + limits.deadline
        self._bytes = 0
        self._seconds = 0.0

    def left(self) -> float:
        """Seconds until the deadline."""
        left = self._ends - self._clock.monotonic()
        if left <= 0:
            raise self._late()
        return left

    def passed(self) -> float:
        """Seconds since the request, by the last byte that came."""
        return self._last - self._began

    def arrived(self, count: int) -> None:
        now = self._clock.monotonic()
        if now > self._ends:
            raise self._late()
        self._seconds += min(now - self._last, _LONGEST_PAUSE)
        self._bytes += count
        self._last = now
        if self._seconds >= self._limits.rate_over:
            self._check_rate()

    def _check_rate(self) -> None:
        if self._bytes < self._limits.rate * self._seconds:
            raise TimedOut(
                f"{self._host} sends less than {self._limits.rate:.0f} bytes a second",
                "its server or the line to it has trouble: try again later",
            )
        self._bytes, self._seconds = 0, 0.0

    def _late(self) -> TimedOut:
        return TimedOut(f"{self._host} had not finished answering after {self._limits.deadline:.0f} s")


CURRENT: ContextVar[Pace] = ContextVar("the pace of the request that is under way")


class _PacedReader(socket.SocketIO):
    pace: Pace

    def readinto(self, buffer: Any) -> int | None:
        received = super().readinto(buffer)
        self.pace.arrived(received or 0)
        return received


class PacedResponse(http.client.HTTPResponse):
    """What http.client reads an answer with, headers first."""

    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        fault_point("connected")
        reader: Any = self.fp.raw
        reader.__class__ = _PacedReader  # makefile() knows no class but its own
        reader.pace = CURRENT.get()
