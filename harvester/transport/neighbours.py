"""Other processes at the same host: `windrow harvest` beside `windrow serve`, on one data folder."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psutil
from filelock import FileLock, Timeout

from harvester.clock import Clock

_GLANCE = 0.05  # seconds
_TELL_AFTER = 5.0


class Neighbours:
    """`folder` is for their locks; `patience` is how long a turn can take, in seconds.

    Nobody waits for longer, nor for a process that is suspended (Ctrl-Z). Where there can be no locks there
    are no turns: that stops no harvest.
    """

    def __init__(self, folder: Path, clock: Clock, patience: float) -> None:
        self._folder = folder
        self._clock = clock
        self._patience = patience

    @contextmanager
    def turn(self, host: str, check: Callable[[], None], on_wait: Callable[[], None]) -> Iterator[float]:
        """Gives how many seconds ago the last request ended, of whatever process.

        `check` raises where there is no use in waiting any more; `on_wait` is called once, if it takes long.
        """
        place = self._folder / f"{quote(host, safe='')[:200]}.turn"
        turn, passed = self._taken(place, _Wait(self._clock, check, on_wait))
        try:
            yield passed
        finally:
            if turn is not None:
                self._mark_end(place)
                turn.release()

    def _taken(self, place: Path, wait: "_Wait") -> tuple[FileLock | None, float]:
        """With one lock alone, who gives it back and wants another turn would mostly be first again."""
        following = place.with_suffix(".next")
        try:
            self._folder.mkdir(exist_ok=True)
            with self._acquired(following, wait):
                _sign(following)
                turn, passed = self._acquired(place, wait), self._since_the_last(place)
                _sign(place)
                return turn, passed
        except OSError:  # waited in vain, no data folder, no locks on this file system
            return None, self._since_the_last(place)

    def _acquired(self, place: Path, wait: "_Wait") -> FileLock:
        """Who has it for ever keeps a file without a name: the others take turns by a new one."""
        try:
            return self._awaited(place, wait)
        except Timeout:
            place.unlink(missing_ok=True)
            return self._awaited(place, wait)

    def _awaited(self, place: Path, wait: "_Wait") -> FileLock:
        """Timeout (an OSError) where it is waited for in vain."""
        lock = FileLock(place, timeout=self._patience / self._clock.speed, fallback_to_soft=False)
        lock.acquire(poll_interval=_GLANCE, cancel_check=lambda: wait.is_in_vain(place))
        return lock

    def _since_the_last(self, place: Path) -> float:
        try:
            last = place.stat()
        except OSError:
            return math.inf
        return max(0.0, self._clock.now().timestamp() - last.st_mtime) if last.st_size else math.inf

    def _mark_end(self, place: Path) -> None:
        now = self._clock.now().timestamp()
        with suppress(OSError):  # then only a gap may be too short
            os.utime(place, (now, now))


class _Wait:
    def __init__(self, clock: Clock, check: Callable[[], None], on_wait: Callable[[], None]) -> None:
        self._clock = clock
        self._check = check
        self._on_wait = on_wait
        self._began = clock.monotonic()
        self._is_told = False

    def is_in_vain(self, place: Path) -> bool:
        self._check()
        if self._clock.monotonic() - self._began >= _TELL_AFTER and not self._is_told:
            self._is_told = True
            self._on_wait()
        return _is_suspended(place)


def _sign(place: Path) -> None:
    with suppress(OSError):  # on Windows what is locked cannot be written, and no process be suspended
        if place.read_bytes() != (me := b"%d" % os.getpid()):  # each time anew is slow on some disks
            place.write_bytes(me)


def _is_suspended(place: Path) -> bool:
    """Is who has it?"""
    try:
        return psutil.Process(int(place.read_bytes())).status() == psutil.STATUS_STOPPED
    except (OSError, ValueError, psutil.Error):
        return False
