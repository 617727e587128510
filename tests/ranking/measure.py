"""What a ranking is worth: nDCG@10 of each judged query, through store, index and search."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import fmean, median

import msgspec
import tantivy

from harvester.store import Store
from index.analysis import words
from index.engine import Searcher
from index.generations import Generations
from index.search import search
from index.sync import sync
from tests.commands import put
from tests.ranking.collections import Collection, record

CUT = 10


class Figures(msgspec.Struct, frozen=True):
    """`ndcg` averages the judged queries', which `each` has; `loosened` is a share; a time is a median."""

    ndcg: float
    loosened: float
    milliseconds: float
    each: dict[str, float]


class Answer(msgspec.Struct, frozen=True):
    """Documents, best first."""

    ranked: tuple[str, ...]
    loosened: bool = False


def ndcg(ranked: Sequence[str], grades: Mapping[str, int]) -> float:
    """Gain 2^grade - 1, discount log2(rank + 1), beside the best order of all judged documents."""
    best = _gain(sorted(grades.values(), reverse=True)[:CUT])
    return _gain([grades.get(one, 0) for one in ranked[:CUT]]) / best if best else 0.0


def _gain(grades: Sequence[int]) -> float:
    return math.fsum((2**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))


def figures(judged: Collection, answer: Callable[[str], Answer]) -> Figures:
    gains, loosened, took = {}, [], []
    for query, grades in judged.judged.items():
        asked = " ".join(words(judged.queries[query]))
        began = time.perf_counter()
        answered = answer(asked)
        took.append(1000 * (time.perf_counter() - began))
        gains[query] = round(ndcg(answered.ranked, grades), 4)
        loosened.append(answered.loosened)
    return Figures(
        ndcg=round(fmean(gains.values()), 4),
        loosened=round(fmean(loosened), 4),
        milliseconds=round(median(took), 2),
        each=gains,
    )


def indexed(judged: Collection, engine: str, folder: Path) -> Searcher:
    """The collection as records, stored and synced below `folder`."""
    place = folder / judged.name / engine
    generations = Generations(place / "index")
    with closing(Store(f"sqlite:///{place / 'windrow.db'}")) as store:
        put(store, *map(record, judged.documents), source=judged.name)
        sync(store, generations, engine)
    return generations.searcher()


def windrow(searcher: Searcher) -> Callable[[str], Answer]:
    def answer(asked: str) -> Answer:
        found = search(searcher, asked, limit=CUT)
        return Answer(tuple(hit.id.partition("/")[2] for hit in found.hits), found.loosened)

    return answer


def bare_tantivy(judged: Collection) -> Callable[[str], Answer]:
    """Title and abstract joined to one stemmed field, any of the words: the plainest of uses."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw")
    builder.add_text_field("text", tokenizer_name="en_stem")
    index = tantivy.Index(schema := builder.build())
    writer = index.writer(num_threads=1)
    for one in judged.documents:
        fields = {"id": one["id"], "text": f"{one['title']} {one['abstract']}"}
        writer.add_document(tantivy.Document.from_dict(fields, schema))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def ids(asked: str) -> Iterator[str]:
        for _, address in searcher.search(index.parse_query(asked, ["text"]), limit=CUT).hits:
            yield str(searcher.doc(address).get_first("id"))

    return lambda asked: Answer(tuple(ids(asked)))
