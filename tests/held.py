"""A harvest that stands still in the middle of its list, for as long as a test wants it to."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

from tests.commands import Ran, command, environment
from tests.fakes.faults import Gate, offset
from tests.fakes.repository import FakeRepository
from tests.served import await_fact, await_stopped

HANGS = 120


class Harvest:
    """`windrow harvest` as a process, in a group of its own; `follower` is the index's process beside it."""

    def __init__(self, folder: Path, gate: Gate, *sources: str) -> None:
        self.gate = gate
        self.process = subprocess.Popen(
            command("harvest", "--json", *sources),
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def follower(self) -> psutil.Process:
        (child,) = psutil.Process(self.process.pid).children()
        return child

    def ended(self) -> Ran:
        """When it and its follower are gone: both hold its standard error."""
        out, err = self.process.communicate(timeout=HANGS)
        return Ran(self.process.returncode, out.decode(), err.decode())


@contextmanager
def held(
    repository: FakeRepository, folder: Path, start: int, *sources: str, in_mid_body: bool = False
) -> Iterator[Harvest]:
    """A harvest that waits for the page beginning at record `start`; afterwards the server is well again."""
    gate = Gate(repository)
    repository.misbehave(gate.in_mid_body if in_mid_body else gate.before, offset(start), times=1)
    harvest = Harvest(folder, gate, *sources)
    try:
        gate.await_reached()
        yield harvest
    finally:
        repository.behave()
        gate.opened.set()
        if harvest.process.poll() is None:
            harvest.process.kill()
            harvest.ended()


def stop_between_transactions(pid: int, folder: Path) -> None:
    """SIGSTOP. Within one, nobody could write before it wakes up, whatever the lease says."""
    await_fact(lambda: _is_stopped_between(psutil.Process(pid), folder), "it was stopped")


def _is_stopped_between(process: psutil.Process, folder: Path) -> bool:
    """Else it goes on."""
    os.kill(process.pid, signal.SIGSTOP)
    await_stopped(process.pid)
    with closing(sqlite3.connect(folder / "data/windrow.db", timeout=0.1)) as store:
        try:
            store.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            os.kill(process.pid, signal.SIGCONT)
            return False
    return True
