"""What is longer than the screen goes through a pager: $WINDROW_PAGER, $PAGER, else less.

Only on a terminal. Until it is known to be longer it is held; remarks wait until the pager has ended.
"""

import io
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from subprocess import Popen

_LESS = "FRX"  # quit if it fits, colours, and leave what was read on the screen
_COLOUR = re.compile(r"\x1b\[\d+m")

pager_option = click.option("--no-pager", is_flag=True, help="Print what is longer than the screen as it is.")


@contextmanager
def paged(*, no_pager: bool) -> Iterator[None]:
    """Everything has been shown when it ends. BrokenPipeError where the reader quits early."""
    command = None if no_pager or not sys.stdout.isatty() else _command()
    if not command:
        yield
        return
    screen, remarks = _Screen(sys.stdout, command), io.StringIO()
    talk = remarks if sys.stderr.isatty() else sys.stderr
    try:
        with redirect_stdout(screen), redirect_stderr(talk):
            yield
    finally:
        try:
            screen.end()
        finally:
            sys.stderr.write(remarks.getvalue())


def _command() -> list[str]:
    """Empty where there is none: an empty variable asks for that."""
    import shlex  # on a terminal only

    wanted = os.environ.get("WINDROW_PAGER", os.environ.get("PAGER", "less"))
    try:
        command = shlex.split(wanted)
    except ValueError:
        return []
    return command if command and shutil.which(command[0]) else []


class _Screen(io.TextIOBase):
    def __init__(self, terminal: IO[str], command: list[str]) -> None:
        self._terminal = terminal
        self._command = command
        self._columns, self._rows = shutil.get_terminal_size()
        self._held: list[str] = []
        self._pager: Popen[str] | None = None

    def isatty(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):  # click tries whether bytes may be written
            raise TypeError("text is written to a screen")
        if self._pager is not None:
            self._input.write(text)
            return len(text)
        self._held.append(text)
        self._rows -= sum(self._rows_of(line) for line in text.split("\n")[:-1])
        if self._rows <= 0:
            self._start()
        return len(text)

    def end(self) -> None:
        """What is held fits the screen. With a pager: until whoever reads has had enough."""
        if self._pager is None:
            self._terminal.write("".join(self._held))
            self._terminal.flush()
            return
        try:
            self._input.close()
        finally:
            _wait(self._pager)

    @property
    def _input(self) -> IO[str]:
        assert self._pager is not None
        assert self._pager.stdin is not None
        return self._pager.stdin

    def _rows_of(self, line: str) -> int:
        return max(1, -(-len(_COLOUR.sub("", line)) // self._columns))

    def _start(self) -> None:
        from subprocess import PIPE, Popen

        env = {"LESS": _LESS, **os.environ}
        self._pager = Popen(  # noqa: S603  # the reader's own choice
            self._command, stdin=PIPE, env=env, encoding="utf-8", errors="replace"
        )
        self._input.write("".join(self._held))


def _wait(pager: "Popen[str]") -> None:
    """Ctrl-C is the pager's own while it runs."""
    while True:
        try:
            pager.wait()
            return
        except KeyboardInterrupt:
            continue
