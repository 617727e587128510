"""Places where a test lets the process die, or the machine fail. Without WINDROW_FAULT nothing happens.

WINDROW_FAULT=NAME:NTH:ACTION strikes when the place called NAME is passed the NTH time. ACTION is
kill (SIGKILL, as a power cut), full (no space left on the device) or memory (none left).
"""

import errno
import os
import signal
from collections import Counter

PLACES = frozenset(
    {
        "connected",
        "headers read",
        "half the body read",
        "body decoded",
        "page parsed",
        "transaction begun",
        "half the records written",
        "records written",
        "checkpoint written",
        "page committed",
        "verdict about to be written",
        "watermark about to be written",
        "watermark written",
        "lease renewed",
        "store half migrated",
        "quarantine written",
        "sweep half done",
        "listed identifiers written",
        "index batch begun",
        "index batch half added",
        "index committed",
        "index position written",
        "generation built",
        "generation switched",
        "removal half done",
    }
)
_passed: Counter[str] = Counter()


def fault_point(place: str) -> None:
    assert place in PLACES, place
    armed = os.environ.get("WINDROW_FAULT")
    if armed:
        _strike(place, *armed.split(":"))


def _strike(place: str, name: str, nth: str, action: str) -> None:
    _passed[place] += 1
    if place != name or _passed[place] != int(nth):
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if action == "memory":
        raise MemoryError
