"""What of a record is searched, and how its text becomes words."""

import pytest

from harvester.record import File, Record
from index.analysis import joined, prepare, words
from index.document import document


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Khan’s users' book", ["khan", "users", "book"]),
        ("It's the 1990's", ["it", "the", "1990"]),
        ("’s Gravenhage", ["s", "gravenhage"]),
        ("co\u00adproduction\u200bof left\u200f\u200eright", ["coproduction", "of", "leftright"]),
        ("Straße Œuvre ﬁn H₂O", ["strasse", "oeuvre", "fin", "h2o"]),
        ("Ελλάδα Ёлка", ["ελλαδα", "елка"]),
    ],
)
def test_words(text: str, said: list[str]) -> None:
    assert words(text) == said


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("Co-production and co‐production", ["coproduction"]),
        ("O’Brien's state-of-the-art IL-6", ["obrien", "stateoftheart", "il6"]),
        ("2019-2021, 10–20", []),
        ("-x y- a--b - 'c'", []),
        ("plain words", []),
        ("one-two three\nfour-five", ["onetwo", "fourfive"]),
        (f"{'x' * 200}-{'y' * 200}", []),
        ("a-b " + "acgt" * 250_000, ["ab"]),  # a sequence: quadratic work would not end
    ],
)
def test_hyphenated_words_are_joined(text: str, forms: list[str]) -> None:
    assert joined(prepare(text)) == forms


def test_joined_forms_are_values_of_their_own() -> None:
    found = document(Record(id="x/1", title="Co-production", alternative_titles=("Well-being",)), 1)
    assert found.values["title"] == ["co-production", "well-being", "coproduction", "wellbeing"]


def test_whole_values_are_short_and_on_a_line() -> None:
    found = document(
        Record(id="x/1", keywords=("é" * 70_000, "two\nlines"), doi="10.5555/" + ")" * 100_000), 1
    )
    assert [len(value) for value in found.values["keyword"]] == [1000, 9]
    assert found.values["keyword"][1] == "two lines"
    assert max(map(len, found.values["identifier"])) <= 1000


@pytest.mark.parametrize(
    ("record", "is_open"),
    [
        (Record(), ""),
        (Record(files=(File("a", access="open"), File("b", access="restricted"))), "yes"),
        (Record(files=(File("a", access="embargoed"),)), "no"),
        (Record(files=(File("a"),)), ""),
        (Record(license="CC-BY-4.0"), "yes"),
        (Record(files=(File("a", license="https://creativecommons.org/licenses/by/3.0/de/"),)), "yes"),
        (Record(license="MIT"), ""),
        (Record(rights=("info:eu-repo/semantics/openAccess",)), "yes"),
        (Record(rights=("Open Access",)), "yes"),
        (Record(rights=("info:eu-repo/semantics/closedAccess",)), "no"),
    ],
)
def test_open_access(record: Record, is_open: str) -> None:
    assert document(record, 1).values.get("open_access", [""]) == [is_open]
