"""Responses of some sixty real servers: each record is normalised, or refused with a reason; nothing else."""

from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from harvester.delivery import Delivery, deliver
from harvester.errors import WindrowError
from harvester.oai.items import read_raw
from harvester.oai.response import (
    Page,
    read,
    read_formats,
    read_identify,
    read_page,
    read_sets,
)

ROOT = Path(__file__).parents[2] / "shared/data/responses"
LISTS = ("ListRecords", "GetRecord", "ListIdentifiers")

pytestmark = pytest.mark.skipif(
    not ROOT.exists(), reason="the responses of real servers are kept beside the project, and are not there"
)

# Measured, and understood: a change of a number here is a change in what is kept of real repositories.
FILES = {
    "GetRecord": 150,
    "ListRecords": 94,
    "ListSets": 29,
    "ListIdentifiers": 28,
    "Identify": 9,
    "ListMetadataFormats": 5,
    "NotOaiPmh": 65,  # most are single records, cut out of their envelope
    "NoRecordsMatch": 10,
    "MalformedXml": 1,
    "IdDoesNotExist": 5,
    "BadArgument": 4,
    "BadResumptionToken": 4,
    "CannotDisseminateFormat": 3,
    "NoSetHierarchy": 1,
    "UnknownErrorCode": 1,
}
RECORDS = {"normalised": 4941, "deleted": 20, "repeated": 0, "quarantined": 135}
QUARANTINED = {
    "empty metadata": 134,  # most are DSpace's "Item is not available"
    "a record without an identifier": 1,
}


def bodies() -> list[tuple[str, bytes]]:
    return [(str(path.relative_to(ROOT)), path.read_bytes()) for path in sorted(ROOT.rglob("*.xml"))]


def outcome(body: bytes) -> str:
    """The verb that it answers, or the class of the refusal."""
    try:
        root = read(body).root
        verb = next(etree.QName(child).localname for child in reversed(root) if isinstance(child.tag, str))
        _read_as(verb, body)
    except WindrowError as error:
        return type(error).__name__ if error.message else "refused without a reason"
    return verb


def _read_as(verb: str, body: bytes) -> object:
    others = {"Identify": read_identify, "ListSets": read_sets, "ListMetadataFormats": read_formats}
    return read_page(body, verb) if verb in LISTS else others[verb](body)


Pages = list[tuple[str, Page]]


@pytest.fixture(scope="module")
def pages() -> Pages:
    """Of all responses that have records."""
    named = [(name, outcome(body), body) for name, body in bodies()]
    return [
        (name, read_page(body, verb)) for name, verb, body in named if verb in ("ListRecords", "GetRecord")
    ]


def delivered(page: Page) -> Delivery:
    return deliver(page.items, {}, lambda _id: None)


def test_each_file_is_read_or_refused_with_a_reason() -> None:
    assert Counter(outcome(body) for _, body in bodies()) == FILES


def test_each_record_is_normalised_or_refused_with_a_reason(pages: Pages) -> None:
    kinds: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for _, page in pages:
        delivery = delivered(page)
        kinds.update(_kinds(delivery))
        reasons.update(_reason(refused.reason) for refused in delivery.refused)
    assert kinds == RECORDS
    assert reasons == QUARANTINED


def _kinds(delivery: Delivery) -> Counter[str]:
    """A deletion of what was never held is an unchanged one: here that is told apart."""
    tombstones = sum(write.deleted for write in delivery.writes)
    counts = delivery.counts
    assert counts.received == counts.created + counts.unchanged + counts.quarantined
    return Counter(
        normalised=counts.created,
        deleted=tombstones,
        repeated=counts.unchanged - tombstones,
        quarantined=counts.quarantined,
    )


def _reason(sentence: str) -> str:
    """What no format reads, by its root element; schemas come in too many versions to tell apart."""
    name = sentence.rpartition("}")[2].rstrip(">")
    return f"no format reads {name}" if sentence.startswith("no format") else sentence


def test_what_is_kept_of_a_record_parses_alone(pages: Pages) -> None:
    items = [item for _, page in pages for item in page.items if item.metadata is not None]
    for item in items:
        again = read_raw(item.raw)
        assert again is not None
        assert _said(again) == _said(item.metadata)
    assert len(items) == 5075  # all but the 20 deleted, and one deleted without an identifier


def _said(document: etree._Element | None) -> list[tuple[object, object, dict[str | bytes, str | bytes]]]:
    assert document is not None
    return [(element.tag, element.text, dict(element.attrib)) for element in document.iter()]
