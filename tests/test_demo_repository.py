"""The sample repository: plain, correct OAI-PMH, and the works it holds."""

import gzip
import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import idutils
import pytest
from lxml import etree

from harvester.record import TYPES as RECORD_TYPES
from index.demo import vocabulary
from index.demo.repository import DemoRepository, sample_records
from index.demo.server import serve

OAI = "{http://www.openarchives.org/OAI/2.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"
EPRINTS = "{http://eprints.org/ep2/data/2.0}"
SCHEMA = Path(__file__).parents[2] / "shared/data/xsd/_all.xsd"
XML_XSD = """<schema xmlns="http://www.w3.org/2001/XMLSchema"
    targetNamespace="http://www.w3.org/XML/1998/namespace"><attribute name="lang" type="string"/></schema>"""
KHAN = "oai:windrow.example:111396"
NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)

FEW = [
    {"eprintid": 3, "lastmod": "2020-01-03 00:00:00", "title": "Three", "type": "thesis"},
    {"eprintid": 1, "lastmod": "2020-01-01 12:30:15", "title": "One", "subjects": ["QA75"]},
    {"eprintid": 2, "lastmod": "2020-01-02 23:59:59", "eprint_status": "deletion", "subjects": ["QA"]},
    {"eprintid": 4, "lastmod": "2020-01-04 00:00:00", "title": "Four <i>& more</i>", "subjects": ["R"]},
]


@pytest.fixture(scope="module")
def sample() -> DemoRepository:
    return DemoRepository(sample_records(), now=lambda: NOW)


@pytest.fixture
def few() -> DemoRepository:
    return DemoRepository(FEW, page_size=3, now=lambda: NOW)


class Beside(etree.Resolver):
    """The schemas name each other by their addresses on the Web; here they lie in one folder."""

    def resolve(self, url: str, _public: str, context: object) -> object:
        name = url.rpartition("/")[2]
        if name == "xml.xsd":
            return self.resolve_string(XML_XSD, context)
        return self.resolve_filename(str(SCHEMA.with_name(name)), context)


def compiled_schema() -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Beside())
    return etree.XMLSchema(etree.parse(str(SCHEMA), parser))


def without_eprints(answer: etree._Element) -> etree._Element:
    """EPrints XML has no schema, and the protocol's own wants one for every payload."""
    for metadata in answer.iter(f"{OAI}metadata"):
        metadata[0] = etree.Element("{http://www.openarchives.org/OAI/2.0/oai_dc/}dc")
    return answer


def ask(repository: DemoRepository, verb: str, **arguments: str) -> etree._Element:
    pairs = [("verb", verb), *((name.rstrip("_"), value) for name, value in arguments.items())]
    return etree.fromstring(repository.respond(pairs))


def error(repository: DemoRepository, *pairs: tuple[str, str]) -> str:
    (found,) = etree.fromstring(repository.respond(pairs)).iter(f"{OAI}error")
    return str(found.get("code"))


def identifiers(root: etree._Element) -> list[int]:
    return [int(str(one.text).rpartition(":")[2]) for one in root.iter(f"{OAI}identifier")]


def pages(repository: DemoRepository, verb: str, **arguments: str) -> Iterator[etree._Element]:
    page = ask(repository, verb, **arguments)
    yield page
    while token := page.findtext(f".//{OAI}resumptionToken"):
        page = ask(repository, verb, resumptionToken=token)
        yield page


def test_identify_says_what_the_records_say(few: DemoRepository) -> None:
    root = ask(few, "Identify")
    assert root.findtext(f"{OAI}responseDate") == "2026-06-01T12:00:00Z"
    assert root.findtext(f".//{OAI}earliestDatestamp") == "2020-01-01T12:30:15Z"
    assert root.findtext(f".//{OAI}deletedRecord") == "persistent"
    assert root.findtext(f".//{OAI}granularity") == "YYYY-MM-DDThh:mm:ssZ"
    assert root.findtext(f".//{OAI}baseURL") == few.base_url


def test_both_formats_are_listed(few: DemoRepository) -> None:
    root = ask(few, "ListMetadataFormats")
    assert [one.text for one in root.iter(f"{OAI}metadataPrefix")] == ["oai_dc", "eprints"]


@pytest.mark.parametrize(
    ("code", "query"),
    [
        ("badVerb", []),
        ("badVerb", [("verb", "identify")]),
        ("badVerb", [("verb", "Identify"), ("verb", "Identify")]),
        ("badArgument", [("verb", "Identify"), ("set", "1")]),
        ("badArgument", [("verb", "GetRecord"), ("identifier", "oai:windrow.example:1")]),
        ("badArgument", [("verb", "ListRecords")]),
        ("badArgument", [("verb", "Identify"), ("set", "\x00")]),
        (
            "badArgument",
            [("verb", "ListRecords"), ("metadataPrefix", "oai_dc"), ("metadataPrefix", "x")],
        ),
        ("badArgument", [("verb", "ListRecords"), ("metadataPrefix", "oai_dc"), ("resumptionToken", "1")]),
        ("badResumptionToken", [("verb", "ListRecords"), ("resumptionToken", "nonsense")]),
        ("badResumptionToken", [("verb", "ListRecords"), ("resumptionToken", "")]),
        ("badResumptionToken", [("verb", "ListSets"), ("resumptionToken", "nonsense")]),
        ("cannotDisseminateFormat", [("verb", "ListRecords"), ("metadataPrefix", "marcxml")]),
        (
            "idDoesNotExist",
            [("verb", "GetRecord"), ("metadataPrefix", "oai_dc"), ("identifier", "oai:windrow.example:9")],
        ),
        ("idDoesNotExist", [("verb", "ListMetadataFormats"), ("identifier", "oai:windrow.example:9")]),
        ("noMetadataFormats", [("verb", "ListMetadataFormats"), ("identifier", "oai:windrow.example:2")]),
        ("noRecordsMatch", [("verb", "ListRecords"), ("metadataPrefix", "oai_dc"), ("set", "nosuchset")]),
        ("noRecordsMatch", [("verb", "ListRecords"), ("metadataPrefix", "oai_dc"), ("from", "2030-01-01")]),
    ],
)
def test_each_fault_has_its_code(few: DemoRepository, code: str, query: list[tuple[str, str]]) -> None:
    assert error(few, *query) == code


@pytest.mark.parametrize(
    "window",
    [
        {"from": "2020"},
        {"from": "2020-13-45"},
        {"from": ""},
        {"until": "2020-01-01T00:00:00"},
        {"from": "2020-01-01", "until": "2020-01-02T00:00:00Z"},
        {"from": "2020-01-02", "until": "2020-01-01"},
    ],
)
def test_windows_that_mean_nothing(few: DemoRepository, window: dict[str, str]) -> None:
    query = [("verb", "ListRecords"), ("metadataPrefix", "oai_dc"), *window.items()]
    assert error(few, *query) == "badArgument"


def test_without_sets() -> None:
    repository = DemoRepository(FEW, has_sets=False)
    assert error(repository, ("verb", "ListSets")) == "noSetHierarchy"
    query = [("verb", "ListRecords"), ("metadataPrefix", "oai_dc"), ("set", "51")]
    assert error(repository, *query) == "noSetHierarchy"
    assert not list(ask(repository, "ListRecords", metadataPrefix="oai_dc").iter(f"{OAI}setSpec"))


def test_a_fault_in_the_request_repeats_no_arguments(few: DemoRepository) -> None:
    assert not ask(few, "Nothing").find(f"{OAI}request").attrib
    kept = ask(few, "ListRecords", metadataPrefix="marcxml").find(f"{OAI}request")
    assert dict(kept.attrib) == {"verb": "ListRecords", "metadataPrefix": "marcxml"}


@pytest.mark.parametrize(
    ("window", "found"),
    [
        ({"from_": "2020-01-02"}, [2, 3, 4]),
        ({"until": "2020-01-02"}, [1, 2]),
        ({"from_": "2020-01-02", "until": "2020-01-02"}, [2]),
        ({"from_": "2020-01-01T12:30:15Z", "until": "2020-01-01T12:30:15Z"}, [1]),
        ({"from_": "2020-01-01T12:30:16Z", "until": "2020-01-03T00:00:00Z"}, [2, 3]),
        ({"until": "9999-12-31"}, [1, 2, 3]),
    ],
)
def test_both_ends_of_a_window_are_inside(
    few: DemoRepository, window: dict[str, str], found: list[int]
) -> None:
    assert identifiers(ask(few, "ListIdentifiers", metadataPrefix="oai_dc", **window)) == found


def test_a_set_holds_what_is_below_it_and_what_was_deleted(few: DemoRepository) -> None:
    below = vocabulary.set_spec("subjects", ["Q", "QA"])
    assert below == "7375626A656374733D51:5141"
    assert identifiers(ask(few, "ListIdentifiers", metadataPrefix="oai_dc", set=below)) == [1, 2]
    deepest = vocabulary.set_spec("subjects", ["Q", "QA", "QA75"])
    assert identifiers(ask(few, "ListIdentifiers", metadataPrefix="oai_dc", set=deepest.lower())) == [1]


def test_every_set_of_a_header_is_listed(sample: DemoRepository) -> None:
    listed = {one.text for one in ask(sample, "ListSets").iter(f"{OAI}setSpec")}
    for page in pages(sample, "ListIdentifiers", metadataPrefix="oai_dc"):
        assert {one.text for one in page.iter(f"{OAI}setSpec")} <= listed


@pytest.mark.parametrize("verb", ["ListIdentifiers", "ListRecords"])
@pytest.mark.parametrize("prefix", ["oai_dc", "eprints"])
def test_the_walk_gives_every_record_once(sample: DemoRepository, verb: str, prefix: str) -> None:
    walked = list(pages(sample, verb, metadataPrefix=prefix))
    found = [number for page in walked for number in identifiers(page)]
    assert found == sorted(one["eprintid"] for one in sample_records())
    tokens = [page.find(f".//{OAI}resumptionToken") for page in walked]
    assert [token.get("cursor") for token in tokens] == ["0", "50", "100", "150", "200"]
    assert {token.get("completeListSize") for token in tokens} == {str(len(found))}
    assert not tokens[-1].text


def test_a_walk_keeps_its_window(few: DemoRepository) -> None:
    few.page_size = 1
    walked = pages(few, "ListIdentifiers", metadataPrefix="oai_dc", from_="2020-01-02", until="2020-01-03")
    assert [identifiers(page) for page in walked] == [[2], [3]]


@pytest.mark.parametrize("size", [4, 5])
def test_a_list_of_one_page_has_no_token(size: int) -> None:
    root = ask(DemoRepository(FEW, page_size=size), "ListRecords", metadataPrefix="oai_dc")
    assert root.find(f".//{OAI}resumptionToken") is None


def test_tokens_of_another_verb_or_past_the_end(few: DemoRepository) -> None:
    token = str(ask(few, "ListRecords", metadataPrefix="oai_dc").findtext(f".//{OAI}resumptionToken"))
    assert error(few, ("verb", "ListIdentifiers"), ("resumptionToken", token)) == "badResumptionToken"
    late = token.replace("offset=3", "offset=4")
    assert error(few, ("verb", "ListRecords"), ("resumptionToken", late)) == "badResumptionToken"


@pytest.mark.parametrize("prefix", ["oai_dc", "eprints"])
def test_a_deleted_record_is_only_a_header(few: DemoRepository, prefix: str) -> None:
    root = ask(few, "GetRecord", metadataPrefix=prefix, identifier="oai:windrow.example:2")
    assert root.find(f".//{OAI}header").get("status") == "deleted"
    assert root.find(f".//{OAI}metadata") is None


def test_markup_in_a_title_is_text(few: DemoRepository) -> None:
    root = ask(few, "GetRecord", metadataPrefix="oai_dc", identifier="oai:windrow.example:4")
    assert root.findtext(f".//{DC}title") == "Four <i>& more</i>"


def test_every_answer_is_valid(sample: DemoRepository) -> None:
    if not SCHEMA.exists():
        pytest.skip("the OAI-PMH schemas are kept beside the project, and they are not there")
    schema = compiled_schema()
    answers = [ask(sample, verb) for verb in ("Identify", "ListMetadataFormats", "ListSets", "Nothing")]
    answers += pages(sample, "ListIdentifiers", metadataPrefix="oai_dc")
    answers += pages(sample, "ListRecords", metadataPrefix="oai_dc")
    answers += map(without_eprints, pages(sample, "ListRecords", metadataPrefix="eprints"))
    for answer in answers:
        schema.assertValid(answer)


def test_the_sample_is_varied() -> None:
    live = [one for one in sample_records() if one["eprint_status"] == "archive"]
    assert len(sample_records()) - len(live) == 6
    assert {one["type"] for one in live} == set(vocabulary.TYPES)
    assert len(vocabulary.TYPES) >= len(RECORD_TYPES)
    assert len({one["language"] for one in live}) > 20
    assert {one["date"][:4] for one in live} >= {"1890", "2026"}
    assert any("abstract" not in one for one in live)


def test_the_identifiers_of_the_sample_are_well_formed() -> None:
    for one in sample_records():
        assert all(idutils.is_orcid(each["orcid"]) for each in one.get("creators", []) if "orcid" in each)
        assert "issn" not in one or idutils.is_issn(one["issn"])
        assert "isbn" not in one or idutils.is_isbn(one["isbn"])
        assert "10.5555/" in one.get("id_number", "10.5555/") or one["type"] == "patent"


def test_a_known_work_in_eprints_xml(sample: DemoRepository) -> None:
    root = ask(sample, "GetRecord", metadataPrefix="eprints", identifier=KHAN)
    eprint = root.find(f".//{EPRINTS}eprint")
    assert eprint.get("id") == "https://kar.kent.ac.uk/id/eprint/111396"
    said = {etree.QName(leaf).localname: leaf.text for leaf in eprint.iter() if not len(leaf)}
    assert said.items() >= FACTS.items()
    items = {
        name: [one.text for one in eprint.find(f"{EPRINTS}{name}")] for name in ("subjects", "divisions")
    }
    assert items["subjects"] == ["H Social Sciences", "L Education", "R Medicine"]
    assert items["divisions"] == ["Schools > School of Social Sciences > Centre for Health Services Studies"]


FACTS = {
    "eprintid": "111396",
    "title": "What Is 'Really' Required To Incorporate The User Narrative In The Changing Health Systems?",
    "family": "Khan",
    "given": "Nagina",
    "orcid": "0000-0003-3870-2609",
    "date": "2021",
    "publication": "Recovery in the Bin",
    "type": "internet",
    "note": "Recovery in the Bin blog article",
    "content": "published",
    "mime_type": "application/pdf",
    "filesize": str(295 * 1024),
    "language": "en",
    "license": "cc_by_nc_nd_4",
    "keywords": "Coproduction, Recovery, Mental Health, Service User perspectives, Patient experiences",
    "depositor": "Nagina Khan",
    "datestamp": "2025-09-26 17:55:00",
    "lastmod": "2025-10-01 02:54:00",
}


def test_a_known_work_in_dublin_core(sample: DemoRepository) -> None:
    root = ask(sample, "GetRecord", metadataPrefix="oai_dc", identifier=KHAN)
    said = [(etree.QName(one).localname, one.text) for one in root.find(f".//{OAI}metadata")[0]]
    assert said[0] == ("relation", "https://kar.kent.ac.uk/id/eprint/111396/")
    assert ("type", "Internet publication") in said
    assert ("type", "NonPeerReviewed") in said
    assert ("rights", "cc_by_nc_nd_4") in said
    citation = f"  Khan, Nagina  (2021) {FACTS['title']}  [Internet publication]     "
    assert ("identifier", citation) in said
    assert "Coproduction" not in " ".join(str(value) for _, value in said)


def test_citations_keep_the_gaps_of_eprints() -> None:
    record = {
        "eprintid": 1,
        "type": "article",
        "creators": [{"name": {"family": "Jones", "given": "Rachel"}}],
        "title": "Tides",
        "date": "2005-06",
        "publication": "Shore",
        "volume": "47",
        "number": "4",
        "pagerange": "1-9",
        "issn": "9810-7782",
        "ispublished": "inpress",
    }
    root = ask(DemoRepository([record]), "ListRecords", metadataPrefix="oai_dc")
    assert root.findtext(f".//{DC}identifier") == (
        "  Jones, Rachel  (2005) Tides.  Shore, 47 (4).  pp. 1-9.  ISSN 9810-7782    (In Press)  "
    )


def test_the_server_answers_on_one_connection(few: DemoRepository) -> None:
    with serve(few) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        path, query = urlsplit(url).path, urlencode({"verb": "Identify"})
        connection.request("GET", f"{path}?{query}")
        plain = connection.getresponse().read()
        connection.request("POST", path, query, {"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        assert answer.getheader("Content-Encoding") == "gzip"
        assert gzip.decompress(answer.read()) == plain == few.respond([("verb", "Identify")])
        connection.request("GET", "/nowhere")
        assert connection.getresponse().status == 404
        connection.close()
    assert url.encode() in plain


def test_a_line_of_the_sample_is_one_json_object() -> None:
    path = Path(__file__).parents[1] / "index/demo/records.jsonl"
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == sample_records()
