"""Generations: complete builds of an index, one folder each, and the small file that names the current one.

index/current                        the folder's name; replaced atomically, so nothing open is ever renamed
index/ENGINE-vSCHEMA-N/position.json what it holds: its store, schema version, engine, position
index/ENGINE-vSCHEMA-N/files/        the engine's own
index/ENGINE-vSCHEMA-N/writer.lock   held by whoever writes; the system frees it when that process dies

The position is saved after the engine's commit is durable, so it never leads the documents:
after a crash in between, a few changes are put again.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from filelock import FileLock, Timeout

from harvester.errors import IndexBusy, IndexFault, IndexMissing, IndexUnusable
from harvester.fault_point import fault_point
from index.engine import SCHEMA_VERSION, Engine, Searcher
from index.engines import engine_named

T = TypeVar("T")


class Position(msgspec.Struct, frozen=True):
    """How far a generation has followed which store's change feed, and with what.

    `level` is the last position at which it had all that the store had: below it, none is still to come.
    """

    store_id: str
    engine: str
    position: int = 0
    schema_version: int = SCHEMA_VERSION
    level: int = 0


class Generation:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def position(self) -> Position:
        """IndexUnusable where it cannot be read."""
        try:
            return msgspec.json.decode((self.folder / "position.json").read_bytes(), type=Position)
        except FileNotFoundError as error:
            raise IndexMissing(f"there is no index in {self.folder}", "run `windrow rebuild`") from error
        except (OSError, msgspec.DecodeError) as error:
            where = self.folder / "position.json"
            raise IndexUnusable(f"{where} cannot be read: {error}", "run `windrow rebuild`") from error

    def save(self, position: Position) -> None:
        replace_durably(self.folder / "position.json", msgspec.json.encode(position))

    def engine(self) -> Engine:
        return engine_named(self.position.engine, self.folder / "files")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time. IndexBusy while another process holds it; IndexMissing where it is gone."""
        if not self.folder.is_dir():  # the lock would make it again
            raise IndexMissing(f"there is no index in {self.folder}", "run `windrow rebuild`")
        with _held(self.folder / "writer.lock", "another process writes the index"):
            yield

    def remove(self) -> None:
        """Unless somebody writes it. A search that has it open keeps it: the system frees the files later."""
        with suppress(IndexFault), self.locked():
            shutil.rmtree(self.folder, ignore_errors=True)


class Generations:
    """`folder` is made when the first generation is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> Generation:
        """IndexMissing where nothing was built yet."""
        try:
            name = (self.folder / "current").read_text(encoding="ascii").strip()
        except FileNotFoundError as error:
            raise IndexMissing(
                "there is no index yet", "run `windrow harvest`, or `windrow rebuild` if records are stored"
            ) from error
        except (OSError, ValueError) as error:
            raise IndexUnusable(f"{self.folder / 'current'}: {error}", "run `windrow rebuild`") from error
        return Generation(self.folder / name)

    def searcher(self) -> Searcher:
        """Of the current generation."""
        return self._of_current(self._searcher)

    def position(self) -> Position:
        """Of the current generation."""
        return self._of_current(lambda generation: generation.position)

    def snapshot(self) -> tuple[Position, Searcher]:
        """Of the current generation, whatever its version; the searcher sees that much or more."""
        return self._of_current(lambda generation: (generation.position, generation.engine().searcher()))

    def _of_current(self, ask: Callable[[Generation], T]) -> T:
        """A generation that a rebuild switches away meanwhile is no fault: the next one is asked."""
        generation = self.current()
        while True:
            try:
                return ask(generation)
            except IndexFault:
                asked, generation = generation, self.current()
                if generation.folder == asked.folder:
                    raise

    def _searcher(self, generation: Generation) -> Searcher:
        if generation.position.schema_version != SCHEMA_VERSION:
            raise IndexUnusable("the index was built by another version of Windrow", "run `windrow rebuild`")
        return generation.engine().searcher()

    def new(self, engine: str, store_id: str) -> Generation:
        """An empty generation, which nobody searches yet."""
        folder = self._unused(engine)
        with _faults_told(folder):
            (folder / "files").mkdir(parents=True)
        generation = Generation(folder)
        generation.save(Position(store_id, engine))
        generation.engine().create()
        return generation

    def switch(self, generation: Generation) -> None:
        """From now on searches go to `generation`; the others are removed where nobody writes them."""
        replace_durably(self.folder / "current", generation.folder.name.encode("ascii"))
        fault_point("generation switched")
        self._remove_all_but(generation)

    def tidy(self) -> None:
        """Removes what was replaced and has no writer any more, unless a rebuild is at work."""
        with suppress(IndexFault), self.rebuilding():
            self._remove_all_but(self.current())

    def progress(self) -> list[tuple[str, bytes]]:
        """Another after each commit of whoever writes any of them."""
        found = []
        for folder in self._folders():
            with suppress(OSError):
                found.append((folder.name, (folder / "position.json").read_bytes()))
        return found

    def _remove_all_but(self, current: Generation) -> None:
        for folder in self._folders():
            if folder != current.folder:
                Generation(folder).remove()

    @contextmanager
    def rebuilding(self) -> Iterator[None]:
        """One rebuild at a time."""
        with _faults_told(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        with _held(self.folder / "rebuild.lock", "another process rebuilds the index"):
            yield

    def _unused(self, engine: str) -> Path:
        stem = f"{engine}-v{SCHEMA_VERSION}-"
        endings = [folder.name.rpartition("-")[2] for folder in self._folders()]
        number = 1 + max((int(ending) for ending in endings if ending.isdigit()), default=0)
        return self.folder / f"{stem}{number}"

    def _folders(self) -> list[Path]:
        return [path for path in self.folder.glob("*-v*-*") if path.is_dir()] if self.folder.is_dir() else []


@contextmanager
def _held(path: Path, otherwise: str) -> Iterator[None]:
    lock = FileLock(path)
    try:
        with _faults_told(path):
            lock.acquire(timeout=0)
    except Timeout as error:
        raise IndexBusy(otherwise, "wait for it to end") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _faults_told(path: Path) -> Iterator[None]:
    try:
        yield
    except Timeout:  # which is an OSError
        raise
    except OSError as error:
        raise IndexUnusable(
            f"the index cannot be written: {path}: {error.strerror or error}",
            "see to the space and the rights there, then run `windrow sync`; the store has every record",
        ) from error


def replace_durably(path: Path, content: bytes) -> None:
    """Whole or not at all, and still there after a power cut."""
    with _faults_told(path):
        _replace(path, content)


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
