"""One HTTP exchange with a real server that misbehaves: nothing is cut in silence, nothing waits for ever."""

import gzip
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest

from harvester.errors import (
    BrokenBody,
    Deferred,
    HttpStatus,
    TimedOut,
    TooLarge,
    TransportError,
    Unreachable,
)
from harvester.transport import Limits, Response, Transport
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.faults import BY_ROW, Gate
from tests.fakes.repository import Answer, FakeRepository, Fault, serving

IDENTIFY = {"verb": "Identify"}
MEGABYTE = 2**20


class Echo:
    """Long enough that a gzip stream has an inside."""

    base_url = ""
    plain = b"<answer>" + bytes(range(32, 127)) * 500 + b"</answer>"

    def respond(self, _arguments: object) -> bytes:
        return self.plain


@pytest.fixture
def server() -> Iterator[FakeRepository]:
    with serving(Echo()) as repository:
        yield repository


Make = Callable[..., Transport]


@pytest.fixture
def transport_with(clock: FakeClock) -> Iterator[Make]:
    made: list[Transport] = []

    def make(contact: str = "", **limits: float) -> Transport:
        made.append(Transport(clock, contact, Limits(**limits)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def transport(transport_with: Make) -> Transport:
    return transport_with()


def get(transport: Transport, server: FakeRepository) -> Response:
    return transport.get(server.url, IDENTIFY)


def test_one_connection_serves_several_requests(transport: Transport, server: FakeRepository) -> None:
    for _ in range(5):
        assert get(transport, server).body == Echo.plain
    assert len(server.log) == transport.requests == 5
    assert server.connections == 1


def test_the_connection_outlives_an_error_page(transport: Transport, server: FakeRepository) -> None:
    server.misbehave(faults.status(404, b"nothing here" * 1000), times=2)
    assert [get(transport, server).status for _ in range(3)] == [404, 404, 200]
    assert server.connections == 1


def test_gzip_is_asked_for_and_undone(transport: Transport, server: FakeRepository) -> None:
    answer = get(transport, server)
    assert server.log[0].headers["Accept-Encoding"] == "gzip"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.body == Echo.plain


def test_the_contact_is_sent(transport_with: Make, server: FakeRepository) -> None:
    get(transport_with(contact="me@uni.example"), server)
    headers = server.log[0].headers
    assert headers["From"] == "me@uni.example"
    assert headers["User-Agent"].startswith("Windrow/")
    assert "mailto:me@uni.example" in headers["User-Agent"]


def test_without_a_contact_nothing_is_made_up(transport: Transport, server: FakeRepository) -> None:
    get(transport, server)
    assert server.log[0].headers["From"] is None
    assert "mailto" not in server.log[0].headers["User-Agent"]


def test_arguments_are_encoded(transport: Transport, server: FakeRepository) -> None:
    odd = {"resumptionToken": "a+b/=&c%7C é"}
    transport.get(server.url, odd)
    assert server.log[0].arguments == odd


def test_an_address_may_have_arguments_of_its_own(transport: Transport, server: FakeRepository) -> None:
    transport.get(server.url + "?mode=oai", IDENTIFY)
    assert server.log[0].arguments == {"mode": "oai", "verb": "Identify"}


@pytest.mark.parametrize("row", ["T03", "T05", "T06"])
def test_a_broken_answer_is_asked_for_again(
    row: str, transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(BY_ROW[row], times=2)
    assert get(transport, server).body == Echo.plain
    assert rule.fired == 2
    assert len(clock.slept) == 2
    assert clock.slept[1] > clock.slept[0] / 3 * 2  # it waits longer each time, give or take the spread


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(BY_ROW["T05"], id="gzip cut, the length agrees"),
        pytest.param(faults.sent(share=0.9, framing="chunked"), id="gzip cut, chunked"),
        pytest.param(faults.sent(share=0.9, framing="close"), id="gzip cut, ended by closing"),
        pytest.param(faults.sent(share=0.9, announced=False, honest=True), id="unlabelled gzip cut"),
        pytest.param(faults.sent(share=0.6, coding=""), id="shorter than its Content-Length"),
        pytest.param(faults.sent(share=0.6, coding="", framing="chunked"), id="chunked, no last chunk"),
        pytest.param(
            faults.sent(body=gzip.compress(Echo.plain)[:-30] + b"garbage" * 5, coding="", honest=True),
            id="gzip with rubbish in it",
        ),
    ],
)
def test_half_an_answer_is_never_taken_for_a_whole(
    fault: Fault, transport_with: Make, server: FakeRepository
) -> None:
    rule = server.misbehave(fault)
    with pytest.raises(BrokenBody):
        get(transport_with(tries=3), server)
    assert rule.fired == 3


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(BY_ROW["T07"], id="gzip that nobody announced"),
        pytest.param(BY_ROW["T08"], id="plain, announced as gzip"),
        pytest.param(faults.sent(framing="chunked"), id="chunked"),
        pytest.param(faults.sent(framing="close", coding=""), id="ended by closing"),
        pytest.param(
            lambda _asked, answer: replace(
                answer, body=zlib.compress(answer.body), coding="", headers={"Content-Encoding": "deflate"}
            ),
            id="deflate",
        ),
    ],
)
def test_odd_but_whole_answers_are_read(fault: Fault, transport: Transport, server: FakeRepository) -> None:
    rule = server.misbehave(fault)
    assert get(transport, server).body == Echo.plain
    assert rule.fired == len(server.log) == 1


def test_gzip_that_comes_in_single_bytes(transport: Transport, server: FakeRepository) -> None:
    whole = gzip.compress(Echo.plain)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in whole) + b"0\r\n\r\n"
    headers = {"Transfer-Encoding": "chunked", "Content-Encoding": "gzip"}
    server.misbehave(lambda _asked, _answer: Answer(chunks, headers=headers, framing="raw"))
    assert get(transport, server).body == Echo.plain


def test_an_empty_answer_is_whole(transport: Transport, server: FakeRepository) -> None:
    server.misbehave(lambda _asked, answer: replace(answer, body=b"", coding=""))
    assert get(transport, server).body == b""


def test_retry_after_in_seconds_is_kept(
    transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    server.misbehave(faults.status(503, Retry_After="77"), times=1)
    assert get(transport, server).status == 200
    assert clock.slept == [77]


def test_retry_after_as_a_date_is_kept(
    transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    then = format_datetime(clock.now() + timedelta(minutes=10), usegmt=True)
    server.misbehave(faults.status(429, Retry_After=then), times=1)
    assert get(transport, server).status == 200
    assert clock.slept == [600]


@pytest.mark.parametrize("said", ["0", "Sun, 06 Nov 1994 08:49:37 GMT"])
def test_a_retry_after_that_is_over_still_waits_a_second(
    said: str, transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    server.misbehave(faults.status(503, Retry_After=said), times=1)
    get(transport, server)
    assert clock.slept == [1]


@pytest.mark.parametrize(
    "said", ["", "soon", "-5", "1.5", "٣", "Fri, 99 Foo 2026", "Mon, 01 Jan 99999 00:00:00 GMT", "2026-06-01"]
)
def test_a_retry_after_that_means_nothing_is_none(
    said: str, transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    server.misbehave(faults.status(503, Retry_After=said.encode().decode("latin-1")), times=1)
    assert get(transport, server).status == 200
    assert 2.5 <= clock.slept[0] <= 7.5


@pytest.mark.parametrize("said", ["3601", "86400", "999999999999999999999", "Wed, 01 Jul 2026 12:00:00 GMT"])
def test_a_long_retry_after_defers_the_harvest(
    said: str, transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(faults.status(503, Retry_After=said))
    with pytest.raises(Deferred, match="come back") as caught:
        get(transport, server)
    assert caught.value.seconds > 3600
    assert (rule.fired, clock.slept) == (1, [])


@pytest.mark.parametrize(("code", "tries"), [(503, 6), (429, 6), (502, 6), (504, 6), (500, 2)])
def test_a_busy_server_is_asked_a_few_times(
    code: int, tries: int, transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(faults.status(code))
    with pytest.raises(HttpStatus) as caught:
        get(transport, server)
    assert caught.value.status == code
    assert caught.value.advice
    assert rule.fired == transport.requests == tries
    assert all(wait >= 2.5 for wait in clock.slept)
    assert len(clock.slept) == tries - 1


def test_waits_are_told(server: FakeRepository, clock: FakeClock) -> None:
    told: list[tuple[float, str]] = []
    transport = Transport(clock, on_wait=lambda seconds, why: told.append((seconds, why)))
    server.misbehave(faults.status(503, Retry_After="77"), times=1)
    get(transport, server)
    transport.close()
    assert [seconds for seconds, _ in told] == [77]
    assert "503" in told[0][1]


def test_an_oai_pmh_error_with_status_500_is_an_answer(transport: Transport, server: FakeRepository) -> None:
    said = b'<OAI-PMH><error code="badArgument"/></OAI-PMH>'
    server.misbehave(faults.status(500, said))
    assert (get(transport, server).status, len(server.log)) == (500, 1)


def test_nobody_listens(transport: Transport, clock: FakeClock) -> None:
    with pytest.raises(Unreachable, match=r"cannot be reached: .*refused") as caught:
        transport.get(f"http://127.0.0.1:{faults.free_port()}/oai", IDENTIFY)
    assert "check the address" in caught.value.advice
    assert transport.requests == 3
    assert len(clock.slept) == 2


def test_a_connection_that_breaks_is_told_in_words(transport_with: Make, server: FakeRepository) -> None:
    server.misbehave(BY_ROW["T03"])
    with pytest.raises(Unreachable, match=r"cannot be reached: Remote end closed connection"):
        get(transport_with(tries_unreachable=1), server)


def test_no_such_host(transport_with: Make) -> None:
    with pytest.raises(Unreachable, match=r"oai\.invalid cannot be reached"):
        transport_with(tries_unreachable=1).get("http://oai.invalid/oai", IDENTIFY)


@pytest.mark.parametrize("url", ["http://", "nonsense", "http://[::1", "ftp://x.example/"])
def test_what_is_no_address_is_told(url: str, transport: Transport) -> None:
    with pytest.raises(TransportError):
        transport.get(url, IDENTIFY)


def test_a_redirect_in_a_circle_ends(transport: Transport, server: FakeRepository) -> None:
    server.misbehave(faults.status(302, Location="/cgi/oai2?verb=Identify"))
    with pytest.raises(Unreachable, match="circle"):
        get(transport, server)
    assert len(server.log) <= 20


def test_a_body_that_drips_meets_the_deadline(
    transport_with: Make, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(faults.sent(midway=lambda: clock.advance(2000)))
    with pytest.raises(TimedOut, match="1800 s"):
        get(transport_with(tries=2), server)
    assert rule.fired == 2


def test_a_server_that_says_nothing_is_given_up(transport_with: Make, server: FakeRepository) -> None:
    gate = Gate(server)
    server.misbehave(gate.before)
    with pytest.raises(TimedOut, match="did not answer in time"):
        get(transport_with(tries=1, read=0.01), server)


def test_a_server_that_falls_silent_is_given_up(transport_with: Make, server: FakeRepository) -> None:
    gate = Gate(server)
    server.misbehave(gate.in_mid_body)
    with pytest.raises(TimedOut, match="stopped in the middle"):
        get(transport_with(tries=1, read=0.2), server)


def test_a_large_answer_meets_its_cap(transport_with: Make, server: FakeRepository) -> None:
    rule = server.misbehave(faults.sent(body=bytes(range(256)) * 8 * 1024, coding=""))
    with pytest.raises(TooLarge, match="more than 1 MB"):
        get(transport_with(body=MEGABYTE), server)
    assert rule.fired == 1


def test_the_cap_is_on_what_it_unpacks_to(transport_with: Make, server: FakeRepository) -> None:
    server.misbehave(faults.sent(body=bytes(2 * MEGABYTE)))
    with pytest.raises(TooLarge, match="more than 1 MB"):
        get(transport_with(body=MEGABYTE), server)


def test_a_bomb_is_known_by_its_ratio(transport_with: Make, server: FakeRepository) -> None:
    rule = server.misbehave(faults.sent(body=bytes(4 * MEGABYTE)))
    with pytest.raises(TooLarge, match="200 times its size"):
        get(transport_with(ratio_from=MEGABYTE), server)
    assert rule.fired == 1


def test_never_two_requests_at_once_to_a_host(transport: Transport, server: FakeRepository) -> None:
    start = threading.Barrier(4)

    def ask() -> None:
        start.wait()
        for _ in range(3):
            get(transport, server)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.log) == 12
    assert server.most_at_once == 1
