"""What only Whoosh does: damage inside its files, met as errors of every kind; files that are mapped."""

import random
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from harvester.errors import IndexUnusable
from harvester.record import Name, Record
from index.document import Document, document
from index.engine import Engine, Sort
from index.engines.tantivy import TantivyEngine
from index.engines.whoosh import WhooshEngine
from index.nodes import Range
from index.query import parse
from tests.fakes.questions import SAMPLE


def works(many: int) -> list[Document]:
    records = (
        Record(
            id=f"x/{at}",
            title=f"Records of mill {at}",
            abstract=" ".join(f"w{random.Random(at + step).randrange(5000)}" for step in range(20)),
            year=2000 + at % 9,
            creators=(Name(f"Khan, N{at}"),),
        )
        for at in range(many)
    )
    return [document(record, at) for at, record in enumerate(records)]


def filled(engine: Engine, documents: list[Document]) -> Engine:
    engine.create()
    with engine.session() as session:
        session.put(documents)
        session.commit()
    return engine


def segment(engine: Engine) -> Path:
    (file,) = engine.folder.glob("*.seg")
    return file


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return filled(WhooshEngine(tmp_path), works(200))


def ask_all(engine: Engine) -> None:
    searcher = engine.searcher()
    for query in ("records", '"records of mill"', "rec*", "recrods~2", "year:2001.. -w17", "id:x/3"):
        for sort in Sort:
            searcher.search(parse(query).tree, limit=10, sort=sort, facets=["creator_name", "year"])
    list(searcher.positions())


@pytest.mark.parametrize("seed", range(20))
def test_damaged_bytes_answer_or_say_so(engine: Engine, seed: int) -> None:
    file, chance = segment(engine), random.Random(seed)
    damaged = bytearray(file.read_bytes())
    for _ in range(50):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    file.write_bytes(damaged)
    with suppress(IndexUnusable):
        ask_all(engine)


def test_a_file_of_zeros_is_told(engine: Engine) -> None:
    """All but its contents, which say where what is."""
    file = segment(engine)
    content = file.read_bytes()
    file.write_bytes(content[:16] + bytes(len(content) - 4016) + content[-4000:])
    with pytest.raises(IndexUnusable, match="cannot be used") as told:
        ask_all(engine)
    assert "windrow rebuild" in told.value.advice


def test_a_writer_tells_damage_too(engine: Engine) -> None:
    file = segment(engine)
    content = file.read_bytes()
    file.write_bytes(content[:16] + bytes(len(content) - 4016) + content[-4000:])
    with pytest.raises(IndexUnusable, match="cannot be used"), engine.session() as session:
        session.delete(["x/1"])


def test_a_searcher_takes_little_memory(engine: Engine) -> None:
    """Whoosh itself would copy each part of a file that it opens."""
    tracemalloc.start()
    searcher = engine.searcher()
    searcher.search(Range("year", 2001, None), limit=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < segment(engine).stat().st_size / 2


SCORED = [
    "hay", "harvest mill", "hay OR mill OR running", "title:harvesting", '"khan nagina"', '"hay harvest"',
    'title:"hay harvest"', "au:khan", "harv*", "hay~", "hay~ OR running", "harvest^3 hay",
    "(hay OR mill)^0.5", "+hay -mill", '"hay harvest"~5', "kw:harvset~2", "keyword:harvast~", "of", "情報",
]  # fmt: skip


@pytest.mark.parametrize("query", SCORED)
def test_scores_are_those_of_tantivy(query: str, tmp_path: Path) -> None:
    """In one segment, and where fields are so short that tantivy keeps their lengths exactly."""
    scores = []
    for kind in (TantivyEngine, WhooshEngine):
        (folder := tmp_path / kind.name).mkdir()
        answer = filled(kind(folder), SAMPLE).searcher().search(parse(query).tree, limit=100)
        scores.append({hit.id: score for hit, score in answer.hits})
    assert scores[1] == pytest.approx(scores[0], abs=1e-4)
