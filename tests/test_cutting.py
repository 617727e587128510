"""Where records begin and end, by bytes alone; and pages too large for one tree."""

import subprocess
import sys
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester import errors
from harvester.errors import MalformedXml, NotOaiPmh, ResponseError
from harvester.oai.cutting import cut
from harvester.oai.items import Item
from harvester.oai.response import Page, read_page, read_pages
from tests.fakes.answers import OAI, envelope, listing, record

LARGE = 18_500_000
MARC = f'<record xmlns="urn:marc"><leader/>{"x" * 40}</record>'
TOKEN = '<resumptionToken completeListSize="9">next</resumptionToken>'


def numbered(number: int, metadata: str = "<t/>") -> str:
    head = f"<identifier>oai:x:{number}</identifier><datestamp>2020-01-01</datestamp>"
    return record(head, metadata) + "\n"


def identifiers(items: list[Item]) -> list[str]:
    return [item.header.identifier for item in items]


# Cutting


@pytest.mark.parametrize(
    "written",
    [
        [numbered(1), numbered(2)],
        [numbered(1, MARC), numbered(2, f"<collection>{MARC}{MARC}</collection>")],
        [numbered(1, "<mods><recordInfo/></mods>"), numbered(2)],
        ["<record>\n <!-- 1 --> <header/></record>", "<record a='1'><header /></record >"],
        ["<o:record><o:header/></o:record>", "<o:record><o:header>"],
        ["<record><header/><metadata>", "<record><header/></record>"],
        ["<header/>", "<header status='deleted'></header>"],
    ],
)
def test_records_are_told_apart(written: list[str]) -> None:
    body = f"<a><ListRecords>{' | '.join(written)}<resumptionToken/></ListRecords></a>".encode()
    found = cut(body)
    assert [item.decode().strip(" |\n") for item, _ in found.records] == [one.strip() for one in written]
    assert found.head == b"<a><ListRecords>"
    assert b"<resumptionToken/></ListRecords></a>" in found.tail


pieces = st.sampled_from(
    [
        b"<record>",
        b"<header>",
        b"</header>",
        b"</record>",
        b"<record><header/>",
        b"x",
        b"</a>",
        b"<!--",
        b"-->",
    ]
)


@given(st.lists(pieces, max_size=30).map(b"".join))
def test_a_cut_loses_no_byte(body: bytes) -> None:
    found = cut(body)
    assert found.head + b"".join(one + gap for one, gap in found.records) + found.tail == body


def test_a_record_with_records_of_its_own_is_isolated_whole() -> None:
    """X20 with M01's MARC: the inner record's end is not the outer's."""
    found = read_page(listing(numbered(1, MARC), numbered(2, f"{MARC}<b a='1' a='2'/>")), "ListRecords")
    assert [bool(item.fault) for item in found.items] == [False, True]
    assert found.items[1].raw.strip().endswith(b"</metadata></record>")


def test_an_end_tag_that_is_missing_costs_one_record() -> None:
    """X20."""
    broken = numbered(2).replace("</record>", "")
    for written in ([numbered(1), broken, numbered(3)], [numbered(1), numbered(3), broken]):
        found = read_page(listing(*written, token=TOKEN), "ListRecords")
        assert identifiers(list(found.items)) == ["oai:x:1", "oai:x:3", "oai:x:2"]
        assert (found.token, found.items[2].fault != "") == ("next", True)


def test_a_broken_header_of_list_identifiers_goes_alone() -> None:
    """X06, X20."""
    written = [f"<header><identifier>{name}</identifier></header>" for name in ("a", "b < c", "d")]
    found = read_page(listing(*written, token=TOKEN, verb="ListIdentifiers"), "ListIdentifiers")
    assert identifiers(list(found.items)) == ["a", "d", "b"]
    assert found.token == "next"


def test_a_token_between_records_survives_a_repair() -> None:
    """X06: what stands between the records is kept."""
    body = listing(numbered(1, "<t>a & b</t>"), TOKEN, numbered(2))
    assert read_page(body, "ListRecords").token == "next"


def test_a_repaired_record_keeps_its_bytes_where_another_has_no_header() -> None:
    """I05: it cannot be told apart by bytes, and comes with the one before it."""
    headless = "<record><metadata><t/></metadata></record>"
    broken = numbered(2, "<t>a & b</t>")
    for written, sent in (
        ([numbered(1), headless, broken], [("oai:x:1", False), ("", False), ("oai:x:2", True)]),
        ([broken, headless, numbered(1)], [("oai:x:2", True), ("", True), ("oai:x:1", False)]),
    ):
        found = read_page(listing(*written), "ListRecords").items
        assert [(item.header.identifier, b"a & b" in item.sent) for item in found] == sent


ADVERSARIES = [
    b"<record><header>", b"<record>", b"<record ", b"<record><header/></record>", b"<record><!--", b"<!--",
    b" ", b"<record><header/><![CDATA[", b"<?xml ", b"<identifier ", b" a:b", b"&#1", b"</record ", b"a.",
    b"</recordX>", b"</OAI-PMH ", b"<OAI-PMH ", b"<a", b"<?a?> ",
]  # fmt: skip
IN_A_RECORD = listing().split(b"</ListRecords")[0] + b"<record><header/>"


@pytest.mark.parametrize(
    ("before", "after", "size"),
    [(b"", b"<!x", 60_000), (IN_A_RECORD, b"<", 300_000)],
    ids=["prolog", "record"],
)
@pytest.mark.parametrize("repeated", ADVERSARIES)
def test_z15_no_bytes_take_more_than_their_share(
    repeated: bytes, before: bytes, after: bytes, size: int
) -> None:
    """A pattern that is not linear takes minutes for these, and the test does not end."""
    with suppress(ResponseError):
        read_page(before + repeated * (size // len(repeated)) + after, "ListRecords")


# Huge pages


FILLING = "<t>" + "tides " * 1500 + "</t>"
RECORDS = LARGE // len(numbered(1, FILLING))


@pytest.fixture(scope="module")
def huge() -> bytes:
    return listing(*(numbered(number, FILLING) for number in range(RECORDS)), token=TOKEN)


def test_c02_k21_a_huge_page_comes_in_parts(huge: bytes) -> None:
    pages = list(read_pages(huge, "ListRecords"))
    assert len(pages) > 2
    assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False]
    assert [(page.token, page.list_size) for page in pages] == [(None, None)] * (len(pages) - 1) + [
        ("next", 9)
    ]
    assert {page.response_date for page in pages} == {"2026-06-01T12:00:00Z"}
    items = [item for page in pages for item in page.items]
    assert identifiers(items) == [f"oai:x:{number}" for number in range(RECORDS)]
    assert {item.raw for item in items} == {
        read_page(listing(numbered(0, FILLING)), "ListRecords").items[0].raw
    }


def test_c02_a_page_that_is_not_huge_is_one() -> None:
    body = listing(*map(numbered, range(1200)), token=TOKEN)
    (found,) = read_pages(body, "ListRecords")
    whole = read_page(body, "ListRecords")
    assert msgspec.structs.replace(found, items=()) == msgspec.structs.replace(whole, items=())
    assert identifiers(list(found.items)) == identifiers(list(whole.items))


def test_k21_a_whole_list_of_headers_in_one_answer() -> None:
    header = "<header><identifier>oai:x:{}</identifier><setSpec>" + "s" * 1000 + "</setSpec></header>"
    count = LARGE // len(header)
    body = listing(*(header.format(number) for number in range(count)), verb="ListIdentifiers")
    pages = list(read_pages(body, "ListIdentifiers"))
    assert max(len(page.items) for page in pages) == 1000
    assert identifiers([item for page in pages for item in page.items]) == [
        f"oai:x:{number}" for number in range(count)
    ]


def until_it_breaks(body: bytes) -> tuple[list[Page], ResponseError]:
    found: list[Page] = []
    with pytest.raises(ResponseError) as caught:
        found.extend(read_pages(body, "ListRecords"))
    return found, caught.value


def test_x07_a_huge_page_that_is_cut_gives_what_came_and_never_its_end(huge: bytes) -> None:
    pages, error = until_it_breaks(huge[: len(huge) * 19 // 20])
    assert isinstance(error, MalformedXml)
    assert pages
    assert all(page.more and page.token is None for page in pages)


def test_x09_a_second_document_after_a_huge_one_is_refused(huge: bytes) -> None:
    pages, error = until_it_breaks(huge + huge.split(b"?>", 1)[1])
    assert "two OAI-PMH documents" in error.message
    assert all(page.more for page in pages)


@pytest.mark.parametrize("fault", [b"<t>p < 0.05", b"<t>a & b"])
def test_x06_a_fault_in_a_huge_page_costs_no_other_record(huge: bytes, fault: bytes) -> None:
    body = huge.replace(b"<t>tides", fault, 1)
    pages = list(read_pages(body, "ListRecords"))
    items = [item for page in pages for item in page.items]
    assert sorted(identifiers(items)) == sorted(f"oai:x:{number}" for number in range(RECORDS))
    assert [bool(item.fault) for item in items].count(True) == (b"<" in fault[3:])
    assert (pages[-1].token, sum(page.repaired for page in pages)) == ("next", b"&" in fault)


@pytest.mark.parametrize("places", [(0,), (1,), (2,), (0, 2)])
def test_x15_a_record_of_more_than_20_mb_costs_itself(places: tuple[int, ...]) -> None:
    giant = "<t>" + "<u>tides</u>" * 2_000_000 + "</t>"
    written = [numbered(number, giant if number in places else "<t/>") for number in range(3)]
    pages = list(read_pages(listing(*written, token=TOKEN), "ListRecords"))
    items = {item.header.identifier: item for page in pages for item in page.items}
    assert sorted(items) == ["oai:x:0", "oai:x:1", "oai:x:2"]
    assert [number for number in range(3) if "larger than 20 MB" in items[f"oai:x:{number}"].fault] == [
        *places
    ]
    assert all(len(item.raw) < 100_000 for item in items.values())
    assert pages[-1].token == "next"


def test_p06_an_error_beside_a_huge_page(huge: bytes) -> None:
    body = huge.replace(b"<ListRecords>", b'<error code="badArgument"/><ListRecords>')
    assert {type(page.error) for page in read_pages(body, "ListRecords")} == {errors.BadArgument}


def test_x04_x08_x13_a_huge_page_may_be_as_odd_as_any(huge: bytes) -> None:
    odd = [
        huge.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        b"<b>Notice</b>\n" + huge,
        huge.replace(OAI.encode(), b"https://www.openarchives.org/OAI/2.0"),
        huge + b"<!-- 0.3 s --><p>",
    ]
    for body in odd:
        pages = list(read_pages(body, "ListRecords"))
        assert len(pages) > 2
        assert sum(len(page.items) for page in pages) == RECORDS
        assert pages[-1].token == "next"


def test_a_token_amid_a_huge_page_is_refused(huge: bytes) -> None:
    """K23."""
    pages, error = until_it_breaks(huge.replace(b"<record>", TOKEN.encode() + b"<record>", 1))
    assert "before its last record" in error.message
    assert pages == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><body>" + b"<p>" * LARGE, NotOaiPmh),
        (b"x" * LARGE, NotOaiPmh),
        (b"<!DOCTYPE x []>" + listing(numbered(1)) + b" " * LARGE, NotOaiPmh),
        (listing(numbered(1)).replace(b"?>", b"?><!DOCTYPE x []>" + b" " * LARGE), NotOaiPmh),
        (envelope("<a/>" * (LARGE // 4)), MalformedXml),
        (envelope("<a/>" * (LARGE // 4) + numbered(1)), MalformedXml),
        (b"<feed>" + b"<a/>" * (LARGE // 4), NotOaiPmh),
    ],
    ids=["html", "text", "doctype", "doctype far from its records", "no records", "far off records", "feed"],
)
def test_what_is_huge_and_no_list_is_refused_unread(body: bytes, kind: type[ResponseError]) -> None:
    """C02, Z01."""
    pages, error = until_it_breaks(body)
    assert (pages, type(error)) == ([], kind)


READING = """
import re, sys
from pathlib import Path
from harvester.oai.response import read_pages
from tests.test_cutting import FILLING, TOKEN, listing, numbered

def memory(what):
    return int(re.search(what + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

def body(records):
    whole = listing(*(numbered(number, FILLING) for number in range(records)), token=TOKEN)
    return whole

page = body(int(sys.argv[1]))
before = memory("VmRSS")
Path("/proc/self/clear_refs").write_text("5")
count = sum(len(item.raw) > 0 for one in read_pages(page, "ListRecords") for item in one.items)
print(count, memory("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read as Linux tells it")
def test_c02_a_page_of_100_mb_takes_little_more_than_its_bytes() -> None:
    records = 100_000_000 // len(numbered(1, FILLING))
    ran = subprocess.run(
        [sys.executable, "-c", READING, str(records)], capture_output=True, text=True, check=True
    )
    count, added = ran.stdout.split()
    assert int(count) == records
    assert float(added) < 60
