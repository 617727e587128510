"""What index/engine.py promises of searching; written once, asked often."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from harvester.record import File, Identifier, Name, Record
from index.document import document
from index.engine import Engine, Found, Searcher, Sort
from index.fields import BY_NAME, FACETS
from index.nodes import All, Any, Everything, Exact, Node, Not, Range, Words
from index.query import filter_node, parse
from tests.contracts.engine import found, write

RECORDS = [
    Record(
        id="s/1",
        source="s",
        identifier="oai:x:1",
        title="Harvesting machines in upland fields",
        alternative_titles=("The organization of hay", "Records of the mill"),
        creators=(Name("Khan, Nagina", orcid="0000-0003-3870-2609"), Name("O’Brien, Zoë")),
        keywords=("Mental Health", "recovery"),
        type="article",
        languages=("en",),
        date="2021-03-09",
        year=2021,
        deposited="2022-01-01T10:00:00Z",
        peer_reviewed=True,
        doi="10.1000/Hay",
        landing_url="https://example.org/1",
    ),
    Record(
        id="s/2",
        source="s",
        identifier="oai:x:2",
        title="Mill records",
        abstract="They harvest machines. Running, they run; nobody ran.",
        creators=(Name("Nagina, Ali"), Name("Khan, Bo")),
        keywords=("mental health", "Mental Health", "MENTAL HEALTH"),
        subjects=("R Medicine",),
        type="book",
        date="2019",
        year=2019,
        peer_reviewed=False,
        files=(File("https://example.org/2.pdf", "application/pdf", license="CC-BY-4.0"),),
    ),
    Record(
        id="t/3",
        source="t",
        identifier="oai:x:3",
        title="Ökologie der Wiesen",
        alternative_titles=("Ο Σίσυφος στο λιβάδι", "Ёлка в поле", "مَكْتَبَة الحقل", "日本語の情報検索"),
        abstract="well-being of co-operative hay hay hay",
        container="Wiese & Weide",
        publisher="Müller-Verlag",
        languages=("de", "en"),
        keywords=("été", "C++"),
        identifiers=(Identifier("issn", "1234-5679"),),
        date="2021-03",
        year=2021,
        type="article",
    ),
    Record(
        id="t/4",
        source="t",
        identifier="oai:x:4",
        title="Undated",
        notes=("mill",),
        type="other",
        languages=("cy", "cy"),
    ),
    Record(id="t/5", source="t", identifier="oai:x:5", title="Ancient machines", date="0950", year=950),
]

FINDS = [
    ("", "s/1 s/2 t/3 t/4 t/5"),
    ("machine", "s/1 s/2 t/5"),
    ("MACHINES", "s/1 s/2 t/5"),
    ("harvested", "s/1 s/2"),
    ("runs", "s/2"),
    ("organizations", "s/1"),  # a word that Whoosh's own stemmer has otherwise
    ("nobody", "s/2"),
    ("unknown", ""),
    # fields
    ("title:machines", "s/1 t/5"),
    ("title:nobody", ""),
    ("abstract:machines", "s/2"),
    ("notes:mill", "t/4"),
    ("kw:recoveries", "s/1"),
    ("su:medicine", "s/2"),
    ("in:weide", "t/3"),
    ("publisher:verlag", "t/3"),
    ("creators:khan", "s/1 s/2"),
    ("creators:khans", ""),
    ("deposited_by:khan", ""),
    # phrases, which no two values make
    ('"harvest machine"', "s/1 s/2"),
    ('"machine harvest"', ""),
    ('"mill records"', "s/2"),
    ('"records of the mill"', "s/1"),
    ('"hay records"', ""),
    ('creators:"khan nagina"', "s/1"),
    ('creators:"nagina khan"', ""),
    ('"khan nagina"', "s/1"),
    ('"recovery mental"', ""),
    ('"hay hay hay"', "t/3"),
    ('"hay hay hay hay"', ""),
    ('"run they run"', "s/2"),
    ("well-being", "t/3"),
    ("co-operatives", "t/3"),
    ('"being of co"', "t/3"),
    # other letters
    ("okologie", "t/3"),
    ("ÖKOLOGIE", "t/3"),
    ("muller", "t/3"),
    ("ete", "t/3"),
    ("zoe", "s/1"),
    ("o'brien", "s/1"),
    ("ΣΊΣΥΦΟΣ", "t/3"),
    ("σισυφος", "t/3"),
    ("елка", "t/3"),
    ("ЁЛКА", "t/3"),
    ("مكتبة", "t/3"),
    ("情報", "t/3"),
    ("情報検索", "t/3"),
    ("報情", ""),
    ("本語の情", "t/3"),
    # whole values, whatever their case
    ("type:ARTICLE", "s/1 t/3"),
    ("type:art", ""),
    ('keyword:"mental health"', "s/1 s/2"),
    ("keyword:mental", ""),
    ("keyword:ÉTÉ", "t/3"),
    ("keyword:c++", "t/3"),
    ("language:en", "s/1 t/3"),
    ("source:T", "t/3 t/4 t/5"),
    ("refereed:no", "s/2"),
    ("license:cc-by-4.0", "s/2"),
    ("format:application/pdf", "s/2"),
    ('creator_name:"khan, nagina"', "s/1"),
    ("10.1000/HAY", "s/1"),
    ("0000-0003-3870-2609", "s/1"),
    ("https://example.org/1", "s/1"),
    ("issn:1234-5679", "t/3"),
    ("id:s/2", "s/2"),
    # ranges, open and closed
    ("year:2021", "s/1 t/3"),
    ("year:2019..2020", "s/2"),
    ("year:{2019 TO 2021]", "s/1 t/3"),
    ("year:..2019", "s/2 t/5"),
    ("year:{950 TO *]", "s/1 s/2 t/3"),
    ("year:*", "s/1 s/2 t/3 t/5"),
    ("year:2022..2019", ""),
    ("year:{* TO 0}", ""),
    ("date:2021", "s/1 t/3"),
    ("date:2021-03-09", "s/1"),
    ("date:2021-03-01..", "s/1"),
    ("deposited:2022", "s/1"),
    # together
    ("machines mill", "s/1 s/2"),
    ("machines AND ancient", "t/5"),
    ("ancient OR wiesen", "t/3 t/5"),
    ("machines -harvest", "t/5"),
    ("-machines", "t/3 t/4"),
    ("NOT NOT machines", "s/1 s/2 t/5"),
    ("NOT (machines OR type:other)", "t/3"),
    ("-type:article -year:950", "s/2 t/4"),
    ("(ancient OR harvest) year:2000..", "s/1 s/2"),
    ("title:(mill OR ancient)", "s/1 s/2 t/5"),
    ("keyword:(recovery OR été)", "s/1 t/3"),
    ('"!"', ""),
]


class EngineSearches:
    kind: type[Engine]

    @pytest.fixture(scope="class")
    @classmethod
    def searcher(cls, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
        """Over several segments, one of which has lost a document."""
        engine = cls.kind(tmp_path_factory.mktemp("index"))
        engine.create()
        write(engine, document(RECORDS[0], 30), document(Record(id="s/2", title="machines"), 1))
        write(engine, *(document(record, 40 + at) for at, record in enumerate(RECORDS[1:])))
        return engine.searcher()

    @pytest.fixture(scope="class")
    @classmethod
    def many(cls, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
        """Fifty documents that are much alike, in three segments."""
        engine = cls.kind(tmp_path_factory.mktemp("index"))
        engine.create()
        with engine.session() as session:
            for turn in range(3):
                numbers = range(turn, 50, 3)
                works = (Record(id=f"s/{n}", title="hay", year=2000 + n % 4 or None) for n in numbers)
                session.put(document(record, 1 + n // 2) for n, record in zip(numbers, works, strict=True))
                session.commit()
        return engine.searcher()

    def ask(self, searcher: Searcher, node: Node, **options: object) -> Found:
        return searcher.search(node, limit=100, **options)  # type: ignore[arg-type]

    def ids(self, searcher: Searcher, node: Node) -> list[str]:
        return sorted(hit.id for hit, _ in self.ask(searcher, node).hits)

    @pytest.mark.parametrize(("query", "ids"), FINDS, ids=[repr(query) for query, _ in FINDS])
    def test_finds(self, searcher: Searcher, query: str, ids: str) -> None:
        assert sorted(found(searcher, query)) == ids.split()

    @pytest.mark.parametrize("sort", Sort)
    def test_the_order_changes_nothing_that_is_found(self, searcher: Searcher, sort: Sort) -> None:
        assert sorted(found(searcher, "machines OR hay", sort)) == ["s/1", "s/2", "t/3", "t/5"]

    def test_nodes_that_no_text_makes(self, searcher: Searcher) -> None:
        everything = ["s/1", "s/2", "t/3", "t/4", "t/5"]
        assert self.ids(searcher, All(())) == everything
        assert self.ids(searcher, Any(())) == []
        assert self.ids(searcher, Not(Any(()))) == everything
        assert self.ids(searcher, Not(Everything())) == []
        assert self.ids(searcher, All((Everything(), Exact("type", "book")))) == ["s/2"]
        assert self.ids(searcher, Any((Everything(), Exact("type", "book")))) == everything
        assert self.ids(searcher, Any((Not(Exact("type", "book")), Range("year", 2019, None)))) == everything
        assert self.ids(searcher, Words(("word" * 100,))) == []

    def test_what_cannot_be_stored_is_not_found(self, searcher: Searcher) -> None:
        assert self.ids(searcher, parse("type:\udc80").tree) == []
        assert self.ids(searcher, filter_node(BY_NAME["keyword"], "\ud800 \0")) == []

    def test_a_hit_is_what_was_stored(self, searcher: Searcher) -> None:
        for record in RECORDS:
            (hit, _), *others = self.ask(searcher, parse(record.identifier).tree).hits
            assert others == []
            assert hit == document(record, 1).hit

    def test_newest_and_oldest_have_the_undated_last(self, searcher: Searcher) -> None:
        assert found(searcher, "", Sort.NEWEST) == ["s/1", "t/3", "s/2", "t/5", "t/4"]
        assert found(searcher, "", Sort.OLDEST) == ["t/5", "s/2", "t/3", "s/1", "t/4"]

    def test_added_goes_by_the_last_change(self, searcher: Searcher) -> None:
        assert found(searcher, "", Sort.ADDED) == ["t/5", "t/4", "t/3", "s/2", "s/1"]

    def test_relevance(self, searcher: Searcher) -> None:
        hits = self.ask(searcher, parse("machines").tree).hits
        assert [hit.id for hit, _ in hits] == ["t/5", "s/1", "s/2"]  # short title, long title, abstract
        scores = [score for _, score in hits]
        assert scores == sorted(scores, reverse=True)
        assert scores[-1] > 0

    @pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.OLDEST, Sort.ADDED])
    def test_an_order_of_its_own_has_no_scores(self, searcher: Searcher, sort: Sort) -> None:
        assert {score for _, score in self.ask(searcher, parse("machines").tree, sort=sort).hits} == {0.0}

    @pytest.mark.parametrize(
        "more", ["source:s", "year:2019..", "-type:other", "refereed:yes OR refereed:no", "NOT (hay -hay)"]
    )
    def test_filters_do_not_score(self, searcher: Searcher, more: str) -> None:
        plain = {hit.id: score for hit, score in self.ask(searcher, parse("harvest").tree).hits}
        narrowed = {hit.id: score for hit, score in self.ask(searcher, parse(f"harvest ({more})").tree).hits}
        assert plain.keys() == narrowed.keys()
        assert narrowed == pytest.approx(plain)
        assert {score for _, score in self.ask(searcher, parse(more).tree).hits} <= {0.0}

    @pytest.mark.parametrize("sort", Sort)
    @pytest.mark.parametrize("size", [1, 7, 50])
    def test_pages_show_each_hit_once(self, many: Searcher, sort: Sort, size: int) -> None:
        answers = [
            many.search(parse("hay").tree, limit=size, offset=at, sort=sort) for at in range(0, 50, size)
        ]
        assert {answer.total for answer in answers} == {50}
        shown = [hit.id for answer in answers for hit, _ in answer.hits]
        assert len(shown) == len(set(shown)) == 50
        assert shown == found(many, "hay", sort)

    def test_pages_have_an_end(self, many: Searcher) -> None:
        for limit, offset, size in ((0, 0, 0), (10, 45, 5), (10, 50, 0), (10, 1000, 0)):
            answer = many.search(parse("hay").tree, limit=limit, offset=offset)
            assert (answer.total, len(answer.hits)) == (50, size)

    def test_every_position_is_told(self, many: Searcher) -> None:
        assert sorted(many.positions()) == sorted((f"s/{n}", 1 + n // 2) for n in range(50))
        assert many.count() == 50

    def test_facets_count_the_whole_result(self, many: Searcher) -> None:
        answer = many.search(Everything(), limit=3, offset=2, facets=["year", "type"])
        assert answer.facets == {
            "year": (("2000", 13), ("2001", 13), ("2002", 12), ("2003", 12)),
            "type": (),
        }
        answer = many.search(parse("year:2002..").tree, limit=0, facets=["year"])
        assert answer.facets == {"year": (("2002", 12), ("2003", 12))}

    def test_facets_count_documents_by_values_as_written(self, searcher: Searcher) -> None:
        facets = self.ask(searcher, Everything(), facets=FACETS).facets
        assert facets.keys() == set(FACETS)
        assert facets["keyword"] == (
            ("Mental Health", 2), ("C++", 1), ("MENTAL HEALTH", 1), ("mental health", 1), ("recovery", 1),
            ("été", 1),
        )  # fmt: skip
        assert facets["language"] == (("en", 2), ("cy", 1), ("de", 1))
        assert facets["peer_reviewed"] == (("no", 1), ("yes", 1))
        assert facets["creator_name"][0] == ("Khan, Bo", 1)
        assert facets["year"] == (("2021", 2), ("2019", 1), ("950", 1))
        assert self.ask(searcher, parse("machines").tree, facets=["type"]).facets == {
            "type": (("article", 1), ("book", 1))
        }

    def test_stems(self, searcher: Searcher) -> None:
        stems = [searcher.stem(word) for word in ("harvesting", "planning", "organizations", "情報")]
        assert stems == ["harvest", "plan", "organiz", "情報"]

    def test_a_searcher_may_be_asked_from_several_threads(self, many: Searcher) -> None:
        queries = ["hay", "year:2002", '"hay hay"', "hay -year:2001"] * 100
        alone = [found(many, query) for query in queries[:4]] * 100
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda query: found(many, query), queries))
        finally:
            sys.setswitchinterval(before)
        assert answers == alone
