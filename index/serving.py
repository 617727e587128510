"""Who serves a data folder: one process at a time, which other commands find and speak to.

data/serve.lock   held by it; the system frees it when that process dies
data/serve.json   who it is
"""

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil
from filelock import FileLock, Timeout

from harvester.datestamp import format_datestamp
from harvester.errors import AlreadyServed, StoreUnusable
from harvester.processes import began, is_alive
from index.generations import replace_durably


class Server(msgspec.Struct, frozen=True):
    """`started` is when its process was, in seconds since 1970; `began` is how long after the machine."""

    pid: int
    started: float
    machine: str
    began: float = 0.0

    def __str__(self) -> str:
        return f"process {self.pid} on {self.machine}"

    @property
    def since(self) -> str:
        return format_datestamp(datetime.fromtimestamp(self.started, UTC))


@contextmanager
def serving(data: Path) -> Iterator[None]:
    """AlreadyServed while another process does."""
    lock = FileLock(data / "serve.lock")
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise _already(data) from error
    except OSError as error:
        raise StoreUnusable(
            f"the data folder {data} cannot be written: {error.strerror}",
            "check `data` in config.toml, and the rights on that folder",
        ) from error
    me = Server(os.getpid(), psutil.Process().create_time(), socket.gethostname(), began())
    try:
        replace_durably(data / "serve.json", msgspec.json.encode(me))
        yield
    finally:
        if _written(data) == me:  # the folder may be another one by now, which is served by another
            (data / "serve.json").unlink(missing_ok=True)
        lock.release()


def server_of(data: Path) -> Server | None:
    """Whoever serves it now, as far as can be told from this machine."""
    server = _written(data)
    return server if server and _is_alive(server) else None


def _written(data: Path) -> Server | None:
    try:
        return msgspec.json.decode((data / "serve.json").read_bytes(), type=Server)
    except (OSError, msgspec.DecodeError):
        return None


def server_beside(path: Path) -> Server | None:
    """Of a config.toml that may be at fault: whoever serves the data folder that its text names."""
    try:
        named = _DATA.search(path.read_text("utf-8-sig", errors="replace"))
    except OSError:
        named = None
    return server_of(path.absolute().parent / (named[1] if named else "data"))


_DATA = re.compile(r"""^[ \t]*data[ \t]*=[ \t]*["']([^"'\n\0]+)["']""", re.MULTILINE)


def ask_to_reload(data: Path) -> bool:
    """False where nobody serves it, or cannot be told from here."""
    server = server_of(data)
    if server is None or server.machine != socket.gethostname() or not hasattr(signal, "SIGHUP"):
        return False
    try:
        os.kill(server.pid, signal.SIGHUP)
    except OSError:  # it has ended, or is another user's
        return False
    return True


def _already(data: Path) -> AlreadyServed:
    server = server_of(data)
    advice = "`windrow status --watch` shows what it does"
    return AlreadyServed(
        f"{data} is served already, by {server or 'a process that is just starting'}",
        f"{advice}; to end it: kill {server.pid}" if server else advice,
    )


def _is_alive(server: Server) -> bool:
    if server.machine != socket.gethostname():
        return True
    return is_alive(server.pid, server.began)
