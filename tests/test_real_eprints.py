"""A real EPrints server, replayed: its pages, its tokens, its way to end a list."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from lxml import etree

from harvester.check import check
from harvester.transport import Transport
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.faults import verb
from tests.fakes.repository import Answer
from tests.fakes.rig import NAME, Rig, rigged

ROOT = Path(__file__).parents[2] / "shared/data/eprints-server"
OAI = "{http://www.openarchives.org/OAI/2.0/}"
KHAN = "oai:kar.example.org:111396"
LIST = [f"ListRecords-oai_dc-page{number}.xml" for number in range(1, 14)]
WINDOW = [f"ListRecords-oai_dc-window-page{number}.xml" for number in range(1, 5)]
NEWEST = "2025-10-26T20:40:02Z"

pytestmark = pytest.mark.skipif(
    not ROOT.exists(), reason="what a real EPrints server said is kept beside the project, and is not there"
)

Arguments = frozenset[tuple[str, str]]


class Replay:
    """Each file answers the request that it answered; a list's next pages, the token of the one before."""

    base_url = ""

    def __init__(self) -> None:
        self._answers: dict[Arguments, bytes] = {}
        self._nothing = (ROOT / "date-future.xml").read_bytes()
        for headers in sorted(ROOT.glob("*.headers")):
            line = headers.read_text("utf-8").splitlines()[0]
            if line.startswith("GET "):
                request = frozenset(parse_qsl(urlsplit(line.split()[1]).query))
                self._answers.setdefault(request, headers.with_suffix("").read_bytes())
        self._string_together(LIST)
        self._string_together(WINDOW)

    def _string_together(self, names: Sequence[str]) -> None:
        token = ""
        for name in names:
            body = (ROOT / name).read_bytes()
            if token:
                self._answers[frozenset({("verb", "ListRecords"), ("resumptionToken", token)})] = body
            token = etree.fromstring(body).findtext(f".//{OAI}resumptionToken", "")
        assert not token, "the last page has none"

    def respond(self, arguments: Sequence[tuple[str, str]]) -> bytes:
        asked = dict(arguments)
        if asked["verb"] == "ListRecords" and "until" not in asked and "from" in asked:
            return self._since(asked["from"])
        return self._answers.get(frozenset(arguments), self._nothing)

    def _since(self, start: str) -> bytes:
        """What changed since then, in one page: the last one, with other records."""
        last, *others = (etree.fromstring((ROOT / name).read_bytes()) for name in reversed(LIST))
        listed = last.find(f"{OAI}ListRecords")
        assert listed is not None
        listed.extend(record for page in others for record in page.iter(f"{OAI}record"))
        for record in list(listed):
            if record.findtext(f".//{OAI}datestamp", "") < start:
                listed.remove(record)
        return etree.tostring(last, xml_declaration=True, encoding="UTF-8")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    clock = FakeClock(datetime(2026, 11, 23, 7, 40, 0, tzinfo=UTC))
    with rigged(tmp_path, Replay(), clock) as rig:
        rig.repository.exports = exports
        yield rig


def exports(path: str, closed: str = "") -> Answer:
    """What was said of the known work, whichever is asked for."""
    _, _, _, _, number, plugin, name = path.split("/")
    if plugin == closed:
        return Answer((ROOT / "export-111396-XML-stock-401.html").read_bytes(), 401)
    known = (ROOT / f"export-111396-{plugin}.{name.rpartition('.')[2]}").read_bytes()
    return Answer(known.replace(b"111396", number.encode()))


def test_a_whole_harvest_and_one_with_nothing_new(rig: Rig) -> None:
    assert b"<resumptionToken" not in (ROOT / LIST[-1]).read_bytes()
    report = rig.harvest()
    assert (report.verdict, report.reason, report.exit_code) == ("complete", "", 0)
    assert (report.received, report.created, report.unchanged, report.quarantined) == (1247, 1210, 37, 0)
    assert (report.pages, report.requests) == (13, 14)
    assert (len(rig.live), len(rig.tombstones)) == (1210, 37)
    assert (rig.state.live, rig.state.tombstones) == (1210, 37)
    assert report.watermark == NEWEST
    _finds_nothing_new(rig)


def _finds_nothing_new(rig: Rig) -> None:
    before = rig.feed
    report = rig.harvest()
    assert rig.repository.asked("ListRecords")[0].arguments["from"] == "2025-10-26T19:40:02Z"
    assert (report.verdict, report.received, report.unchanged) == ("complete", 1, 1)
    assert rig.feed == before


def test_the_known_work(rig: Rig) -> None:
    rig.harvest()
    khan = rig.record(KHAN)
    assert khan.id == f"{NAME}/{KHAN}"
    assert khan.title.startswith("What Is 'Really' Required To Incorporate The User Narrative")
    assert [creator.name for creator in khan.creators] == ["Khan, Nagina"]
    assert (khan.date, khan.year, khan.type) == ("2021", 2021, "web")
    assert khan.license == "CC-BY-NC-ND-4.0"


def test_a_window(rig: Rig) -> None:
    """This server took days for both ends; ours sends its granularity."""
    rig.repository.responder = _DaysOnly()
    report = rig.harvest(from_="2020-01-01", until="2022-12-31")
    assert (report.verdict, report.received, report.pages) == ("complete", 395, 4)
    assert report.watermark is None


class _DaysOnly(Replay):
    def respond(self, arguments: Sequence[tuple[str, str]]) -> bytes:
        return super().respond(
            [(name, value[:10] if name in ("from", "until") else value) for name, value in arguments]
        )


def test_without_stated_sizes_as_before_3_4_5_the_short_last_page_tells_the_end(rig: Rig) -> None:
    rule = rig.repository.misbehave(faults.replaced(r' completeListSize="\d+"', ""), verb("ListRecords"))
    assert rig.harvest().verdict == "complete"
    assert rule.fired == 13


def test_a_list_cut_after_a_page_is_not_complete(rig: Rig) -> None:
    """The token of a page in mid-list is lost: what stock clients take for the end."""
    token = "offset%3D25962"
    rig.repository.misbehave(faults.replaced(f"<resumptionToken[^>]*>[^<]*{token}</resumptionToken>", ""))
    report = rig.harvest()
    assert (report.verdict, report.received) == ("unproven", 200)
    assert report.reason == "the list stopped after 200 of 1,247"


def test_an_unknown_set_as_this_server_says_it(rig: Rig) -> None:
    """A status of 500 and an HTML page."""
    page = (ROOT / "set-unknown-plain.xml").read_bytes()
    rig.repository.misbehave(faults.status(500, page), verb("ListRecords"))
    rig.change_source(set="nosuchset")
    report = rig.harvest()
    assert (report.verdict, report.reason) == ("failed", "the repository has no set nosuchset")


def test_check_knows_it(rig: Rig) -> None:
    transport = Transport(rig.clock)
    finding = check(rig.repository.url, transport, rig.clock)
    transport.close()
    assert (finding.software, finding.records, finding.page_size) == ("EPrints", 1247, 100)
    assert (finding.granularity, finding.deleted_record) == ("YYYY-MM-DDThh:mm:ssZ", "persistent")
    assert set(finding.formats) >= {"oai_dc", "rioxx", "uketd_dc", "mets", "didl", "rdf"}
    assert len(finding.sets) == 303
    assert "subjects=H" in {one.meaning for one in finding.sets}
    assert (finding.details, finding.source.details) == ("xml", "eprints")
