"""`windrow serve` as a process: its log lines, its signals, its end."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil

from harvester.clock import FastClock
from tests.commands import command, environment

HANGS = 120.0  # seconds until what never comes is given up
_LOOK = 0.02
Line = dict[str, Any]


def await_fact(is_so: Callable[[], Any], what: str | Callable[[], str]) -> Any:
    """What `is_so` answers, as soon as that is true; `what` is for the message if it never is."""
    ends = time.monotonic() + HANGS
    while not (found := is_so()):
        assert time.monotonic() < ends, f"never: {what if isinstance(what, str) else what()}"
        time.sleep(_LOOK)
    return found


def await_stopped(pid: int) -> None:
    """By SIGSTOP, its own at a fault point or another's."""
    process = psutil.Process(pid)
    await_fact(lambda: process.status() == psutil.STATUS_STOPPED, f"process {pid} stands still")


def running_at(speed: float, ahead: float = 0.0) -> tuple[str, FastClock]:
    """WINDROW_CLOCK, and the same clock for here; `ahead` of the time by so many seconds."""
    began = time.time() - ahead / (speed - 1)
    return f"{speed!r}:{began!r}", FastClock(speed, began)


class Serve:
    """`lines` is what it has logged so far; `fault` and `clock` are WINDROW_FAULT and WINDROW_CLOCK."""

    def __init__(self, folder: Path, *, fault: str = "", clock: str = "") -> None:
        self.lines: list[Line] = []
        self.process = subprocess.Popen(
            command("serve", "--log-json"),
            cwd=folder,
            env=environment(WINDROW_FAULT=fault, WINDROW_CLOCK=clock),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._more = threading.Condition()
        self._is_over = False
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def follower(self) -> psutil.Process:
        (child,) = psutil.Process(self.process.pid).children()
        return child

    def said(self, event: str, **fields: Any) -> list[Line]:
        """Lines of this event with these fields."""
        return [line for line in self.lines if _fits(line, event, fields)]

    def heard(self, event: str, times: int = 1, **fields: Any) -> Line:
        """Waits for the nth such line."""
        with self._more:
            self._more.wait_for(
                lambda: self._is_over or len(self.said(event, **fields)) >= times, timeout=HANGS
            )
        found = self.said(event, **fields)
        assert len(found) >= times, f"no {event} {fields} in:\n{self.log}"
        return found[times - 1]

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Its exit code, when it is gone."""
        code = self.process.wait(HANGS)
        self._listener.join(HANGS)
        assert not self.said("", level="critical"), self.log
        return code

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Its exit code, and the seconds that it took to end."""
        began = time.monotonic()
        self.tell(number)
        code = self.process.wait(HANGS)
        seconds = time.monotonic() - began
        self.ended()
        return code, seconds

    @property
    def log(self) -> str:
        return "\n".join(str(line) for line in self.lines)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as words:
            for word in words:
                with self._more:
                    self.lines.append(_line(word))
                    self._more.notify_all()
        with self._more:
            self._is_over = True
            self._more.notify_all()


def _line(word: bytes) -> Line:
    try:
        return msgspec.json.decode(word, type=Line)
    except msgspec.DecodeError:
        return {"event": "", "level": "critical", "text": word.decode()}


def _fits(line: Line, event: str, fields: Line) -> bool:
    return line["event"] == event and all(line.get(name) == value for name, value in fields.items())


@contextmanager
def serve(folder: Path, *, fault: str = "", clock: str = "") -> Iterator[Serve]:
    """That listens to signals already; killed at the end where it still runs."""
    served = Serve(folder, fault=fault, clock=clock)
    try:
        served.heard("serving")
        yield served
    finally:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()
