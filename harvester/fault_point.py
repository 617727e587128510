"""Places where a test lets the process die, or the machine fail. Without WINDROW_FAULT nothing happens.

WINDROW_FAULT=NAME:NTH:ACTION strikes when the place called NAME is passed the NTH time. ACTION is kill
(SIGKILL, as a power cut), stop (SIGSTOP), interrupt (Ctrl-C), full (no space left on the device), memory
(none left), or the path of a file, to which each place that is passed is written, whatever NAME and NTH say.
"""

import errno
import os
import signal
from collections import Counter
from pathlib import Path

PLACES = (
    "connected",
    "headers read",
    "half the body read",
    "body decoded",
    "page parsed",
    "lease taken",
    "transaction begun",
    "lease renewed",
    "quarantine written",
    "half a page written",
    "records written",
    "checkpoint written",
    "page committed",
    "listed identifiers written",
    "sweep half done",
    "watermark about to be written",
    "watermark written",
    "verdict about to be written",
    "store half migrated",
    "removal half done",
    "batch renormalised",
    "detail written",
    "detail kept",
    "index batch begun",
    "index batch half added",
    "index committed",
    "index position written",
    "generation built",
    "generation switched",
)
_passed: Counter[str] = Counter()


def fault_point(place: str) -> None:
    assert place in PLACES, place
    armed = os.environ.get("WINDROW_FAULT")
    if armed:
        _pass(place, *armed.split(":", 2))


def _pass(place: str, name: str, nth: str, action: str) -> None:
    _passed[place] += 1
    if "/" in action:
        with Path(action).open("a") as file:
            file.write(f"{place}\n")
    elif place == name and _passed[place] == int(nth):
        _strike(action)


def _strike(action: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    if action == "interrupt":
        signal.raise_signal(signal.SIGINT)
    if action == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if action == "memory":
        raise MemoryError
