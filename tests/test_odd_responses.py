"""Responses that are nearly those of the specification, by their rows in FAULTS: read, or refused aloud."""

import pytest
from lxml import etree

from harvester.delivery import deliver
from harvester.errors import MalformedXml, ResponseError
from harvester.oai.items import read_raw
from harvester.oai.parsing import parse, strict
from harvester.oai.response import Identify, check_version, read_identify, read_page
from tests.fakes.answers import DC, OAI, envelope, listing, page, record

HEAD = "<identifier>oai:x:1</identifier><datestamp>2020-01-01</datestamp>"
TOKEN = "<resumptionToken>next</resumptionToken>"


def headers(*written: str) -> list[tuple[str, str, bool]]:
    found = read_page(listing(*written, verb="ListIdentifiers"), "ListIdentifiers").items
    return [(one.header.identifier, one.header.datestamp, one.header.deleted) for one in found]


def title(element: etree._Element | None) -> str:
    assert element is not None
    return "".join(map(str, element.itertext()))


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.openarchives.org/OAI/2.0",
        "https://www.openarchives.org/OAI/2.0/",
        "https://www.openarchives.org/OAI/2.0",
        "",
    ],
)
def test_x13_variants_of_the_namespace(namespace: str) -> None:
    inside = '<x xmlns=""><header/><metadata>Tides</metadata></x>'
    body = listing(record(HEAD + "<setSpec>a</setSpec>", inside), token=TOKEN)
    found = read_page(body.replace(OAI.encode(), namespace.encode()), "ListRecords")
    (item,) = found.items
    assert (item.header.identifier, item.header.sets) == ("oai:x:1", ("a",))
    assert (found.token, found.response_date) == ("next", "2026-06-01T12:00:00Z")
    again = read_raw(item.raw)
    for document in (item.metadata, again):
        assert document is not None
        assert [child.tag for child in document.iter()] == ["x", "header", "metadata"]


def test_x13_a_variant_tells_errors_and_identify_too() -> None:
    body = envelope("<Identify><repositoryName>R</repositoryName></Identify>", namespace="")
    assert read_identify(body).name == "R"
    with pytest.raises(ResponseError, match="another version"):
        read_identify(body.replace(b'xmlns=""', b'xmlns="urn:x"'))


def test_x13_what_has_no_namespace_keeps_none() -> None:
    (item,) = read_page(listing(record()).replace(f'xmlns="{OAI}"'.encode(), b""), "ListRecords").items
    assert title(item.metadata) == "Tides"
    bare = listing(record(metadata="<dc><t/></dc>")).replace(f'xmlns="{OAI}"'.encode(), b"")
    again = read_raw(read_page(bare, "ListRecords").items[0].raw)
    assert again is not None
    assert [element.tag for element in again.iter()] == ["dc", "t"]


def test_x12_raw_of_a_prefixed_envelope_keeps_what_has_no_namespace() -> None:
    body = f'<o:OAI-PMH xmlns:o="{OAI}"><o:ListRecords><o:record><o:metadata><t/></o:metadata></o:record>'
    (item,) = read_page((body + "</o:ListRecords></o:OAI-PMH>").encode(), "ListRecords").items
    again = read_raw(item.raw)
    assert again is not None
    assert again.tag == "t"


@pytest.mark.parametrize(
    "written",
    [
        f"<header>{HEAD}</header>",
        f"<record><header>{HEAD}</header></record>",
        f"<header>{HEAD}</header>".replace("datestamp", "dateStamp"),
        f"<Header>{HEAD}</Header>",
        f"<header>{HEAD}</header>".replace("identifier", "Identifier"),
    ],
)
def test_p08_x22_shapes_of_list_identifiers(written: str) -> None:
    assert headers(written) == [("oai:x:1", "2020-01-01", False)]


def test_p08_an_empty_datestamp_is_none() -> None:
    """D08, too."""
    empty = "<header><identifier>oai:x:1</identifier><dateStamp/></header>"
    assert headers(empty, "<header><identifier>b</identifier></header>") == [
        ("oai:x:1", "", False),
        ("b", "", False),
    ]


@pytest.mark.parametrize("status", ['status="deleted"', 'status=" DELETED"', 'Status="Deleted"'])
def test_l09_the_status_of_a_record(status: str) -> None:
    on_record = f"<record {status}><header>{HEAD}</header></record>"
    assert headers(on_record) == [("oai:x:1", "2020-01-01", True)]
    assert page(on_record).items[0].header.deleted
    assert page(f"<record><header {status}>{HEAD}</header></record>").items[0].header.deleted


def test_x22_a_token_in_another_case_is_no_end_of_the_list() -> None:
    token = '<resumptiontoken completelistsize="7">next</resumptiontoken>'
    found = page(record(), token=token)
    assert (found.token, found.list_size) == ("next", 7)


@pytest.mark.parametrize("verb", ["ListRecords", "ListIdentifiers"])
def test_p07_an_empty_list_is_no_error_and_has_no_token(verb: str) -> None:
    found = read_page(listing(verb=verb), verb)
    assert (len(found.items), found.token, found.error) == (0, None, None)


def test_two_lists_in_one_answer_are_refused() -> None:
    """K23: who knows which of the two ends it?"""
    one = f"<ListRecords>{record()}</ListRecords>"
    with pytest.raises(ResponseError, match="2 lists"):
        read_page(envelope(one + one), "ListRecords")


ESCAPED = DC.replace("<", "&lt;")


@pytest.mark.parametrize(
    "written",
    [ESCAPED, f"<![CDATA[{DC}]]>", f'\n <![CDATA[<?xml version="1.0" encoding="UTF-16"?>{DC}]]>\n'],
)
def test_x19_metadata_written_as_text(written: str) -> None:
    (item,) = page(record(metadata=written)).items
    assert title(item.metadata) == "Tides"
    assert title(read_raw(item.raw)) == "Tides"
    assert b"dc:title" in item.raw


@pytest.mark.parametrize(
    "written",
    [
        "only text",
        "&lt;dc>Tides",
        "&lt;a/>&lt;b/>",
        "&lt;!DOCTYPE a [&lt;!ENTITY e 'x'>]>&lt;a>&amp;e;&lt;/a>",
    ],
)
def test_x19_text_that_is_no_document_is_quarantined(written: str) -> None:
    """Z01: nor is a DTD read that comes as text."""
    items = page(record(metadata=written)).items
    assert items[0].metadata is None
    assert read_raw(items[0].raw) is None
    (refused,) = deliver(items, {}, lambda _row: None).refused
    assert "without metadata" in refused.reason


def test_x18_double_escaping_is_kept_as_sent() -> None:
    (item,) = page(record(metadata="<t>&amp;lt;i&amp;gt;</t>")).items
    assert title(item.metadata) == "&lt;i&gt;"


@pytest.mark.parametrize("between", [b"", b"\n", b"<!-- 0.3 s -->", b'<?xml version="1.0"?>'])
def test_x09_two_documents_in_one_are_refused(between: bytes) -> None:
    one = listing(record()).split(b"?>", 1)[1]
    with pytest.raises(MalformedXml, match="two OAI-PMH documents"):
        read_page(one + between + one, "ListRecords")


def test_x17_an_entity_that_nobody_declared_is_repaired_or_costs_its_record() -> None:
    written = [record(metadata=f"<t>The &{name}; of X</t>") for name in ("ndash", "amp", "noSuchName")]
    found = page(*written)
    assert [title(item.metadata) for item in found.items] == [
        "The – of X",
        "The & of X",
        "The &noSuchName; of X",
    ]
    assert found.repaired == 2
    with pytest.raises(etree.XMLSyntaxError):
        strict(b"<t>The &ndash; of X</t>")


def test_x14_what_is_nested_too_deep_costs_its_record() -> None:
    deep = record(metadata="<a>" * 100_000 + "</a>" * 100_000)
    whole, fault = page(record(), deep).items
    assert whole.metadata is not None
    assert "depth" in fault.fault


def test_x15_a_text_of_more_than_10_mb_costs_its_record() -> None:
    whole, fault = page(record(), record(metadata=f"<t>{'x' * 11_000_000}</t>")).items
    assert whole.metadata is not None
    assert "huge" in fault.fault or "too long" in fault.fault


def test_z22_200_000_attributes_are_read_or_cost_their_record() -> None:
    many = "".join(f' a{number}=""' for number in range(200_000))
    first, *_ = found = page(record(), record(metadata=f"<t{many}/>")).items
    assert first.metadata is not None
    assert len(found) == 2


def test_z16_names_of_the_provider_name_nothing_of_ours() -> None:
    odd = "<Identify><__class__>x</__class__><repositoryName>R</repositoryName></Identify>"
    assert read_identify(envelope(odd)).name == "R"
    assert headers(f"<header>{HEAD}<__class__>x</__class__></header>")[0][0] == "oai:x:1"


def test_z17_what_no_database_takes_is_gone_before_it() -> None:
    (item,) = read_page(
        listing(record("<identifier>a&#0;b&#xD800;c&#x1F600;</identifier>")), "ListRecords"
    ).items
    assert item.header.identifier == "abc😀"
    raw = listing(record("<identifier>a@b</identifier>")).replace(b"@", b"\x00\xed\xa0\x80")
    (item,) = read_page(raw, "ListRecords").items
    assert item.header.identifier.encode()
    assert "\x00" not in item.header.identifier


def test_i06_an_identifier_of_70_000_characters_is_quarantined() -> None:
    items = page(record(f"<identifier>{'x' * 70_000}</identifier>")).items
    assert len(items[0].header.identifier) == 70_000
    (refused,) = deliver(items, {}, lambda _row: None).refused
    assert "70,000 characters" in refused.reason


def test_p10_what_identify_repeats_counts_once() -> None:
    twice = "<granularity>YYYY-MM-DD</granularity><granularity>x</granularity>"
    assert read_identify(envelope(f"<Identify>{twice}</Identify>")).granularity == "YYYY-MM-DD"


@pytest.mark.parametrize("version", ["2.0", "", "2.0.1"])
def test_p11_version_2_or_none_is_taken(version: str) -> None:
    check_version(Identify(protocol_version=version))


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_p11_version_1_is_refused(version: str) -> None:
    with pytest.raises(ResponseError, match=f"speaks OAI-PMH {version}"):
        check_version(Identify(protocol_version=version))


@pytest.mark.parametrize("said", ["0000-00-00", "", "2001-01-01T00:00:00+01:00"])
def test_d03_the_earliest_datestamp_is_kept_as_sent(said: str) -> None:
    body = envelope(f"<Identify><earliestDatestamp>{said}</earliestDatestamp></Identify>")
    assert read_identify(body).earliest == said


def test_z03_nothing_that_a_document_names_is_fetched() -> None:
    """An inclusion stays an element, a stylesheet is not asked for, a schema's address is an attribute."""
    include = '<x xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/hostname"/></x>'
    body = listing(record(metadata=include)).replace(
        b"<OAI-PMH", b'<?xml-stylesheet type="text/xsl" href="http://127.0.0.1:9/x.xsl"?><OAI-PMH', 1
    )
    (item,) = read_page(body, "ListRecords").items
    assert item.metadata is not None
    assert [etree.QName(child).localname for child in item.metadata] == ["include"]
    assert not parse(body).notes
