"""One HTTP exchange with a real server that misbehaves: nothing waits for ever, nobody is asked too often."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from harvester.errors import Deferred, HttpStatus, OddHeaders, TimedOut, TransportError, Unreachable
from harvester.transport import Limits, Transport, Trust
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.echo import IDENTIFY, Echo, Make, get
from tests.fakes.faults import BY_ROW, Gate
from tests.fakes.repository import Answer, FakeRepository


def test_one_connection_serves_several_requests(transport: Transport, server: FakeRepository) -> None:
    for _ in range(5):
        assert get(transport, server).body == Echo.plain
    assert len(server.log) == transport.requests == 5
    assert server.connections == 1


def test_the_connection_outlives_an_error_page(transport: Transport, server: FakeRepository) -> None:
    server.misbehave(faults.status(404, b"nothing here" * 1000), times=2)
    assert [get(transport, server).status for _ in range(3)] == [404, 404, 200]
    assert server.connections == 1


def test_h19_the_contact_is_sent(transport_with: Make, server: FakeRepository) -> None:
    get(transport_with(contact="me@uni.example"), server)
    headers = server.log[0].headers
    assert headers["From"] == "me@uni.example"
    assert headers["User-Agent"].startswith("Windrow/")
    assert "mailto:me@uni.example" in headers["User-Agent"]


def test_h19_without_a_contact_nothing_is_made_up(transport: Transport, server: FakeRepository) -> None:
    get(transport, server)
    assert server.log[0].headers["From"] is None
    assert "mailto" not in server.log[0].headers["User-Agent"]


def test_h01_retry_after_in_seconds_is_kept(
    transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    server.misbehave(faults.status(503, Retry_After="77"), times=1)
    assert get(transport, server).status == 200
    assert clock.slept == [77]


def test_h02_retry_after_as_a_date_is_kept(
    transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    then = format_datetime(clock.now() + timedelta(minutes=10), usegmt=True)
    server.misbehave(faults.status(429, Retry_After=then), times=1)
    assert get(transport, server).status == 200
    assert clock.slept == [600]


@pytest.mark.parametrize("said", ["0", "Sun, 06 Nov 1994 08:49:37 GMT"])
def test_h03_a_retry_after_that_is_over_still_waits_a_second(
    said: str, transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    server.misbehave(faults.status(503, Retry_After=said), times=1)
    get(transport, server)
    assert clock.slept == [1]


@pytest.mark.parametrize(
    "said", ["", "soon", "-5", "1.5", "٣", "Fri, 99 Foo 2026", "Mon, 01 Jan 99999 00:00:00 GMT", "2026-06-01"]
)
def test_h02_a_retry_after_that_means_nothing_is_none(
    said: str, transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    server.misbehave(faults.status(503, Retry_After=said.encode().decode("latin-1")), times=1)
    assert get(transport, server).status == 200
    assert 2.5 <= clock.slept[0] <= 7.5


@pytest.mark.parametrize("said", ["3601", "86400", "999999999999999999999", "Wed, 01 Jul 2026 12:00:00 GMT"])
def test_h04_a_long_retry_after_defers_the_harvest(
    said: str, transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(faults.status(503, Retry_After=said))
    with pytest.raises(Deferred, match="come back") as caught:
        get(transport, server)
    assert caught.value.seconds > 3600
    assert (rule.fired, clock.slept) == (1, [])


@pytest.mark.parametrize(("code", "tries"), [(503, 6), (429, 6), (502, 6), (504, 6), (500, 2)])
def test_h03_h10_a_busy_server_is_asked_a_few_times(
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


def test_h11_an_oai_pmh_error_with_status_500_is_an_answer(
    transport: Transport, server: FakeRepository
) -> None:
    said = b'<OAI-PMH><error code="badArgument"/></OAI-PMH>'
    server.misbehave(faults.status(500, said))
    assert (get(transport, server).status, len(server.log)) == (500, 1)


def test_t01_nobody_listens(transport: Transport, clock: FakeClock) -> None:
    with pytest.raises(Unreachable, match=r"cannot be reached: .*refused") as caught:
        transport.get(f"http://127.0.0.1:{faults.free_port()}/oai", IDENTIFY)
    assert "check the address" in caught.value.advice
    assert transport.requests == 3
    assert len(clock.slept) == 2


def test_t03_a_connection_that_breaks_is_told_in_words(transport_with: Make, server: FakeRepository) -> None:
    server.misbehave(BY_ROW["T03"])
    with pytest.raises(Unreachable, match=r"cannot be reached: Remote end closed connection"):
        get(transport_with(tries_unreachable=1), server)


def test_t01_no_such_host(transport_with: Make) -> None:
    with pytest.raises(Unreachable, match=r"oai\.invalid cannot be reached"):
        transport_with(tries_unreachable=1).get("http://oai.invalid/oai", IDENTIFY)


@pytest.mark.parametrize(
    "url",
    ["http://", "nonsense", "http://[::1", "ftp://x.example/", "http://a..b/", f"http://{'a' * 64}.org/"],
)
def test_what_is_no_address_is_told(url: str, transport_with: Make) -> None:
    transport = transport_with(trust={"old.example": Trust("old", insecure=True)})
    with pytest.raises(TransportError):
        transport.get(url, IDENTIFY)
    assert transport.requests == 1


def test_t02_a_body_that_drips_meets_the_deadline(
    transport_with: Make, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(faults.sent(midway=lambda: clock.advance(2000)))
    with pytest.raises(TimedOut, match="1800 s"):
        get(transport_with(tries=2), server)
    assert rule.fired == 2


def test_t02_a_server_that_says_nothing_is_given_up(transport_with: Make, server: FakeRepository) -> None:
    gate = Gate(server)
    server.misbehave(gate.before)
    with pytest.raises(TimedOut, match="did not answer in time"):
        get(transport_with(tries=1, read=0.01), server)


def test_t02_a_server_that_falls_silent_is_given_up(transport_with: Make, server: FakeRepository) -> None:
    gate = Gate(server)
    server.misbehave(gate.in_mid_body)
    with pytest.raises(TimedOut, match="stopped in the middle"):
        get(transport_with(tries=1, read=0.2), server)


def test_z20_never_two_requests_at_once_to_a_host(transport: Transport, server: FakeRepository) -> None:
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


def test_t03_a_connection_that_was_reset_while_idle_is_made_anew(
    transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    whole = HEAD.replace(b"Connection: close", b"Content-Length: %d" % len(Echo.plain)) + b"\r\n" + Echo.plain
    rule = server.misbehave(lambda _asked, _answer: Answer(b"", framing="wire", parts=[whole]), times=2)
    assert [get(transport, server).body for _ in range(3)] == [Echo.plain] * 3
    assert (rule.fired, server.connections) == (2, 3)


def test_z19_what_a_server_says_stays_on_its_line(transport_with: Make, server: FakeRepository) -> None:
    said = b"HTTP/1.1 503 Busy\x1b[2J\xc2\x9b1A \t" + b"x" * 9000 + b"\r\nConnection: close\r\n\r\n"
    server.misbehave(lambda _asked, _answer: Answer(b"", framing="wire", parts=[said]))
    with pytest.raises(HttpStatus, match="answers 503 Busy") as caught:
        get(transport_with(tries=1), server)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 700


# Pace


class LockStep(FakeClock):
    """Five seconds go by each time that the client looks at the clock, which lets the server send on."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = threading.Semaphore(0)

    def monotonic(self) -> float:
        self.advance(5)
        self._looked.release()
        return super().monotonic()

    def drip(self, server: FakeRepository, whole: bytes) -> Iterator[bytes]:
        for byte in whole:
            while not (self._looked.acquire(timeout=0.02) or server.ending.is_set()):
                pass
            yield bytes([byte])


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(HEAD + b"X-Drip: " + b"x" * 2000, id="in its headers"),
        pytest.param(HEAD + b"\r\n" + Echo.plain, id="in its body"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 2000, id="between chunks"),
    ],
)
def test_t02_a_server_that_drips_is_given_up(wire: bytes, server: FakeRepository) -> None:
    clock = LockStep()
    server.misbehave(lambda _asked, _answer: Answer(b"", framing="wire", parts=clock.drip(server, wire)))
    transport = Transport(clock, limits=Limits(tries=1))
    with pytest.raises(TimedOut, match=r"sends less than 100 bytes a second"):
        get(transport, server)
    transport.close()


def test_t02_headers_that_drip_meet_the_deadline(server: FakeRepository) -> None:
    clock = LockStep()
    wire = HEAD + b"X-Drip: " + b"x" * 2000
    server.misbehave(lambda _asked, _answer: Answer(b"", framing="wire", parts=clock.drip(server, wire)))
    transport = Transport(clock, limits=Limits(tries=1, rate=0, deadline=300))
    with pytest.raises(TimedOut, match="had not finished answering after 300 s"):
        get(transport, server)
    transport.close()


def test_t13_a_server_that_thinks_for_minutes_is_waited_for(
    transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(faults.sent(midway=lambda: clock.advance(290)))
    assert get(transport, server).body == Echo.plain
    assert (rule.fired, len(server.log)) == (1, 1)


# Headers


def test_t11_headers_beyond_measure_are_told(transport: Transport, server: FakeRepository) -> None:
    rule = server.misbehave(BY_ROW["T11"])
    with pytest.raises(OddHeaders, match="more than 100 headers"):
        get(transport, server)
    assert rule.fired == 2


def test_what_is_not_http_is_told(transport_with: Make, server: FakeRepository) -> None:
    server.misbehave(lambda _asked, _answer: Answer(b"", framing="wire", parts=[b"SSH-2.0-OpenSSH_9.2\r\n"]))
    with pytest.raises(OddHeaders, match="does not speak HTTP"):
        get(transport_with(), server)


# Gaps


def test_h05_after_a_429_there_is_a_gap_for_the_rest_of_the_run(
    transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    server.misbehave(faults.status(429, Retry_After="0"), times=1)
    for _ in range(3):
        get(transport, server)
    assert clock.slept == [1, 1, 1]  # what Retry-After asks, then the gap twice
    assert transport.gap(server.url) == 1


def test_h05_the_gap_doubles_up_to_a_minute(
    transport_with: Make, server: FakeRepository, clock: FakeClock
) -> None:
    server.misbehave(faults.status(503, Retry_After="0"), times=8)
    transport = transport_with(tries=20)
    get(transport, server)
    assert transport.gap(server.url) == 60
    assert clock.slept == [1, 1, 1, 1, 3, 1, 7, 1, 15, 1, 31, 1, 59, 1, 59]


def test_half_the_gap_of_an_earlier_run_is_kept(
    transport_with: Make, server: FakeRepository, clock: FakeClock
) -> None:
    transport = transport_with()
    transport.start_gap(server.url, 8)
    for _ in range(2):
        get(transport, server)
    assert clock.slept == [4]
    clock.advance(10)
    get(transport, server)
    assert clock.slept == [4]


@pytest.mark.parametrize("code", [500, 502, 504])
def test_other_trouble_makes_no_gap(code: int, transport: Transport, server: FakeRepository) -> None:
    server.misbehave(faults.status(code), times=1)
    get(transport, server)
    assert transport.gap(server.url) == 0


# Secrets


def test_z08_no_password_in_a_message(transport_with: Make) -> None:
    port = faults.free_port()
    transport = transport_with(tries_unreachable=1)
    for url in (f"http://me:hunter2@127.0.0.1:{port}/oai", "http://me:hunter2@[::1/oai"):
        with pytest.raises(TransportError) as caught:
            transport.get(url, IDENTIFY)
        assert "hunter2" not in f"{caught.value} {caught.value.advice}"


def test_netrc_is_not_read(
    transport: Transport, server: FakeRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    get(transport, server)
    assert server.log[0].headers["Authorization"] is None


def test_k11_a_cookie_comes_back_and_a_flood_of_them_is_dropped(
    transport: Transport, server: FakeRepository
) -> None:
    server.misbehave(lambda _asked, answer: replace(answer, headers={"Set-Cookie": "node=7"}), times=1)
    for _ in range(2):
        get(transport, server)
    assert server.log[1].headers["Cookie"] == "node=7"
    server.misbehave(
        lambda asked, answer: replace(answer, headers={"Set-Cookie": f"n{len(server.log)}=1"}), times=200
    )
    for _ in range(130):
        get(transport, server)
    assert max(str(one.headers["Cookie"]).count("=") for one in server.log) <= 100


def test_a_proxy_of_the_environment_is_asked(
    transport: Transport, server: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    assert transport.get("http://oai.invalid/oai", IDENTIFY).body == Echo.plain
    assert server.log[0].path.startswith("http://oai.invalid/oai")


# Places to be struck at


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_each_answer_passes_its_four_places_once(
    framing: str,
    transport: Transport,
    server: FakeRepository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.misbehave(faults.sent(framing=framing, coding="", body=b"<OAI-PMH>" + bytes(500_000)))
    passed = tmp_path / "passed"
    monkeypatch.setenv("WINDROW_FAULT", f"none:1:{passed}")
    for _ in range(2):
        get(transport, server)
    places = ["connected", "headers read", "half the body read", "body decoded"]
    assert passed.read_text().splitlines() == places * 2
