"""Both engines mean by a query what match.py means, on documents and queries made by chance."""

import gzip
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harvester.errors import QueryError
from harvester.record import Record
from index.analysis import beginnings, prepare, stem, words
from index.document import Document, document
from index.engine import Engine, Searcher, Sort
from index.engines.tantivy import TantivyEngine
from index.engines.tantivy_fields import analyzers
from index.engines.whoosh import WhooshEngine
from index.fields import BY_NAME, FACETS, Kind
from index.match import matches
from index.nodes import Node
from index.search import search
from tests.fakes.questions import SAMPLE, nodes, questions, records, some
from tests.test_query import tree_or_fault

trees = questions.map(tree_or_fault).filter(lambda found: isinstance(found, Node))

KINDS = [TantivyEngine, WhooshEngine]


def built(engine: Engine, before: list[Document], after: list[Document]) -> dict[str, Document]:
    """Two commits, the second of which replaces and deletes; what the index then holds."""
    engine.create()
    held = {one.id: one for one in after}
    with engine.session() as session:
        session.put(before)
        session.commit()
        session.delete({one.id for one in before} - held.keys())
        session.put(after)
        session.commit()
    return held


def counted(field: str, found: list[Document]) -> tuple[tuple[str, int], ...]:
    """Documents by each of their values; match.py's side of facets."""
    if BY_NAME[field].kind is Kind.NUMBER:
        each = [[str(one.numbers[field])] for one in found if field in one.numbers]
    else:
        each = [sorted(set(one.values.get(field, ()))) for one in found]
    counts = Counter(value for values in each for value in values)
    return tuple(sorted(counts.items(), key=lambda bucket: (-bucket[1], bucket[0])))


def day(one: Document) -> int:
    return one.numbers.get("date", 0)


def rank(one: Document, score: float, sort: Sort) -> float:
    """What may not fall from one hit to the next."""
    if sort is Sort.RELEVANCE:
        return -score
    if sort is Sort.ADDED:
        return -one.position
    return -day(one) if sort is Sort.NEWEST else day(one) or 10**9


def agrees(searcher: Searcher, held: dict[str, Document], tree: Node, sort: Sort) -> None:
    answer = searcher.search(tree, limit=100, sort=sort, facets=FACETS)
    expected = [one for one in held.values() if matches(tree, one)]
    assert sorted(hit.id for hit, _ in answer.hits) == sorted(one.id for one in expected)
    assert answer.total == len(expected)
    assert answer.facets == {field: counted(field, expected) for field in FACETS}
    ranks = [rank(held[hit.id], score, sort) for hit, score in answer.hits]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("kind", KINDS)
@given(
    before=st.lists(records, max_size=3),
    after=st.lists(records, min_size=3, max_size=9),
    asked=st.lists(st.tuples(st.one_of(trees, nodes), some(Sort)), min_size=20, max_size=40),
)
@settings(max_examples=30)
def test_an_engine_finds_what_matches(
    kind: type[Engine], before: list[Record], after: list[Record], asked: list[tuple[Node, Sort]]
) -> None:
    with TemporaryDirectory() as folder:
        engine = kind(Path(folder))
        documents = [document(one, 1 + at) for at, one in enumerate([*before, *after])]
        held = built(engine, documents[: len(before)], documents[len(before) :])
        searcher = engine.searcher()
        for tree, sort in asked:
            agrees(searcher, held, tree, sort)


@pytest.fixture(scope="module", params=KINDS)
def searcher(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    engine: Engine = request.param(tmp_path_factory.mktemp("index"))
    built(engine, [], SAMPLE)
    return engine.searcher()


SIGNS = "a é情0*?~^\"'()[]{}+-./|&!$<>=@,;\\\u200f\u202e\0\n"
SYNTAX = st.lists(st.sampled_from([*SIGNS, "title:", "year:", "type:", " AND ", "NOT ", "10.1000/"])).map(
    "".join
)


@given(text=st.one_of(st.text(), SYNTAX))
@example("type:0*\x80")  # a sign that no regular expression needs escaped
def test_whatever_is_asked_is_answered_or_refused(searcher: Searcher, text: str) -> None:
    answered(searcher, text)


ODD = {
    "words": "hay " * 10_000,
    "brackets": "(" * 1000 + "hay" + ")" * 1000,
    "wildcards": "h*y " * 1000,
}
LARGE = {
    "wildcards in a word": "h" + "*y" * 1000,
    "words": " ".join(f"w{number}" for number in range(1300)),
    "a phrase": f'"{"hay " * 2000}"',
    "alternatives": " OR ".join(f"w{number}" for number in range(850)),
    "wildcards": "h*a?e?t* " * 12,
    "fuzzy words": " ".join(f"harvest{number}~2" for number in range(25)),
    "phrases with words in between": " ".join(f'"of the old hay{number}"~5' for number in range(3)),
    "regular expression": r"h.*(a|b)+$ [^x]{1,99} \\d (?:(?=hay))",
    "control characters": "\0hay\x1b[31m\x7f \u202ehay\u200f",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_past_its_caps_a_query_is_refused(searcher: Searcher, text: str) -> None:
    assert not answered(searcher, text)


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_what_is_large_and_odd_is_answered(searcher: Searcher, text: str) -> None:
    assert answered(searcher, text)


def answered(searcher: Searcher, text: str) -> bool:
    """Whether there is an answer; else there is a fault, and never anything else."""
    try:
        search(searcher, text, facets=["type"], limit=2)
    except QueryError:
        return False
    return True


@given(st.text())
@example("Ａﬁ ﷺ ⓐ½² e\u0301 İ ẞ ǆ 한국어ｶﾅ")
def test_every_text_has_the_same_words_everywhere(text: str) -> None:
    prepared = prepare(text)
    assert words(prepared) == words(text)
    assert analyzers()["words"].analyze(prepared) == words(text)


HERE = Path(__file__).parent
ROOTS = (
    "harvest run plan map organ univers emerg gener commun arsen hope hop tan die sky ski new how inn out"
    " her ear proceed exceed succeed relat condition rat valenc hesit digit conform radic different vil"
    " analog oper feudal decis hopeful callous formal sensit sensibl triplic form electr goodness reviv allow"
    " infer airlin gyroscop adjust defens irrit replac adopt homolog activ angular effect bowdler prob cease"
    " controll roll past later log class knack cry by say early only idl gentl ugl singl v t h sk"
).split()
ENDINGS = (
    " s es ed ing ings er ers ly ies ied y ation ations ational ator ization izations izer ity ities ness"
    " nesses ful fully fulness ous ously ousness ive ively iveness al ally alism alist ism ist ists ogy ogist"
    " able ably ible ant ent ement ment ance ence ic ical ically icate 's ss us sses ied ying bb dd ff gg tt"
).split(" ")


def stemmed_alike(vocabulary: set[str]) -> None:
    analyzer = analyzers()["stems"]
    assert [word for word in sorted(vocabulary) if analyzer.analyze(word) != [stem(word)]] == []
    begun = {word for word in vocabulary if word.startswith(tuple(beginnings(stem(word))))}
    assert vocabulary - begun == set()  # or the words of a stem would not be found


def test_stems_agree() -> None:
    """A search stems by snowballstemmer what tantivy stemmed by its own."""
    made = {word for root in ROOTS for ending in ENDINGS for word in words(root + ending)}
    ours = {word for path in HERE.parent.rglob("*.py") for word in words(path.read_text("utf-8"))}
    assert len(made | ours) > 5000
    stemmed_alike(made | ours)


def test_stems_agree_over_a_large_vocabulary() -> None:
    path = HERE.parents[1] / "shared" / "data" / "acl.jsonl.gz"
    if not path.exists():
        pytest.skip("the ACL records are not beside this checkout")
    vocabulary: set[str] = set()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            vocabulary.update(words(json.loads(line)["abstract"] or ""))
            if len(vocabulary) > 20_000:
                break
    stemmed_alike(vocabulary)
