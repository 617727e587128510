"""The ladder of a page: strictly, else repaired record by record, else without the records at fault."""

import pytest
from lxml import etree

from harvester.errors import MalformedXml, NotOaiPmh
from harvester.oai.items import read_raw
from harvester.oai.parsing import parse
from harvester.oai.response import read_page
from tests.fakes import faults
from tests.fakes.rig import Rig, counts
from tests.fakes.works import identifier

HEAD = (
    '<?xml version="1.0" encoding="{encoding}"?>\n'
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<responseDate>2026-01-01T00:00:00Z</responseDate><request>http://x.example/oai</request><ListRecords>"
)
RECORD = (
    "<record><header><identifier>oai:x:{number}</identifier><datestamp>2025-01-0{number}</datestamp></header>"
    '<metadata><oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></oai_dc:dc></metadata></record>'
)
TAIL = '<resumptionToken completeListSize="9">next</resumptionToken></ListRecords></OAI-PMH>'


def page(second: bytes, encoding: str = "UTF-8") -> bytes:
    """Three records, the second with this title; an accent in the first shows its encoding."""
    titles = ["Überblick".encode(encoding), second, b"The third"]
    records = [
        RECORD.format(number=number, title="@").encode().replace(b"@", title)
        for number, title in enumerate(titles, 1)
    ]
    return HEAD.format(encoding=encoding).encode() + b"\n".join(records) + TAIL.encode()


def titles(body: bytes) -> list[str]:
    items = read_page(body, "ListRecords").items
    return ["".join(map(str, item.metadata.itertext())) for item in items if item.metadata is not None]


@pytest.mark.parametrize(
    ("title", "read"),
    [
        (b"a\x0bb", "ab"),
        (b"a&#0;b", "ab"),
        (b"caf\xe9", "café"),
        (b"R&D &ndash; A & B", "R&D – A & B"),
        (b'<dcterms:x xsi:type="y">in</dcterms:x>side', "inside"),
        (b'<?xml version="1.0"?>x', "x"),
    ],
)
def test_a_record_is_repaired_and_its_neighbours_are_not_touched(title: bytes, read: str) -> None:
    """FAULTS X01, X02, X03, X05, X06, X10, X11."""
    items = read_page(page(title), "ListRecords").items
    assert titles(page(title)) == ["Überblick", read, "The third"]
    assert [bool(item.sent) for item in items] == [False, True, False]
    assert title in items[1].sent
    untouched = read_page(page(b"x"), "ListRecords").items
    assert [items[0].raw, items[2].raw] == [untouched[0].raw, untouched[2].raw]


@pytest.mark.parametrize("title", [b"p < 0.05", b"<i>open", b'<x a="1" a="2"/>', b"</dc:title>"])
def test_a_record_beyond_repair_goes_alone(title: bytes) -> None:
    """FAULTS X06, X20."""
    read = read_page(page(title), "ListRecords")
    assert titles(page(title)) == ["Überblick", "The third"]
    assert (len(read.items), read.token, read.list_size, read.repaired) == (3, "next", 9, 0)
    broken = read.items[2]
    assert broken.header.identifier == "oai:x:2"
    assert broken.header.datestamp == "2025-01-02"
    assert "XML is broken" in broken.fault
    assert title in broken.raw


def test_a_declared_encoding_is_kept_beside_a_repair() -> None:
    """FAULTS X04."""
    assert titles(page("é".encode("latin-1") + b"\x0b", "ISO-8859-1")) == ["Überblick", "é", "The third"]


def test_utf_16_with_a_fault_in_it() -> None:
    """FAULTS X04."""
    body = page(b"a&nbsp;b").decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert titles(body) == ["Überblick", "a\xa0b", "The third"]


def test_words_of_the_server_around_the_page() -> None:
    """FAULTS X08, X09."""
    body = b"<b>Notice</b>: x\n" + page(b"x") + b"<!-- 0.3 s -->\n<b>Warning</b>"
    assert titles(body) == ["Überblick", "x", "The third"]
    assert parse(body).notes == ("text before the document removed", "text after the document removed")


def test_repaired_raw_parses_alone() -> None:
    for item in read_page(page(b"a & b &eacute;"), "ListRecords").items:
        assert read_raw(item.raw) is not None


@pytest.mark.parametrize("share", range(5, 100, 7))
def test_a_page_cut_anywhere_is_never_whole(share: int) -> None:
    """FAULTS X07."""
    body = page(b"p < 0.05 \x0b")
    with pytest.raises((MalformedXml, NotOaiPmh)):
        parse(body[: len(body) * share // 100])


@pytest.mark.parametrize("body", [b"Service unavailable", b'{"error": 1}', b"<rss><channel>", b"a < b"])
def test_what_is_no_oai_pmh_is_not_repaired_into_it(body: bytes) -> None:
    with pytest.raises(NotOaiPmh):
        parse(body)


def test_a_doctype_in_a_record_is_refused_with_it() -> None:
    """FAULTS X10, Z02."""
    body = page(b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>&e;')
    assert titles(body) == ["Überblick", "The third"]


def test_a_broken_record_costs_itself_alone(rig: Rig) -> None:
    rig.repository.misbehave(faults.replaced("<dc:title>Work 7</dc:title>", "<dc:title>p < 7</dc:title>"))
    report = rig.harvest()
    assert (report.verdict, report.exit_code) == ("complete", 0)
    assert counts(report) == {"received": 50, "created": 49, "quarantined": 1}
    assert rig.live == rig.works.live - {identifier(7)}
    assert rig.state.quarantined == 1


def test_a_broken_record_comes_good(rig: Rig) -> None:
    rig.repository.misbehave(faults.replaced("<dc:title>Work 7</dc:title>", "<dc:title>p < 7</dc:title>"))
    rig.harvest()
    rig.repository.behave()
    report = rig.harvest(full=True)
    assert counts(report) == {"received": 50, "created": 1, "unchanged": 49}
    assert rig.is_exact()
    assert rig.state.quarantined == 0


def test_a_repaired_record_is_counted_and_its_bytes_are_kept(rig: Rig) -> None:
    rig.repository.misbehave(faults.replaced("Work 7<", "Work\x0b &amp 7<"))
    report = rig.harvest()
    assert (report.verdict, report.repaired) == ("complete", 1)
    assert rig.record(identifier(7)).title == "Work &amp 7"
    assert b"Work\x0b &amp 7" in rig.raw_forms(identifier(7))["sent"]
    assert rig.raw_forms(identifier(8)).keys() == {"list"}
    etree.fromstring(rig.raw_forms(identifier(7))["list"])
