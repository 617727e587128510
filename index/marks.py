"""How far the news of a saved search have been given: one small file each, in the data folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from harvester.errors import IndexUnusable, SearchBusy
from index.generations import Position, replace_durably
from index.nodes import Range

_MINUTE = 60


class _Mark(msgspec.Struct, frozen=True):
    store_id: str
    position: int


class News(msgspec.Struct):
    """`lost` says why what was given before does not count, or is ""; `is_given` once all was printed."""

    within: Range
    lost: str
    is_given: bool = False


class Mark:
    """Of one saved search. Hold it from the question to the last line that is printed."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.json"
        self._name = name

    @contextmanager
    def held(self) -> Iterator[None]:
        """SearchBusy while another process holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._path.with_suffix(".lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise SearchBusy(
                f"another process prints what is new of @{self._name}", "wait for it to end"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def news(self, at: Position) -> News:
        """What has come between the mark and `at`."""
        mark = self._read()
        lost = ""
        if mark is not None and mark.store_id != at.store_id:
            lost = "the records are now in another store"
        elif mark is not None and mark.position > at.level:
            lost = "the store was restored from an older copy"
        since = mark.position if mark is not None and not lost else 0
        return News(came_after(since, at.level), lost)

    def move(self, at: Position) -> None:
        replace_durably(self._path, msgspec.json.encode(_Mark(at.store_id, at.level)))

    def _read(self) -> _Mark | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Mark)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise IndexUnusable(
                f"{self._path} cannot be read: {error}",
                f"remove it; then @{self._name} begins anew, with everything that matches",
            ) from error


def came_after(position: int, until: int | None = None) -> Range:
    """Records that were first stored after `position`."""
    return Range("first_position", position + 1, until)


def came_since(moment: float) -> Range:
    """Records that were first stored since then, in seconds since 1970: rather once more than never, for
    the store knows the minute.
    """
    return Range("first_stored", max(0, int(moment) - _MINUTE), None)
