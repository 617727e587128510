"""Both engines keep what index/engine.py promises."""

import errno
from pathlib import Path

import pytest

import index.engines.whoosh_storage
from harvester.errors import IndexUnusable
from index.engines.tantivy import TantivyEngine
from index.engines.whoosh import WhooshEngine
from tests.contracts.engine import EngineWrites, found, work, write
from tests.contracts.engine_search import EngineSearches


class TestTantivyWrites(EngineWrites):
    kind = TantivyEngine


class TestTantivySearches(EngineSearches):
    kind = TantivyEngine


class TestWhooshSearches(EngineSearches):
    kind = WhooshEngine


class TestWhooshWrites(EngineWrites):
    kind = WhooshEngine

    def test_all_files_are_synced_before_the_contents_name_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = WhooshEngine(tmp_path)
        engine.create()
        synced: list[tuple[Path, int, list[str]]] = []

        def sync(path: Path) -> None:
            named = sorted(one.name for one in tmp_path.glob("*.toc"))
            synced.append((path, path.stat().st_size, named))

        monkeypatch.setattr(index.engines.whoosh_storage, "_sync", sync)
        write(engine, work(1))
        (segment,) = tmp_path.glob("*.seg")
        assert (segment, segment.stat().st_size, ["_MAIN_0.toc"]) in synced
        assert any(path.name.startswith("_MAIN_1.toc.") for path, _, _ in synced)
        assert synced[-1][0] == tmp_path
        assert synced[-1][2] == ["_MAIN_0.toc", "_MAIN_1.toc"]  # the old ones go after that

    def test_a_full_disk_takes_nothing_that_was_committed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = WhooshEngine(tmp_path)
        engine.create()
        write(engine, work(1))
        before = sorted(tmp_path.iterdir())

        def full(path: Path) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(index.engines.whoosh_storage, "_sync", full)
            with pytest.raises(IndexUnusable, match="No space left") as caught:
                write(engine, work(2), delete=["src/1"])
        assert "free some space" in caught.value.advice
        assert found(engine.searcher()) == ["src/1"]
        assert sorted(path for path in tmp_path.iterdir() if path.is_file()) == before
        write(engine, work(3))
        assert sorted(found(engine.searcher())) == ["src/1", "src/3"]
        assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []
