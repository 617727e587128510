"""What a search answers: totals, hits, filters, facets, order, snippets, and what it says of a bad query."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harvester.errors import QueryError
from harvester.record import File, Name, Record
from index.document import document
from index.engine import Searcher, Sort
from index.engines.tantivy import TantivyEngine
from index.fields import SPOKEN_FACETS
from index.search import Results, search
from tests.commands import KHAN, demo_folder, program_in

LONG = "Nothing is said at first. " * 20 + "Then the herring returned, silver and late. " + "And so on. " * 40


def work(number: int, title: str, **more: Any) -> Record:
    own = {"id": f"x/{number}", "source": "x", "identifier": str(number), "title": title}
    return Record(**{**own, **more})


MARSHES = [
    work(number, f"Salt marsh {number}", year=2010 + number, date=str(2010 + number), type="article")
    for number in range(1, 13)
]
TIDES = [
    work(number, "Salt and the tide", year=2019, date="2019-05", type="thesis", languages=("cy",))
    for number in (21, 22, 23)
]
OTHERS = [
    work(31, "Herring", abstract=LONG, type="book", source="y", creators=(Name("Lund, Åsa"),)),
    work(
        32,
        "Surveys",
        abstract="We surveyed the Café Łódź, well-known for surveying.",
        creators=(Name("Lund, Åsa"), Name("Rao, Priya", orcid="0000-0002-1825-0097")),
        keywords=("Eel", "Deep sea"),
        license="CC-BY-4.0",
    ),
    work(33, "Keywords only", keywords=("tide tables", "moons"), date="1987", year=1987, type="book"),
    work(
        34,
        "Identified",
        identifier="oai:x.org:77",
        doi="10.1234/AB.5",
        landing_url="https://x.org/id/eprint/77/",
        issn="1234-5679",
        files=(File("https://x.org/77/1/a.pdf", media_type="application/pdf"),),
    ),
    work(35, "Bare"),
    work(36, "Notes on the -wich towns of Cheshire"),
]
WORKS = [*MARSHES, *TIDES, *OTHERS]


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    engine = TantivyEngine(tmp_path_factory.mktemp("engine"))
    engine.create()
    with engine.session() as session:
        session.put(document(record, position) for position, record in enumerate(WORKS, 1))
        session.commit()
    return engine.searcher()


Find = Callable[..., Results]


@pytest.fixture
def find(searcher: Searcher) -> Find:
    return lambda query="", **options: search(searcher, query, **options)


def numbers(results: Results) -> list[int]:
    return [int(hit.id.partition("/")[2]) for hit in results.hits]


def counts(results: Results, facet: str) -> dict[str, int]:
    return {one.value: one.count for one in results.facets[facet]}


class TestHits:
    def test_a_hit_shows_its_record(self, find: Find) -> None:
        found = find("surveys", mark=("<", ">"))
        (hit,) = found.hits
        assert (found.query, found.total, found.loosened, found.suggestion) == ("surveys", 1, False, "")
        assert (hit.id, hit.title, hit.creators) == ("x/32", "<Surveys>", ("Lund, Åsa", "Rao, Priya"))
        assert (hit.year, hit.type, hit.source, hit.landing_url) == (None, "", "x", "")
        assert hit.score > 0
        assert found.took_ms > 0

    def test_nothing_found(self, find: Find) -> None:
        assert (find("zebra").total, find("zebra").hits, find("zebra").loosened) == (0, (), False)

    @pytest.mark.parametrize("query", ["", " ", "*", "*:*"])
    def test_an_empty_query_finds_everything(self, find: Find, query: str) -> None:
        assert find(query).total == len(WORKS)

    def test_all_words_where_ten_records_have_them(self, find: Find) -> None:
        found = find("salt marsh", limit=50)
        assert (found.total, found.loosened) == (12, False)

    def test_some_of_the_words_where_fewer_have_all(self, find: Find) -> None:
        found = find("salt tide", limit=50, facets=["type"])
        assert (found.total, found.loosened) == (16, True)
        assert set(numbers(found)[:3]) == {21, 22, 23}  # which have both words
        assert counts(found, "type") == {"article": 12, "thesis": 3, "book": 1}

    def test_stop_words_alone_do_not_loosen(self, find: Find) -> None:
        found = find("the herring of zebra", limit=50)
        assert (numbers(found), found.loosened) == ([31], True)

    def test_loosening_that_finds_no_more_is_none(self, find: Find) -> None:
        assert find("herring returned").loosened is False
        assert find("zebra quagga").loosened is False

    def test_what_was_excluded_or_filtered_stays_so(self, find: Find) -> None:
        found = find("salt tide -thesis year:2019", limit=50)
        assert set(numbers(found)) == {9, 21, 22, 23}
        assert set(numbers(find("salt tide", filters=["type=thesis"]))) == {21, 22, 23}

    def test_what_names_its_field_is_not_loosened(self, find: Find) -> None:
        assert numbers(find("author:rao salt")) == []
        assert set(numbers(find("author:lund eel silver"))) == {31, 32}

    def test_a_phrase_is_not_loosened(self, find: Find) -> None:
        assert find('"tide and salt"').total == 0
        assert find('"salt and the tide"').total == 3


class TestFilters:
    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            (["type=thesis"], {21, 22, 23}),
            (["type=THESIS"], {21, 22, 23}),
            (["type=thesis", "type=book"], {21, 22, 23, 31, 33}),
            (["type=book", "source=y"], {31}),
            (["type=book", "source=x"], {33}),
            (["type=thesis", "source=y"], set()),
            (["year=2012"], {2}),
            (["year=2019..2021"], {9, 10, 11, 21, 22, 23}),
            (["year=..2011"], {1, 33}),
            (["year=2022.."], {12}),
            (["year=2021", "year=1987"], {11, 33}),
            (["date=2019-05"], {21, 22, 23}),
            (["creator=Lund, Åsa"], {31, 32}),
            (["keyword=deep sea"], {32}),
            (["language=cy"], {21, 22, 23}),
            (["license=cc-by-4.0"], {32}),
            (["id=10.1234/ab.5"], {34}),
            (["media_type=application/pdf"], {34}),
        ],
    )
    def test_one_field_means_or_several_mean_and(
        self, find: Find, filters: list[str], expected: set[int]
    ) -> None:
        found = find("", filters=filters, limit=50)
        assert set(numbers(found)) == expected
        assert found.total == len(expected)

    @pytest.mark.parametrize("wrong", ["type", "=thesis", "nope=1", "type=", "title=salt", "nope", ""])
    def test_unknown(self, find: Find, wrong: str) -> None:
        with pytest.raises(QueryError) as told:
            find("salt", filters=[wrong])
        assert "FIELD=VALUE" in told.value.advice
        assert all(name in told.value.advice for name in SPOKEN_FACETS)

    @pytest.mark.parametrize("wrong", ["year=abc", "year=2019..x", "date=soon"])
    def test_a_value_that_the_field_cannot_take(self, find: Find, wrong: str) -> None:
        with pytest.raises(QueryError, match="cannot be"):
            find("salt", filters=[wrong])


class TestFacets:
    @pytest.mark.parametrize("query", ["", "salt", "type:book"])
    def test_counts_are_exact(self, find: Find, query: str) -> None:
        hits = find(query, limit=100).hits
        found = find(query, facets=["type", "year", "source", "creator"], limit=0)
        assert counts(found, "type") == Counter(hit.type for hit in hits if hit.type)
        assert counts(found, "source") == Counter(hit.source for hit in hits)
        assert counts(found, "creator") == Counter(name for hit in hits for name in hit.creators)
        assert sum(counts(found, "year").values()) <= sum(hit.year is not None for hit in hits)

    def test_the_most_frequent_come_first_then_by_value(self, find: Find) -> None:
        values = find("", facets=["year"]).facets["year"]
        assert [(one.value, one.count) for one in values][:3] == [("2019", 4), ("1987", 1), ("2011", 1)]
        assert len(values) == 10  # of thirteen

    def test_they_are_written_as_in_the_record(self, find: Find) -> None:
        assert counts(find("", facets=["keyword"]), "keyword")["Deep sea"] == 1
        assert counts(find("", facets=["license"]), "license") == {"CC-BY-4.0": 1}

    def test_a_filter_narrows_them(self, find: Find) -> None:
        assert counts(find("", filters=["source=y"], facets=["type"]), "type") == {"book": 1}

    @pytest.mark.parametrize("name", SPOKEN_FACETS)
    def test_each_may_be_asked_for(self, find: Find, name: str) -> None:
        assert list(find("salt", facets=[name]).facets) == [name]

    @pytest.mark.parametrize("wrong", ["nope", "title", "set", "date", ""])
    def test_unknown(self, find: Find, wrong: str) -> None:
        with pytest.raises(QueryError, match="there is no facet") as told:
            find("salt", facets=[wrong])
        assert ", ".join(SPOKEN_FACETS) in told.value.advice


class TestOrder:
    def test_newest_has_the_undated_last(self, find: Find) -> None:
        order = numbers(find("", sort=Sort.NEWEST, limit=100))
        assert order[:4] == [12, 11, 10, 21] or order[:4] == [12, 11, 10, 22]
        assert order[-6:-5] == [33]
        assert set(order[-5:]) == {31, 32, 34, 35, 36}

    def test_oldest_has_the_undated_last(self, find: Find) -> None:
        order = numbers(find("", sort=Sort.OLDEST, limit=100))
        assert order[:3] == [33, 1, 2]
        assert set(order[-5:]) == {31, 32, 34, 35, 36}

    def test_added_goes_by_the_last_change(self, find: Find) -> None:
        assert numbers(find("", sort=Sort.ADDED, limit=100)) == [int(one.id[2:]) for one in WORKS][::-1]

    def test_a_title_outranks_an_abstract(self, find: Find) -> None:
        assert numbers(find("tide"))[-1] == 33

    @pytest.mark.parametrize("sort", list(Sort))
    def test_pages_make_the_whole(self, find: Find, sort: Sort) -> None:
        whole = numbers(find("salt", sort=sort, limit=100))
        pages = [find("salt", sort=sort, limit=4, offset=offset) for offset in range(0, 20, 4)]
        assert [number for page in pages for number in numbers(page)] == whole
        assert {page.total for page in pages} == {15}

    @pytest.mark.parametrize(
        ("query", "total"),
        [("salt tide", 16), ("Salt and THE tide!", 16), ("tide surveys -salt", 2), ("77", 1)],
    )
    def test_pages_of_several_tiers(self, find: Find, query: str, total: int) -> None:
        whole = find(query, limit=100)
        pages = [find(query, limit=2, offset=offset) for offset in range(0, 18, 2)]
        assert [number for page in pages for number in numbers(page)] == numbers(whole)
        assert {page.total for page in (whole, *pages)} == {len(whole.hits)} == {total}

    @pytest.mark.parametrize("query", ["surveys", "SURVEYS!", "(Surveys)"])
    def test_a_whole_title_comes_first(self, find: Find, query: str) -> None:
        assert numbers(find(query))[0] == 32

    def test_what_is_excluded_is_no_title_unless_that_is_long(self, find: Find) -> None:
        assert 32 not in numbers(find("-surveys", limit=50))
        assert numbers(find("Notes on the -wich towns of Cheshire"))[0] == 36

    def test_beyond_the_last(self, find: Find) -> None:
        assert (find("salt", offset=1000).total, find("salt", offset=1000).hits) == (15, ())
        assert (find("salt", limit=0).total, find("salt", limit=0).hits) == (15, ())


class TestSnippets:
    @pytest.fixture
    def cut(self, find: Find) -> Callable[[str], str]:
        return lambda query: find(query, mark=("<", ">")).hits[0].snippet

    def test_stemmed_and_folded_words_are_marked(self, cut: Callable[[str], str]) -> None:
        assert cut("survey") == "We <surveyed> the Café Łódź, well-known for <surveying>."
        assert cut("cafe surveys") == "We <surveyed> the <Café> Łódź, well-known for <surveying>."
        assert cut("lodz") == "We surveyed the Café <Łódź>, well-known for surveying."
        assert cut('"well known"') == "We surveyed the Café Łódź, <well>-<known> for surveying."

    def test_the_place_of_the_words_is_cut_out_at_word_borders(self, cut: Callable[[str], str]) -> None:
        found = cut("herring silver")
        assert "Then the <herring> returned, <silver> and late." in found
        assert found.startswith("… ")
        assert found.endswith(" …")
        inside = found.strip("… ").replace("<", "").replace(">", "")
        assert len(inside) <= 241
        assert f" {inside} " in LONG

    def test_without_a_match_the_beginning(self, cut: Callable[[str], str]) -> None:
        found = cut("type:book author:lund")
        assert found.startswith("Nothing is said")

    def test_what_is_excluded_is_not_marked(self, cut: Callable[[str], str]) -> None:
        assert "<" not in cut("title:surveys -zebra").replace("<surveyed>", "").replace("<surveying>", "")

    def test_keywords_where_there_is_no_abstract(self, cut: Callable[[str], str]) -> None:
        assert cut("moon") == "tide tables; <moons>"

    def test_neither(self, find: Find) -> None:
        assert find("bare").hits[0].snippet == ""

    def test_no_marks_unless_asked_for(self, find: Find) -> None:
        assert find("survey").hits[0].snippet == "We surveyed the Café Łódź, well-known for surveying."


class TestSuggestions:
    @pytest.mark.parametrize(
        ("query", "meant"),
        [
            ("titel:herring", "title:herring"),
            ("autor:lund herring", "author:lund herring"),
            ("herring", ""),
            ("title:herring", ""),
            ("re: herring", ""),
            ("https://x.org/a", ""),
        ],
    )
    def test_a_field_that_was_probably_meant(self, find: Find, query: str, meant: str) -> None:
        assert find(query).suggestion == meant


class TestIdentifiers:
    @pytest.mark.parametrize(
        "query",
        [
            "10.1234/ab.5",
            "10.1234/AB.5",
            "doi:10.1234/ab.5",
            "https://doi.org/10.1234/ab.5",
            "oai:x.org:77",
            "https://x.org/id/eprint/77",
            "https://x.org/id/eprint/77/",
            "http://x.org/id/eprint/77",
            "77",
            "id:77",
            "issn:1234-5679",
            "https://x.org/77/1/a.pdf",
        ],
    )
    def test_are_recognised_first(self, find: Find, query: str) -> None:
        assert numbers(find(query)) == [34]

    @pytest.mark.parametrize(
        "query",
        ["0000-0002-1825-0097", "https://orcid.org/0000-0002-1825-0097", "orcid:0000-0002-1825-0097"],
    )
    def test_of_a_person(self, find: Find, query: str) -> None:
        assert numbers(find(query)) == [32]

    def test_a_number_is_a_word_too(self, find: Find) -> None:
        assert numbers(find("12")) == [12]


class TestFaults:
    @pytest.mark.parametrize(
        ("query", "place"),
        [("year:[2019 TO", 5), ("salt AND", 5), ("OR salt", 0), ("year:abc", 5), ("salt type:[a TO b]", 10)],
    )
    def test_point_at_their_place(self, find: Find, query: str, place: int) -> None:
        with pytest.raises(QueryError) as told:
            find(query)
        assert (told.value.query, told.value.place) == (query, place)
        assert told.value.advice


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with program_in(demo_folder(tmp_path_factory.mktemp("sample"))) as program:
        yield program.searcher()


class TestTheMissionsExample:
    """KAR's eprint 111396: each fact of its page finds it, or filters to it."""

    @pytest.mark.parametrize(
        "query",
        [
            "What Is 'Really' Required To Incorporate The User Narrative In The Changing Health Systems?",
            "Nagina Khan",
            "author:khan",
            "0000-0003-3870-2609",
            "khan year:2021",
            'in:"Recovery in the Bin"',
            '"Recovery in the Bin blog article"',
            "khan type:web",
            'khan "Service User perspectives"',
            "kw:coproduction author:khan",
            'khan "patient experiences"',
            "https://kar.kent.ac.uk/id/eprint/111396",
            "111396",
            "oai:windrow.example:111396",
            'depositor:"Nagina Khan"',
            "deposited:2025-09-26",
            "modified:2025-10-01",
            "deposited:2025-09 modified:2025-10",
            "khan status:published",
            '"295 kB"',
        ],
    )
    def test_found_first(self, sample: Searcher, query: str) -> None:
        assert search(sample, query).hits[0].id == KHAN

    @pytest.mark.parametrize(
        "filter_",
        [
            "creator=Khan, Nagina",
            "year=2021",
            "type=web",
            "keyword=Coproduction",
            "keyword=Recovery",
            "keyword=Mental Health",
            "keyword=Service User perspectives",
            "keyword=Patient experiences",
            "subject=H Social Sciences",
            "subject=L Education",
            "subject=R Medicine",
            "license=CC-BY-NC-ND-4.0",
            "media_type=application/pdf",
            "language=en",
            "deposited=2025-09-26",
            "modified=2025-10-01",
            "status=published",
            "source=demo",
        ],
    )
    def test_filtered_to(self, sample: Searcher, filter_: str) -> None:
        found = search(sample, "author:khan", filters=[filter_])
        assert [hit.id for hit in found.hits] == [KHAN]

    @pytest.mark.parametrize(
        "division", ["Schools", "School of Social Sciences", "Centre for Health Services Studies"]
    )
    def test_by_its_divisions(self, sample: Searcher, division: str) -> None:
        found = search(sample, f'division:"{division}" author:khan')
        assert [hit.id for hit in found.hits] == [KHAN]
