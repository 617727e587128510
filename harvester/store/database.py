"""Connections, transactions, the store's version. The only file that names a dialect."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import tenacity
from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from harvester.errors import StoreError, StoreReplaced, StoreTooNew, StoreUnusable
from harvester.fault_point import fault_point
from harvester.store import schema
from harvester.store.migrations import MIGRATIONS
from harvester.store.turns import Turns

_WAIT_FOR_WRITER = 60_000  # milliseconds
_KEPT_OPEN, _THREADS = 8, 64  # connections, each with a cache of its own


class Store:
    """The record store: `read()` and `write()` give a connection inside one transaction."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self._make_folder()
        self._turns = Turns()
        self._engine = sa.create_engine(self.url, **_pool(self.url))
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _set_up_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        try:
            self._migrate()
            with self.read() as connection:
                self.id = str(connection.scalar(_meta("store_id")))
            self._file = self._file_in_place()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot: what others commit meanwhile is not seen."""
        with self._faults_told(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """All or nothing. Writers wait for each other, in order; readers wait for nobody."""
        writing = self._engine.execution_options(writes=True)
        with self._turns.turn(), self._faults_told(), writing.begin() as connection:
            fault_point("transaction begun")
            yield connection

    def close(self) -> None:
        self._engine.dispose()

    def check_integrity(self) -> list[str]:
        """What the database itself finds wrong with its file; empty when sound."""
        if self._engine.dialect.name != "sqlite":
            return []
        with self.read() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(20)").scalars().all()
        return [str(line) for line in found if line != "ok"]

    def check_in_place(self) -> None:
        """StoreReplaced, StoreTooNew: what has become of it under a process that holds it open for weeks."""
        if self._file_in_place() not in (None, self._file):
            raise StoreReplaced(
                f"the store {self.url} was replaced by another one",
                "what still writes into the old one has to start anew",
            )
        _check_known(self.url, self._version())

    def _file_in_place(self) -> tuple[int, int] | None:
        """None where there is none: one that is being replaced may be gone for a moment."""
        if not self._folder:
            return None
        try:
            found = Path(self.url.database or "").stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _migrate(self) -> None:
        if self._version() == len(MIGRATIONS):
            return
        with self.write() as connection:
            done = _version(connection)
            _check_known(self.url, done)
            for migration in MIGRATIONS[done:]:
                migration(connection)
                fault_point("store half migrated")
            connection.execute(schema.meta.delete().where(schema.meta.c.key == "schema_version"))
            version = {"key": "schema_version", "value": str(len(MIGRATIONS))}
            connection.execute(schema.meta.insert(), version)

    def _version(self) -> int:
        with self.read() as connection:
            return _version(connection)

    @property
    def _folder(self) -> Path | None:
        """None where it is no file."""
        if not self.url.drivername.startswith("sqlite") or not self.url.database:
            return None
        return Path(self.url.database).parent

    def _make_folder(self) -> None:
        if (folder := self._folder) is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnusable(
                f"cannot make the data folder {folder}: {error.strerror}",
                "give `data` in config.toml a folder that you may write to",
            ) from error

    @contextmanager
    def _faults_told(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _explained(error, self.url.database or str(self.url)) from error


def _pool(url: sa.URL) -> dict[str, Any]:
    if not url.database:  # in memory: one for each thread, as SQLAlchemy has it
        return {}
    return {"pool_size": _KEPT_OPEN, "max_overflow": _THREADS - _KEPT_OPEN, "pool_use_lifo": True}


def _meta(key: str) -> sa.Select[tuple[str]]:
    return sa.select(schema.meta.c.value).where(schema.meta.c.key == key)


def _version(connection: Connection) -> int:
    if not sa.inspect(connection).has_table("meta"):
        return 0
    return int(connection.scalar(_meta("schema_version")) or 0)


def _check_known(url: sa.URL, version: int) -> None:
    if version > len(MIGRATIONS):
        raise StoreTooNew(
            f"the store {url} is of version {version}, this Windrow knows up to {len(MIGRATIONS)}",
            "upgrade Windrow, or point `data` in config.toml at another folder",
        )


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours to say: the driver's own comes too late
    for pragma in (
        f"busy_timeout={_WAIT_FOR_WRITER}",
        # Power loss may cost the last pages, never their order: a token and its records are one commit.
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "secure_delete=FAST",  # what is forgotten should not lie about in free pages
        "cache_size=-16000",
        "journal_size_limit=67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")
    _turn_to_wal(connection)


@tenacity.retry(
    retry=tenacity.retry_if_exception_message(match="database is locked"),
    stop=tenacity.stop_after_delay(_WAIT_FOR_WRITER / 1000),
    wait=tenacity.wait_random(0, 0.05),
    reraise=True,
)
def _turn_to_wal(connection: Any) -> None:
    # SQLite answers "locked" at once, whatever its busy_timeout, where two turn a new file to WAL together.
    connection.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another writer came between.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_ADVICE = {
    "full": "free some space, then run the same command again: nothing stored is lost",
    "readonly": "the store must be writable: check the owner and mode of the data folder",
    "unable to open": "check `data` in config.toml and the rights on that folder",
    "disk i/o": "the disk refused to read or write: check its space, its quota and its health",
    "malformed": "restore the store from a backup, or remove it and harvest again",
    "not a database": "that file is no store of Windrow: check `data` in config.toml",
    "locked": "another program holds the store: end it, or try again",
}


def _explained(error: DBAPIError, where: str) -> StoreError:
    text = str(error.orig)
    known = next((advice for sign, advice in _ADVICE.items() if sign in text.lower()), "")
    if isinstance(error, OperationalError) or known:
        return StoreUnusable(f"the store {where} cannot be used: {text}", known)
    return StoreError(f"the store {where} refused: {text}", "this is a fault of Windrow: please report it")
