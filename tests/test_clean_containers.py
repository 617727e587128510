import pytest

from harvester.clean import containers
from harvester.clean.containers import Container


@pytest.mark.parametrize(
    ("said", "container"),
    [
        ("Journal of Hay", Container("Journal of Hay")),
        ("Journal of Hay; Vol. 3 No. 2 (2015); 12-20", Container("Journal of Hay", "3", "2", "12-20")),
        ("Maryland State Archives; foo", Container("Maryland State Archives; foo")),
        ("AI", Container("AI")),
        ("農業", Container("農業")),
        ("8380-8243", None),  # no ISSN, by its last digit; no journal either
        ("https://example.org/hay", None),
    ],
)
def test_a_container(said: str, container: Container | None) -> None:
    assert containers.read(said) == container


def test_what_stands_beside_the_numbers_is_noticed() -> None:
    said = "Journal of Hay; Vol. 3 No. 2 (2015): On scythes; 12-20"
    found = containers.read(said)
    assert found is not None
    assert containers.says_more(said, found)
    plain = "Journal of Hay; Vol. 3 No. 2 (2015); 12-20"
    assert not containers.says_more(plain, containers.read(plain) or found)
