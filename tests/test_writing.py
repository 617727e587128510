"""A tree written out as a query means what it meant."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.match import matches
from index.nodes import Any, Node, Words
from index.query import LONGEST_QUERY, parse
from index.writing import as_text
from tests.fakes.questions import SAMPLE, questions
from tests.test_query import TREES, tree_or_fault

WRITTEN = [
    ("", "*:*"),
    ("! ?", "NOT *:*"),
    ("Harvest   Records", "harvest records"),
    ("a or AND b", "a (or AND b)"),
    ("a OR b c", "(a OR b) c"),
    ("-a +b", "NOT a +(b)"),
    ("ti:“Hay”", "title:hay"),
    ('au:"Khan, N"~2^3', 'creators:"khan n"~2^3'),
    ("Co-Production", "co-production"),
    ('"the co-production of"~2', '"the co-production of"~2'),
    ("pre-war/post-war", '"pre-war post-war"'),
    ('"1234-1234-1234-123x"', '"1234-1234-1234-123x"'),
    ('"0000000338702609"', '"0000000338702609"'),
    ("HARV* wom?n and?N-gram", "harv* wom?n and?n-gram"),
    ("and/or* foo/b?r", "(and AND or*) foo/b?r"),
    ("ti:harvest~2^2 hay~", "title:harvest~2^2 hay~1"),
    ("(a b)^2.50", "(a b)^2.5"),
    ("(year:2019 OR type:*^2)^3", "(year:[2019 TO 2019] OR (type:*)^2)^3"),
    ("type:Art* type:Article", 'type:art* type:"article"'),
    ("DOI 10.1000/X*", "identifier:10.1000/x*"),
    ("https://a.org/(b)*", "identifier:https://a.org/(b)*"),
    ("year:2019", "year:[2019 TO 2019]"),
    ("date:{2019-03 TO 2021-05-06]", "date:[2019-04 TO 2021-05-06]"),
    ("date:{2019 TO 2021}", "date:[2020 TO 2020]"),
    ("year:{* TO 0}", "NOT *:*"),
    ("year:{999999999 TO *]", "year:{999999999 TO *]"),
]


@pytest.mark.parametrize(("text", "written"), WRITTEN)
def test_one_way_of_writing(text: str, written: str) -> None:
    assert as_text(parse(text).tree) == written


@pytest.mark.parametrize("text", [text for text, _ in TREES])
def test_what_is_written_is_read_as_it_was_meant(text: str) -> None:
    reads_back(parse(text).tree)


@given(st.one_of(questions, st.text()))
@example('1234-1234-1234-1234 "0000000338702609"')
@example("https://a.org/(b)*^2 url:https://a.org/(b)* keyword:a*b~")
@example("o'2~ a/b*/c* a/b*c-d/e*")
def test_so_is_what_chance_asks(text: str) -> None:
    tree = tree_or_fault(text)
    if isinstance(tree, Node):
        reads_back(tree)
        reads_back(Any((tree, Words(("hay",)))))


def reads_back(tree: Node) -> None:
    text = as_text(tree)
    if len(text.encode()) > LONGEST_QUERY:
        return
    again = parse(text).tree
    assert as_text(again) == text
    assert [matches(again, one) for one in SAMPLE] == [matches(tree, one) for one in SAMPLE]
