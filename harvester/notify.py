"""Tells people what is new, in digests: by a webhook and by e-mail, each by itself.

Told at least once: a crash between a message and the note that it went out sends it again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from harvester.clock import Clock
from harvester.config import Settings
from harvester.datestamp import format_datestamp, parse_datestamp
from harvester.errors import NotTold
from harvester.sending import send, ways
from harvester.store import Store, notices
from harvester.store.notices import Notice, Way

_GATHER = timedelta(minutes=1)  # what happens together is told together
_FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 3600.0  # seconds until a way that failed is tried again


class Teller:
    """One for a process: it remembers which way failed, and leaves it alone for ever longer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._pauses: dict[Way, float] = {}
        self._resting: dict[Way, float] = {}

    def tell_untold(self, settings: Settings) -> int:
        """How many were told; 0 where there is nothing, or it is not time. May take a minute.

        NotTold where a way failed: what should have gone it is kept for the next time.
        """
        told, faults = 0, []
        for way in Way:
            try:
                told = max(told, self._tell(way, settings))
            except NotTold as error:
                faults.append(error)
        if faults:
            raise NotTold("; ".join(fault.message for fault in faults), faults[0].advice)
        return told

    def _tell(self, way: Way, settings: Settings) -> int:
        now = self._clock.now()
        with self._store.read() as connection:
            waiting, last = notices.untold(connection, way), notices.last_told(connection, way)
        if waiting and way not in ways(settings.notify):
            self._note(waiting, way, "")
        elif waiting and self._has_rested(way) and is_time(waiting[0].at, last, settings.notify.digest, now):
            return self._send(way, waiting, settings, now)
        return 0

    def _send(self, way: Way, waiting: Sequence[Notice], settings: Settings, now: datetime) -> int:
        try:
            refused = send(way, waiting, settings, now)
        except NotTold:
            pause = min(_LONGEST_PAUSE, 2 * self._pauses.get(way, _FIRST_PAUSE / 2))
            self._pauses[way], self._resting[way] = pause, self._clock.monotonic() + pause
            raise
        self._pauses.pop(way, None)
        self._note(waiting, way, format_datestamp(now))
        if refused:
            raise refused
        return len(waiting)

    def _has_rested(self, way: Way) -> bool:
        return self._clock.monotonic() >= self._resting.get(way, 0.0)

    def _note(self, those: Sequence[Notice], way: Way, at: str) -> None:
        with self._store.write() as connection:
            notices.told(connection, those, way, at)


def is_time(oldest: str, last: str | None, digest: timedelta, now: datetime) -> bool:
    """The first has waited a minute for others, and the last message is long enough ago."""
    return _is_over(oldest, _GATHER, now) and _is_over(last or "", digest, now)


def _is_over(moment: str, span: timedelta, now: datetime) -> bool:
    """Also where the moment has yet to come: clocks are set back, and news does not wait for them."""
    began = parse_datestamp(moment)
    return began is None or not timedelta(0) <= now - began < span
