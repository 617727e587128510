"""Counters that stay small whatever is counted, each with a few examples."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

import msgspec

EXAMPLES = 3
_MOST_VALUES = 10_000
_LONGEST_VALUE = 200  # characters
_BATCH = 1000


class Counted(msgspec.Struct, frozen=True):
    """`examples` are ids of records."""

    records: int
    examples: tuple[str, ...] = ()


class Valued(msgspec.Struct, frozen=True):
    """A value as it was written, cut at 200 characters."""

    value: str
    records: int
    examples: tuple[str, ...] = ()


class Tally:
    """Of ten thousand different values the rarer half is forgotten: of rare ones a count may be too low."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._examples: dict[str, list[str]] = {}

    def add(self, value: str, id: str) -> None:
        value = value[:_LONGEST_VALUE]
        count = self._counts.get(value, 0)
        self._counts[value] = count + 1
        if count < EXAMPLES:
            self._examples.setdefault(value, []).append(id)
        if len(self._counts) > _MOST_VALUES:
            self._forget_rare()

    def commonest(self, most: int | None = None) -> tuple[Valued, ...]:
        ranked = sorted(self._counts.items(), key=lambda one: (-one[1], one[0]))[:most]
        return tuple(Valued(value, count, tuple(self._examples[value])) for value, count in ranked)

    def _forget_rare(self) -> None:
        kept = sorted(self._counts, key=self._counts.__getitem__, reverse=True)[: _MOST_VALUES // 2]
        self._counts = {value: self._counts[value] for value in kept}
        self._examples = {value: self._examples[value] for value in kept}


class Repeats:
    """Which of very many values come more than once: exactly, so on disk."""

    def __init__(self, scratch: sqlite3.Connection) -> None:
        self._scratch = scratch
        self._waiting: list[tuple[str, str]] = []
        scratch.execute("CREATE TABLE seen (value TEXT NOT NULL, id TEXT NOT NULL)")

    def add(self, value: str, id: str) -> None:
        self._waiting.append((value, id))
        if len(self._waiting) >= _BATCH:
            self._store()

    def found(self, most: int) -> tuple[int, tuple[Valued, ...]]:
        """How many records share a value with another one; and the commonest of these values."""
        self._store()
        many = "SELECT value, count(*) AS n FROM seen GROUP BY value HAVING n > 1"
        (records,) = self._scratch.execute(f"SELECT coalesce(sum(n), 0) FROM ({many})").fetchone()  # noqa: S608  our own words
        top = self._scratch.execute(f"{many} ORDER BY n DESC, value LIMIT ?", (most,)).fetchall()
        return records, tuple(Valued(value, n, tuple(self._ids(value))) for value, n in top)

    def _ids(self, value: str) -> Iterable[str]:
        query = "SELECT id FROM seen WHERE value = ? ORDER BY id LIMIT ?"
        return (id for (id,) in self._scratch.execute(query, (value, EXAMPLES)).fetchall())

    def _store(self) -> None:
        self._scratch.executemany("INSERT INTO seen VALUES (?, ?)", self._waiting)
        self._waiting.clear()


@contextmanager
def repeats() -> Iterator[Repeats]:
    """With a scratch file that nobody else sees and that is gone with the block."""
    with closing(sqlite3.connect("", isolation_level=None)) as scratch:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-8000"):
            scratch.execute(f"PRAGMA {pragma}")
        scratch.execute("BEGIN")
        yield Repeats(scratch)
