"""Details as a real EPrints server gives them: each way, and every fact of the known work in its place."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from lxml import etree

from harvester.details import years
from harvester.forms import read_detail
from harvester.record import File, Name
from index.document import document
from index.match import matches
from index.query import parse
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.rig import Rig, rigged
from tests.test_real_eprints import KHAN, LIST, OAI, ROOT, Replay, exports

pytestmark = pytest.mark.skipif(
    not ROOT.exists(), reason="what a real EPrints server said is kept beside the project, and is not there"
)

KEYWORDS = (
    "Coproduction", "Recovery", "Mental Health", "Service User perspectives", "Patient experiences",
)  # fmt: skip
ORCID = "0000-0003-3870-2609"


class OneWork(Replay):
    """The list has the known work, and nothing else."""

    def respond(self, arguments: Sequence[tuple[str, str]]) -> bytes:
        if dict(arguments)["verb"] != "ListRecords":
            return super().respond(arguments)
        page = etree.fromstring((ROOT / LIST[-1]).read_bytes())
        for record in list(page.iter(f"{OAI}record")):
            if record.findtext(f".//{OAI}identifier") != KHAN:
                page[-1].remove(record)
        return etree.tostring(page, xml_declaration=True, encoding="UTF-8")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    clock = FakeClock(datetime(2026, 11, 23, 7, 40, 0, tzinfo=UTC))
    with rigged(tmp_path, OneWork(), clock) as rig:
        rig.repository.exports = exports
        rig.harvest()
        yield rig


def test_every_fact_of_the_known_work_is_in_its_place(rig: Rig) -> None:
    found = rig.fetch_details()
    assert (found.way, found.fetched, found.failed, found.reason) == ("xml", 1, 0, "")
    khan = rig.record(KHAN)
    item = f"{rig.repository.url.partition('/cgi/')[0]}/id/eprint/111396"
    assert item.rpartition("/")[2] == "111396"
    assert khan.formats == ("oai_dc", "eprints")
    assert khan.title == (
        "What Is 'Really' Required To Incorporate The User Narrative In The Changing Health Systems?"
    )
    assert khan.creators == (Name("Khan, Nagina", "Khan", "Nagina", ORCID),)
    assert khan.abstract.startswith("Placeholder abstract")
    assert khan.abstract.count("\n\n") == 1
    assert khan.keywords == KEYWORDS
    assert khan.subjects == ("RA Public aspects of medicine", "H Social Sciences (General)")
    assert (khan.type, khan.raw_types) == ("web", ("Internet publication", "internet"))
    assert (khan.date, khan.year, khan.languages) == ("2021", 2021, ("en",))
    assert khan.container == "Recovery in the Bin"
    assert khan.landing_url.endswith("/id/eprint/111396")
    assert khan.official_url.startswith("https://recoveryinthebin.org/2020/04/14/")
    (file,) = khan.files
    assert file == File(
        file.url, "application/pdf", 555, "en", "CC-BY-NC-ND-4.0", access="open", version="published"
    )
    assert file.url.endswith("User%20Narrative.pdf")
    assert (khan.license, khan.status) == ("CC-BY-NC-ND-4.0", "published")
    assert khan.divisions == ("sch_soc",)
    assert (khan.deposited, khan.modified) == ("2025-09-25T10:14:33Z", "2025-09-29T08:47:02Z")
    assert khan.citation.startswith("Khan, Nagina (2021)")
    assert khan.extra["subjects"] == ("H1",)


@pytest.mark.parametrize(
    "query",
    [
        "id:111396", KHAN, f"orcid:{ORCID}", "creators:khan", 'title:"user narrative"',
        "abstract:placeholder",
        'keyword:"Mental Health"', "keywords:coproduction", 'subjects:"public aspects"', "subjects:social",
        "type:web", "year:2021", "language:en", 'container:"recovery in the bin"', "status:published",
        "license:CC-BY-NC-ND-4.0", "media_type:application/pdf", "division:sch_soc",
        'notes:"internet publication"', "deposited:2025-09-25", "modified:[2025-09-29 TO 2025-09-30]",
        'url:"https://recoveryinthebin.org/2020/04/14/what-is-really-required-to-incorporate-the-user-narrative-in-the-changing-health-systems/"',
    ],
)  # fmt: skip
def test_every_fact_can_be_searched_for(rig: Rig, query: str) -> None:
    rig.fetch_details()
    assert matches(parse(query).tree, document(rig.record(KHAN), 1))


def test_where_xml_is_closed_oai_openaire_has_keywords_orcid_and_journal(rig: Rig) -> None:
    rig.repository.exports = partial(exports, closed="XML")
    found = rig.fetch_details()
    assert (found.way, found.fetched, found.reason) == ("oai_openaire", 1, "")
    khan = rig.record(KHAN)
    assert khan.formats == ("oai_dc", "oai_openaire")
    assert khan.keywords == KEYWORDS
    assert khan.creators == (Name("Khan, Nagina", "Khan", "Nagina", ORCID),)
    assert (khan.container, khan.type) == ("Recovery in the Bin", "web")
    assert khan.files[0].access == "open"
    assert khan.abstract.startswith("Placeholder abstract")


def test_where_that_is_closed_too_bibtex_has_keywords_and_journal(rig: Rig) -> None:
    rig.repository.exports = partial(exports, closed="XML")
    rig.repository.misbehave(
        faults.oai_error("cannotDisseminateFormat"), lambda asked: asked.verb == "GetRecord"
    )
    found = rig.fetch_details()
    assert (found.way, found.fetched, found.reason) == ("bibtex", 1, "")
    khan = rig.record(KHAN)
    assert khan.formats == ("oai_dc", "bibtex")
    assert khan.keywords == KEYWORDS
    assert khan.container == "Recovery in the Bin"
    assert "co‑production" in khan.abstract, "the list's own: BibTeX has a plain hyphen"


def test_bibtex_of_odd_letters() -> None:
    found = read_detail((ROOT / "export-10368-BibTeX.bib").read_bytes())
    assert found.title == "Re: Evaluating primate behaviour: the case of São Tomé"
    assert found.keywords == ("Patient experiences", "naïveté", "α-synuclein")
    assert found.doi == "10.5555/kar.10368"
    assert (found.container, found.publisher, found.date) == (
        "Int. Conf. on primate behaviour", "Springer", "1979",
    )  # fmt: skip
    assert found.contributors == ()


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("export-*-BibTeX.bib")) + sorted(ROOT.glob("export-*-XML.xml"))
)
def test_each_export_is_read(path: Path) -> None:
    found = read_detail(path.read_bytes())
    assert found.title
    assert found.creators


def test_an_export_of_many_is_taken_apart() -> None:
    body = (ROOT / "multi-search-thesis-XML.xml").read_bytes()
    whole = etree.fromstring(body)
    numbers = [int(one.findtext("{*}eprintid") or "0") for one in whole]
    found = dict(years.items(body, set(numbers[1:])))
    assert list(found) == numbers[1:]
    assert len(found) == 129
    for number, alone in found.items():
        expected = etree.tostring(whole[numbers.index(number)])
        assert read_detail(alone) == read_detail(expected)
