"""How a question is put, by what the server logged: its method, its encoding, its headers."""

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.errors import RedirectRefused, TransportError
from harvester.transport import Transport
from harvester.transport.asking import question
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.echo import IDENTIFY, Echo, Make, get
from tests.fakes.faults import BY_ROW
from tests.fakes.repository import FakeRepository

LONG = {"verb": "ListRecords", "resumptionToken": "x" * 20_000}
HALF_LONG = {"verb": "ListRecords", "resumptionToken": "x" * 3000}
FORM = "application/x-www-form-urlencoded"


def methods(server: FakeRepository) -> list[str]:
    return [asked.method for asked in server.log]


# GET and POST


def test_k10_a_huge_token_is_posted(transport: Transport, server: FakeRepository) -> None:
    assert transport.get(server.url + "?mode=oai", LONG).body == Echo.plain
    asked = server.log[0]
    assert (asked.method, asked.headers["Content-Type"]) == ("POST", FORM)
    assert asked.path == "/cgi/oai2?mode=oai"
    assert asked.arguments == LONG | {"mode": "oai"}


def test_h20_what_is_short_is_got(transport: Transport, server: FakeRepository) -> None:
    transport.get(server.url, HALF_LONG)
    assert methods(server) == ["GET"]
    assert server.log[0].headers["Content-Type"] is None


def test_h20_a_server_that_wants_post_gets_it_from_then_on(
    transport: Transport, server: FakeRepository, clock: FakeClock
) -> None:
    rule = server.misbehave(BY_ROW["H20"])
    for _ in range(2):
        assert get(transport, server).body == Echo.plain
    assert methods(server) == ["GET", "POST", "POST"]
    assert server.log[1].arguments == IDENTIFY
    assert (rule.fired, transport.requests, clock.slept) == (3, 3, [])


def test_h20_a_server_that_refuses_post_is_asked_with_get(
    transport: Transport, server: FakeRepository
) -> None:
    server.misbehave(faults.status(405, Allow="GET, HEAD"), when=lambda asked: asked.method == "POST")
    for _ in range(2):
        assert transport.get(server.url, LONG).status == 200
    assert methods(server) == ["POST", "GET", "GET"]


@pytest.mark.parametrize("allow", ["", "GET", "OPTIONS"])
def test_h20_a_405_that_offers_nothing_else_is_an_answer(
    allow: str, transport: Transport, server: FakeRepository
) -> None:
    server.misbehave(faults.status(405, Allow=allow))
    assert get(transport, server).status == 405
    assert methods(server) == ["GET"]


def test_h20_a_server_that_refuses_both_is_asked_once_by_each(
    transport: Transport, server: FakeRepository
) -> None:
    server.misbehave(faults.status(405, Allow="GET, POST"))
    assert get(transport, server).status == 405
    assert methods(server) == ["GET", "POST"]


def test_h22_an_address_that_is_too_long_is_posted(transport: Transport, server: FakeRepository) -> None:
    rule = server.misbehave(BY_ROW["H22"])
    for _ in range(2):
        assert transport.get(server.url, HALF_LONG).body == Echo.plain
    assert methods(server) == ["GET", "POST", "POST"]
    assert server.log[1].arguments == HALF_LONG
    assert rule.fired == 3


def test_h22_what_is_too_long_for_post_too_is_an_answer(transport: Transport, server: FakeRepository) -> None:
    server.misbehave(faults.status(414))
    assert transport.get(server.url, LONG).status == 414
    assert methods(server) == ["POST"]


def test_what_one_address_wants_is_for_it_alone(transport: Transport, server: FakeRepository) -> None:
    server.misbehave(BY_ROW["H20"], when=lambda asked: "picky" in asked.path)
    for path in ("?picky=1", "", "?picky=1"):
        transport.get(server.url + path, IDENTIFY)
    assert methods(server) == ["GET", "POST", "GET", "POST"]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_h20_a_redirect_keeps_post(
    code: int, transport: Transport, server: FakeRepository, other: FakeRepository
) -> None:
    server.misbehave(faults.status(code, Location=other.url))
    assert transport.get(server.url, LONG).body == Echo.plain
    asked = other.log[0]
    assert (asked.method, asked.path, asked.arguments) == ("POST", "/cgi/oai2", LONG)


def test_z04_no_post_goes_inside_by_a_redirect(
    transport_with: Make, server: FakeRepository, other: FakeRepository
) -> None:
    server.misbehave(faults.status(307, Location=other.url))
    transport = transport_with(is_public=lambda address: address == "127.0.0.1")
    with pytest.raises(RedirectRefused, match="private network"):
        transport.get(server.url, LONG)
    assert (len(server.log), len(other.log)) == (1, 0)


def test_a_post_is_retried_like_any_request(transport: Transport, server: FakeRepository) -> None:
    """FAULTS T03."""
    rule = server.misbehave(BY_ROW["T03"], times=2)
    assert transport.get(server.url, LONG).body == Echo.plain
    assert (rule.fired, methods(server)) == (2, ["POST"] * 3)


# Encoding


def test_h17_reserved_characters_are_encoded(transport: Transport, server: FakeRepository) -> None:
    transport.get(server.url, {"verb": "ListRecords", "resumptionToken": "a+b/=&c%7C é"})
    assert server.log[0].path.endswith("?verb=ListRecords&resumptionToken=a%2Bb%2F%3D%26c%257C%20%C3%A9")


def test_h17_verbatim_leaves_what_a_query_can_hold(transport: Transport, server: FakeRepository) -> None:
    token = "2020-01-01T00:00:00Z/a+b=c%7Cd&e;f#g 100% é"
    transport.get(server.url, {"verb": "ListRecords", "resumptionToken": token}, verbatim="resumptionToken")
    kept = "2020-01-01T00:00:00Z/a+b=c%7Cd%26e%3Bf%23g%20100%25%20%C3%A9"
    assert server.log[0].path.endswith(f"?verb=ListRecords&resumptionToken={kept}")


def test_h17_verbatim_is_kept_in_a_post_and_over_a_redirect(
    transport: Transport, server: FakeRepository, other: FakeRepository
) -> None:
    server.misbehave(faults.status(302, Location=other.url))
    for token in ("a/b", "a/" * 4000):
        transport.get(server.url, {"resumptionToken": token}, verbatim="resumptionToken")
    assert other.log[0].path.endswith("?resumptionToken=a/b")
    assert other.log[1].form == f"resumptionToken={'a/' * 4000}"


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), min_size=1))
def test_h17_what_is_encoded_is_decoded_by_any_server(arguments: dict[str, str]) -> None:
    asked = question("http://x.example/oai", arguments)
    assert parse_qs(asked.query, keep_blank_values=True) == {key: [value] for key, value in arguments.items()}
    assert asked.query.isascii()


@given(st.text(min_size=1))
def test_h17_a_verbatim_value_never_ends_its_argument(token: str) -> None:
    asked = question("http://x.example/oai", {"verb": "v", "resumptionToken": token}, "resumptionToken")
    assert asked.query.isascii()
    assert asked.query.isprintable()
    assert not set("&;# ") & set(asked.query.partition("&resumptionToken=")[2])


@pytest.mark.parametrize("own", ["mode=oaipmh", "mode=oai&lang=", "a=b;c"])
def test_h16_arguments_of_the_address_are_kept(
    own: str, transport: Transport, server: FakeRepository
) -> None:
    transport.get(f"{server.url}?{own}", IDENTIFY)
    assert server.log[0].path == f"/cgi/oai2?{own}&verb=Identify"


@pytest.mark.parametrize("own", ["verb=ListRecords", "mode=oai&verb="])
def test_h16_an_argument_is_not_sent_twice(own: str, transport: Transport, server: FakeRepository) -> None:
    with pytest.raises(TransportError, match=r"oai2\?.* has verb of its own") as caught:
        transport.get(f"{server.url}?{own}", IDENTIFY)
    assert "config.toml" in caught.value.advice
    assert server.log == []


# Headers


def test_h21_no_cache_may_answer_for_the_repository(transport: Transport, server: FakeRepository) -> None:
    for arguments in (IDENTIFY, LONG):
        transport.get(server.url, arguments)
    assert [asked.headers["Cache-Control"] for asked in server.log] == ["no-cache"] * 2


def test_t13_a_slow_server_is_waited_for_and_told_of_once(
    transport_with: Make, server: FakeRepository, clock: FakeClock
) -> None:
    told: list[str] = []
    transport = transport_with(on_notice=told.append)
    rule = server.misbehave(faults.sent(midway=lambda: clock.advance(290)), times=2)
    for _ in range(3):
        assert get(transport, server).body == Echo.plain
    assert (rule.fired, len(server.log), clock.slept) == (2, 3, [])
    assert len(told) == 1
    assert "is slow, more than 60 s for one answer" in told[0]
