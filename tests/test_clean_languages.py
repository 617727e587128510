import pytest

from harvester.clean import languages


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        (["en"], ("en",)),
        (["en_US", "eng", "English", "ENG"], ("en",)),
        (["ger", "deu", "de-AT"], ("de",)),
        (["dut"], ("nl",)),
        (["ang"], ("ang",)),
        (["en fr"], ("en", "fr")),
        (["Spanish, Castilian"], ("es",)),
        (["zh-Hans"], ("zh",)),
        ([" français "], ("fr",)),
        (["other", "und", "mul", "zxx", "n/a", "Klingonish", ""], ()),
    ],
)
def test_a_language(said: list[str], codes: tuple[str, ...]) -> None:
    assert languages.codes(said) == codes


def test_every_code_leads_to_the_two_letters() -> None:
    assert {len(code) for code in languages._KNOWN.values()} == {2}
    assert all(languages._KNOWN[code] == code for code in languages._KNOWN.values())
    assert len(set(languages._KNOWN.values())) == 183  # ISO 639-1 without the withdrawn `sh`
