"""What match.py says of the nodes, told by hand: it is what the engines are held to."""

import itertools

import pytest

from harvester.record import Name, Record
from index.document import document
from index.match import fits, matches, within
from index.nodes import Boosted, Everything, Fuzzy, Has, Node, Not, Pattern, Words

DOCUMENT = document(
    Record(
        id="s/1",
        source="s",
        identifier="oai:x:1",
        title="Harvesting the old hay of the hills",
        alternative_titles=("hay hay mill",),
        creators=(Name("Müller, Zoë"),),
        keywords=("Mental Health", "naïve"),
        type="article",
        date="2019",
        year=2019,
    ),
    1,
)


def near(text: str, slop: int, field: str = "") -> Words:
    return Words(tuple(text.split()), field, slop=slop)


MEANING: list[tuple[Node, bool]] = [
    (near("harvest hay", 1), False),
    (near("harvest hay", 2), True),
    (near("hay harvest", 9), False),  # in order
    (near("harvest hay hill", 3), False),  # further words in total
    (near("harvest hay hill", 4), True),
    (near("old the hill", 2), True),
    (near("hay hay", 0), True),
    (near("hay hay hay", 9), False),  # each word once
    (near("hills mill", 50), False),  # no two values make one
    (near("the old", 0, "title"), True),
    (near("the old", 0, "abstract"), False),
    (Pattern("harv*"), True),
    (Pattern("harvesting"), True),  # as it is written …
    (Pattern("harvest"), False),  # … not its stem
    (Pattern("h?y", "title"), True),
    (Pattern("h?y", "creators"), False),
    (Pattern("mul*r", "creators"), True),
    (Pattern("ha"), False),
    (Pattern("mental*"), True),
    (Pattern("mental*", "keyword"), True),
    (Pattern("men*th", "keyword"), True),  # the whole value
    (Pattern("heal*", "keyword"), False),
    (Pattern("na?ve", "keyword"), True),  # in lower case
    (Pattern("naive", "keyword"), False),  # and not folded
    (Fuzzy("harvestin"), True),
    (Fuzzy("harvest"), False),
    (Fuzzy("hya"), False),  # letters that changed places are two edits
    (Fuzzy("hya", edits=2), True),
    (Fuzzy("xay"), True),
    (Fuzzy("artcle", "type"), True),
    (Fuzzy("artcle", "title"), False),
    (Has("keywords"), True),
    (Has("abstract"), False),
    (Has("year"), True),
    (Has("deposited"), False),
    (Boosted(Pattern("harv*"), 2.0), True),
    (Boosted(Not(Everything()), 2.0), False),
]


@pytest.mark.parametrize(("node", "matched"), MEANING, ids=[repr(node) for node, _ in MEANING])
def test_meaning(node: Node, matched: bool) -> None:
    assert matches(node, DOCUMENT) is matched


def distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one):
        left = at + 1
        for column, above in enumerate(row[1:]):
            row[column], left = left, min(above + 1, left + 1, row[column] + (letter != other[column]))
        row[-1] = left
    return row[-1]


def test_within_is_levenshtein() -> None:
    short = ["".join(letters) for length in range(6) for letters in itertools.product("ab", repeat=length)]
    for one, other, edits in itertools.product(short, short, range(3)):
        assert within(edits, one, other) is (distance(one, other) <= edits)


@pytest.mark.parametrize("sign", r".[]{}()^$\|+!-")
def test_only_two_signs_are_wildcards(sign: str) -> None:
    assert fits(f"a{sign}*b", f"a{sign}b")
    assert not fits(f"a{sign}b", "aab")
    assert not fits(f"[{sign}a]b", "ab")


def test_many_wildcards_take_no_longer() -> None:
    assert not fits("*a" * 100 + "b", "a" * 255)
