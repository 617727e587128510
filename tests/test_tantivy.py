"""What only tantivy does: damage inside its files, met as errors of many kinds, and segments left behind."""

import json
import random
from contextlib import suppress
from pathlib import Path

import pytest

from harvester.errors import IndexUnusable
from harvester.record import Name, Record
from index.document import document
from index.engines.tantivy import TantivyEngine
from index.query import parse


@pytest.fixture
def engine(tmp_path: Path) -> TantivyEngine:
    engine = TantivyEngine(tmp_path)
    engine.create()
    records = (
        Record(id=f"x/{at}", title=f"Records {at}", year=2000 + at % 9, creators=(Name(f"Khan, N{at}"),))
        for at in range(200)
    )
    with engine.session() as session:
        session.put(document(record, at) for at, record in enumerate(records))
        session.commit()
    return engine


@pytest.mark.parametrize("suffix", [".store", ".fast", ".idx", ".term", ".pos", ".fieldnorm"])
@pytest.mark.parametrize("seed", range(3))
def test_damaged_bytes_answer_or_say_so(engine: TantivyEngine, suffix: str, seed: int) -> None:
    file = next(path for path in engine.folder.iterdir() if path.suffix == suffix)
    damaged, chance = bytearray(file.read_bytes()), random.Random(seed)
    for _ in range(20):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    file.write_bytes(damaged)
    with suppress(IndexUnusable):
        searcher = engine.searcher()
        searcher.search(parse("records").tree, limit=10, facets=["creator_name", "year"])
        list(searcher.positions())


def test_a_damaged_store_of_hits_is_told(engine: TantivyEngine) -> None:
    file = next(path for path in engine.folder.iterdir() if path.suffix == ".store")
    file.write_bytes(bytes(len(file.read_bytes())))
    with pytest.raises(IndexUnusable, match="cannot be used") as told:
        engine.searcher().search(parse("records").tree, limit=10)
    assert "windrow rebuild" in told.value.advice


def test_small_sessions_leave_no_segments_behind(engine: TantivyEngine) -> None:
    """A rollback, even of nothing, would stop the merges: each session then adds a segment, for ever."""
    for turn in range(40):
        with engine.session() as session:
            session.put([document(Record(id=f"x/{turn % 20}", title=f"Anew {turn}"), 200 + turn)])
            session.commit()
    segments = json.loads((engine.folder / "meta.json").read_bytes())["segments"]
    known = {segment["segment_id"].replace("-", "") for segment in segments}
    assert len(segments) <= 8
    files = [path for path in engine.folder.iterdir() if path.suffix not in (".json", ".lock")]
    assert {path.name.partition(".")[0] for path in files} == known
