"""The six verbs against a real repository that misbehaves: what is asked again, and what is told at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from harvester.errors import (
    BadArgument,
    BadResumptionToken,
    Blocked,
    HttpStatus,
    MalformedXml,
    NoRecordsMatch,
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
from tests.fakes.faults import BY_ROW, encoded_tokens, offset, verb
from tests.fakes.repository import Answer, Asked, FakeRepository, Fault, serving
from tests.fakes.works import Works, identifier

ALL = [identifier(number) for number in range(1, 51)]
OAI_DC = {"metadataPrefix": "oai_dc"}
NO_VERB_ELEMENT = faults.replaced(r"</request>.*</OAI-PMH>", "</request></OAI-PMH>")
UNREADABLE = {
    "T04 cut, and no length was stated": (BY_ROW["T04"], MalformedXml),
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
    assert listed(client.pages(list_verb, OAI_DC)) == ALL
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


def test_k17_a_token_that_is_refused_in_either_form_is_told(
    client: Client, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(faults.oai_error("badResumptionToken", "first or second"), offset(10))
    with pytest.raises(BadResumptionToken):
        listed(client.pages("ListRecords", OAI_DC))
    assert (rule.fired, clock.slept) == (2, [])


def test_the_wait_for_a_better_answer_is_told(server: FakeRepository, clock: FakeClock) -> None:
    told: list[str] = []
    transport = Transport(clock, on_wait=lambda _seconds, why: told.append(why))
    server.misbehave(faults.half_a_page, times=1)
    listed(Client(server.url, transport).pages("ListRecords", OAI_DC))
    transport.close()
    assert len(told) == 1
    assert "not well-formed" in told[0]


# Tokens


def test_k11_t12_the_cookie_and_the_connection_last_for_the_list(
    client: Client, server: FakeRepository
) -> None:
    server.misbehave(BY_ROW["K11"])
    assert listed(client.pages("ListRecords", OAI_DC)) == ALL
    assert [asked.headers["Cookie"] for asked in server.log] == [None] + ["node=7"] * 4
    assert server.connections == 1


@pytest.mark.parametrize("fault", [BY_ROW["H17"], encoded_tokens], ids=["as it came", "encoded already"])
@pytest.mark.parametrize("list_verb", ["ListRecords", "ListIdentifiers"])
def test_h17_a_token_is_sent_as_it_stands_where_it_is_refused_encoded(
    list_verb: str, fault: Fault, client: Client, server: FakeRepository, clock: FakeClock
) -> None:
    server.misbehave(fault)
    assert listed(client.pages(list_verb, OAI_DC)) == ALL
    assert len(server.log) == 6  # the second page twice: what worked is remembered
    assert clock.slept == []
    first, second = (asked.path.partition("resumptionToken=")[2] for asked in server.log[1:3])
    assert "=" not in first
    assert first != second


def test_h17_a_token_that_makes_the_server_fail_is_sent_as_it_stands(
    client: Client, server: FakeRepository
) -> None:
    server.misbehave(faults.status(500), when=lambda asked: "%3D" in asked.path)
    assert listed(client.pages("ListRecords", OAI_DC)) == ALL
    assert len(server.log) == 7  # a 500 is asked twice


def test_h17_an_error_that_the_other_form_does_not_cure_is_told(
    client: Client, server: FakeRepository
) -> None:
    """The first refusal, not the second; and the form stays as it was."""
    server.misbehave(faults.oai_error("badResumptionToken"), offset(10))
    server.misbehave(faults.status(404), when=lambda asked: asked.offset == 10 and "%3D" not in asked.path)
    with pytest.raises(BadResumptionToken):
        listed(client.pages("ListRecords", OAI_DC))
    server.behave()
    assert listed(client.pages("ListRecords", OAI_DC)) == ALL
    assert all("%3D" in asked.path for asked in server.log[-4:])


def test_h17_a_token_that_expires_is_not_tried_in_the_other_form(
    client: Client, server: FakeRepository
) -> None:
    rule = server.misbehave(faults.oai_error("badResumptionToken"), offset(20))
    with pytest.raises(BadResumptionToken):
        listed(client.pages("ListRecords", OAI_DC))
    assert rule.fired == 1  # the one before it came through


def test_h17_a_token_of_plain_letters_is_sent_once(client: Client, server: FakeRepository) -> None:
    with pytest.raises(BadResumptionToken):
        listed(client.pages("ListRecords", {"resumptionToken": "plain-1"}))
    assert len(server.log) == 1


class Demanding(Works):
    """Wants the prefix with each token (FAULTS P19)."""

    def respond(self, arguments: Sequence[tuple[str, str]]) -> bytes:
        if any(name == "resumptionToken" for name, _ in arguments):
            named = [pair for pair in arguments if pair[0] != "metadataPrefix"]
            arguments = named if len(named) < len(arguments) else [("verb", "ListRecords")]
        return super().respond(arguments)


def test_p19_a_token_goes_with_the_prefix_where_it_is_refused_alone(
    clock: FakeClock, transport: Transport
) -> None:
    with serving(Demanding(50, clock.now)) as server:
        assert listed(Client(server.url, transport).pages("ListRecords", OAI_DC)) == ALL
        sent = [asked.arguments.get("metadataPrefix") for asked in server.log]
    assert sent == ["oai_dc", None, "oai_dc", "oai_dc", "oai_dc", "oai_dc"]


def test_p19_a_run_that_goes_on_names_the_prefix_too(clock: FakeClock, transport: Transport) -> None:
    with serving(Demanding(50, clock.now)) as server:
        token = next(Client(server.url, transport).pages("ListRecords", OAI_DC)).token
        assert token is not None
        again = Client(server.url, transport)
        assert listed(again.pages("ListRecords", {"resumptionToken": token}, of=OAI_DC)) == ALL[10:]
        with pytest.raises(BadArgument):
            listed(Client(server.url, transport).pages("ListRecords", {"resumptionToken": token}))


def test_z05_what_identify_names_is_not_visited(
    client: Client, server: FakeRepository, clock: FakeClock
) -> None:
    with serving(Works(1, clock.now), host="127.0.0.2") as other:
        server.misbehave(faults.replaced("<baseURL>[^<]*", f"<baseURL>{other.url}"))
        assert client.identify().base_url == other.url
        assert listed(client.pages("ListRecords", OAI_DC)) == ALL
        assert other.log == []


# Another answer than was asked for


def says(**attributes: str) -> Fault:
    """What the repository says that it answers."""
    text = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return faults.replaced(r"<request[^>]*>", f"<request {text}>")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (says(verb="ListIdentifiers"), "verb ListIdentifiers, where ListRecords was"),
        (says(verb="ListRecords", metadataPrefix="mods"), "metadataPrefix mods, where oai_dc was"),
        (says(set="theses"), "set theses, where none was"),
    ],
)
@pytest.mark.parametrize("at", [0, 20])
def test_p09_k16_an_answer_to_another_request_is_none(
    at: int, fault: Fault, told: str, client: Client, server: FakeRepository
) -> None:
    rule = server.misbehave(fault, offset(at))
    with pytest.raises(ResponseError, match=f"answers another request: {told}"):
        listed(client.pages("ListRecords", OAI_DC))
    assert rule.fired == 3


def test_p09_a_mix_up_that_passes_is_asked_again(client: Client, server: FakeRepository) -> None:
    server.misbehave(says(verb="Identify"), offset(20), times=1)
    assert listed(client.pages("ListRecords", OAI_DC)) == ALL


def test_p09_a_run_that_goes_on_knows_its_request(client: Client, server: FakeRepository) -> None:
    token = next(client.pages("ListRecords", OAI_DC)).token
    assert token is not None
    server.misbehave(says(metadataPrefix="mods"))
    with pytest.raises(ResponseError, match="mods, where oai_dc"):
        listed(client.pages("ListRecords", {"resumptionToken": token}, of=OAI_DC))


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.replaced(r"<request[^>]*>", "<request>"), id="nothing"),
        pytest.param(faults.replaced(r"<request.*</request>", ""), id="no element"),
        pytest.param(says(verb="listrecords", metadataPrefix="OAI_DC"), id="other case"),
        pytest.param(says(verb="ListRecords;metadataPrefix=oai_dc"), id="all in one"),
        pytest.param(says(verb="ListRecords", set="", metadataPrefix="oai%5Fdc"), id="empty, encoded"),
        pytest.param(says(resumptionToken="another"), id="another token"),
    ],
)
def test_p09_harmless_differences_are_let_pass(fault: Fault, client: Client, server: FakeRepository) -> None:
    rule = server.misbehave(fault)
    assert listed(client.pages("ListRecords", OAI_DC)) == ALL
    assert rule.fired == 5


def test_p09_a_set_in_the_address_is_asked_for(server: FakeRepository, transport: Transport) -> None:
    server.misbehave(says(set="74797065733D61727469636C65"))
    client = Client(f"{server.url}?set=74797065733D61727469636C65", transport)
    assert next(client.pages("ListRecords", OAI_DC)).list_size == 25


@pytest.mark.parametrize(
    "fault",
    [
        faults.replaced("<identifier>.*</identifier>", f"<identifier>{identifier(8)}</identifier>"),
        faults.replaced("<record>.*</record>", ""),
    ],
    ids=["another", "none"],
)
def test_i10_another_record_than_was_asked_for_is_none(
    fault: Fault, client: Client, server: FakeRepository
) -> None:
    rule = server.misbehave(fault, verb("GetRecord"))
    with pytest.raises(ResponseError, match=f"where {identifier(7)} was asked for"):
        client.record(identifier(7), "oai_dc")
    assert rule.fired == 3


# Statuses


def with_status(code: int, fault: Fault) -> Fault:
    return lambda asked, answer: replace(fault(asked, answer), status=code)


@pytest.mark.parametrize("code", [400, 403, 404, 422, 500])
def test_h11_an_oai_pmh_error_keeps_its_meaning_whatever_its_status(
    code: int, client: Client, server: FakeRepository, clock: FakeClock
) -> None:
    for error, kind in (("noRecordsMatch", NoRecordsMatch), ("badArgument", BadArgument)):
        rule = server.misbehave(with_status(code, faults.oai_error(error)))
        with pytest.raises(kind):
            listed(client.pages("ListRecords", OAI_DC))
        assert (rule.fired, clock.slept) == (1, [])
        server.behave()


@pytest.mark.parametrize("code", [413, 400, 422])
def test_h12_too_many_records_is_told_by_its_status(
    code: int, client: Client, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(faults.status(code, b"<html>too many records, restrict the period</html>"))
    with pytest.raises(HttpStatus) as caught:
        listed(client.pages("ListRecords", OAI_DC))
    assert (caught.value.status, rule.fired, clock.slept) == (code, 1, [])


@pytest.mark.parametrize("code", [500, 502, 504])
def test_h09_h10_a_page_that_always_fails_is_told_by_its_status(
    code: int, client: Client, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(faults.status(code), offset(20))
    got: list[Page] = []
    with pytest.raises(HttpStatus) as caught:
        got.extend(client.pages("ListRecords", OAI_DC))
    assert caught.value.status == code
    assert rule.fired == (2 if code == 500 else 6)
    assert all(wait >= 2.5 for wait in clock.slept)


@pytest.mark.parametrize(
    "media_type", ["text/plain; charset=latin-1", "text/html", "application/octet-stream", "nonsense", ""]
)
def test_h18_what_the_server_calls_its_answer_does_not_matter(
    media_type: str, client: Client, server: FakeRepository, clock: FakeClock
) -> None:
    works = server.responder
    assert isinstance(works, Works)
    works.put(7, title="Müßiggang, 怠惰")

    def mislabelled(_asked: Asked, answer: Answer) -> Answer:
        return replace(answer, headers={"Content-Type": media_type})

    server.misbehave(mislabelled)
    assert "Müßiggang, 怠惰".encode() in client.record(identifier(7), "oai_dc").items[0].raw


def test_h23_a_login_in_mid_list_is_told_for_what_it_is(client: Client, server: FakeRepository) -> None:
    rule = server.misbehave(faults.status(401, WWW_Authenticate="Basic"), offset(20))
    with pytest.raises(Blocked, match="wants a name and a password"):
        listed(client.pages("ListRecords", OAI_DC))
    assert rule.fired == 1
