"""Redirects: followed with the query kept, never out of the web or from a public host into a private network.

There is no network here: 127.0.0.1 and 127.0.0.2 are two hosts, and a test says which of them is public.
"""

import gzip
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from harvester.errors import RedirectRefused
from harvester.transport import Transport, Turns
from harvester.transport.addresses import is_public
from harvester.transport.redirects import base, target
from harvester.transport.words import host_of
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.echo import IDENTIFY, MEGABYTE, Echo, Make, get
from tests.fakes.faults import Gate
from tests.fakes.repository import Answer, FakeRepository


@pytest.fixture
def public_first(transport_with: Make) -> Transport:
    """127.0.0.1 is on the Internet, all else of loopback is inside."""
    return transport_with(is_public=lambda address: address == "127.0.0.1")


def moved(server: FakeRepository, location: str, code: int = 302, times: int | None = None) -> None:
    server.misbehave(faults.status(code, Location=location), times=times)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_h13_a_redirect_is_followed(
    code: int, transport: Transport, server: FakeRepository, other: FakeRepository
) -> None:
    moved(server, f"{other.url}?verb=Identify", code)
    answer = get(transport, server)
    assert answer.body == Echo.plain
    assert answer.url == f"{other.url}?verb=Identify"
    assert transport.requests == len(server.log) + len(other.log) == 2


@pytest.mark.parametrize("query", ["", "?", "?lang=en", "#top"])
def test_h14_parameters_that_the_redirect_drops_are_kept(
    query: str, transport: Transport, server: FakeRepository, other: FakeRepository
) -> None:
    moved(server, other.url + query)
    asked = {"verb": "ListRecords", "resumptionToken": "a+b/=&c%7C é"}
    transport.get(server.url, asked)
    assert asked.items() <= other.log[0].arguments.items()


def test_both_connections_are_kept(
    transport: Transport, server: FakeRepository, other: FakeRepository
) -> None:
    server.misbehave(faults.status(302, b"moved" * 100, Location=other.url))
    for _ in range(3):
        get(transport, server)
    assert (server.connections, other.connections) == (1, 1)


def test_h15_a_redirect_in_a_circle_ends(transport: Transport, server: FakeRepository) -> None:
    moved(server, "/cgi/oai2?verb=Identify")
    with pytest.raises(RedirectRefused, match="circle"):
        get(transport, server)
    assert len(server.log) == 6


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://x.example/", "gopher://x/", "http://[::1", "//:80/", "ftp://\x1b[2J/"],
)
def test_h15_a_redirect_leads_to_the_web_or_nowhere(
    location: str, transport: Transport, server: FakeRepository
) -> None:
    moved(server, location)
    with pytest.raises(RedirectRefused, match="no address on the web") as caught:
        get(transport, server)
    assert caught.value.message.isprintable()
    assert len(server.log) == 1


def test_z08_no_password_follows_a_redirect(
    transport: Transport, server: FakeRepository, other: FakeRepository
) -> None:
    server.misbehave(faults.status(302, Location=other.url.replace("//", "//me:hunter2@"), Set_Cookie="a=b"))
    for _ in range(2):
        assert "hunter2" not in get(transport, server).url
    assert server.log[1].headers["Cookie"] == "a=b"
    assert [(one.headers["Authorization"], one.headers["Cookie"]) for one in other.log] == [(None, None)] * 2


def test_z07_the_body_of_a_redirect_is_not_unpacked(
    transport: Transport, server: FakeRepository, other: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = gzip.compress(bytes(100 * MEGABYTE))
    headers = {"Location": other.url, "Content-Encoding": "gzip"}
    server.misbehave(lambda _asked, _answer: Answer(bomb, 302, headers))
    monkeypatch.setattr("urllib3.response.GzipDecoder.decompress", lambda *_: pytest.fail("it was unpacked"))
    assert get(transport, server).body == Echo.plain


def test_z20_where_it_leads_is_asked_one_thing_at_a_time(
    transport_with: Make, clock: FakeClock, server: FakeRepository, other: FakeRepository
) -> None:
    turns = Turns(clock, 60)
    transport = transport_with(turns=turns)
    moved(server, other.url)
    get(transport, server)
    gate = Gate(other)
    other.misbehave(gate.before)
    asking = threading.Thread(target=get, args=[transport, server])
    asking.start()
    gate.await_reached()
    in_turn = [turns._lines[host_of(one.url)].is_wanted for one in (server, other)]
    gate.opened.set()
    asking.join()
    assert in_turn == [True, True]


# Into a private network


def test_z04_a_public_host_does_not_send_us_inside(
    public_first: Transport, server: FakeRepository, other: FakeRepository
) -> None:
    moved(server, other.url)
    with pytest.raises(RedirectRefused, match=r"127\.0\.0\.2, an address inside a private network"):
        get(public_first, server)
    assert (len(server.log), len(other.log)) == (1, 0)


def test_z04_nor_by_way_of_a_third(
    transport_with: Make, server: FakeRepository, other: FakeRepository
) -> None:
    """private → public → private"""
    public_second = transport_with(is_public=lambda address: address == "127.0.0.2")
    moved(server, other.url, times=1)
    moved(other, server.url)
    with pytest.raises(RedirectRefused, match="private network"):
        get(public_second, server)
    assert (len(server.log), len(other.log)) == (1, 1)


def test_z04_nor_over_a_connection_that_was_made_for_a_source_inside(
    public_first: Transport, server: FakeRepository, other: FakeRepository
) -> None:
    assert get(public_first, other).status == 200
    moved(server, other.url)
    with pytest.raises(RedirectRefused):
        get(public_first, server)
    assert len(other.log) == 1


def test_z06_nor_by_a_name_that_changes_its_address(
    public_first: Transport, server: FakeRepository, other: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the name resolved to when somebody looked: the peer of the socket counts."""
    real = socket.getaddrinfo
    addresses = iter(["127.0.0.1", "127.0.0.2"])

    def rebinding(host: Any, *rest: Any, **named: Any) -> Any:
        return real(next(addresses) if host == "rebind.example" else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    port, other_port = (urlsplit(one.url).port for one in (server, other))
    moved(server, f"http://rebind.example:{other_port}/cgi/oai2")
    with pytest.raises(RedirectRefused, match=r"rebind\.example \(127\.0\.0\.2\)"):
        public_first.get(f"http://rebind.example:{port}/cgi/oai2", IDENTIFY)
    assert (len(server.log), len(other.log)) == (1, 0)


def test_z04_a_source_inside_may_redirect_inside(
    transport: Transport, server: FakeRepository, other: FakeRepository
) -> None:
    moved(server, other.url)
    assert get(transport, server).status == 200


def test_z04_a_proxy_is_no_way_inside(
    transport: Transport, server: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    moved(server, "http://127.0.0.9/secret", times=1)
    with pytest.raises(RedirectRefused, match="private network"):
        transport.get("http://oai.invalid/oai", IDENTIFY)
    assert len(server.log) == 1


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("129.12.10.1", True),
        ("2001:630:340::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.31.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:129.12.10.1", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::810c:a01", True),
        ("2002:a00:1::", False),
    ],
)
def test_z04_what_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


# Moved for good


@pytest.mark.parametrize(("code", "told"), [(301, 1), (308, 1), (302, 0), (307, 0)])
def test_h13_a_move_for_good_is_told_once(
    code: int, told: int, transport_with: Make, server: FakeRepository, other: FakeRepository
) -> None:
    said: list[str] = []
    transport = transport_with(on_notice=said.append)
    moved(server, f"{other.url}?mode=oai&verb=Identify", code)
    for _ in range(2):
        get(transport, server)
    assert len(said) == told
    assert all(f"{server.url} has moved for good to {other.url}?mode=oai: make that" in one for one in said)


def test_a_move_in_two_steps_proposes_the_last(
    transport_with: Make, server: FakeRepository, other: FakeRepository
) -> None:
    said: list[str] = []
    transport = transport_with(on_notice=said.append)
    moved(other, "/new", 301, times=1)
    moved(server, other.url, 301)
    get(transport, server)
    assert [one.split(" to ")[1].split(": ")[0] for one in said] == [other.url.replace("/cgi/oai2", "/new")]


# Pure


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/new", "http://x.example/new?mode=oai&verb=Identify"),
        ("new?a=b", "http://x.example/cgi/new?a=b&verb=Identify"),
        ("https://y.example", "https://y.example?mode=oai&verb=Identify"),
        ("//y.example/oai?verb=Identify", "http://y.example/oai?verb=Identify"),
        ("http://me:pw@y.example/?verb=", "http://y.example/?verb="),
    ],
)
def test_where_a_redirect_leads(location: str, leads_to: str) -> None:
    assert target("http://x.example/cgi/oai?mode=oai&verb=Identify", location, "verb=Identify") == leads_to


def test_what_config_toml_would_say() -> None:
    assert (
        base("https://x.example/oai?verb=Identify&mode=oai", "verb=Identify")
        == "https://x.example/oai?mode=oai"
    )
