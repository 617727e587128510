"""What only tantivy does: damage inside its files, met as errors of many kinds, and segments left behind."""

import json
import random
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from harvester.errors import IndexUnusable
from harvester.record import Name, Record
from index.document import document
from index.engines import tantivy_facets
from index.engines.tantivy import TantivyEngine
from index.nodes import Everything
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


@pytest.mark.parametrize("likely", [1, 3, 10, 1000])
@pytest.mark.parametrize("wanted", [1, 4, 12, 50])
@pytest.mark.parametrize("spread", [1, 5, 40])
@pytest.mark.parametrize("chosen", [0, 64])
def test_facets_are_exact_over_segments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, likely: int, wanted: int, spread: int, chosen: int
) -> None:
    """Whichever values a segment leaves out, and whichever have the same count."""
    monkeypatch.setattr(tantivy_facets, "MOST_COUNTED", likely)
    monkeypatch.setattr(tantivy_facets, "_NAMED", likely)
    monkeypatch.setattr(tantivy_facets, "_FEW", chosen)
    chance, engine = random.Random(f"{wanted} {spread}"), TantivyEngine(tmp_path)
    engine.create()
    expected: Counter[str] = Counter()
    for segment in range(5):
        keywords = [_keyword(chance, spread, segment) for _ in range(40)]
        records = (Record(id=f"x/{segment}-{at}", keywords=(one,)) for at, one in enumerate(keywords))
        with engine.session() as session:
            session.put(document(record, at) for at, record in enumerate(records))
            session.commit()
        expected.update(keywords)
    found = engine.searcher().search(Everything(), limit=1, facets=["keyword"], facet_values=wanted)
    ordered = sorted(expected.items(), key=lambda one: (-one[1], one[0]))
    assert found.facets["keyword"] == tuple(ordered[:wanted])
    assert found.more_values["keyword"] == min(likely, max(0, len(expected) - wanted))


def _keyword(chance: random.Random, spread: int, segment: int) -> str:
    """Some are frequent everywhere, some in one segment only, some differ in case alone."""
    word = chance.choice(["wave", "Wave", f"wave {segment}"])
    return f"{word} {int(chance.expovariate(1 / spread))}"


def test_facets_of_more_values_than_tantivy_hands_over(tmp_path: Path) -> None:
    engine = TantivyEngine(tmp_path)
    engine.create()
    values = tuple(f"{number:06}" for number in range(70_000))
    with engine.session() as session:
        session.put(
            [
                document(Record(id="x/1", keywords=values), 1),
                document(Record(id="x/2", keywords=values[-1:]), 2),
            ]
        )
        session.commit()
    found = engine.searcher().search(Everything(), limit=1, facets=["keyword"], facet_values=3)
    assert found.facets["keyword"] == (("069999", 2), ("000000", 1), ("000001", 1))


def test_a_facet_counts_documents(engine: TantivyEngine) -> None:
    twice = Record(id="x/1", keywords=("sea", "sea"), creators=(Name("Lund"), Name("Lund")))
    with engine.session() as session:
        session.put([document(twice, 300)])
        session.commit()
    found = engine.searcher().search(parse("id:x/1").tree, limit=1, facets=["keyword", "creator_name"])
    assert found.facets == {"keyword": (("sea", 1),), "creator_name": (("Lund", 1),)}
