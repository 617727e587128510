"""A disk that is full after so many bytes of a file, at each write in turn: nothing breaks, and it is told.

Read-only folders, and two sizes for every push: tests/test_cli.py.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import files_up_to, inside, numbered, program_in, put, windrow
from tests.fakes.clock import FakeClock
from tests.fakes.repository import FakeRepository, serving
from tests.fakes.works import Works
from tests.whole import Stored, assert_holds, assert_sound

pytestmark = pytest.mark.slow
RECORDS = 250
KIB = 1024


@pytest.fixture(scope="module")
def repository() -> Iterator[FakeRepository]:
    with serving(Works(RECORDS, FakeClock().now, page_size=25)) as repository:
        yield repository


@pytest.fixture
def folder(tmp_path: Path, repository: FakeRepository) -> Path:
    (tmp_path / "config.toml").write_text(f'[sources.test]\nurl = "{repository.url}"\n')
    return tmp_path


def all_of(repository: FakeRepository) -> Stored:
    assert isinstance(repository.responder, Works)
    return Stored(repository.responder.live, repository.responder.deleted, set())


# The store's file and its log grow past 300 KiB, so that every one of these is reached.
@pytest.mark.parametrize("kib", [0, 1, 4, 8, 16, *range(32, 320, 32)])
def test_under_the_store(
    repository: FakeRepository, folder: Path, capsys: pytest.CaptureFixture[str], kib: int
) -> None:
    ran = windrow(folder, "harvest", before=files_up_to(kib * KIB))
    assert ran.code in (1, 3), ran.out
    assert "Traceback" not in ran.err
    assert "space" in ran.err or "disk" in ran.err
    assert "  → " in ran.err
    assert_sound(folder)
    assert inside(folder, capsys, "harvest").code == 0
    assert_holds(folder, all_of(repository))


MANY = 3000
# The largest file of either index, in KiB, and on the way to it. SQLite's own, which a reader maps, has 32:
# what is smaller than that fails at the named places (tests/test_fault_points.py).
SIZES = {"tantivy": (33, 40, 48, 64, 80, 96), "whoosh": (33, 64, 256, 1024, 2048, 2300)}


@pytest.mark.parametrize("name", ["sync", "rebuild"])
@pytest.mark.parametrize(("engine", "kib"), [(engine, kib) for engine in SIZES for kib in SIZES[engine]])
def test_under_the_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, engine: str, kib: int
) -> None:
    (tmp_path / "config.toml").write_text(f'[index]\nengine = "{engine}"\n')
    with program_in(tmp_path) as program:
        put(program.store, *numbered([0]))
        assert inside(tmp_path, capsys, "sync").code == 0
        put(program.store, *numbered(range(1, MANY)))
    ran = windrow(tmp_path, name, before=files_up_to(kib * KIB))
    assert (ran.code, ran.out) == (1, "")
    assert "Traceback" not in ran.err
    assert "the index cannot be written" in ran.err
    assert "  → free some space" in ran.err
    assert len(list((tmp_path / "data/index").glob(f"{engine}-*"))) == 1
    assert_sound(tmp_path)
    with program_in(tmp_path) as program:
        assert program.searcher().count() == 1
    assert inside(tmp_path, capsys, name).code == 0
    assert_holds(tmp_path, Stored({f"oai:x:{at}" for at in range(MANY)}, set(), set()))


def test_without_a_place_for_temporary_files(
    repository: FakeRepository, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither store nor index needs one."""
    nowhere = str(folder / "nowhere")
    ran = windrow(folder, "harvest", env={"TMPDIR": nowhere, "SQLITE_TMPDIR": nowhere})
    assert ran.code == 0, ran.err
    assert_holds(folder, all_of(repository))
