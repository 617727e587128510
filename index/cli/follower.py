"""The index follows a harvest in a process of its own, and both end together.

The harvest holds the follower's standard input; when that closes, for whatever reason, the follower
takes in what is stored by then, and ends. Even kill -9 of the harvest leaves an index that is up to date.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from harvester.errors import IndexBusy, IndexFault, IndexMissing
from index.cli.progress import counting
from index.cli.talk import tell
from index.generations import Generation
from index.program import Program
from index.sync import Follower, needs_rebuild, sync, unseen

_GLANCE = 0.2  # seconds between looks at the store
_COMMIT_AFTER = 3.0  # seconds until what was taken in is searchable
_BUSY_GLANCES = 300  # a minute of waiting for another writer, once we are told to end


@contextmanager
def following(config: Path) -> Iterator[None]:
    """A follower beside the body; waits for its last commit at the end."""
    # -P: a file index.py in the folder that we are called from is not ours.
    command = [sys.executable, "-P", "-m", "index.cli", "--config", str(config), "sync", "--follow"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # noqa: S603  our own program
    try:
        yield
    finally:
        assert child.stdin is not None
        with suppress(BrokenPipeError):
            child.stdin.close()
        if child.wait() != 0:
            tell("The index did not follow to the end; the records are safe: run `windrow sync`.")


def catch_up(program: Program, *, quiet: bool = False) -> None:
    """The index takes in what a command has changed; where another process writes it, that one will."""
    try:
        with counting("indexing", quiet=quiet) as count:
            sync(program.store, program.generations, program.settings.index.engine, count)
    except IndexBusy:
        tell("Another process writes the index: run `windrow sync` when it has ended.")


def follow_until_told(program: Program, told: IO[bytes]) -> None:
    """Follow the store until `told` ends, then to its head. Survives a rebuild, and other writers."""
    # Ctrl-C reaches the whole terminal group: the harvest stops, and then closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended = _when_ended(told)
    patience = _BUSY_GLANCES
    while patience:
        try:
            if _follow_current(program, ended):
                return
        except IndexBusy:
            if ended.is_set() and not _is_behind(program):
                return
            ended.wait(_GLANCE)
            if ended.is_set():
                program.clock.sleep(_GLANCE)
                patience -= 1
    raise IndexBusy("another process writes the index", "run `windrow sync` when it has ended")


def _is_behind(program: Program) -> bool:
    try:
        return unseen(program.store, program.generations) > 0
    except IndexFault:  # the other writer is only just making it
        return True


def _follow_current(program: Program, ended: threading.Event) -> bool:
    """False where a rebuild has made another generation the current one."""
    if needs_rebuild(program.store, program.generations, program.settings.index.engine):
        sync(program.store, program.generations, program.settings.index.engine)
    generation = program.generations.current()
    try:
        _follow(program, generation, ended)
    except IndexMissing:  # the rebuild has removed it already
        if program.generations.current().folder == generation.folder:
            raise
    return program.generations.current().folder == generation.folder


def _follow(program: Program, generation: Generation, ended: threading.Event) -> None:
    with Follower(program.store, generation) as follower:
        committed = program.clock.monotonic()
        while not ended.is_set():
            if not follower.step():
                ended.wait(_GLANCE)
            if program.clock.monotonic() - committed > _COMMIT_AFTER:
                follower.commit()
                committed = program.clock.monotonic()
            if program.generations.current().folder != generation.folder:
                return
        while follower.step():
            pass
        follower.commit()


def _when_ended(told: IO[bytes]) -> threading.Event:
    ended = threading.Event()

    def wait() -> None:
        told.read()
        ended.set()

    threading.Thread(target=wait, name="told-to-end", daemon=True).start()
    return ended
