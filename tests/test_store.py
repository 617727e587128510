"""The store in SQLite: what every store promises, and what a file and a disk can do to it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest
import sqlalchemy as sa

from harvester.errors import StoreReplaced, StoreUnusable
from harvester.store import Store, forgetting, quarantine, records, schema, sources
from harvester.store.codec import compress_all
from harvester.store.migrations import MIGRATIONS
from tests.contracts.store import (
    Harvesting,
    StorePromises,
    feed,
    page,
    test_a_record_comes_back_as_it_was,
    test_bytes_come_back_as_they_were,
)
from tests.fakes.clock import FakeClock

__all__ = ["test_a_record_comes_back_as_it_was", "test_bytes_come_back_as_they_were"]

# What each migration makes of a store. Append to it; a released line never changes.
FINGERPRINTS = [
    "9057efe288f3852f",
    "02274962d9afde17",
    "3a980f59e487ac20",
    "ed5778e79db69ca6",
    "f85c75add40bb60e",
    "13e2f5aa3858c1a8",
    "2a357eb5938c5894",
    "f5d0c06efd253ca3",
    "c89cd1a5d96527cd",
    "3fef724bdf953fec",
]


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'store.db'}"


class TestSqlite(StorePromises):
    def url(self, folder: Path) -> str:
        return url(folder)


def test_released_migrations_do_not_change() -> None:
    engine = sa.create_engine("sqlite://")
    found = []
    with engine.begin() as connection:
        for migrate in MIGRATIONS:
            migrate(connection)
            tables = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql <> '' ORDER BY name")
            made = "\n".join(" ".join(row.sql.split()) for row in tables)
            found.append(blake2b(made.encode(), digest_size=8).hexdigest())
    engine.dispose()
    assert found == FINGERPRINTS


def test_migrations_lead_to_the_tables_of_today(tmp_path: Path) -> None:
    def columns(engine: sa.Engine) -> dict[str, dict[str, tuple[str, bool]]]:
        found = sa.inspect(engine)
        return {
            table: {one["name"]: (str(one["type"]), one["nullable"]) for one in found.get_columns(table)}
            for table in found.get_table_names()
        }

    Store(url(tmp_path)).close()
    migrated, today = sa.create_engine(url(tmp_path)), sa.create_engine("sqlite://")
    schema.tables.create_all(today)
    assert columns(migrated) == columns(today)
    migrated.dispose()
    today.dispose()


def old_store(folder: Path, version: int, *statements: str) -> Store:
    """A store that an earlier Windrow made and filled, opened with this one."""
    engine = sa.create_engine(url(folder))
    with engine.begin() as connection:
        for migrate in MIGRATIONS[:version]:
            migrate(connection)
        connection.exec_driver_sql(f"INSERT INTO meta VALUES ('schema_version', '{version}')")
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
    return Store(url(folder))


SOURCE = (
    "INSERT INTO sources (name, fingerprint, doubted, live, tombstones, fence) VALUES ('src', '', 0, 0, 0, 0)"
)


def test_version_1_kept_no_sets_in_quarantine(tmp_path: Path) -> None:
    body = compress_all([b"<raw/>"], "")[0].hex()
    refused = f"INSERT INTO quarantine VALUES (1, 1, 'oai:x:1', '2020', '2021', 'why', x'{body}')"
    with closing(old_store(tmp_path, 1, SOURCE, refused)) as store, store.read() as connection:
        (entry,) = quarantine.entries(connection)
    assert (entry.identifier, entry.sets, entry.reason, entry.body) == ("oai:x:1", (), "why", b"<raw/>")


def test_version_2_forgot_nothing(tmp_path: Path) -> None:
    row = "INSERT INTO records VALUES (1, 1, 'oai:x:1', 1, '2020', 1, '[]', NULL, NULL)"
    with closing(old_store(tmp_path, 2, SOURCE, row)) as store, store.read() as connection:
        assert records.known(connection, 1, ["oai:x:1"])["oai:x:1"].forgotten is False
        assert forgetting.since(connection, "src/oai:x:1") is None


def test_version_3_removed_no_source(tmp_path: Path) -> None:
    with closing(old_store(tmp_path, 3, SOURCE)) as store, store.read() as connection:
        assert [state.name for state in sources.every(connection)] == ["src"]
        assert sources.removed_since(connection, "src") is None


# A disk that refuses


# Somebody who may not write: says what came of opening the store and of storing a page in it. Root may write
# anywhere, so it becomes nobody, when all is loaded that nobody might not read.
STRANGER = """
import os, sys
from harvester.errors import StoreUnusable
from harvester.store import Store
from tests.contracts.store import Harvesting, page
from tests.fakes.clock import FakeClock
Harvesting(Store("sqlite://"), FakeClock()).store(page((9, "Nine")))
if os.geteuid() == 0:
    os.setgroups([])
    os.setuid(65534)
try:
    Harvesting(Store(sys.argv[1]), FakeClock()).store(page((9, "Nine")))
except StoreUnusable as error:
    print(error.message, error.advice, sep="|")
"""

# Run with a limit to the size of its files: stores pages until it cannot.
FILLING = """
import random, resource, sys
from harvester.errors import StoreUnusable
from harvester.store import Store
from tests.contracts.store import Harvesting, page
from tests.fakes.clock import FakeClock
run = Harvesting(Store(sys.argv[1]), FakeClock())
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
noise = random.Random(1)
stored = 0
try:
    while stored < 1000:
        run.store(page(*((10 * stored + at, noise.randbytes(2000).hex()) for at in range(10))))
        stored += 1
except StoreUnusable as error:
    print(stored, error.message, error.advice, sep="|")
"""


def in_a_process(script: str, argument: str) -> list[str]:
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script, argument],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip().split("|")


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that another user can reach, with a store of one record in it."""
    folder = Path(mkdtemp(prefix="windrow-test-"))
    folder.chmod(0o755)
    store = Store(url(folder))
    run = Harvesting(store, FakeClock())
    run.store(page((1, "Tides")))
    run.end()
    store.close()
    yield folder
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    rmtree(folder)


def is_intact(folder: Path, records: int) -> None:
    store = Store(url(folder))
    try:
        assert store.check_integrity() == []
        assert len(feed(store)) == records
    finally:
        store.close()


def test_one_that_is_replaced_while_it_is_open_is_told(tmp_path: Path) -> None:
    folder, aside = tmp_path / "data", tmp_path / "aside"
    with closing(Store(url(folder))) as store:
        store.check_in_place()
        folder.rename(aside)
        store.check_in_place()  # somebody may be about to put another one there
        Store(url(folder)).close()
        with pytest.raises(StoreReplaced, match="replaced by another one"):
            store.check_in_place()
        rmtree(folder)
        aside.rename(folder)
        store.check_in_place()


@pytest.mark.slow
def test_a_read_only_store_is_told_and_left_whole(shared: Path) -> None:
    for path in shared.iterdir():
        path.chmod(0o444)
    shared.chmod(0o555)
    message, advice = in_a_process(STRANGER, url(shared))
    assert str(shared) in message
    assert "rights" in advice or "owner and mode" in advice
    shared.chmod(0o755)
    is_intact(shared, 1)


@pytest.mark.slow
def test_a_read_only_folder_is_told(shared: Path) -> None:
    shared.chmod(0o555)
    message, advice = in_a_process(STRANGER, f"sqlite:///{shared / 'data' / 'new.db'}")
    assert "cannot make the data folder" in message
    assert "`data` in config.toml" in advice


@pytest.mark.slow
def test_a_full_disk_is_told_and_costs_no_stored_page(tmp_path: Path) -> None:
    stored, message, advice = in_a_process(FILLING, url(tmp_path))
    assert 0 < int(stored) < 1000
    assert "cannot be used" in message
    assert "space" in advice
    is_intact(tmp_path, 10 * int(stored))
    store = Store(url(tmp_path))
    run = Harvesting(store, FakeClock())
    run.store(page((1_000_000, "There is space again")))
    store.close()
    is_intact(tmp_path, 10 * int(stored) + 1)


@pytest.mark.parametrize("content", [b"this is no database, " * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_what_is_no_store_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store.db").write_bytes(content)
    with pytest.raises(StoreUnusable) as caught:
        Store(url(tmp_path))
    assert caught.value.advice
    assert (tmp_path / "store.db").read_bytes() == content


def test_a_folder_in_place_of_the_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    with pytest.raises(StoreUnusable) as caught:
        Store(url(tmp_path))
    assert "config.toml" in caught.value.advice


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreUnusable, match="cannot make the data folder"):
        Store(f"sqlite:///{tmp_path / 'data' / 'store.db'}")
