"""The index follows the store in a process of its own, which ends with ours.

We hold its standard input; when that closes, for whatever reason, it takes in what is stored by then, and
ends. Even kill -9 of ours leaves an index that is up to date.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO

from harvester.clock import Clock

_LONGEST_PAUSE = 300.0  # seconds, before one that dies again and again is started anew
_LIVED = 600.0  # seconds: the death of one that lived so long is a new matter
# How it says that it cannot go on, and that it can.
STANDS_STILL, FOLLOWS_AGAIN = "The index stands still", "The index follows again."
_DIED = "The index did not follow to the end; the records are safe: run `windrow sync`."


class Following:
    """The process that follows for `config`. `say` is given what is to be told: a sentence each time.

    What the process itself says goes to `say` where it is `overheard`, else to our standard error.
    """

    def __init__(
        self, config: Path, clock: Clock, say: Callable[[str], None], *, overheard: bool = False
    ) -> None:
        # -P: a file index.py in the folder that we are called from is not ours.
        self._command = [sys.executable, "-P", "-m", "index.cli", "--config", str(config), "sync", "--follow"]
        self._clock = clock
        self._say = say
        self._overheard = overheard
        self._child: subprocess.Popen[bytes] | None = None
        self._listener: Thread | None = None
        self._stuck = ""
        self._began = 0.0
        self._deaths = 0
        self._not_before: float | None = None

    def start(self) -> None:
        if self._listener is not None:
            self._listener.join()  # to the last word of one that has died
        self._began, self._not_before, self._stuck = self._clock.monotonic(), None, ""
        # A session of its own: what ends our whole group, as Ctrl-C does, must not end it before us.
        self._child = subprocess.Popen(  # noqa: S603  our own program
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if self._overheard else None,
            start_new_session=True,
        )
        if self._child.stderr is not None:
            self._listener = Thread(target=self._pass_on, args=[self._child.stderr], daemon=True)
            self._listener.start()

    @property
    def is_alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def trouble(self) -> str:
        """Why the index does not follow, or ""; where it is overheard, in its own words."""
        return self._stuck if self.is_alive else "the index's follower has ended, and is to be started again"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None else None

    def restart(self) -> None:
        """Call it now and then: where the process has died, that is said, and it starts after a pause.

        The pause doubles from a second up to five minutes while it goes on dying.
        """
        if self.is_alive:
            return
        now = self._clock.monotonic()
        if self._not_before is None:
            self._deaths = 1 if now - self._began > _LIVED else self._deaths + 1
            pause = min(_LONGEST_PAUSE, 2.0 ** (self._deaths - 1))
            self._not_before = now + pause
            self._say(f"The index's process has died ({self._how()}); it starts again in {pause:.0f} s.")
        elif now >= self._not_before:
            self._let_go()
            self._start_again()

    def _start_again(self) -> None:
        try:
            self.start()
        except OSError as error:
            self._say(f"The index's process cannot be started: {error.strerror or error}.")

    def close(self, within: float | None = None) -> bool:
        """It takes in what is stored by now. False where it had died, or was killed `within` seconds on."""
        if self._child is None:
            return True
        self._let_go()
        try:
            self._child.wait(within)
        except subprocess.TimeoutExpired:
            self._child.kill()  # costs nothing but the time to take its last changes in again
        if self._listener is not None:
            self._listener.join()
        return self._child.wait() == 0

    def _let_go(self) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        with suppress(BrokenPipeError):
            self._child.stdin.close()

    def _how(self) -> str:
        code = self._child.returncode if self._child is not None else None
        if code is None:
            return "it was never started"
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def _pass_on(self, lines: IO[bytes]) -> None:
        with lines:
            for line in lines:
                if sentence := line.decode(errors="replace").strip():
                    self._note(sentence)
                    self._say(sentence)

    def _note(self, sentence: str) -> None:
        if sentence.startswith(STANDS_STILL):
            self._stuck = sentence
        elif sentence == FOLLOWS_AGAIN:
            self._stuck = ""


@contextmanager
def following(config: Path, clock: Clock, say: Callable[[str], None]) -> Iterator[None]:
    """A follower beside the body; waits for its last commit at the end."""
    follower = Following(config, clock, say)
    follower.start()
    try:
        yield
    finally:
        if not follower.close():
            say(_DIED)
