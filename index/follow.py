"""What the index's own process does (follower.py starts it): it follows the store until it is told to end.

look at the store ─▶ take in what is new ─▶ commit it while it is new ─▶ nothing comes: others may write

Whatever goes wrong is said, and tried again: what the store holds is taken in sooner or later.
"""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from harvester.clock import Clock
from harvester.errors import IndexBusy, IndexDamaged, IndexFault, StoreError, WindrowError
from index.follower import FOLLOWS_AGAIN, STANDS_STILL
from index.generations import Generation
from index.program import Program
from index.sync import Follower, needs_rebuild, rebuild
from index.turn import sync_in_turn

# Seconds, whatever the clock that schedules go by.
_GLANCE, _GLANCE_AT_REST = 0.25, 0.5  # between looks at the store
_COMMIT_AFTER = 1.5  # from the first change that was taken in
_REST = 3.0  # without anything to write, before the writer is given back
_SHORTEST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0  # after a fault


def follow_until_told(program: Program, told: IO[bytes], clock: Clock, say: Callable[[str], None]) -> None:
    """Follow the store until `told` ends, then to its head, together with whoever else writes the index."""
    # Where a session of our own does not keep Ctrl-C from us: the harvest stops, and then closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pursuit = _Pursuit(program, clock, _when_ended(told), say)
    pursuit.run()
    sync_in_turn(program.store, program.generations, pursuit.engine, clock)


def _when_ended(told: IO[bytes]) -> threading.Event:
    ended = threading.Event()

    def wait() -> None:
        while os.read(told.fileno(), 1024):  # a buffered reader would be locked where we end before it does
            pass
        ended.set()

    threading.Thread(target=wait, name="told-to-end", daemon=True).start()
    return ended


class _Pursuit:
    def __init__(
        self, program: Program, clock: Clock, ended: threading.Event, say: Callable[[str], None]
    ) -> None:
        self.engine = program.settings.index.engine
        self._program = program
        self._clock = clock
        self._ended = ended
        self._say = say
        self._on = ""  # the generation that is followed, by its folder's name
        self._damage = ""
        self._anew = ""  # why, as was said
        self._pause = _SHORTEST_PAUSE
        self._said = ""

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                self._along(self._usable())
            except IndexBusy:  # another process builds it anew
                self._wait(_GLANCE)
            except (IndexFault, StoreError) as error:
                self._met(error)

    def _usable(self) -> Generation:
        """The current generation, built anew where it has to be."""
        store, generations = self._program.store, self._program.generations
        self.engine = self._engine_wanted()
        if reason := self._damage or needs_rebuild(store, generations, self.engine):
            self._say_that_it_is_built_anew(reason)
            rebuild(store, generations, self.engine)
            self._damage = ""
            self._is_well()
        generations.tidy()
        current = generations.current()
        self._on = current.folder.name
        return current

    def _say_that_it_is_built_anew(self, reason: str) -> None:
        """Once, however often that is tried."""
        if self._on and reason != self._anew:
            self._say(f"The index is built anew: {reason}.")
            self._anew = reason

    def _engine_wanted(self) -> str:
        """That of config.toml at first; later another process may have built the index with another."""
        if self._on:
            with suppress(IndexFault):
                return self._program.generations.position().engine
        return self.engine

    def _along(self, generation: Generation) -> None:
        """Until we are told to end, or a rebuild has made another generation the current one."""
        while self._is_on(generation):
            try:
                with Follower(self._program.store, generation) as follower:
                    self._take_turn(follower, generation)
            except IndexBusy:
                self._wait(_GLANCE)

    def _is_on(self, generation: Generation) -> bool:
        return not self._ended.is_set() and self._program.generations.current().folder == generation.folder

    def _take_turn(self, follower: Follower, generation: Generation) -> None:
        """From the first change to a while without any: then other processes may write."""
        came, oldest = self._clock.monotonic(), None
        while self._is_on(generation):
            now = self._clock.monotonic()
            is_new = follower.step() > 0
            if is_new:
                came, oldest = now, now if oldest is None else oldest
            if oldest is not None and now - oldest >= _COMMIT_AFTER:
                follower.commit()
                oldest = None
                self._is_well()
            if not is_new and follower.is_writing and now - came > _REST:
                break
            if not is_new:
                self._wait(_GLANCE if follower.is_writing else _GLANCE_AT_REST)
        while self._ended.is_set() and follower.step():
            pass
        follower.commit()

    def _met(self, error: IndexFault | StoreError) -> None:
        """No fault where a rebuild has taken our generation away."""
        current = self._name_of_current()
        is_replaced, self._on = current not in ("", self._on), current or self._on
        if is_replaced:
            return
        if isinstance(error, IndexDamaged):
            self._damage = error.message
        self._rest_from(error)

    def _name_of_current(self) -> str:
        try:
            return self._program.generations.current().folder.name
        except IndexFault:
            return ""

    def _rest_from(self, error: WindrowError) -> None:
        if error.message != self._said:
            self._say(f"{STANDS_STILL}, and is tried again: {error.message}; {error.advice}.")
        self._said = error.message
        self._wait(self._pause)
        self._pause = min(_LONGEST_PAUSE, 2 * self._pause)

    def _is_well(self) -> None:
        if self._said:
            self._say(FOLLOWS_AGAIN)
        self._said, self._anew, self._pause = "", "", _SHORTEST_PAUSE

    def _wait(self, seconds: float) -> None:
        self._clock.wait(self._ended, seconds)
