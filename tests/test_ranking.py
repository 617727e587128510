"""How well results are ranked: the measure, and what it says of judged collections."""

from pathlib import Path

import pytest

from tests.ranking.collections import FOLDER, NAMES, collection
from tests.ranking.measure import bare_tantivy, figures, indexed, ndcg, windrow

judged_collections = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the judged collections are not there: ../shared/data is no part of a clone"
)

# Plain tantivy on one joined field, by which the targets were set: the same measure says the same of it.
PLAIN = {"cranfield": 0.369, "scifact": 0.701}
LEAST = {"cranfield": 0.383, "scifact": 0.700}


@pytest.mark.parametrize(
    ("ranked", "grades", "worth"),
    [
        (["a", "b"], {"a": 2, "b": 1}, 1.0),
        (["b", "a"], {"a": 2, "b": 1}, (1 + 3 / 1.58496) / (3 + 1 / 1.58496)),
        (["x", "a"], {"a": 1, "x": 0}, 1 / 1.58496),
        (["a"], {"a": 1, "b": 1}, 1 / (1 + 1 / 1.58496)),
        ([*"0123456789", "a"], {"a": 1}, 0.0),
        (["a"], {}, 0.0),
    ],
)
def test_the_measure(ranked: list[str], grades: dict[str, int], worth: float) -> None:
    assert ndcg(ranked, grades) == pytest.approx(worth, abs=1e-5)


@judged_collections
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_measure_is_that_of_the_targets(name: str) -> None:
    judged = collection(name)
    assert figures(judged, bare_tantivy(judged)).ndcg == pytest.approx(PLAIN[name], abs=0.001)


@judged_collections
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_ranks_well_enough(name: str, tmp_path: Path) -> None:
    assert _ndcg(name, "tantivy", tmp_path) >= LEAST[name]


@judged_collections
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_whoosh_ranks_as_tantivy_does(name: str, tmp_path: Path) -> None:
    assert _ndcg(name, "whoosh", tmp_path) == pytest.approx(_ndcg(name, "tantivy", tmp_path), abs=0.03)


def _ndcg(name: str, engine: str, folder: Path) -> float:
    judged = collection(name)
    return figures(judged, windrow(indexed(judged, engine, folder))).ndcg
