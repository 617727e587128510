"""Somebody else answers for the repository: a guard, a login, a proxy, a law. It is named, and asked once."""

from dataclasses import replace

import pytest

from harvester.errors import Blocked, HttpStatus, Unreachable
from harvester.oai.client import Client
from harvester.transport import Transport
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.echo import get, transports
from tests.fakes.repository import Answer, FakeRepository, Fault

CLOUDFLARE = b"<!DOCTYPE html><html><head><title>Just a moment...</title>"
ANUBIS = b"<!doctype html><html><head><title>Making sure you&#39;re not a bot!</title>"
INCAPSULA = b'<html><script src="/_Incapsula_Resource?SWJIYLWA=719d34d31c8e3a6e6fffd425f7e032f3">'


def refused(fault: Fault, transport: Transport, server: FakeRepository) -> Blocked:
    rule = server.misbehave(fault)
    with pytest.raises(Blocked) as caught:
        get(transport, server)
    assert rule.fired == transport.requests == 1  # to insist makes it worse
    assert caught.value.advice
    return caught.value


@pytest.mark.parametrize(
    ("fault", "guard"),
    [
        pytest.param(faults.status(403, CLOUDFLARE, cf_mitigated="challenge"), "Cloudflare", id="by header"),
        pytest.param(faults.status(503, CLOUDFLARE), "Cloudflare", id="busy, it says"),
        pytest.param(faults.status(429, CLOUDFLARE), "Cloudflare", id="too many, it says"),
        pytest.param(
            faults.status(403, b"<title>Attention Required! | Cloudflare"), "Cloudflare", id="by rule"
        ),
        pytest.param(faults.status(202, x_amzn_waf_action="challenge"), "AWS WAF", id="202, nothing in it"),
        pytest.param(faults.status(405, x_amzn_waf_action="captcha"), "AWS WAF", id="captcha"),
        pytest.param(faults.body(ANUBIS), "Anubis", id="200"),
        pytest.param(faults.body(INCAPSULA), "Imperva", id="200, a script"),
    ],
)
def test_h06_a_challenge_is_named(
    fault: Fault, guard: str, transport: Transport, server: FakeRepository
) -> None:
    error = refused(fault, transport, server)
    assert f"is guarded by {guard}, which wants a browser" in error.message
    assert "ask its manager" in error.advice
    assert transport.gap(server.url) == 0


@pytest.mark.parametrize(
    ("code", "says", "advises"),
    [
        (401, "wants a name and a password", "Windrow cannot give"),
        (403, "blocks us", "User-Agent begins with Windrow/"),
        (407, "the proxy wants a name", "HTTPS_PROXY"),
        (451, "for legal reasons", "ask its manager"),
    ],
)
def test_h06_h23_a_refusal_is_named(
    code: int, says: str, advises: str, transport: Transport, server: FakeRepository
) -> None:
    error = refused(faults.status(code, b"<html>no</html>"), transport, server)
    assert (error.status, error.exit_code) == (code, 1)
    assert says in error.message
    assert advises in error.advice


def test_h11_an_oai_pmh_error_is_the_repositorys_own_whatever_its_status(
    transport: Transport, server: FakeRepository
) -> None:
    said = b'<OAI-PMH><error code="badArgument"/></OAI-PMH>'
    server.misbehave(faults.status(403, said))
    assert get(transport, server).status == 403


def test_a_record_about_challenges_is_none(transport: Transport, server: FakeRepository) -> None:
    server.misbehave(lambda _asked, answer: replace(answer, body=answer.body + CLOUDFLARE + ANUBIS))
    assert get(transport, server).status == 200


def test_other_pages_are_for_the_parse(transport: Transport, server: FakeRepository) -> None:
    server.misbehave(faults.body(b"<html><title>Maintenance</title>"))
    assert get(transport, server).status == 200


def test_a_proxy_that_wants_a_password_is_told(
    clock: FakeClock, server: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers the CONNECT with 501: it knows no such thing."""
    monkeypatch.setenv("https_proxy", server.url.replace("//", "//me:hunter2@"))
    for make in transports(clock):
        with pytest.raises(Unreachable, match=r"the proxy on the way to oai\.invalid") as caught:
            make(tries_unreachable=1).get("https://oai.invalid/oai", {})
        assert "HTTPS_PROXY" in caught.value.advice
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("code", "advises"), [(404, "OAI-PMH is often at"), (410, "gone"), (400, "check")])
def test_other_statuses_say_what_to_do(
    code: int, advises: str, transport: Transport, server: FakeRepository
) -> None:
    server.misbehave(lambda _asked, _answer: Answer(b"<html>", code))
    with pytest.raises(HttpStatus) as caught:
        Client(server.url, transport).identify()
    assert advises in caught.value.advice
