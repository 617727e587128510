"""What is said where a query finds nothing, what is like a record, and what makes up a score."""

from pathlib import Path
from typing import Any

import pytest

from harvester.errors import NotFound, QueryError
from harvester.record import Name, Record
from index.document import document
from index.engine import Engine, Searcher
from index.engines.tantivy import TantivyEngine
from index.engines.whoosh import WhooshEngine
from index.results import Offer, Results
from index.search import search

WORKS = [
    ("Herring fisheries of the Baltic", "Khan, Nagina", 2001, "article"),
    ("Herring and cod", "Ahn, Bo", 2002, "article"),
    ("Herring boats of the Baltic coast", "Khan, Nagina", 2003, "thesis"),
    ("Salt marshes", "Lund, Åsa", 2004, "ΛΌΓΟΣ"),
    ("Salting herring in the Baltic", "Lund, Åsa", 2005, "book"),
    ("AND does not mean OR (", "Gerdes, Kim", 2006, "article"),
]


@pytest.fixture(scope="module", params=[TantivyEngine, WhooshEngine])
def searcher(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    engine: Engine = request.param(Path(tmp_path_factory.mktemp("engine")))
    engine.create()
    records = [
        Record(
            id=f"x/{at}",
            identifier=str(at),
            title=title,
            creators=(Name(name),),
            year=year,
            type=kind,
            doi="10.5555/cod.2" if at == 2 else "",
        )
        for at, (title, name, year, kind) in enumerate(WORKS, 1)
    ]
    with engine.session() as session:
        session.put(document(record, at) for at, record in enumerate(records, 1))
        session.commit()
    return engine.searcher()


@pytest.fixture
def find(searcher: Searcher) -> Any:
    return lambda query, **options: search(searcher, query, **options)


def found_words(results: Results) -> dict[str, int]:
    return {one.word: one.records for one in results.words}


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("hering", "herring"),
        ("herrign", "herring"),  # two letters turned round
        ("xerring", "herring"),
        ("author:kahn", "creators:khan"),  # nearer than Ahn, though that is one letter away
        ('"salt marzhes"', '"salt marshes"'),
        ("herring AND blatic", "herring AND baltic"),
        ("titel:herring", "title:herring"),
        ("zzzzzz", ""),
        ("12345", ""),
        ("cot", ""),  # short words have too many like them
    ],
)
def test_did_you_mean(find: Any, query: str, meant: str) -> None:
    assert find(query).suggestion == meant


def test_a_correction_finds_something(find: Any) -> None:
    """Cod is in 2002 only: with that filter the word is no help."""
    assert find("codd").suggestion == "cod"
    assert find("codd", filters=["year=2004"]).suggestion == ""


def test_which_words_exist(find: Any) -> None:
    found = find("author:khan title:zebra -herring")
    assert found_words(found) == {"creators:khan": 2, "title:zebra": 0}
    assert find("herring").words == ()


@pytest.mark.parametrize(
    ("query", "filters", "offer"),
    [
        ("herring", ["year=1999"], Offer("herring", False, 4)),
        ("author:khan title:zebra", [], Offer("creators:khan", True, 2)),
        ("author:lund AND title:cod", [], Offer("creators:lund OR title:cod", True, 3)),
        ('"baltic herring"', [], Offer("baltic herring", True, 3)),
        ('"baltic herring baltic"', [], Offer("baltic herring", True, 3)),
        ("title:zebra", [], None),
    ],
)
def test_a_looser_query_is_offered(find: Any, query: str, filters: list[str], offer: Offer | None) -> None:
    assert find(query, filters=filters).looser == offer
    if offer is not None:
        assert find(offer.query, filters=filters if offer.filters else []).total >= offer.total


def test_a_loosened_answer_says_what_was_meant(find: Any) -> None:
    found = find("herring blatic")
    assert (found.total, found.loosened, found.suggestion) == (4, True, "herring baltic")
    assert (found.words, found.looser) == ((), None)


def test_those_with_all_words_come_first(find: Any) -> None:
    found = find("salt herring baltic")
    assert found.loosened
    assert found.hits[0].id == "x/5"
    pages = [find("salt herring baltic", limit=1, offset=at).hits[0].id for at in range(found.total)]
    assert pages == [hit.id for hit in found.hits]


def test_a_number_is_first_of_all_an_eprint(find: Any) -> None:
    assert [hit.id for hit in find("3").hits] == ["x/3"]


def test_phrases_and_fields_are_not_loosened(find: Any) -> None:
    assert find('"herring boats" cod salt').total == 0
    assert {hit.id for hit in find("herring author:lund salt cod").hits} == {"x/4", "x/5"}


def test_how_many_have_all_words_is_said(find: Any) -> None:
    found = find("herring cod boats")
    assert (found.loosened, found.with_all, found.total) == (True, 0, 4)
    assert (find("herring cod").with_all, find("cod AND boats").with_all) == (1, 0)


def test_an_identifier_among_words_comes_first(find: Any) -> None:
    found = find("see https://doi.org/10.5555/cod.2 herring herring boats please")
    assert found.hits[0].id == "x/2"
    assert found.suggestion == ""
    assert {hit.id for hit in find("herring -10.5555/cod.2").hits} == {"x/1", "x/3", "x/5"}
    assert [hit.id for hit in find("doi:*").hits] == ["x/2"]
    assert find("-doi:*").total == 5


def test_a_very_long_word_is_not_corrected(find: Any) -> None:
    assert find("a" * 5000).suggestion == ""


@pytest.mark.parametrize("query", [" ".join(["abcdefg" * 5 + "~2"] * 9), " ".join(["a*" + "ab" * 18] * 17)])
def test_what_would_take_an_engine_gigabytes_is_refused(find: Any, query: str) -> None:
    words = " ".join(f"{word[:-3]}{at:02}{word[-2:]}" for at, word in enumerate(query.split()))
    with pytest.raises(QueryError, match="more than"):
        find(words)


@pytest.mark.parametrize("query", ["type:ΛΌΓΟΣ", "type:λόγος"])
def test_a_capital_sigma_at_the_end_is_found(find: Any, query: str) -> None:
    assert [hit.id for hit in find(query).hits] == ["x/4"]


def test_signs_of_word_processors(find: Any) -> None:
    assert [hit.id for hit in find("\u201csalt marshes\u201d").hits] == ["x/4"]
    assert find("herring \u2212cod").total == 3


def test_a_title_is_no_fault_of_a_query(find: Any) -> None:
    assert [hit.id for hit in find("AND does not mean OR").hits] == ["x/6"]
    with pytest.raises(QueryError, match="AND has nothing before it"):
        find("AND does mean OR")


def test_similar_records(find: Any) -> None:
    found = find("", like="x/1")
    assert [hit.id for hit in found.hits] == ["x/5", "x/3", "x/2"]  # the last shares a word less
    assert {hit.id for hit in find("author:lund", like="x/1").hits} == {"x/5"}
    assert find("", like="https://doi.org/10.5555/cod.2").total == find("", like="x/2").total
    with pytest.raises(NotFound, match="no record x/99"):
        find("", like="x/99")


def test_the_parts_make_up_the_score(find: Any) -> None:
    found = find("herring^2 baltic author:khan type:article -cod", explain=True)
    (hit,) = found.hits
    looser = find("herring boats salt", explain=True)
    assert looser.parsed == "herring OR boats OR salt"
    for one in looser.hits:
        assert sum(part.score for part in one.parts) == pytest.approx(one.score, rel=1e-3)
    assert found.parsed == 'herring^2 baltic creators:khan type:"article" NOT cod'
    assert [part.of for part in hit.parts] == ["herring^2", "baltic", "creators:khan"]
    assert sum(part.score for part in hit.parts) == pytest.approx(hit.score, rel=1e-3)
