"""Identifiers as people paste them are looked up under the one spelling that is indexed."""

import pytest

from harvester.record import Identifier, Name, Record
from index.document import document, identifiers
from index.identifiers import identifier_key
from index.match import matches
from index.nodes import Exact
from index.query import parse

RECORD = Record(
    id="kar/oai:kar.kent.ac.uk:111396",
    source="kar",
    identifier="oai:kar.kent.ac.uk:111396",
    title="Hay",
    creators=(Name("Khan, Nagina", orcid="0000-0003-3870-2609"),),
    identifiers=(Identifier("issn", "1234-5679"), Identifier("arxiv", "2009.09100")),
    doi="10.1016/s0140(05)66545-x",
    landing_url="https://kar.kent.ac.uk/id/eprint/111396",
    official_url="https://doi.org/10.1016/s0140(05)66545-x",
)

PASTED = [
    *(
        costume.format(doi)
        for doi in ("10.1016/s0140(05)66545-x", "10.1016/S0140(05)66545-X", "10.1016%2Fs0140(05)66545-x")
        for costume in (
            "{}", "doi:{}", "DOI: {}", "DOI {}", "doi.org/{}", "https://doi.org/{}", "http://dx.doi.org/{}",
            "dx.doi.org/{}", "<https://doi.org/{}>", "info:doi/{}", "({})", "[{}]", "{}.", "{},", "(doi:{}).",
            "doi:https://doi.org/{}", 'doi:"{}"', "id:{}", "\u200b{}",
        )
    ),
    "0000-0003-3870-2609",
    "0000000338702609",
    "https://orcid.org/0000-0003-3870-2609",
    "http://www.orcid.org/0000-0003-3870-2609/",
    "orcid.org/0000-0003-3870-2609",
    "ORCID: 0000-0003-3870-2609",
    "orcid:0000-0003-3870-2609",
    "orcid:0000000338702609",
    "oai:kar.kent.ac.uk:111396",
    "kar/oai:kar.kent.ac.uk:111396",
    "https://kar.kent.ac.uk/111396/",
    "http://kar.kent.ac.uk/111396",
    "https://kar.kent.ac.uk/id/eprint/111396/",
    "kar.kent.ac.uk/id/eprint/111396",
    "kar.kent.ac.uk/111396/.",
    "/id/eprint/111396",
    "id:111396",
    "issn:1234-5679",
    "arXiv:2009.09100",
]  # fmt: skip


@pytest.mark.parametrize("text", PASTED)
def test_what_is_pasted_finds_its_record(text: str) -> None:
    tree = parse(text).tree
    assert isinstance(tree, Exact)
    assert matches(tree, document(RECORD, 1))


@pytest.mark.parametrize(
    "text",
    ["0000000338702608", "10.10/x", "doi: a history", "and/or", "Web 2.0/3", "orcid", "12345678901234567"],
)
def test_what_is_none(text: str) -> None:
    assert "identifier" not in repr(parse(text).tree)


def test_the_key_of_a_key_is_itself() -> None:
    for key in identifiers(RECORD):
        assert identifier_key(key) == key


def test_a_url_with_a_path_behind_the_number() -> None:
    assert identifier_key("https://x.org/id/eprint/12/1/a(1).pdf") == "x.org/12/1/a(1).pdf"
