"""The index follows the store: caught up after every interruption, and never in the way of a search."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

import index.sync
from harvester.errors import IndexBusy, IndexMissing, IndexUnusable
from harvester.record import Record
from harvester.store import Store
from index.engines.tantivy import TantivyEngine
from index.generations import Generation, Generations
from index.query import parse
from index.sync import Follower, Synced, needs_rebuild, rebuild, sync, unseen
from tests.commands import numbered, put

GONE = Record(identifier="oai:x:2", deleted=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{tmp_path}/windrow.db")) as opened:
        yield opened


@pytest.fixture
def generations(tmp_path: Path) -> Generations:
    return Generations(tmp_path / "index")


@pytest.fixture
def synced(store: Store, generations: Generations) -> Generations:
    """Five records, one of them deleted since, all seen by the index."""
    put(store, *numbered(range(1, 6)))
    put(store, GONE)
    sync(store, generations, "tantivy")
    return generations


def documents(generations: Generations) -> list[tuple[str, int]]:
    return list(generations.searcher().positions())


def found(generations: Generations, query: str) -> list[str]:
    hits = generations.searcher().search(parse(query).tree, limit=100).hits
    return sorted(hit.id for hit, _ in hits)


def change_position(generations: Generations, **changes: Any) -> None:
    generation = generations.current()
    generation.save(msgspec.structs.replace(generation.position, **changes))


def files_of(generation: Generation) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(generation.folder)): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in generation.folder.rglob("*")
        if path.is_file()
    }


IN_ORDER = [("demo/oai:x:1", 1), ("demo/oai:x:3", 3), ("demo/oai:x:4", 4), ("demo/oai:x:5", 5)]


class TestCatchingUp:
    def test_takes_in_what_is_stored(self, store: Store, generations: Generations) -> None:
        put(store, *numbered(range(1, 4)))
        assert sync(store, generations, "tantivy") == Synced(3, 3, 0, "there was no index")
        assert documents(generations) == [(f"demo/oai:x:{number}", number) for number in (1, 2, 3)]

    def test_takes_in_changes_and_deletions(self, store: Store, synced: Generations) -> None:
        put(store, *numbered([4], "Anew"), Record(identifier="oai:x:1", deleted=True), *numbered([6]))
        assert sync(store, synced, "tantivy") == Synced(position=9, indexed=2, removed=1)
        assert documents(synced) == [*IN_ORDER[1:2], IN_ORDER[3], ("demo/oai:x:4", 7), ("demo/oai:x:6", 9)]
        assert found(synced, "title:anew") == ["demo/oai:x:4"]

    def test_an_empty_store_gives_an_empty_index(self, store: Store, generations: Generations) -> None:
        assert sync(store, generations, "tantivy").position == 0
        assert documents(generations) == []

    def test_a_record_that_comes_back(self, store: Store, synced: Generations) -> None:
        put(store, *numbered([2], "Back"))
        sync(store, synced, "tantivy")
        assert found(synced, "back") == ["demo/oai:x:2"]

    def test_without_news_the_index_does_no_work(
        self, store: Store, synced: Generations, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = files_of(synced.current())
        monkeypatch.setattr(TantivyEngine, "session", None)
        assert sync(store, synced, "tantivy") == Synced(position=6)
        assert files_of(synced.current()) == before

    def test_unseen_counts_what_is_still_to_come(self, store: Store, synced: Generations) -> None:
        assert unseen(store, synced) == 0
        put(store, *numbered([3, 6, 7]))
        assert unseen(store, synced) == 3

    def test_progress_is_told_in_changes(self, store: Store, generations: Generations) -> None:
        put(store, *numbered(range(1, 8)))
        told: list[int] = []
        sync(store, generations, "tantivy", told.append)
        assert sum(told) == 7

    @pytest.mark.parametrize(("read", "commit"), [(1, 1), (2, 2), (3, 4), (2, 1000), (1000, 20_000)])
    def test_whatever_the_batches(
        self,
        store: Store,
        generations: Generations,
        monkeypatch: pytest.MonkeyPatch,
        read: int,
        commit: int,
    ) -> None:
        monkeypatch.setattr(index.sync, "_READ", read)
        monkeypatch.setattr(index.sync, "_COMMIT_EVERY", commit)
        put(store, *numbered(range(1, 6)))
        assert sync(store, generations, "tantivy").indexed == 5
        put(store, *numbered([1], "Anew"), GONE)
        put(store, *numbered([3], "Anew"))
        assert sync(store, generations, "tantivy") == Synced(position=8, indexed=2, removed=1)
        expected = [*IN_ORDER[2:], ("demo/oai:x:1", 6), ("demo/oai:x:3", 8)]
        assert documents(generations) == expected
        assert generations.current().position.position == 8
        assert found(generations, "anew") == ["demo/oai:x:1", "demo/oai:x:3"]


class TestCrashes:
    def test_between_commit_and_position(self, store: Store, synced: Generations) -> None:
        """What was committed and not noted is taken in again, to no effect."""
        for position in (5, 3, 0):
            change_position(synced, position=position)
            assert sync(store, synced, "tantivy").position == 6
            assert documents(synced) == IN_ORDER

    def test_the_position_never_leads_the_documents(
        self, store: Store, generations: Generations, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(index.sync, "_READ", 1)
        monkeypatch.setattr(index.sync, "_COMMIT_EVERY", 1)
        save, saved = Generation.save, []

        def checked(generation: Generation, position: Any) -> None:
            save(generation, position)
            if (generation.folder / "files/meta.json").exists():
                last = max((at for _, at in generation.engine().searcher().positions()), default=0)
                saved.append((position.position, last))

        monkeypatch.setattr(Generation, "save", checked)
        put(store, *numbered(range(1, 5)))
        sync(store, generations, "tantivy")
        assert list(dict.fromkeys(saved)) == [(number, number) for number in range(1, 5)]

    def test_a_position_that_cannot_be_saved(self, store: Store, synced: Generations) -> None:
        put(store, *numbered([6]))
        obstacle = synced.current().folder / "position.json.new"
        obstacle.mkdir()
        with pytest.raises(IndexUnusable, match="cannot be written") as told:
            sync(store, synced, "tantivy")
        assert "the store has every record" in told.value.advice
        obstacle.rmdir()
        assert sync(store, synced, "tantivy") == Synced(position=7, indexed=1)
        assert documents(synced) == [*IN_ORDER, ("demo/oai:x:6", 7)]

    @pytest.mark.parametrize("when", ["before_the_position", "before_the_commit"])
    def test_killed_while_it_writes(self, store: Store, synced: Generations, when: str) -> None:
        put(store, *numbered([1], "Anew"), *numbered([6, 7]))
        target = "index.generations.Generation.save"
        if when == "before_the_commit":
            target = "index.engines.tantivy.TantivySession.commit"
        assert killed_in(target, store, synced, "sync") == -signal.SIGKILL
        assert synced.current().position.position == 6
        sync(store, synced, "tantivy")
        assert documents(synced) == [
            *IN_ORDER[1:], ("demo/oai:x:1", 7), ("demo/oai:x:6", 8), ("demo/oai:x:7", 9)
        ]  # fmt: skip

    def test_a_killed_rebuild_leaves_the_old_index_in_use(self, store: Store, synced: Generations) -> None:
        current = synced.current().folder
        target = "index.generations.Generations.switch"
        assert killed_in(target, store, synced, "rebuild") == -signal.SIGKILL
        assert synced.current().folder == current
        assert documents(synced) == IN_ORDER
        assert len(folders(synced)) == 2
        rebuild(store, synced, "tantivy")
        assert folders(synced) == [synced.current().folder]
        assert documents(synced) == IN_ORDER

    def test_leftovers_of_any_kind_are_removed(self, store: Store, synced: Generations) -> None:
        for name in ("tantivy-v1-7", "whoosh-v0-3", "tantivy-v1-x"):
            (synced.folder / name / "files").mkdir(parents=True)
        rebuild(store, synced, "tantivy")
        assert folders(synced) == [synced.current().folder]
        assert documents(synced) == IN_ORDER


def folders(generations: Generations) -> list[Path]:
    return [path for path in generations.folder.iterdir() if path.is_dir()]


_KILLED = """
import os, signal, sys
from importlib import import_module
from harvester.store import Store
from index.generations import Generations
import index.sync

def kill(*_arguments, **_named):
    os.kill(os.getpid(), signal.SIGKILL)

target, url, folder, what = sys.argv[1:]
module, kind, name = target.rsplit(".", 2)
setattr(getattr(import_module(module), kind), name, kill)
getattr(index.sync, what)(Store(url), Generations(__import__("pathlib").Path(folder)), "tantivy")
"""


def killed_in(target: str, store: Store, generations: Generations, what: str) -> int:
    """A process of its own that is killed where it calls `target`; its exit code."""
    arguments = [target, store.url.render_as_string(), str(generations.folder), what]
    return subprocess.run([sys.executable, "-c", _KILLED, *arguments], check=False).returncode


class TestRebuilding:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"position": 7}, "the index belonged to another store"),
            ({"store_id": "another"}, "the index belonged to another store"),
            ({"schema_version": 0}, "the index was of another version"),
            ({"engine": "lucene"}, "the index was built by lucene"),
        ],
    )
    def test_where_following_would_be_wrong(
        self, store: Store, synced: Generations, changes: dict[str, Any], reason: str
    ) -> None:
        old = synced.current().folder
        change_position(synced, **changes)
        assert sync(store, synced, "tantivy") == Synced(6, 4, 1, reason)
        assert synced.current().folder != old
        assert synced.current().position.store_id == store.id
        assert documents(synced) == IN_ORDER

    def test_the_reason_is_told_once(self, store: Store, synced: Generations) -> None:
        change_position(synced, schema_version=0)
        assert sync(store, synced, "tantivy").rebuilt == "the index was of another version"
        assert sync(store, synced, "tantivy").rebuilt == ""

    def test_a_newer_version_is_left_whole_until_the_switch(self, store: Store, synced: Generations) -> None:
        change_position(synced, schema_version=999)
        with pytest.raises(IndexUnusable, match="another version"):
            synced.searcher()
        before = files_of(synced.current())
        seen: list[bool] = []
        old = synced.current()
        sync(store, synced, "tantivy", lambda _done: seen.append(files_of(old) == before))
        assert seen == [True]

    def test_a_damaged_index(self, store: Store, synced: Generations) -> None:
        next((synced.current().folder / "files").glob("*.store")).unlink()
        with pytest.raises(IndexUnusable, match="cannot be used"):
            synced.searcher()
        assert "cannot be used" in sync(store, synced, "tantivy").rebuilt
        assert documents(synced) == IN_ORDER

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"store_id": 7}', b"\xff"])
    def test_a_position_that_says_nothing(self, store: Store, synced: Generations, content: bytes) -> None:
        (synced.current().folder / "position.json").write_bytes(content)
        assert "cannot be read" in sync(store, synced, "tantivy").rebuilt
        assert documents(synced) == IN_ORDER

    @pytest.mark.parametrize("content", [b"tantivy-v1-99", b"\xff", b""])
    def test_a_current_that_names_nothing(self, store: Store, synced: Generations, content: bytes) -> None:
        (synced.folder / "current").write_bytes(content)
        with pytest.raises((IndexMissing, IndexUnusable)):
            synced.searcher()
        sync(store, synced, "tantivy")
        assert documents(synced) == IN_ORDER

    def test_searches_go_on_beside_it(self, store: Store, synced: Generations) -> None:
        old = synced.current()
        opened = synced.searcher()
        put(store, *numbered([6]))
        meanwhile: list[tuple[Path, int]] = []

        def look(_done: int) -> None:
            meanwhile.append((synced.current().folder, synced.searcher().count()))

        rebuild(store, synced, "tantivy", look)
        assert meanwhile == [(old.folder, 4)]
        assert folders(synced) == [synced.current().folder]
        assert synced.current().folder != old.folder
        assert synced.searcher().count() == 5
        # What was open before the switch still answers, though its files have gone.
        assert list(opened.positions()) == IN_ORDER
        assert len(opened.search(parse("title").tree, limit=10).hits) == 4

    def test_a_failed_rebuild_changes_nothing(self, store: Store, synced: Generations) -> None:
        old = synced.current().folder

        def fail(_done: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rebuild(store, synced, "tantivy", fail)
        assert folders(synced) == [synced.current().folder] == [old]
        assert documents(synced) == IN_ORDER


class TestWritersMeeting:
    def test_one_writes_at_a_time(self, store: Store, synced: Generations) -> None:
        put(store, *numbered([6]))
        with Follower(store, synced.current()) as first:
            assert first.step() == 1
            with pytest.raises(IndexBusy) as refused:
                sync(store, synced, "tantivy")
            assert refused.value.exit_code == 3
            first.commit()
        assert sync(store, synced, "tantivy") == Synced(position=7)

    def test_one_rebuilds_at_a_time(self, store: Store, synced: Generations) -> None:
        def rebuild_too(_done: int) -> None:
            with pytest.raises(IndexBusy):
                rebuild(store, synced, "tantivy")

        rebuild(store, synced, "tantivy", rebuild_too)
        assert documents(synced) == IN_ORDER

    def test_the_second_sees_what_the_first_took_in(self, store: Store, synced: Generations) -> None:
        put(store, *numbered([6]))
        with Follower(store, synced.current()) as late:
            sync(store, synced, "tantivy")
            put(store, *numbered([7]))
            assert late.step() == 1
            late.commit()
        assert late.synced == Synced(position=8, indexed=1)
        assert documents(synced) == [*IN_ORDER, ("demo/oai:x:6", 7), ("demo/oai:x:7", 8)]

    def test_a_rebuild_that_comes_between(
        self, store: Store, synced: Generations, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The generation is removed after `sync` has chosen it, and before it holds its lock."""
        put(store, *numbered([6]))
        locked, old = Generation.locked, synced.current().folder

        def late(generation: Generation) -> Any:
            monkeypatch.setattr(Generation, "locked", locked)
            rebuild(store, synced, "tantivy")
            return locked(generation)

        monkeypatch.setattr(Generation, "locked", late)
        assert sync(store, synced, "tantivy").position == 7
        assert not old.exists()
        assert len(documents(synced)) == 5

    def test_a_rebuild_right_after_another(self, store: Store, synced: Generations) -> None:
        """The first has still to look whether something came meanwhile; its generation is gone."""

        class Overtaken(Generations):
            @contextmanager
            def rebuilding(self) -> Iterator[None]:
                with super().rebuilding():
                    yield
                rebuild(store, synced, "tantivy")

        assert rebuild(store, Overtaken(synced.folder), "tantivy").position == 6
        assert folders(synced) == [synced.current().folder]

    @pytest.mark.parametrize("times", [1, 2, 3])
    def test_rebuilds_while_somebody_looks(self, store: Store, synced: Generations, times: int) -> None:
        """Whatever was the current one is gone as soon as it was found."""
        found: list[Path] = []

        class Replaced(Generations):
            def current(self) -> Generation:
                current = super().current()
                if len(found) < times:
                    found.append(current.folder)
                    rebuild(store, synced, "tantivy")
                return current

        replaced = Replaced(synced.folder)
        assert needs_rebuild(store, replaced, "tantivy") == ""
        found.clear()
        assert replaced.searcher().count() == 4
        assert len(set(found)) == times

    def test_what_is_not_committed_is_not_kept(self, store: Store, synced: Generations) -> None:
        put(store, *numbered([6]))
        with Follower(store, synced.current()) as follower:
            follower.step()
            assert follower.uncommitted == 1
        assert documents(synced) == IN_ORDER
        assert sync(store, synced, "tantivy").indexed == 1

    @pytest.mark.skipif(os.name != "posix", reason="the lock of a dead process is the system's to free")
    def test_a_dead_writer_holds_nobody_up(self, store: Store, synced: Generations) -> None:
        put(store, *numbered([6]))
        target = "index.engines.tantivy.TantivySession.put"
        assert killed_in(target, store, synced, "sync") == -signal.SIGKILL
        assert sync(store, synced, "tantivy").indexed == 1
