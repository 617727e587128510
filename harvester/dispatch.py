"""What to start now, of what is due. Pure.

A place in the pool is a repository that answers: one that keeps us waiting takes none, so that no slow or
dead repository delays another. Sources of one host share its place, and its one request in flight.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

_MOST_ON_A_HOST = 4
# Harvests, those that wait for their repository too: what the machine bears, not what the pool is.
_MOST, _MOST_FOR_A_PLACE = 256, 8
_PATIENCE = timedelta(hours=1)


class Waiting(msgspec.Struct, frozen=True):
    """`host` is name and port."""

    source: str
    host: str
    due: datetime


class Running(msgspec.Struct, frozen=True):
    """`is_slow`: it waits for an answer, or for the moment when it may ask again."""

    source: str
    host: str
    is_slow: bool


def to_start(waiting: Sequence[Waiting], running: Sequence[Running], now: datetime, pool: int) -> list[str]:
    """Sources, in the order in which to start them; those that run, or are not due, are left out."""
    under_way = {run.source for run in running}
    slow = {run.host for run in running if run.is_slow}
    lively = {run.host for run in running if not run.is_slow}
    on_host = Counter(run.host for run in running)
    chosen: list[str] = []
    due = (one for one in waiting if one.due <= now and one.source not in under_way and one.host not in slow)
    for one in sorted(due, key=lambda one: _turn(one, now)):
        if len(running) + len(chosen) >= max(_MOST, pool * _MOST_FOR_A_PLACE):
            break
        if on_host[one.host] >= _MOST_ON_A_HOST or (one.host not in lively and len(lively) >= pool):
            continue
        chosen.append(one.source)
        lively.add(one.host)
        on_host[one.host] += 1
    return chosen


def _turn(one: Waiting, now: datetime) -> tuple[bool, float]:
    """The newest due first, as it may still be in time; but who has waited for long comes before."""
    is_patient = now - one.due < _PATIENCE
    return is_patient, -one.due.timestamp() if is_patient else one.due.timestamp()
