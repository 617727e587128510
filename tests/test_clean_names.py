import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.clean import names
from harvester.record import Name


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Khan, Nagina", Name("Khan, Nagina", "Khan", "Nagina")),
        ("Sloan,Daniel B.", Name("Sloan,Daniel B.", "Sloan", "Daniel B.")),
        ("van der Berg, Anna", Name("van der Berg, Anna", "van der Berg", "Anna")),
        ("Schulte, Walter B., III", Name("Schulte, Walter B., III", "Schulte", "Walter B.")),
        ("Rolston, Holmes, 1932-", Name("Rolston, Holmes", "Rolston", "Holmes")),
        ("Webb, Gerald B. (1871-1948)", Name("Webb, Gerald B.", "Webb", "Gerald B.")),
        ("Suchard, Marc A. (Author)", Name("Suchard, Marc A.", "Suchard", "Marc A.", role="author")),
        ("Mark Newton", Name("Mark Newton")),
        ("University of California, Berkeley", Name("University of California, Berkeley")),
        ("Shereshefsky, Leon J., Howard University", Name("Shereshefsky, Leon J., Howard University")),
        ("Heu,\xa0Anna  M.", Name("Heu, Anna M.", "Heu", "Anna M.")),
        (
            "Heu, Anna; https://orcid.org/0000-0002-1825-0097",
            Name("Heu, Anna", "Heu", "Anna", "0000-0002-1825-0097"),
        ),
        ("Heu, Anna (anna@hay.example)", Name("Heu, Anna", "Heu", "Anna")),
        (" ) ", None),
        ("1999", None),
    ],
)
def test_a_name(said: str, name: Name | None) -> None:
    assert names.person(said) == name


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Mower, Ann; Reaper, Bo", ["Mower, Ann", "Reaper, Bo"]),
        ("Ann Mower; Bo Reaper", ["Ann Mower", "Bo Reaper"]),
        ("Mower, Ann; University of Hay", ["Mower, Ann"]),
        (
            "Erik Brynjolfsson , Yu (Jeffrey) Hu , Michael D. Smith",
            ["Erik Brynjolfsson", "Yu (Jeffrey) Hu", "Michael D. Smith"],
        ),
        (
            "Naval Postgraduate School, Monterey, California",
            ["Naval Postgraduate School, Monterey, California"],
        ),
    ],
)
def test_several_in_one_value(said: str, found: list[str]) -> None:
    assert [one.name for one in names.people([said])] == found


def test_a_name_taken_apart_by_its_provider() -> None:
    found = names.from_parts("Goddard", "William A.", "0000-0002-1825-0097", lineage="III")
    assert found == Name("Goddard, William A., III", "Goddard", "William A.", "0000-0002-1825-0097")
    assert names.from_parts(" ", "") is None


def test_a_wrong_orcid_is_left_out() -> None:
    assert names.from_parts("Goddard", "W.", "0000-0002-1825-0098") == Name("Goddard, W.", "Goddard", "W.")


@given(st.text())
def test_a_name_is_always_there(said: str) -> None:
    assert all(one.name.strip() for one in names.people([said]))


def test_what_stands_beside_a_name_is_kept() -> None:
    assert names.read(["Mower, Ann; University of Hay"]).affiliations == ("University of Hay",)
    assert names.read(["0000-0002-1825-0097"]).affiliations == ("0000-0002-1825-0097",)
    assert names.read(["Mower, Ann; Reaper, Bo"]).affiliations == ()
