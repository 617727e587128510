"""Bytes become pages or errors: only a strict parse counts, elements are found by exact path."""

import pytest
from lxml import etree

from harvester import errors
from harvester.errors import MalformedXml, NotOaiPmh, ProtocolError, ResponseError
from harvester.oai.items import read_raw
from harvester.oai.response import (
    Identify,
    Set,
    read,
    read_formats,
    read_identify,
    read_page,
    read_sets,
)
from tests.fakes.answers import OAI, envelope, listing, page, record


def test_a_page_has_its_records_its_date_and_its_token() -> None:
    head = (
        "<identifier>oai:x:1</identifier><datestamp>2020-01-01T00:00:00Z</datestamp>"
        "<setSpec>a</setSpec><setSpec>a:b</setSpec>"
    )
    token = '<resumptionToken completeListSize="250" cursor="0" expirationDate="soon">next</resumptionToken>'
    found = page(record(head), record(), token=token)
    assert (found.response_date, found.token, found.list_size) == ("2026-06-01T12:00:00Z", "next", 250)
    first, second = found.items
    assert first.header.identifier == "oai:x:1"
    assert first.header.datestamp == "2020-01-01T00:00:00Z"
    assert first.header.sets == ("a", "a:b")
    assert not first.header.deleted
    assert first.metadata is not None
    assert etree.QName(first.metadata).localname == "dc"
    assert second.header.sets == ()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("badVerb", errors.BadVerb),
        ("badArgument", errors.BadArgument),
        ("badResumptionToken", errors.BadResumptionToken),
        ("cannotDisseminateFormat", errors.CannotDisseminateFormat),
        ("idDoesNotExist", errors.IdDoesNotExist),
        ("noRecordsMatch", errors.NoRecordsMatch),
        ("noMetadataFormats", errors.NoMetadataFormats),
        ("noSetHierarchy", errors.NoSetHierarchy),
        ("InternalException", errors.UnknownErrorCode),
        ("", errors.UnknownErrorCode),
    ],
)
def test_each_error_code_is_its_own_class(code: str, kind: type[ProtocolError]) -> None:
    """FAULTS P02."""
    with pytest.raises(ProtocolError) as caught:
        read(envelope(f'<error code="{code}">it says why</error>'))
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert "it says why" in caught.value.message


def test_an_error_without_attribute_or_text_is_still_one() -> None:
    """FAULTS P02."""
    with pytest.raises(errors.UnknownErrorCode, match="an error without a code"):
        read(envelope("<error/>"))


def test_an_error_never_repeats_a_whole_page_of_text() -> None:
    """FAULTS P02."""
    with pytest.raises(errors.BadArgument) as caught:
        read(envelope(f'<error code="badArgument">{"x" * 100_000}</error>'))
    assert len(caught.value.message) < 500


@pytest.mark.parametrize("code", ["cannotDisseminateFormat", "badArgument", "noSetHierarchy", "teapot"])
def test_what_a_person_can_mend_comes_with_advice(code: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        read(envelope(f'<error code="{code}"/>'))
    assert caught.value.advice


@pytest.mark.parametrize("order", [("badArgument", "noRecordsMatch"), ("noRecordsMatch", "badArgument")])
def test_of_several_errors_the_worst_decides(order: tuple[str, str]) -> None:
    """FAULTS P01."""
    with pytest.raises(errors.BadArgument):
        read(envelope("".join(f'<error code="{code}"/>' for code in order)))


def test_an_error_beside_records_costs_no_record() -> None:
    """FAULTS P06."""
    wrong = '<error code="noRecordsMatch"/><error code="badResumptionToken">lost</error>'
    found = read_page(envelope(f"{wrong}<ListRecords>{record()}</ListRecords>"), "ListRecords")
    assert [item.header.identifier for item in found.items] == ["oai:x:1"]
    assert isinstance(found.error, errors.BadResumptionToken)
    assert page(record()).error is None


@pytest.mark.parametrize("empty", ["<ListRecords/>", "<ListRecords><resumptionToken/></ListRecords>", ""])
def test_an_error_beside_nothing_is_an_error(empty: str) -> None:
    """FAULTS P06, P07."""
    with pytest.raises(errors.NoRecordsMatch):
        read_page(envelope(f'<error code="noRecordsMatch"/>{empty}'), "ListRecords")


@pytest.mark.parametrize(
    ("attributes", "request_read"),
    [
        ("", {}),
        (' verb="ListRecords" metadataPrefix="oai_dc" set=" a " from="2020" until="2021"',
         {"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "a", "from": "2020", "until": "2021"}),
        (' verb="ListRecords" resumptionToken="a b"', {"verb": "ListRecords", "resumptionToken": "a b"}),
        (' verb="ListRecords" metadataprefix="mods" __class__="x" xsi:type="t"',
         {"verb": "ListRecords", "metadataPrefix": "mods"}),
    ],
)  # fmt: skip
def test_a_page_tells_which_request_it_answers(attributes: str, request_read: dict[str, str]) -> None:
    """FAULTS P09, X22, Z16."""
    body = listing(record()).replace(b"<request>", f"<request{attributes}>".encode())
    assert read_page(body, "ListRecords").request == request_read
    assert read_page(body.replace(b"request", b"question"), "ListRecords").request == {}


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95, 0.999])
def test_a_page_cut_short_is_no_page(share: float) -> None:
    """FAULTS X07."""
    whole = listing(*[record()] * 50, token="<resumptionToken>next</resumptionToken>")
    with pytest.raises(MalformedXml, match="not well-formed"):
        read_page(whole[: int(len(whole) * share)], "ListRecords")


@pytest.mark.parametrize(
    "body",
    [
        b"<html><head><title>Welcome</title></head><body>Home</body></html>",
        b"<!DOCTYPE html><html><body><p>Home</body></html>",
        b"<!doctype HTML>\n<p>Home",
        b"<HTML><BODY>Home<br></BODY></HTML>",
        b'<?xml version="1.0"?><!-- hello --><!DOCTYPE html PUBLIC "x" "y"><html/>',
        b'<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
    ],
)
def test_a_web_page_is_named_as_one(body: bytes) -> None:
    with pytest.raises(NotOaiPmh, match="HTML page") as caught:
        read(body)
    assert "base URL" in caught.value.advice


@pytest.mark.parametrize("body", [b"", b" \n\t "])
def test_an_empty_answer_is_named_as_one(body: bytes) -> None:
    with pytest.raises(NotOaiPmh, match="empty"):
        read(body)


def test_another_kind_of_document_is_named() -> None:
    with pytest.raises(NotOaiPmh, match="<rss>"):
        read(b"<rss><channel/></rss>")


@pytest.mark.parametrize("body", [b'{"error": "not found"}', b"Internal error", b"\xff\xfe\x00\x00"])
def test_what_is_not_xml_is_refused(body: bytes) -> None:
    with pytest.raises(ResponseError):
        read(body)


BOMB = """<!DOCTYPE OAI-PMH [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>&b;</ListRecords></OAI-PMH>"""


@pytest.mark.parametrize(
    "body",
    [
        BOMB.encode(),
        b"\xef\xbb\xbf" + BOMB.encode(),
        ('<?xml version="1.0"?><?pi a="x>y"?>' + BOMB).encode(),
        ("<!--" + "x" * 70_000 + "-->" + BOMB).encode(),
        ('<?xml version="1.0" encoding="UTF-16"?>' + BOMB).encode("utf-16"),
    ],
    ids=["plain", "after a BOM", "after a PI", "after 64 KB", "in UTF-16"],
)
def test_a_doctype_is_refused_wherever_it_hides(body: bytes) -> None:
    """FAULTS Z01, Z02, Z03."""
    with pytest.raises(NotOaiPmh, match="DOCTYPE"):
        read_page(body, "ListRecords")


def test_a_doctype_in_a_title_is_text() -> None:
    title = "<t><![CDATA[<!DOCTYPE html> considered harmful]]></t>"
    assert page(record(metadata=title)).items[0].metadata is not None


@pytest.mark.parametrize(
    ("element", "token"),
    [
        ("", None),
        ("<resumptionToken/>", ""),
        ('<resumptionToken completeListSize="1" cursor="0"/>', ""),
        ('<resumptionToken cursor="-1_0">t</resumptionToken>', "t"),
        ("<resumptionToken> \r\n\t </resumptionToken>", ""),
        ("<resumptionToken>\n  a b/=%7C  \n</resumptionToken>", "a b/=%7C"),
        ("<resumptionToken><![CDATA[a&b]]></resumptionToken>", "a&b"),
        ("<resumptionToken>a<!-- c -->b</resumptionToken>", "ab"),
        ("<resumptionToken>a&amp;b</resumptionToken>", "a&b"),
        (
            "<resumptionToken>metadataPrefix=oai_dc&amp;p=2+/#|</resumptionToken>",
            "metadataPrefix=oai_dc&p=2+/#|",
        ),
        ("<resumptionToken>0</resumptionToken>", "0"),
    ],
)
def test_tokens(element: str, token: str | None) -> None:
    """FAULTS K03, K08, K09, K14: the cursor is not read at all."""
    assert page(record(), token=element).token == token


def test_two_tokens_are_a_fault() -> None:
    """FAULTS K23."""
    with pytest.raises(ResponseError, match="2 resumption tokens"):
        page(record(), token="<resumptionToken>a</resumptionToken><resumptionToken>b</resumptionToken>")


@pytest.mark.parametrize(
    ("size", "read_as"),
    [("250", 250), (" 250 ", 250), ("0", 0), ("", None), ("many", None), ("-1", None), ("1e3", None),
     ("99999999999999999999", None), ("٣", None)],
)  # fmt: skip
def test_the_size_of_a_list_may_be_junk(size: str, read_as: int | None) -> None:
    """FAULTS K13, Z17, Z18."""
    token = f'<resumptionToken completeListSize="{size}">t</resumptionToken>'
    assert page(record(), token=token).list_size == read_as


@pytest.mark.parametrize(
    "namespace",
    ["http://www.openarchives.org/OAI/1.1/", "http://www.openarchives.org/OAI/2.0//", "urn:oai", "OAI"],
)
def test_another_namespace_is_no_empty_list(namespace: str) -> None:
    """FAULTS X13."""
    with pytest.raises(NotOaiPmh, match="another version"):
        read_page(envelope("<ListRecords/>", namespace=namespace), "ListRecords")


def test_a_prefix_on_the_envelope_changes_nothing() -> None:
    """FAULTS X12."""
    body = (
        f'<o:OAI-PMH xmlns:o="{OAI}"><o:ListRecords><o:record><o:header><o:identifier>oai:x:1</o:identifier>'
        "</o:header><o:metadata><t/></o:metadata></o:record><o:resumptionToken>n</o:resumptionToken>"
        "</o:ListRecords></o:OAI-PMH>"
    ).encode()
    found = read_page(body, "ListRecords")
    assert [item.header.identifier for item in found.items] == ["oai:x:1"]
    assert found.token == "n"


@pytest.mark.parametrize("verb", ["ListRecords", "ListIdentifiers", "GetRecord"])
def test_neither_records_nor_an_error_is_a_fault(verb: str) -> None:
    """FAULTS X23, P09: the answer to another verb is none."""
    with pytest.raises(ResponseError, match="neither records nor an error"):
        read_page(envelope(""), verb)
    with pytest.raises(ResponseError, match="only responseDate, request, Identify"):
        read_page(envelope("<Identify/>"), verb)


def test_a_record_without_identifier_or_header_is_kept_for_quarantine() -> None:
    """FAULTS I05."""
    nameless, headless = page(record("<datestamp>2020</datestamp>"), "<record><metadata/></record>").items
    assert (nameless.header.identifier, nameless.header.datestamp) == ("", "2020")
    assert (headless.header.identifier, headless.header.datestamp) == ("", "")
    assert headless.metadata is None


@pytest.mark.parametrize("status", ["deleted", "Deleted", " DELETED "])
def test_a_deleted_record(status: str) -> None:
    """FAULTS X22."""
    (item,) = page(record(attributes=f' status="{status}"', metadata="")).items
    assert item.header.deleted
    assert (item.metadata, item.raw) == (None, b"")


def test_a_deleted_record_that_still_has_metadata_is_deleted() -> None:
    (item,) = page(record(attributes=' status="deleted"')).items
    assert item.header.deleted
    assert item.metadata is None


def test_an_unknown_status_deletes_nothing() -> None:
    assert not page(record(attributes=' status="active"')).items[0].header.deleted


def test_envelope_words_inside_metadata_mean_nothing() -> None:
    """FAULTS X21."""
    inside = (
        f'<x xmlns="{OAI}"><error code="badVerb"/><resumptionToken>trap</resumptionToken>'
        "<header><identifier>oai:trap</identifier></header><record/><ListRecords/></x>"
    )
    found = page(record(metadata=inside))
    assert [item.header.identifier for item in found.items] == ["oai:x:1"]
    assert (found.token, found.error) == (None, None)


def test_a_byte_order_mark_is_no_junk() -> None:
    assert read_page(b"\xef\xbb\xbf" + listing(record()), "ListRecords").items


def test_the_xml_declaration_names_the_encoding() -> None:
    text = record("<identifier>oai:é:1</identifier>")
    body = listing(text).decode().replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert read_page(body, "ListRecords").items[0].header.identifier == "oai:é:1"


@pytest.mark.parametrize(
    "written",
    ["oai:<!-- hm -->x:1", "<![CDATA[oai:x:1]]>", "oai:<![CDATA[x]]>:1", "\n  oai:x:1\t", "oai:<?pi?>x:1"],
)
def test_an_identifier_is_its_whole_string_value(written: str) -> None:
    """FAULTS X16."""
    assert page(record(f"<identifier>{written}</identifier>")).items[0].header.identifier == "oai:x:1"


def test_an_identifier_keeps_its_bytes() -> None:
    """FAULTS I04."""
    odd = "oai:X: a\u00a0b\u200b%2F/é"
    assert page(record(f"<identifier>{odd}</identifier>")).items[0].header.identifier == odd


def canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", with_tail=False)


def test_the_raw_form_parses_alone() -> None:
    """FAULTS X11."""
    typed = '<d:d xmlns:d="urn:d"><d:date xsi:type="dcterms:W3CDTF" v="dcterms:x">2020</d:date></d:d>'
    body = listing(record(metadata=typed, about="<about><p xmlns='urn:p'/></about>")).replace(
        b"<ListRecords>", b'<ListRecords xmlns:dcterms="http://purl.org/dc/terms/">'
    )
    (item,) = read_page(body, "ListRecords").items
    alone = etree.fromstring(item.raw)
    assert [etree.QName(child).localname for child in alone] == ["metadata", "about"]
    again = read_raw(item.raw)
    assert again is not None
    assert item.metadata is not None
    assert again.nsmap["dcterms"] == "http://purl.org/dc/terms/"
    assert canonical(again) == canonical(item.metadata)


def test_the_raw_form_is_the_same_whatever_stands_around_it() -> None:
    (one,) = page(record()).items
    (same,) = page(record("<identifier>oai:x:2</identifier><datestamp>2024-01-01</datestamp>")).items
    assert one.raw == same.raw


def test_the_first_document_inside_metadata_counts() -> None:
    """FAULTS M01."""
    (item,) = page(record(metadata="\n <!-- hm --> <?pi?> <a/> <b/>")).items
    assert item.metadata is not None
    assert item.metadata.tag == f"{{{OAI}}}a"


def test_metadata_without_a_document() -> None:
    """FAULTS X19, M01."""
    (item,) = page(record(metadata="only text")).items
    assert item.metadata is None
    assert b"only text" in item.raw
    assert read_raw(item.raw) is None


def test_list_identifiers() -> None:
    headers = ("<header>", '<header status="deleted">')
    written = [f"{header}<identifier>a</identifier></header>" for header in headers]
    found = read_page(listing(*written, verb="ListIdentifiers"), "ListIdentifiers")
    assert [item.header.deleted for item in found.items] == [False, True]


def test_identify_with_all_and_with_nothing() -> None:
    """FAULTS P10."""
    said = read_identify(
        envelope(
            "<Identify><repositoryName>R</repositoryName><baseURL>u</baseURL><protocolVersion>2.0</protocolVersion>"
            "<adminEmail>a@x</adminEmail><earliestDatestamp>0001-01-01</earliestDatestamp>"
            "<deletedRecord>no</deletedRecord><granularity>YYYY-MM-DD</granularity>"
            '<description>text<!-- c --><e xmlns="urn:e"/></description></Identify>'
        )
    )
    assert (said.name, said.base_url, said.protocol_version, said.admin_email) == ("R", "u", "2.0", "a@x")
    assert (said.earliest, said.deleted_record, said.granularity) == ("0001-01-01", "no", "YYYY-MM-DD")
    assert (said.response_date, said.descriptions) == ("2026-06-01T12:00:00Z", ("{urn:e}e",))
    assert read_identify(envelope("<Identify/>", date="")) == Identify()


def test_formats_and_sets() -> None:
    listed = "<metadataFormat><metadataPrefix>oai_dc</metadataPrefix></metadataFormat>"
    (found,) = read_formats(envelope(f"<ListMetadataFormats>{listed}</ListMetadataFormats>"))
    assert (found.prefix, found.namespace) == ("oai_dc", "")
    sets = "<set><setSpec>a:b</setSpec><setName>A</setName></set><set><setSpec>c</setSpec></set>"
    body = envelope(f"<ListSets>{sets}<resumptionToken>t</resumptionToken></ListSets>")
    assert read_sets(body) == ((Set("a:b", "A"), Set("c")), "t")
