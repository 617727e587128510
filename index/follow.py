"""What the index's own process does (follower.py starts it)."""

import signal
import threading
from typing import IO

from harvester.errors import IndexBusy, IndexFault, IndexMissing
from index.generations import Generation
from index.program import Program
from index.sync import Follower, needs_rebuild, sync, unseen

_GLANCE = 0.2  # seconds between looks at the store
_COMMIT_AFTER = 3.0  # seconds until what was taken in is searchable
_BUSY_GLANCES = 300  # a minute of waiting for another writer, once we are told to end


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
