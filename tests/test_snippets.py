"""Where a query met a text: the words that are marked, and the part of it that is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.analysis import stem
from index.document import Hit
from index.nodes import Node
from index.query import parse
from index.snippets import LENGTH, highlighted, snippet, sought
from tests.fakes.questions import questions
from tests.test_query import tree_or_fault

MARK = ("<", ">")
MARKS = ("\x02", "\x03")


def marked(query: str, title: str) -> str:
    return highlighted(title, sought(parse(query).tree, stem), MARK)


MARKED = [
    ("harvest", "<Harvesting> the <Harvests>"),
    ("harvests hay", "<Harvesting> old <hay>"),
    ("etude", "L'<étude> d'un été"),
    ("STRASSE", "<Straße> 9"),
    ("σισυφος", "Ο <ΣΊΣΥΦΟΣ> μας"),
    ("مكتبة", "<مَكْتَبَة> الحقل"),
    ("検索", "情報<検索>学"),
    ("情報検索", "<情報検索>学と情報"),
    # joined or not, it is one word
    ("coproduction", "<Co-production> of co production"),
    ("co-production", "<Co-production>, <co> <production>, <coproduction>, production"),
    ("production", "Co-<production> and <productions>"),
    ("obrien", "<O’Brien's>"),
    ("farmer", "The <farmer's> wife"),
    # phrases where they are whole
    ('"old hay"', "<Old> <hay> is not hay of old"),
    ('"hay hay"', "<hay> <hay> <hay> the hay"),
    ('"old hay"~2', "<old> or <hay>"),
    # wildcards and words that are nearly so
    ("harv*", "<Harvest>, <harvé>, starve"),
    ("wom?n", "<Woman> <women> womeen"),
    ("coprod*", "<Co-production>"),
    ("hay~", "<hay> <may> <hays> <day's> <way>-out harry"),
    ("type:h* h*", "<hay>"),
    # only what is sought in this text
    ("title:hay", "<hay>"),
    ("abstract:hay author:hay type:hay", "hay"),
    ("old -hay", "<old> hay"),
    ("(old OR hay)^2", "<old> <hay>"),
    ("*:*", "hay"),
    ("the hay of", "the <hay> of the mill"),
    ("the of", "<the> hay <of> <the> mill"),
]


@pytest.mark.parametrize(("query", "shown"), MARKED)
def test_what_is_marked(query: str, shown: str) -> None:
    assert marked(query, shown.replace("<", "").replace(">", "")) == shown


ABSTRACT = (
    "Nothing of it is here. " * 20 + "An old barn. " + "Then there is more. " * 20 + "The hay of an old mill."
)


@pytest.mark.parametrize(
    ("query", "abstract", "keywords", "shown"),
    [
        ("hay", "Old hay.", ("hay",), "Old <hay>."),
        ("oats", "Old hay.", ("barley", "oats"), "barley; <oats>"),
        ("rye", "Old hay.", ("barley", "oats"), "Old hay."),
        ("rye", "", ("barley", "oats"), "barley; oats"),
        ("kw:hay", "Old hay.", ("hay",), "<hay>"),
        ("author:old", "Old hay.", ("old",), "Old hay."),
        ("rye", "", (), ""),
    ],
)
def test_where_it_is_cut_from(query: str, abstract: str, keywords: tuple[str, ...], shown: str) -> None:
    hit = Hit("s/1", "Hay", abstract=abstract, keywords=keywords)
    assert snippet(hit, sought(parse(query).tree, stem), MARK) == shown


def test_the_part_with_the_most_of_the_query() -> None:
    abstract = f"Old, old, old and old. {ABSTRACT}"
    cut = snippet(Hit("s/1", "", abstract=abstract), sought(parse("old hay").tree, stem), MARK)
    assert cut.endswith("The <hay> of an <old> mill.")
    assert cut.startswith("… ")


UNMARKED = st.text(st.characters(codec="utf-8", exclude_characters="".join(MARKS)))


@given(questions, st.one_of(UNMARKED, st.just(ABSTRACT)))
def test_marks_change_nothing_of_the_text(query: str, text: str) -> None:
    tree = tree_or_fault(query)
    wanted = sought(tree if isinstance(tree, Node) else parse("hay").tree, stem)
    shown = highlighted(text, wanted, MARKS)
    assert "".join(sign for sign in shown if sign not in MARKS) == " ".join(text.split())
    cut = snippet(Hit("s/1", "", abstract=text), wanted, ("", ""))
    assert len(cut) <= LENGTH + 4
