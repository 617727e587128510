import pytest

from harvester.clean import licences


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ("cc_by_nc_nd_4", "CC-BY-NC-ND-4.0"),
        ("cc_by_4", "CC-BY-4.0"),
        ("cc_public_domain", "CC-PDDC"),
        ("http://creativecommons.org/licenses/by-nc-sa/4.0", "CC-BY-NC-SA-4.0"),
        ("https://creativecommons.org/licenses/by/4.0/legalcode", "CC-BY-4.0"),
        ("https://creativecommons.org/licenses/by/4.0/deed.en", "CC-BY-4.0"),
        ("http://creativecommons.org/licenses/by-nd-nc/1.0/", "CC-BY-NC-ND-1.0"),
        (
            "http://creativecommons.org/licenses/by-nc-nd/3.0/us/",
            "https://creativecommons.org/licenses/by-nc-nd/3.0/us/",
        ),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        (
            "http://creativecommons.org/publicdomain/mark/1.0/",
            "https://creativecommons.org/publicdomain/mark/1.0/",
        ),
        ("All authors hold it. http://creativecommons.org/licenses/by/3.0/", "CC-BY-3.0"),
        ("Attribution-NonCommercial 4.0 International\ufffd(CC BY-NC 4.0)", "CC-BY-NC-4.0"),
        ("Creative Commons Attribution Non Commercial Share Alike 4.0 International", "CC-BY-NC-SA-4.0"),
        ("Creative Commons Attribution-NoDerivatives 4.0 International License", "CC-BY-ND-4.0"),
        ("CC0 1.0 Universal", "CC0-1.0"),
        ("MIT License", "MIT"),
        ("https://opensource.org/licenses/MIT", "MIT"),
        ("https://www.apache.org/licenses/LICENSE-2.0", "Apache-2.0"),
        ("cc_by", "https://creativecommons.org/licenses/by/"),  # EPrints 3.3 does not say which version
        ("other", ""),
        ("Metadata are free under Creative Commons CC0 1.0 Universal", ""),
        ("All rights reserved", ""),
        ("info:eu-repo/semantics/openAccess", ""),
        ("", ""),
    ],
)
def test_a_licence(said: str, licence: str) -> None:
    assert licences.licence(said) == licence


def test_a_licence_is_read_again_the_same() -> None:
    for name in ("CC-BY-4.0", "CC-BY-NC-ND-3.0", "CC0-1.0", "MIT", "Apache-2.0"):
        assert licences.licence(name) == name


def test_the_first_licence_among_the_rights() -> None:
    assert licences.choose(["© 2019 Hayfield", "cc_by_4", "cc_by_nc_4"]) == "CC-BY-4.0"
