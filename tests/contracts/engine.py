"""What index/engine.py promises of writing: sessions, commits, snapshots, locks, damage."""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from harvester.errors import IndexBusy, IndexFault, IndexUnusable
from harvester.record import Record
from index.document import Document, document
from index.engine import Engine, Searcher, Sort
from index.nodes import Everything
from index.query import parse


def work(number: int, title: str = "hay", **fields: object) -> Document:
    """The record src/NUMBER, at that position of the feed."""
    return document(Record(id=f"src/{number}", source="src", title=title, **fields), number)  # type: ignore[arg-type]


def found(searcher: Searcher, query: str = "", sort: Sort = Sort.RELEVANCE) -> list[str]:
    """The ids of all hits, in order; the total agrees with them."""
    answer = searcher.search(parse(query).tree, limit=1000, sort=sort)
    assert answer.total == len(answer.hits)
    return [hit.id for hit, _ in answer.hits]


def write(engine: Engine, *documents: Document, delete: Iterable[str] = ()) -> None:
    with engine.session() as session:
        session.delete(delete)
        session.put(documents)
        session.commit()


class Interrupted(Exception):
    pass


class EngineWrites:
    kind: type[Engine]

    @pytest.fixture
    def engine(self, tmp_path: Path) -> Engine:
        engine = self.kind(tmp_path)
        engine.create()
        return engine

    def now(self, engine: Engine) -> Searcher:
        """As another process would see it."""
        return self.kind(engine.folder).searcher()

    def test_a_new_index_is_empty(self, engine: Engine) -> None:
        searcher = self.now(engine)
        answer = searcher.search(Everything(), limit=10, facets=["type", "year"])
        assert (answer.total, answer.hits, answer.facets) == (0, (), {"type": (), "year": ()})
        assert found(searcher, "hay year:2000.. -oats") == []
        assert (searcher.count(), list(searcher.positions())) == (0, [])

    def test_what_was_committed_is_found(self, engine: Engine) -> None:
        write(engine, work(1), work(2, "oats"))
        assert found(self.now(engine), "hay") == ["src/1"]
        assert self.now(engine).count() == 2

    def test_the_same_id_is_replaced(self, engine: Engine) -> None:
        write(engine, work(1, "oats"), work(2))
        write(engine, work(1, "barley"))
        searcher = self.now(engine)
        assert found(searcher, "oats") == []
        assert found(searcher, "barley") == ["src/1"]
        assert searcher.count() == 2

    def test_the_last_of_several_under_one_id_stays(self, engine: Engine) -> None:
        write(engine, work(1, "oats"))
        with engine.session() as session:
            session.put([work(1, "barley"), work(2), work(1, "rye")])
            session.put([work(1, "wheat")])
            session.commit()
        searcher = self.now(engine)
        assert found(searcher, "wheat") == ["src/1"]
        assert found(searcher, "oats OR barley OR rye") == []
        assert sorted(searcher.positions()) == [("src/1", 1), ("src/2", 2)]

    def test_what_was_deleted_is_gone(self, engine: Engine) -> None:
        write(engine, work(1), work(2), work(3))
        write(engine, delete=["src/1", "src/3", "src/1"])
        searcher = self.now(engine)
        assert found(searcher) == found(searcher, "hay") == found(searcher, "-oats") == ["src/2"]
        assert (searcher.count(), list(searcher.positions())) == (1, [("src/2", 2)])

    def test_unknown_ids_are_no_fault(self, engine: Engine) -> None:
        write(engine, delete=["src/1"])
        write(engine, work(1), delete=["src/9", "", "src", "SRC/1"])
        assert found(self.now(engine)) == ["src/1"]

    def test_order_within_a_session_counts(self, engine: Engine) -> None:
        with engine.session() as session:
            session.put([work(1), work(2)])
            session.delete(["src/1", "src/2"])
            session.put([work(1, "oats")])
            session.commit()
        assert found(self.now(engine)) == ["src/1"]
        assert found(self.now(engine), "hay") == []

    def test_each_commit_of_a_session_counts(self, engine: Engine) -> None:
        with engine.session() as session:
            for number in range(1, 5):
                session.put([work(number), work(100 + number)])
                session.delete([f"src/{99 + number}"])
                session.commit()
                assert self.now(engine).count() == number + 1
            session.commit()
        assert sorted(found(self.now(engine))) == ["src/1", "src/104", "src/2", "src/3", "src/4"]

    def test_what_was_not_committed_is_gone(self, engine: Engine) -> None:
        with engine.session() as session:
            session.put([work(1)])
            session.commit()
            session.put([work(1, "oats"), work(2)])
            session.delete(["src/1"])
        assert found(self.now(engine), "hay") == ["src/1"]
        write(engine, work(3))
        assert sorted(found(self.now(engine))) == ["src/1", "src/3"]

    def test_a_fault_takes_only_what_was_not_committed(self, engine: Engine) -> None:
        def run() -> None:
            with engine.session() as session:
                session.put([work(1)])
                session.commit()
                session.put([work(2)])
                raise Interrupted

        with pytest.raises(Interrupted):
            run()
        assert found(self.now(engine)) == ["src/1"]
        write(engine, work(3))
        assert sorted(found(self.now(engine))) == ["src/1", "src/3"]

    @pytest.mark.parametrize("numbers", [{"year": "n.d."}, {"year": -1}, {"year": 2**64}, {"year": 1.5}])
    def test_a_bad_document_takes_no_other_with_it(self, engine: Engine, numbers: dict[str, int]) -> None:
        write(engine, work(1), work(2))
        bad = Document("src/2", 12, {"title": ["oats"]}, numbers, work(2).hit)
        with engine.session() as session:
            with pytest.raises(IndexFault):
                session.put([work(1, "rye"), bad])
            session.put([work(3)])
            session.commit()
        searcher = self.now(engine)
        assert found(searcher, "rye") == ["src/1"]
        assert sorted(found(searcher, "hay")) == ["src/2", "src/3"]

    def test_a_searcher_is_a_snapshot(self, engine: Engine) -> None:
        write(engine, *(work(number, type="book") for number in range(1, 4)))
        searcher = engine.searcher()
        for number in range(20):
            write(engine, work(1, "oats"), work(100 + number), delete=["src/2"])
        assert sorted(found(searcher, "hay")) == ["src/1", "src/2", "src/3"]
        assert searcher.search(Everything(), limit=0, facets=["type"]).facets == {"type": (("book", 3),)}
        assert sorted(searcher.positions()) == [("src/1", 1), ("src/2", 2), ("src/3", 3)]
        assert self.now(engine).count() == 22

    def test_nothing_is_lost_over_many_commits(self, engine: Engine) -> None:
        """Segments are merged meanwhile, and what was replaced in them is dropped."""
        held: dict[str, int] = {}
        with engine.session() as session:
            for turn in range(40):
                numbers = [(turn * 7 + step * 13) % 60 for step in range(8)]
                session.put(work(number, f"turn{turn}", type="book") for number in numbers)
                session.delete([f"src/{turn}"])
                session.commit()
                held.update((f"src/{number}", turn) for number in numbers)
                held.pop(f"src/{turn}", None)
        searcher = self.now(engine)
        assert sorted(found(searcher)) == sorted(held)
        assert sorted(id for id, _ in searcher.positions()) == sorted(held)
        assert searcher.search(Everything(), limit=1, facets=["type"]).facets["type"] == (
            ("book", len(held)),
        )
        for turn in range(40):
            assert sorted(found(searcher, f"turn{turn}")) == sorted(
                id for id, at in held.items() if at == turn
            )

    def test_one_writes_at_a_time(self, engine: Engine) -> None:
        with engine.session() as session:
            with pytest.raises(IndexBusy), self.kind(engine.folder).session():
                pass
            session.put([work(1)])
            session.commit()
            with pytest.raises(IndexBusy), self.kind(engine.folder).session():
                pass
        write(engine, work(2))
        assert self.now(engine).count() == 2

    def test_another_process_writes_until_it_dies(self, engine: Engine) -> None:
        write(engine, work(1))
        script = f"""
import pathlib
from {self.kind.__module__} import {self.kind.__name__} as Engine
from tests.contracts.engine import work
with Engine(pathlib.Path({str(engine.folder)!r})).session() as session:
    session.put([work(2)])
    session.commit()
    session.put([work(3), work(1, "oats")])
    print(flush=True)
    input()
"""
        with subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"\n"
            with pytest.raises(IndexBusy, match=str(engine.folder)), engine.session():
                pass
            assert sorted(found(self.now(engine), "hay")) == ["src/1", "src/2"]
            other.kill()
        assert sorted(found(self.now(engine), "hay")) == ["src/1", "src/2"]
        write(engine, work(4))
        assert sorted(found(self.now(engine))) == ["src/1", "src/2", "src/4"]

    def unusable(self, engine: Engine) -> None:
        with pytest.raises(IndexUnusable) as caught:
            engine.searcher()
        assert "windrow rebuild" in caught.value.advice
        with pytest.raises(IndexUnusable), engine.session():
            pass

    def test_no_folder_is_no_index(self, engine: Engine) -> None:
        shutil.rmtree(engine.folder)
        self.unusable(engine)
        assert not engine.folder.exists()

    def test_an_empty_folder_is_no_index(self, engine: Engine) -> None:
        for path in engine.folder.iterdir():
            path.unlink()
        self.unusable(engine)
        assert list(engine.folder.iterdir()) == []

    @pytest.mark.parametrize("damage", [b"", b"\0" * 4096, b"not what was written here"])
    def test_damage_is_told(self, engine: Engine, damage: bytes) -> None:
        write(engine, work(1))
        for path in engine.folder.iterdir():
            path.write_bytes(damage)
        self.unusable(engine)

    def test_a_segment_that_is_gone_is_told(self, engine: Engine) -> None:
        write(engine, work(1))
        largest = max(engine.folder.iterdir(), key=lambda path: path.stat().st_size)
        largest.unlink()
        self.unusable(engine)
