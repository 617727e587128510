"""The query language: text → tree, and the few faults that there are."""

from math import comb

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harvester.errors import QueryError
from index.fields import BY_NAME, Kind
from index.nodes import (
    WIDEST_SLOP,
    All,
    Any,
    Beside,
    Boosted,
    Everything,
    Exact,
    Fuzzy,
    Has,
    Node,
    Not,
    Pattern,
    Range,
    Spellings,
    Words,
)  # fmt: skip
from index.query import DEEPEST_NESTING, LONGEST_QUERY, MOST_WILDCARDS, filter_node, parse
from index.trees import filtered, loosened
from index.values import MOST_ARRANGEMENTS


def word(text: str, place: int, field: str = "") -> Words:
    return Words((text,), field, place)


def phrase(text: str, place: int, field: str = "", slop: int = 0) -> Words:
    return Words(tuple(text.split()), field, place, slop)


def pasted(identifier: str, words: str, place: int) -> Spellings:
    return Spellings((Exact("identifier", identifier, place), phrase(words, place)))


def ways(place: int, *texts: str, field: str = "", slop: int = 0) -> Spellings:
    return Spellings(tuple(phrase(text, place, field, slop if " " in text else 0) for text in texts))


TREES: list[tuple[str, Node]] = [
    ("", Everything()),
    (" * ", Everything()),
    ("*:*", Everything()),
    ("Harvest", word("harvest", 0)),
    ("harvest records", Beside((word("harvest", 0), word("records", 8)))),
    ("hay Hay hay", word("hay", 0)),
    ("hay mill hay", Beside((word("hay", 0), word("mill", 4)))),
    ("naïve Σίσυφος", Beside((word("naive", 0), word("σισυφοσ", 6)))),
    ("hay *:*", Beside((word("hay", 0), Everything()))),
    ("*:* -hay", Beside((Everything(), Not(word("hay", 5))))),
    ("C++", word("c", 0)),
    ('"Mental health"', Words(("mental", "health"), "", 0)),
    ('"!"', Any(())),
    ("! ?", Any(())),
    # NOT binds closest, then AND, then OR, then side by side
    ("a OR b", Any((word("a", 0), word("b", 5)))),
    ("a OR b AND c", Any((word("a", 0), All((word("b", 5), word("c", 11)))))),
    ("a AND NOT b", All((word("a", 0), Not(word("b", 10))))),
    ("NOT a AND b", All((Not(word("a", 4)), word("b", 10)))),
    ("a OR b c", Beside((Any((word("a", 0), word("b", 5))), word("c", 7)))),
    ("(a b) OR c", Any((Beside((word("a", 1), word("b", 3))), word("c", 9)))),
    ("NOT NOT a", Not(Not(word("a", 8)))),
    ('! OR a', word("a", 5)),
    ("and or not", Beside((word("and", 0), word("or", 4), word("not", 7)))),
    # signs
    ("+a -b", Beside((All((word("a", 1),)), Not(word("b", 4))))),
    ('-"b c"', Not(Words(("b", "c"), "", 1))),
    ("-(b c)", Not(Beside((word("b", 2), word("c", 4))))),
    ("(-b)", Not(word("b", 2))),
    ("- a", word("a", 2)),
    ("-2019", word("2019", 0)),
    ("a-b", ways(0, "a b", "ab")),
    ("a -", word("a", 0)),
    # brackets and quotes without a partner are punctuation
    ("a ) b", Beside((word("a", 0), word("b", 4)))),
    ("(a", word("a", 1)),
    ('"a b', Beside((word("a", 1), word("b", 3)))),
    ("a () b", Beside((word("a", 0), word("b", 5)))),
    ("[a TO b]", Words(("a", "to", "b"), "", 0)),
    # fields
    ("title:Hay", word("hay", 6, "title")),
    ("TI:hay", word("hay", 3, "title")),
    ('author:"Khan, Nagina"', Words(("khan", "nagina"), "creators", 7)),
    ("title: hay", Beside((word("title", 0), word("hay", 7)))),
    ("titel:hay", Words(("titel", "hay"), "", 0)),
    ("title:a b", Beside((word("a", 6, "title"), word("b", 8)))),
    ("title:-a", word("a", 6, "title")),
    ("title:NOT", word("not", 6, "title")),
    ("title:)", Any(())),
    ("title:(a -b)", Beside((word("a", 7, "title"), Not(word("b", 10, "title"))))),
    ("title:(a author:b)", Beside((word("a", 7, "title"), word("b", 16, "creators")))),
    ("title:10.1000/x", Words(("10", "1000", "x"), "title", 6)),
    ("type:Article", Exact("type", "article", 5)),
    ('keyword:"Mental Health"', Exact("keyword", "mental health", 8)),
    ('keyword:("Old Hay" OR oats)', Any((Exact("keyword", "old hay", 9), Exact("keyword", "oats", 22)))),
    ("license:(CC-BY-4.0)", Exact("license", "cc-by-4.0", 9)),
    ("refereed:true", Exact("peer_reviewed", "yes", 9)),
    ("refereed:No", Exact("peer_reviewed", "no", 9)),
    # hyphens
    ("co-production", ways(0, "co production", "coproduction")),
    ("co\u2010production", ways(0, "co production", "coproduction")),
    ("title:state-of-the-art", ways(6, "state of the art", "stateoftheart", field="title")),
    ('"the co-production of"', ways(0, "the co production of", "the coproduction of")),
    ("a - b--c -", Beside((word("a", 0), phrase("b c", 4)))),
    ("[pre-war]", ways(0, "pre war", "prewar")),
    ("O’Brien's", ways(0, "o brien", "obrien")),
    ("2019-2021", phrase("2019 2021", 0)),
    # phrases with words in between
    ('"a b"~3', phrase("a b", 0, slop=3)),
    ('author:"a b"~3', phrase("a b", 7, "creators", slop=3)),
    ('"co-a b"~2', ways(0, "co a b", "coa b", slop=2)),
    ('"a"~9', word("a", 0)),
    ('"a b"~', phrase("a b", 0)),
    ('"a b" ~3', Beside((phrase("a b", 0), word("3", 6)))),
    # wildcards
    ("Harv*", Pattern("harv*", "", 0)),
    ("naïve*", Pattern("naive*", "", 0)),
    ("harv**,", Pattern("harv*", "", 0)),
    ("au:Kh*", Pattern("kh*", "creators", 3)),
    ("title:(harv* mill)", Beside((Pattern("harv*", "title", 7), word("mill", 13, "title")))),
    ("co-prod*", Pattern("coprod*", "", 0)),
    ("and/or*", All((word("and", 0), Pattern("or*", "", 0)))),
    ("wom?n", Spellings((Pattern("wom?n", "", 0), phrase("wom n", 0)))),
    ("ti:col*r", Spellings((Pattern("col*r", "title", 3), phrase("col r", 3, "title")))),
    ("a.*[b]c", phrase("a b c", 0)),
    ("a?b?c?d?e", Spellings((Pattern("a?b?c?d?e", "", 0), phrase("a b c d e", 0)))),
    ("a?b?c?d?e*", phrase("a b c d e", 0)),
    ("type:Art*", Pattern("art*", "type", 5)),
    ("license:cc-*-4.?", Pattern("cc-*-4.?", "license", 8)),
    ("doi:10.1234/*", Pattern("10.1234/*", "identifier", 0)),
    ('keyword:"a*"', Exact("keyword", "a*", 8)),
    ("type:boo?", Exact("type", "boo?", 5)),
    ('"harv*"', word("harv", 0)),
    ("情報検索*", phrase("情報 報検 検索", 0)),
    # words that are nearly so
    ("Müller~", Fuzzy("muller", "", 0)),
    ("harvest~1", Fuzzy("harvest", "", 0)),
    ("title:harvest~2", Fuzzy("harvest", "title", 6, 2)),
    ("co-prodution~2", Fuzzy("coprodution", "", 0, 2)),
    ("l'hôpital~", Fuzzy("lhopital", "", 0)),
    ("and/or~", All((word("and", 0), Fuzzy("or", "", 0)))),
    ("type:artcle~", Fuzzy("artcle", "type", 5)),
    ('keyword:"mental helth"~', Exact("keyword", "mental helth", 8)),
    ("12~15", phrase("12 15", 0)),
    ("2019~", word("2019", 0)),
    # boosts
    ("hay^2", Boosted(word("hay", 0), 2)),
    ('"a b"~3^0.5', Boosted(phrase("a b", 0, slop=3), 0.5)),
    ("(a b)^2", Boosted(Beside((word("a", 1), word("b", 3))), 2)),
    ("title:x^2.5", Boosted(word("x", 6, "title"), 2.5)),
    ("title:(a b)^100", Boosted(Beside((word("a", 7, "title"), word("b", 9, "title"))), 100)),
    ("harv*^2", Boosted(Pattern("harv*", "", 0), 2)),
    ("harvest~2^3", Boosted(Fuzzy("harvest", "", 0, 2), 3)),
    ("-hay^2", Not(Boosted(word("hay", 1), 2))),
    ("year:[2019 TO 2020]^2", Boosted(Range("year", 2019, 2020, 5), 2)),
    ("hay^101", phrase("hay 101", 0)),
    ("2^8", phrase("2 8", 0)),
    ("()^2 a", word("a", 5)),
    # has a value
    ("title:*", Has("title", 6)),
    ("au:*", Has("creators", 3)),
    ("type:*^2", Boosted(Has("type", 5), 2)),
    ("-abstract:*", Not(Has("abstract", 10))),
    # in titles all these are punctuation
    ("C*-algebras", phrase("c algebras", 0)),
    ("F*R*I*E*N*D*S*", phrase("f r i e n d s", 0)),
    ("met*: A", Beside((word("met", 0), word("a", 6)))),
    ("PCFG*", Pattern("pcfg*", "", 0)),
    ("*SEM 2012", Beside((word("sem", 0), word("2012", 5)))),
    ("Logic* *but", Beside((Pattern("logic*", "", 0), word("but", 7)))),
    ("S^3 - x", Beside((Boosted(word("s", 0), 3), word("x", 6)))),
    ("T2K^2: a", Beside((phrase("t2k 2", 0), word("a", 7)))),
    ("O(M(n^2))", Beside((word("o", 0), Beside((word("m", 2), Boosted(word("n", 4), 2)))))),
    ("What is it?", Beside((word("what", 0), word("is", 5), word("it", 8)))),
    ("a || b && c ! / d", Beside((word("a", 0), word("b", 5), word("c", 10), word("d", 16)))),
    # identifiers come first
    ("10.1000/ABC", Exact("identifier", "10.1000/abc", 0)),
    ("doi:10.1000/abc", Exact("identifier", "10.1000/abc", 0)),
    ("https://doi.org/10.1000/abc.", Exact("identifier", "10.1000/abc", 0)),
    ("see 10.1000/b", Beside((word("see", 0), pasted("10.1000/b", "10 1000 b", 4)))),
    ("(a OR 10.1000/b)", Any((word("a", 1), pasted("10.1000/b", "10 1000 b", 6)))),
    ("(10.1000/b).", Exact("identifier", "10.1000/b", 1)),
    ("http://a.org/b?c=1", Exact("identifier", "a.org/b?c=1", 0)),
    ("10.1016/s0140(05)66545-x", Exact("identifier", "10.1016/s0140(05)66545-x", 0)),
    ("oai:kar.kent.ac.uk:111396", Exact("identifier", "oai:kar.kent.ac.uk:111396", 0)),
    ("0000-0003-3870-2609", Exact("identifier", "0000-0003-3870-2609", 0)),
    ("id:111396", Exact("identifier", "111396", 3)),
    # ranges
    ("year:2019", Range("year", 2019, 2019, 5)),
    ('year:"2019"', Range("year", 2019, 2019, 5)),
    ("year:[2019 TO 2021]", Range("year", 2019, 2021, 5)),
    ("year:{2019 TO 2021}", Range("year", 2020, 2020, 5)),
    ("year:{2019 TO 2021]", Range("year", 2020, 2021, 5)),
    ("year:[* TO 2021}", Range("year", None, 2020, 5)),
    ("year:2019..2021", Range("year", 2019, 2021, 5)),
    ("year:2019..", Range("year", 2019, None, 5)),
    ("year:..2021", Range("year", None, 2021, 5)),
    ("year:*", Range("year", None, None, 5)),
    ("year:(2019 OR 2021..)", Any((Range("year", 2019, 2019, 6), Range("year", 2021, None, 14)))),
    ("year:([2019 TO 2020] OR 2022)", Any((Range("year", 2019, 2020, 6), Range("year", 2022, 2022, 24)))),
    ("date:2021", Range("date", 2021_00_00, 2021_99_99, 5)),
    ("date:2021-03", Range("date", 2021_03_00, 2021_03_99, 5)),
    ("date:2021-03-09", Range("date", 2021_03_09, 2021_03_09, 5)),
    ("date:{2021-03 TO 2021-05}", Range("date", 2021_04_00, 2021_04_99, 5)),
    ("deposited:2021..2022-02", Range("deposited", 2021_00_00, 2022_02_99, 10)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tree"), TREES, ids=[repr(text) for text, _ in TREES])
def test_text_to_tree(text: str, tree: Node) -> None:
    assert parse(text).tree == tree


FAULTS = [
    ("a OR", 2, "OR has nothing after it"),
    ("OR a", 0, "OR has nothing before it"),
    ("a AND", 2, "AND has nothing after it"),
    ("(AND a)", 1, "AND has nothing before it"),
    ("a AND OR b", 2, "AND has nothing after it"),
    ("(a OR) b", 3, "OR has nothing after it"),
    ("a NOT", 2, "NOT has nothing after it"),
    ("-OR a", 0, "- has nothing after it"),
    ("year:abc", 5, "year cannot be abc"),
    ("hay year:20x9", 9, "year cannot be 20x9"),
    ("year:2019..x", 5, "year cannot be x"),
    ("year:(2019 OR x)", 14, "year cannot be x"),
    ("year:-5", 5, "year cannot be -5"),
    ('year:""', 5, "year cannot be empty"),
    ("year:1234567890", 5, "year cannot be 1234567890"),
    ("year:²", 5, "year cannot be ²"),
    ("date:2021-xx", 5, "date cannot be 2021-xx"),
    ("a year:[2019 TO 2021", 7, "the range does not end"),
    ("year:{2019", 5, "the range does not end"),
    ("year:[2019]", 5, "the range does not end"),
    ("*ology", 0, "* has no letter before it"),
    (" ?ology ", 1, "? has no letter before it"),
    ("a title:*ology", 8, "* has no letter before it"),
    ("type:?rticle", 5, "? has no letter before it"),
    ("harv~2", 0, "~2 is for words of 5 letters and more"),
    ("title:harvest~3", 6, "a word may be 1 or 2 letters off, not 3"),
    ("harvest~0.8", 0, "a word may be 1 or 2 letters off, not 0.8"),
    ('"a b"~21', 0, "2 words may have 20 others in between at most, not 21"),
    ('x "a b c d"~10', 2, "4 words may have 6 others in between at most, not 10"),
    ("year:20*", 5, "year takes no wildcards and no ~"),
    ("year:2019~", 5, "year takes no wildcards and no ~"),
    ("date:(2021-*)", 6, "date takes no wildcards and no ~"),
    ("title:[a TO b]", 6, "title has no order, so no range"),
    ("type:{a TO b}", 5, "type has no order, so no range"),
]


@pytest.mark.parametrize(("text", "place", "message"), FAULTS, ids=[repr(text) for text, _, _ in FAULTS])
def test_a_fault_says_where_and_what(text: str, place: int, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.place, caught.value.message) == (place, message)
    assert caught.value.query == text
    assert caught.value.advice


def test_a_query_may_be_so_long() -> None:
    parse("é" * (LONGEST_QUERY // 2))
    with pytest.raises(QueryError, match="longer than 8,192 bytes"):
        parse("é" * (LONGEST_QUERY // 2) + "x")


WILD = [
    *(("a*", 1), ("title:(b?c)", 1), ("type:a*b*^2", 2), ("a*b?c*d?e", 4)),
    *(("harvest~ hay", 1), ("harvest~2 hay", 2)),
]


@pytest.mark.parametrize(("wild", "signs"), WILD)
def test_wildcards_have_an_end(wild: str, signs: int) -> None:
    most = MOST_WILDCARDS // signs
    parse(" ".join([wild] * most))
    with pytest.raises(QueryError, match="more than 50 wildcards") as caught:
        parse(" ".join([wild] * (most + 1)))
    assert caught.value.place >= most * (len(wild) + 1)


def test_phrases_with_words_in_between_have_an_end() -> None:
    phrases = [f'"a b c{number}"~5' for number in range(10, 20)]  # each in 21 ways
    parse(" ".join(phrases[:9]))
    with pytest.raises(QueryError, match="more than 200 ways") as caught:
        parse(" ".join(phrases))
    assert caught.value.place == 9 * len('"a b c10"~5 ')


@pytest.mark.parametrize("length", range(2, 9))
def test_a_phrase_is_stretched_as_far_as_an_engine_can_ask(length: int) -> None:
    text = f'"{" ".join("a" * length)}"~'
    slops = range(WIDEST_SLOP + 1)
    most = max(slop for slop in slops if isinstance(tree_or_fault(f"{text}{slop}"), Words))
    assert most == WIDEST_SLOP or comb(most + length, length - 1) > MOST_ARRANGEMENTS
    assert comb(most + length - 1, length - 1) <= MOST_ARRANGEMENTS


@pytest.mark.parametrize("opening", ["(", "NOT ", "-(", "title:(", "NOT ("])
def test_nesting_has_an_end(opening: str) -> None:
    deepest = DEEPEST_NESTING // (1 + (len(opening) > 1 and opening[0] in "-N" and opening[-1] == "("))
    parse(opening * deepest + "a")
    with pytest.raises(QueryError, match="inside each other") as caught:
        parse(opening * (deepest + 1) + "a")
    assert caught.value.place >= len(opening) * deepest


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("titel:hay", "title:hay"),
        ("hay auther:khan yaer:2019", "hay author:khan year:2019"),
        ("title:hay", ""),
        ("Recovery: a history", ""),
        ("https://example.org/titel:x", ""),
        ("xyzzy:hay", ""),
    ],
)
def test_did_you_mean(text: str, meant: str) -> None:
    assert parse(text).suggestion == meant


def test_filters_on_one_field_are_alternatives() -> None:
    year, kind = BY_NAME["year"], BY_NAME["type"]
    nodes = {
        "year": [filter_node(year, "2019"), filter_node(year, "2021..")],
        "type": [filter_node(kind, "Book")],
    }
    assert filtered(word("a", 0), nodes) == All(
        (
            word("a", 0),
            Any((Range("year", 2019, 2019), Range("year", 2021, None))),
            Any((Exact("type", "book"),)),
        )
    )
    assert filtered(word("a", 0), {}) == word("a", 0)
    with pytest.raises(QueryError, match="year cannot be soon"):
        filter_node(year, "soon")


def loose(text: str, unimportant: frozenset[str] = frozenset()) -> Node | None:
    return loosened(parse(text).tree, text, unimportant)


def test_loosened_asks_for_any_word_that_tells_something() -> None:
    common = frozenset({"the", "of"})
    harvest, grain = word("harvest", 4), Words(("old", "grain"), "", 15)
    firm = Exact("type", "book", 32)
    assert loose('the harvest of "old grain" type:book', common) == All((Any((harvest,)), grain, firm))
    assert loose("hay and/or") == Any((word("hay", 0), Words(("and", "or"), "", 4)))
    assert loose("hay \u201cold grain\u201d of", common) == All(
        (Any((word("hay", 0),)), Words(("old", "grain"), "", 4))
    )
    for text in ("the of", "hay AND grain", "+hay +grain", "harvest type:book", "harvest", '"old hay" hay'):
        assert loose(text, common) is None


SIGNS = ["AND", "OR", "NOT", "-", "+", "(", ")", '"', "[", "]", "{", "}", "..", " TO ", ":", "*", " "]
NAMES = [f"{name}:" for name in ("title", "creators", "type", "year", "date", "identifier", "titel", "http")]
syntax = st.lists(st.sampled_from([*SIGNS, *NAMES, "a", "2019", "é", "10.1000/"]), max_size=25).map("".join)


@given(st.one_of(st.text(), syntax))
@example("\ud800 type:\udfff")
def test_any_text_is_a_tree_or_a_fault_with_its_place(text: str) -> None:
    found = tree_or_fault(text)
    if isinstance(found, QueryError):
        assert 0 <= found.place < len(text)
        assert found.query == text
    else:
        assert isinstance(found, Node)


def tree_or_fault(text: str) -> Node | QueryError:
    try:
        return parse(text).tree
    except QueryError as fault:
        return fault


# What titles are made of: no field's colon without a space behind it, no operator in capitals.
title_words = st.text(
    st.characters(exclude_categories=["Z", "C"], exclude_characters='+-":()'), min_size=1, max_size=12
).filter(lambda one: one not in ("AND", "OR", "NOT"))
around = [
    "{}",
    "{}:",
    "{},",
    "({})",
    '"{}"',
    "({}",
    "{})",
    "{}?",
    "[{}]",
    "-{}",
    "{} -",
    '"{}',
    "{}--",
    "{}-",
]
titles = st.lists(st.builds(str.format, st.sampled_from(around), title_words), max_size=12).map(" ".join)


@given(titles)
@example("Year: what is “really” required?")
@example("The title: [a study] of C++ / Ada -- 50% off!")
@example("-Omics, (bio)medicine & 'care' {draft")
def test_a_title_is_never_a_fault(title: str) -> None:
    parse(title)


def test_every_field_takes_a_value() -> None:
    for name, field in BY_NAME.items():
        value = "2021" if field.kind in (Kind.NUMBER, Kind.DATE) else "hay"
        assert getattr(parse(f"{name}:{value}").tree, "field", "") == field.name
