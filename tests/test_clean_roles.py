import pytest

from harvester.clean import roles


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ("ths", "thesis advisor"),
        ("http://www.loc.gov/loc.terms/relators/THS", "thesis advisor"),
        ("http://id.loc.gov/vocabulary/relators/edt/", "editor"),
        ("Photographer", "photographer"),
        ("illustrator.", "illustrator"),
        ("", ""),
    ],
)
def test_a_role(said: str, role: str) -> None:
    assert roles.role(said) == role
