"""An index that is missing, damaged, locked or out of reach: that is said; the store is untouched."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index.generations import Generations
from tests.commands import WITHOUT_PRIVILEGES, Ran, demo_folder, windrow

SEARCH = ("search", "coproduction OR fish", "--facet", "type", "--facet", "creator", "--sort", "newest")
ENGINES = ("tantivy", "whoosh")


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path, engine: str) -> Iterator[Path]:
    """Searchable; afterwards its store is as it was."""
    demo_folder(tmp_path)
    if engine == "whoosh":
        with (tmp_path / "config.toml").open("a", encoding="utf-8") as settings:
            settings.write('[index]\nengine = "whoosh"\n')
        assert windrow(tmp_path, "rebuild").code == 0
    before = _store(tmp_path)
    yield tmp_path
    assert _store(tmp_path) == before


def test_no_index(folder: Path) -> None:
    _files(folder).parent.rename(folder / "elsewhere")
    _says_rebuild(windrow(folder, *SEARCH))


def test_a_generation_without_files(folder: Path) -> None:
    _files(folder).rename(folder / "elsewhere")
    _says_rebuild(windrow(folder, *SEARCH))


def _emptied(content: bytes) -> bytes:
    return b""


def _halved(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _noise(content: bytes) -> bytes:
    return random.Random(7).randbytes(len(content))


@pytest.mark.slow
@pytest.mark.parametrize("damage", [_emptied, _halved, _noise])
def test_a_damaged_file(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    """Whichever it is: a search answers from the rest of it, or says what helps; a rebuild does help."""
    sound = windrow(folder, *SEARCH).out.partition("\n")[2]
    faults = 0
    for file in sorted(path for path in _files(folder).parent.rglob("*") if path.suffix != ".lock"):
        if file.is_file() and file.stat().st_size:
            faults += _survives(folder, file, damage)
    assert faults >= 3
    assert windrow(folder, "rebuild").code == 0
    assert windrow(folder, *SEARCH).out.partition("\n")[2] == sound


def _survives(folder: Path, file: Path, damage: Callable[[bytes], bytes]) -> bool:
    """True where the damage was met."""
    content = file.read_bytes()
    file.write_bytes(damage(content))
    ran = windrow(folder, *SEARCH)
    file.write_bytes(content)
    if ran.code:
        _says_rebuild(ran)
    assert "Traceback" not in ran.err, file.name
    return ran.code == 1


def test_a_locked_index(folder: Path) -> None:
    """A search does not wait for whoever writes."""
    with Generations(folder / "data/index").current().locked():
        assert windrow(folder, *SEARCH).code == 0
    with Generations(folder / "data/index").rebuilding():
        assert windrow(folder, *SEARCH).code == 0


def test_an_index_that_may_not_be_read(folder: Path) -> None:
    files = _files(folder)
    files.chmod(0)
    ran = windrow(folder, *SEARCH, before=WITHOUT_PRIVILEGES)
    files.chmod(0o755)
    assert (ran.code, ran.out) == (1, "")
    assert "Traceback" not in ran.err
    assert "index" in ran.err
    assert "→" in ran.err


def _files(folder: Path) -> Path:
    return Generations(folder / "data/index").current().folder / "files"


def _says_rebuild(ran: Ran) -> None:
    assert (ran.code, ran.out) == (1, ""), ran.err
    assert "Traceback" not in ran.err
    assert "`windrow rebuild`" in ran.err


def _store(folder: Path) -> bytes:
    return (folder / "data/windrow.db").read_bytes()
