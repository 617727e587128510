"""The six verbs against a real repository that misbehaves: what is asked again, and what is told at once."""

from collections.abc import Callable, Iterator

import pytest

from harvester.errors import (
    BadResumptionToken,
    MalformedXml,
    NotOaiPmh,
    ProtocolError,
    ResponseError,
    UnknownErrorCode,
)
from harvester.oai.client import Client
from harvester.oai.response import Page
from harvester.transport import Transport
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.faults import offset, verb
from tests.fakes.repository import FakeRepository, Fault, serving
from tests.fakes.works import Works, identifier

OAI_DC = {"metadataPrefix": "oai_dc"}
NO_VERB_ELEMENT = faults.replaced(r"</request>.*</OAI-PMH>", "</request></OAI-PMH>")
UNREADABLE = {
    "X07 a cut page": (faults.half_a_page, MalformedXml),
    "X23 no verb element": (NO_VERB_ELEMENT, ResponseError),
    "H07 a page of HTML": (faults.body(b"<html><title>Maintenance</title></html>"), NotOaiPmh),
    "H08 an empty answer": (faults.body(b""), NotOaiPmh),
    "H08 a 204": (faults.status(204), NotOaiPmh),
    "P02 trouble without a code": (faults.oai_error(""), UnknownErrorCode),
    "P02 trouble by a name of its own": (faults.oai_error("InternalException", "scroll"), UnknownErrorCode),
}


@pytest.fixture
def server(clock: FakeClock) -> Iterator[FakeRepository]:
    """50 works, 10 a page."""
    with serving(Works(50, clock.now)) as repository:
        yield repository


@pytest.fixture
def transport(clock: FakeClock) -> Iterator[Transport]:
    transport = Transport(clock)
    yield transport
    transport.close()


@pytest.fixture
def client(server: FakeRepository, transport: Transport) -> Client:
    return Client(server.url, transport)


def listed(pages: Iterator[Page]) -> list[str]:
    return [item.header.identifier for page in pages for item in page.items]


@pytest.mark.parametrize(("fault", "kind"), UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("list_verb", ["ListRecords", "ListIdentifiers"])
def test_a_page_that_cannot_be_read_is_asked_for_again(
    list_verb: str,
    fault: Fault,
    kind: type[Exception],
    client: Client,
    server: FakeRepository,
    clock: FakeClock,
) -> None:
    rule = server.misbehave(fault, offset(20, list_verb), times=2)
    assert listed(client.pages(list_verb, OAI_DC)) == [identifier(number) for number in range(1, 51)]
    assert rule.fired == 2
    assert [asked.offset for asked in server.log] == [0, 10, 20, 20, 20, 30, 40]
    first, second = clock.slept
    assert 2.5 <= first <= 7.5
    assert 5 <= second <= 15


@pytest.mark.parametrize(("fault", "kind"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_stays_unreadable_is_told_after_three_tries(
    fault: Fault, kind: type[Exception], client: Client, server: FakeRepository, transport: Transport
) -> None:
    rule = server.misbehave(fault, offset(20))
    pages = client.pages("ListRecords", OAI_DC)
    with pytest.raises(kind):
        listed(pages)
    assert rule.fired == 3
    assert transport.requests == len(server.log) == 5


def test_a_record_that_cannot_be_read_is_asked_for_again(client: Client, server: FakeRepository) -> None:
    rule = server.misbehave(faults.half_a_page, verb("GetRecord"), times=1)
    assert client.record(identifier(7), "oai_dc").items[0].header.identifier == identifier(7)
    assert (rule.fired, len(server.log)) == (1, 2)


@pytest.mark.parametrize(
    "ask", [Client.identify, Client.formats, lambda client: list(client.sets())], ids=["1", "2", "3"]
)
def test_a_wrong_address_is_told_at_once(
    ask: Callable[[Client], object], client: Client, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(faults.body(b"<html>Welcome</html>"))
    with pytest.raises(NotOaiPmh, match="HTML page"):
        ask(client)
    assert (rule.fired, clock.slept) == (1, [])


@pytest.mark.parametrize("code", ["badArgument", "noRecordsMatch", "cannotDisseminateFormat"])
def test_what_the_protocol_has_a_code_for_is_told_at_once(
    code: str, client: Client, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(faults.oai_error(code))
    with pytest.raises(ProtocolError) as caught:
        listed(client.pages("ListRecords", OAI_DC))
    assert (caught.value.code, rule.fired, clock.slept) == (code, 1, [])


def test_a_token_that_is_refused_is_told_at_once(client: Client, server: FakeRepository) -> None:
    rule = server.misbehave(faults.oai_error("badResumptionToken"), offset(10))
    with pytest.raises(BadResumptionToken):
        listed(client.pages("ListRecords", OAI_DC))
    assert rule.fired == 1


def test_the_wait_for_a_better_answer_is_told(server: FakeRepository, clock: FakeClock) -> None:
    told: list[str] = []
    transport = Transport(clock, on_wait=lambda _seconds, why: told.append(why))
    server.misbehave(faults.half_a_page, times=1)
    listed(Client(server.url, transport).pages("ListRecords", OAI_DC))
    transport.close()
    assert len(told) == 1
    assert "not well-formed" in told[0]
