"""The command line as a person runs it, and what its tests need around it.

windrow(…)       a real process          demo_folder(…)   a harvested sample repository, ready to use
inside(…)        the same, in-process    answering(…)     an HTTP server that always gives one answer
on_terminal(…)   on a terminal           Gate             a repository that stops in the middle of a list
"""

import fcntl
import os
import pty
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, NamedTuple

import msgspec

from harvester import config
from harvester.config import Source
from harvester.config_file import add_source
from harvester.harvest import harvest
from harvester.record import Record
from harvester.store import Store, records, sources
from harvester.store.records import Write
from index.cli import run
from index.demo.repository import DemoRepository, sample_records
from index.demo.server import serve
from index.generations import Generations
from index.program import Program
from index.sync import sync

NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
KHAN = "demo/oai:windrow.example:111396"
_GUARD = 120  # seconds after which a process is stuck; no test takes a tenth of it


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """Of JSON."""
        return [msgspec.json.decode(line) for line in self.out.splitlines()]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "index.cli", *arguments]


def windrow(cwd: Path, *arguments: str, env: Mapping[str, str] | None = None, before: str = "") -> Ran:
    """`before` is Python for the new process, before it becomes the program."""
    start = [sys.executable, "-c", before + _BECOME] if before else []
    done = subprocess.run(
        [*start, *command(*arguments)],
        cwd=cwd,
        env=environment(**(env or {})),
        capture_output=True,
        timeout=_GUARD,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


_BECOME = "\nimport os, sys\nos.execv(sys.argv[1], sys.argv[1:])"

# Root obeys the modes of files, too, once it may not override them.
WITHOUT_PRIVILEGES = """
import ctypes
drop_from_bounding_set, dac_override, dac_read_search = 24, 1, 2
for capability in (dac_override, dac_read_search):
    ctypes.CDLL(None).prctl(drop_from_bounding_set, capability, 0, 0, 0)
"""


def files_up_to(size: int) -> str:
    """For `before`: a disk that is full once a file has so many bytes."""
    return f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"


def environment(**more: str) -> dict[str, str]:
    """This process's own, but for what would change the program's behaviour."""
    changing = ("WINDROW_CONFIG", "COLUMNS", "NO_COLOR")
    kept = {name: value for name, value in os.environ.items() if name not in changing}
    return {**kept, **more}


def inside(cwd: Path, capsys: Any, *arguments: str) -> Ran:
    """In this process: where a real one adds nothing but time."""
    capsys.readouterr()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        code = run(["--config", str(cwd / "config.toml"), *arguments])
    finally:
        signal.signal(signal.SIGTERM, handler)
    return Ran(code, *capsys.readouterr())


def demo_folder(folder: Path) -> Path:
    """A copy of a folder with config.toml and data: the sample repository as source `demo`, indexed.

    Its server is gone: `point_to` names another.
    """
    shutil.copytree(_built(), folder, dirs_exist_ok=True)
    return folder


def of_another_version(folder: Path) -> None:
    """Its index, which nobody can follow on."""
    current = Generations(folder / "data/index").current()
    current.save(msgspec.structs.replace(current.position, schema_version=0))


def in_the_way_of_a_rebuild(folder: Path) -> Path:
    """A folder where its lock would be."""
    lock = folder / "data/index/rebuild.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    return lock


@cache
def _built() -> Path:
    _kept.append(TemporaryDirectory(prefix="windrow-tests-"))
    folder = Path(_kept[-1].name)
    with serve(DemoRepository(sample_records(), now=lambda: NOW)) as url:
        add_source(folder / "config.toml", Source("demo", url, metadata_prefix="eprints"))
        with program_in(folder) as program:
            source = program.settings.sources["demo"]
            assert harvest(source, program.store, program.transport(), program.clock).verdict == "complete"
            sync(program.store, program.generations, "tantivy")
    return folder


_kept: list[TemporaryDirectory[str]] = []


@contextmanager
def program_in(folder: Path) -> Iterator[Program]:
    with closing(Program(config.load(folder / "config.toml", {}))) as program:
        yield program


def point_to(folder: Path, url: str, **more: str) -> None:
    """config.toml anew, with the source `demo` at another address."""
    (folder / "config.toml").unlink(missing_ok=True)
    add_source(folder / "config.toml", Source("demo", url, **{"metadata_prefix": "eprints", **more}))


def settings(folder: Path, more: str) -> None:
    """At the end of config.toml."""
    with (folder / "config.toml").open("a") as file:
        file.write(more)


def sql(folder: Path, statement: str) -> Any:
    """The first row of what it answers."""
    with closing(sqlite3.connect(folder / "data/windrow.db", isolation_level=None)) as connection:
        return connection.execute(statement).fetchone()


def put(store: Store, *shown: Record, source: str = "demo") -> None:
    """Records, or tombstones, as a harvest stores them."""
    with store.write() as connection:
        state = sources.ensure(connection, source, "")
        known = records.known(connection, state.id, [record.identifier for record in shown])
        records.write(connection, state.id, records.pack([_write(record, known) for record in shown]))


def _write(record: Record, known: Mapping[str, records.Known]) -> Write:
    return Write(
        identifier=record.identifier,
        datestamp="2020-01-01T00:00:00Z",
        sets="[]",
        deleted=record.deleted,
        moves=True,
        known=known.get(record.identifier),
        content_hash=None if record.deleted else b"hash",
        record=None if record.deleted else record,
        raw=None if record.deleted else b"<metadata/>",
    )


def numbered(numbers: Iterable[int], title: str = "Title") -> list[Record]:
    return [
        Record(identifier=f"oai:x:{number}", title=f"{title} {number}", formats=("oai_dc",))
        for number in numbers
    ]


@contextmanager
def answering(status: int, media_type: str, body: bytes) -> Iterator[str]:
    """A server on loopback that gives this answer to everything; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(BrokenPipeError):
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/oai"
        finally:
            server.shutdown()
            thread.join()


class Terminal:
    """A command on a terminal; all that it was sent so far is `sent`."""

    def __init__(self, process: "subprocess.Popen[bytes]", screen: int, name: str) -> None:
        self.process = process
        self._screen, self._name = screen, name
        self.sent = ""

    def stop_output(self) -> None:
        """As Ctrl-S does."""
        own = os.open(self._name, os.O_RDWR | os.O_NOCTTY)
        termios.tcflow(own, termios.TCOOFF)
        os.close(own)

    def until(self, text: str) -> str:
        """What it is sent from now on, up to where `text` has come."""
        begin, stuck = len(self.sent), time.monotonic() + _GUARD
        while text not in self.sent[begin:]:
            assert self.read(), f"it ended without {text!r}: {self.sent}"
            assert time.monotonic() < stuck, f"{text!r} does not come: {self.sent}"
        return self.sent[begin:]

    def read(self) -> bytes:
        """Some more; b"" when nobody writes there any more."""
        chunk = b""
        with suppress(OSError):  # that is how Linux says so
            chunk = os.read(self._screen, 65536)
        self.sent += chunk.decode(errors="replace")
        return chunk


@contextmanager
def terminal(
    cwd: Path, *arguments: str, typed: str = "", columns: int = 80, rows: int = 1000, **more: str
) -> Iterator[Terminal]:
    """Standard output and error alike; `typed` waits to be read, `more` is env."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    size = {"COLUMNS": str(columns), "LINES": str(rows)}
    env = environment(TERM="xterm-256color", **size, **(more or {"WINDROW_PAGER": ""}))
    process = subprocess.Popen(command(*arguments), cwd=cwd, env=env, stdin=slave, stdout=slave, stderr=slave)
    name = os.ttyname(slave)
    os.close(slave)
    os.write(master, typed.encode())
    try:
        yield Terminal(process, master, name)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(_GUARD)
        os.close(master)


def on_terminal(cwd: Path, *arguments: str, **how: Any) -> str:
    """What `terminal` is sent until the command ends."""
    with terminal(cwd, *arguments, **how) as ran:
        while ran.read():
            pass
        ran.process.wait(_GUARD)
    return ran.sent


class Gate(DemoRepository):
    """A repository that holds back every page but the first until `open` is set; `reached` says when."""

    def __init__(self) -> None:
        super().__init__(sample_records(), now=lambda: NOW)
        self.reached, self.open = Event(), Event()

    def respond(self, arguments: Sequence[tuple[str, str]]) -> bytes:
        if any(name == "resumptionToken" for name, _ in arguments):
            self.reached.set()
            self.open.wait(_GUARD)
        return super().respond(arguments)
