"""Both engines mean by a query what match.py means, on documents and queries made by chance."""

import gzip
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harvester.record import Name, Record
from index.analysis import prepare, stem, words
from index.document import Document, document
from index.engine import Engine, Sort
from index.engines.tantivy import TantivyEngine
from index.engines.tantivy_fields import analyzers
from index.engines.whoosh import WhooshEngine
from index.fields import BY_NAME, FACETS, Kind
from index.match import matches
from index.nodes import Node
from index.query import parse

WORDS = [
    "hay", "Hay", "harvest", "harvesting", "harvests", "running", "runs", "ran", "organization", "organ",
    "of", "2019", "été", "ete", "naïve", "co-operative", "operative", "O’Brien", "C++", "Straße", "ΣΊΣΥΦΟΣ",
    "σισυφος", "Ёлка", "情報検索", "検索",
]  # fmt: skip
NAMES = ["Khan, Nagina", "Khan, Bo", "Nagina, Khan", "Müller, Zoë", "O’Brien, Bo"]
KEYWORDS = ["Hay", "hay", "Hay harvest", "HARVEST", "été", "C++", "running", "情報"]
DATES = ["", "2019", "2019-06", "2019-06-30", "2020-01-01", "2021", "0950"]

some = st.sampled_from
texts = st.lists(some(WORDS), min_size=1, max_size=5).flatmap(
    lambda chosen: some([" ", ", ", "-", "; "]).map(lambda between: between.join(chosen))
)


def several(values: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(values, max_size=most).map(tuple)


def record(number: int, date: str, names: tuple[str, ...], **values: object) -> Record:
    fields = {"title": "", "creators": tuple(map(Name, names)), **values}
    year = int(date[:4]) if date else None
    return Record(id=f"s/{number}", identifier=f"oai:s:{number}", source="s", date=date, year=year, **fields)  # type: ignore[arg-type]


records = st.builds(
    record,
    st.integers(1, 9),
    some(DATES),
    several(some(NAMES)),
    title=texts,
    alternative_titles=several(texts, 2),
    abstract=st.one_of(st.just(""), texts),
    keywords=several(some(KEYWORDS)),
    subjects=several(some(KEYWORDS), 1),
    notes=several(texts, 1),
    type=some(["", "article", "book"]),
    languages=several(some(["en", "de", "cy"]), 2),
    publisher=some(["", "Hay", "Hay & Sons", "hay"]),
    peer_reviewed=some([None, True, False]),
)

plain = some(WORDS)
phrases = st.lists(plain, min_size=1, max_size=3).map(" ".join).map('"{}"'.format)
textual = st.builds(
    "{}:{}".format,
    some(["title", "abstract", "kw", "su", "creators", "au", "notes", "publisher", "container"]),
    st.one_of(plain, phrases, some(NAMES).map('"{}"'.format)),
)
exact = st.one_of(
    some([f'keyword:"{value}"' for value in KEYWORDS]),
    some([f'creator_name:"{value}"' for value in NAMES]),
    some(["type:article", "type:BOOK", "lang:en", "lang:(de OR cy)", "refereed:yes", "refereed:false"]),
    some(["oai:s:1", "id:s/2", 'publisher_name:"Hay & Sons"', "source:S", "source:t"]),
)
ends = some(["*", "2019", "2020", "2021", "950"])
days = some(["*", "2019", "2019-06", "2019-06-30", "2020-01", "2021-01-01"])
ranges = st.one_of(
    st.builds("{}:{}{} TO {}{}".format, st.just("year"), some("[{"), ends, ends, some("]}")),
    st.builds("{}:{}{} TO {}{}".format, st.just("date"), some("[{"), days, days, some("]}")),
    st.builds("date:{}..{}".format, days.filter("*".__ne__), days),
    st.builds("year:{}".format, ends),
)
queries = st.recursive(
    st.one_of(plain, plain, phrases, textual, exact, ranges),
    lambda inner: st.one_of(
        st.builds("{} {}".format, inner, inner),
        st.builds("{} {} {}".format, inner, some(["AND", "OR"]), inner),
        st.builds("{} {}".format, inner, inner),
        st.builds("{}({})".format, some(["", "-", "+", "NOT ", "title:"]), inner),
        st.builds("NOT {}".format, inner),
        st.builds("{} -{}".format, inner, plain),
    ),
    max_leaves=6,
)


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


def agrees(engine: Engine, held: dict[str, Document], tree: Node, sort: Sort) -> None:
    answer = engine.searcher().search(tree, limit=100, sort=sort, facets=FACETS)
    expected = [one for one in held.values() if matches(tree, one)]
    assert sorted(hit.id for hit, _ in answer.hits) == sorted(one.id for one in expected)
    assert answer.total == len(expected)
    assert answer.facets == {field: counted(field, expected) for field in FACETS}
    ranks = [rank(held[hit.id], score, sort) for hit, score in answer.hits]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("kind", [TantivyEngine, WhooshEngine])
@given(
    before=st.lists(records, max_size=3),
    after=st.lists(records, min_size=3, max_size=9),
    asked=st.lists(st.tuples(queries, some(Sort)), min_size=8, max_size=16),
)
@settings(max_examples=40, deadline=None)
def test_an_engine_finds_what_matches(
    kind: type[Engine], before: list[Record], after: list[Record], asked: list[tuple[str, Sort]]
) -> None:
    with TemporaryDirectory() as folder:
        engine = kind(Path(folder))
        documents = [document(one, 1 + at) for at, one in enumerate([*before, *after])]
        held = built(engine, documents[: len(before)], documents[len(before) :])
        for query, sort in asked:
            tree = parse(query).tree
            agrees(engine, held, tree, sort)


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
    " controll roll past later log class knack cry by say early only idl gentl ugl singl"
).split()
ENDINGS = (
    " s es ed ing ings er ers ly ies ied y ation ations ational ator ization izations izer ity ities ness"
    " nesses ful fully fulness ous ously ousness ive ively iveness al ally alism alist ism ist ists ogy ogist"
    " able ably ible ant ent ement ment ance ence ic ical ically icate 's ss us sses ied ying bb dd ff gg tt"
).split(" ")


def stemmed_alike(vocabulary: set[str]) -> None:
    analyzer = analyzers()["stems"]
    assert [word for word in sorted(vocabulary) if analyzer.analyze(word) != [stem(word)]] == []


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
