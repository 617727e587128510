import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester import identifiers

COSTUMES = [
    "{}", "doi:{}", "doi: {}", "DOI {}", "doi://{}", "https://doi.org/{}", "http://dx.doi.org/{}",
    "dx.doi.org/{}", "https://www.doi.org/{}", "info:doi/{}", "urn:doi:{}",
    "doi:https://doi.org/{}", " {} ", "<https://doi.org/{}>", "{}.", "http:/\u200b/dx.\u200bdoi.org/{}",
]  # fmt: skip


@pytest.mark.parametrize("costume", COSTUMES)
def test_a_doi_in_its_costumes(costume: str) -> None:
    assert identifiers.doi(costume.format("10.5555/KAR.1(2)")) == "10.5555/kar.1(2)"


@pytest.mark.parametrize(
    ("said", "doi"),
    [
        ("https://doi.org/10.1002%2Fmar.21165", "10.1002/mar.21165"),
        ("10.1002/(SICI)1097-0258(19980815)17:15/16<1661::AID>3.0.CO;2-2",
         "10.1002/(sici)1097-0258(19980815)17:15/16<1661::aid>3.0.co;2-2"),
        ("(see 10.5555/x)", ""),
        ("10.5555/", ""),
        ("10.1.1.120.8990", ""),
        ("http://citeseerx.ist.psu.edu/viewdoc/summary?doi=10.1.1.120.8990", ""),
        ("Physical Review 102 (2009) 055501", ""),
    ],
)  # fmt: skip
def test_a_doi(said: str, doi: str) -> None:
    assert identifiers.doi(said) == doi


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("https://orcid.org/0000-0003-3870-2609", ("orcid", "0000-0003-3870-2609")),
        ("0000-0003-3870-2600", None),
        ("1472-4677", ("issn", "1472-4677")),
        ("ISSN: 1545-5963", ("issn", "1545-5963")),
        ("urn:issn:00213446", ("issn", "0021-3446")),
        ("1234-5678", None),
        ("20031231", None),
        ("ISBN: 0-306-40615-2", ("isbn", "9780306406157")),
        ("978-0-306-40615-7", ("isbn", "9780306406157")),
        ("0306406152", None),
        ("http://hdl.handle.net/2027/mdp.1", ("handle", "2027/mdp.1")),
        ("hdl:1721.1/92496", ("handle", "1721.1/92496")),
        ("http://arXiv.org/abs/hep-th/0001001", ("arxiv", "hep-th/0001001")),
        ("arXiv:math.GT/0309136v2", ("arxiv", "math/0309136v2")),
        ("https://arxiv.org/pdf/2009.09100.pdf", ("arxiv", "2009.09100")),
        ("pmid:19872477", ("pmid", "19872477")),
        ("https://pubmed.ncbi.nlm.nih.gov/19872477/", ("pmid", "19872477")),
        ("19872477", None),
        ("PMC3304810", ("pmcid", "PMC3304810")),
        ("http://www.ncbi.nlm.nih.gov/pmc/articles/PMC3304810/pdf/", ("pmcid", "PMC3304810")),
        ("oai:kar.kent.ac.uk:111396", ("oai", "oai:kar.kent.ac.uk:111396")),
        ("urn:nbn:de:0183-cto0000887", ("urn", "urn:nbn:de:0183-cto0000887")),
        ("urn:urn:nbn:de:0183-cto0000887", ("urn", "urn:nbn:de:0183-cto0000887")),
        ("https://n2t.example/ark:/99999/hay42", ("ark", "ark:/99999/hay42")),
        ("https://example.org/a?b=c", ("url", "https://example.org/a?b=c")),
        ("https://example.org/a b", None),
        ("CUHSLHSP_M159.tif", None),
        ("", None),
    ],
)
def test_recognise(said: str, found: tuple[str, str] | None) -> None:
    assert identifiers.recognise(said) == found


@pytest.mark.parametrize(
    ("said", "page"),
    [
        ("https://kar.kent.ac.uk/id/eprint/111396", ("https://kar.kent.ac.uk", "111396")),
        ("https://kar.kent.ac.uk/id/eprint/111396/", ("https://kar.kent.ac.uk", "111396")),
        ("http://cogprints.org/9728/", ("http://cogprints.org", "9728")),
        ("http://cogprints.org/9728/1/2014-1-2.pdf", None),
        ("https://zenodo.org/record/123", None),
        ("https://kar.kent.ac.uk/id/eprint/0", None),
    ],
)
def test_the_page_of_an_eprint(said: str, page: tuple[str, str] | None) -> None:
    assert identifiers.eprint_page(said) == page


@given(st.text())
def test_any_text_can_be_looked_at(said: str) -> None:
    identifiers.recognise(said)


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.sampled_from(COSTUMES))
def test_a_canonical_doi_is_canonical(suffix: str, costume: str) -> None:
    once = identifiers.doi(costume.format(f"10.1234/{suffix}"))
    assert identifiers.doi(once) == once


@given(st.integers(0, 10**9 - 1))
def test_ten_digits_become_the_thirteen_of_idutils(number: int) -> None:
    import idutils

    digits = f"{number:09}"
    check = -sum(int(digit) * (10 - place) for place, digit in enumerate(digits)) % 11
    ten = digits + ("X" if check == 10 else str(check))
    thirteen = identifiers.isbn(ten)
    assert bool(thirteen) == bool(idutils.is_isbn(ten))  # it knows 0000000000 for a filler
    assert not thirteen or (thirteen.startswith(f"978{digits}") and idutils.is_ean13(thirteen))


def test_looking_at_a_doi_does_not_import_idutils() -> None:
    look = "from harvester.identifiers import recognise; recognise('doi:10.5555/x')"
    code = f"import sys; {look}; print('idutils' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
