"""The body of an answer: nothing is cut in silence, nothing unpacks without a bound."""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harvester.errors import BrokenBody, BrokenCoding, TooLarge
from harvester.transport import Transport, body
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.echo import MEGABYTE, Echo, Make, get
from tests.fakes.faults import BY_ROW
from tests.fakes.repository import Answer, FakeRepository, Fault, serving


def test_gzip_is_asked_for_and_undone(transport: Transport, server: FakeRepository) -> None:
    answer = get(transport, server)
    assert server.log[0].headers["Accept-Encoding"] == "gzip"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.body == Echo.plain


@pytest.mark.parametrize("row", ["T03", "T05", "T06"])
def test_t03_t05_t06_a_broken_answer_is_asked_for_again(
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
        pytest.param(faults.sent(coding="gzip", share=0.9, framing="close"), id="gzip cut, ended by closing"),
        pytest.param(
            faults.sent(coding="gzip", share=0.9, announced=False, honest=True), id="unlabelled gzip cut"
        ),
        pytest.param(faults.sent(share=0.6, coding=""), id="shorter than its Content-Length"),
        pytest.param(faults.sent(share=0.6, coding="", framing="chunked"), id="chunked, no last chunk"),
        pytest.param(
            faults.sent(body=gzip.compress(Echo.plain)[:-30] + b"garbage" * 5, coding="", honest=True),
            id="gzip with rubbish in it",
        ),
    ],
)
def test_t05_t06_half_an_answer_is_never_taken_for_a_whole(
    fault: Fault, transport_with: Make, server: FakeRepository
) -> None:
    rule = server.misbehave(fault)
    with pytest.raises(BrokenBody):
        get(transport_with(tries=3), server)
    assert rule.fired == 3


def _coded(name: str, code: Callable[[bytes], bytes]) -> Fault:
    headers = {"Content-Encoding": name}
    return lambda _asked, answer: replace(answer, body=code(answer.body), coding="", headers=headers)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(BY_ROW["T07"], id="gzip that nobody announced"),
        pytest.param(BY_ROW["T08"], id="plain, announced as gzip"),
        pytest.param(faults.sent(framing="chunked"), id="chunked"),
        pytest.param(faults.sent(framing="close", coding=""), id="ended by closing"),
        pytest.param(_coded("deflate", zlib.compress), id="deflate"),
        pytest.param(_coded("deflate", lambda plain: zlib.compress(plain)[2:-4]), id="deflate, raw"),
        pytest.param(_coded("deflate", bytes), id="plain, announced as deflate"),
        pytest.param(_coded("br", bytes), id="plain, announced as br"),
        pytest.param(BY_ROW["T09"], id="gzip twice"),
        pytest.param(_coded("gzip, gzip", lambda plain: gzip.compress(gzip.compress(plain))), id="both told"),
        pytest.param(
            _coded("gzip", lambda plain: gzip.compress(plain[:9000]) + gzip.compress(plain[9000:])),
            id="gzip of two members",
        ),
        pytest.param(_coded("gzip", lambda plain: gzip.compress(plain) + bytes(40)), id="gzip, padded"),
    ],
)
def test_t07_t08_t09_odd_but_whole_answers_are_read(
    fault: Fault, transport: Transport, server: FakeRepository
) -> None:
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


def test_z07_a_large_answer_meets_its_cap(transport_with: Make, server: FakeRepository) -> None:
    rule = server.misbehave(faults.sent(body=bytes(range(256)) * 8 * 1024, coding=""))
    with pytest.raises(TooLarge, match="more than 1 MB"):
        get(transport_with(body=MEGABYTE), server)
    assert rule.fired == 1


def test_z07_the_cap_is_on_what_it_unpacks_to(transport_with: Make, server: FakeRepository) -> None:
    server.misbehave(faults.sent(body=bytes(2 * MEGABYTE)))
    with pytest.raises(TooLarge, match="more than 1 MB"):
        get(transport_with(body=MEGABYTE), server)


def test_z07_a_bomb_is_known_by_its_ratio(transport_with: Make, server: FakeRepository) -> None:
    rule = server.misbehave(faults.sent(body=bytes(4 * MEGABYTE)))
    with pytest.raises(TooLarge, match="200 times its size"):
        get(transport_with(ratio_from=MEGABYTE), server)
    assert rule.fired == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(BY_ROW["T05"], id="its end is missing"),
        pytest.param(_coded("gzip", lambda plain: gzip.compress(plain)[:50] + plain), id="rubbish inside"),
        pytest.param(_coded("br", lambda plain: b"\x1b" + plain[::-1]), id="not asked for"),
        pytest.param(_coded("", lambda plain: b"\x28\xb5\x2f\xfd" + plain), id="zstd, untold"),
    ],
)
def test_t05_t08_a_host_whose_compression_fails_is_asked_without(
    fault: Fault, transport: Transport, server: FakeRepository
) -> None:
    rule = server.misbehave(fault, when=lambda asked: asked.headers["Accept-Encoding"] == "gzip")
    for _ in range(2):
        assert get(transport, server).body == Echo.plain
    assert rule.fired == 1
    assert [asked.headers["Accept-Encoding"] for asked in server.log] == ["gzip", "identity", "identity"]


def test_so_is_the_host_that_a_redirect_leads_to(transport: Transport, server: FakeRepository) -> None:
    with serving(Echo(), host="127.0.0.2") as other:
        server.misbehave(faults.status(302, Location=other.url))
        other.misbehave(BY_ROW["T05"], when=lambda asked: asked.headers["Accept-Encoding"] == "gzip")
        assert get(transport, server).body == Echo.plain
        assert [asked.headers["Accept-Encoding"] for asked in other.log] == ["gzip", "identity"]


def test_t09_three_layers_are_refused(transport_with: Make, server: FakeRepository) -> None:
    server.misbehave(_coded("gzip", lambda plain: gzip.compress(gzip.compress(gzip.compress(plain)))))
    with pytest.raises(BrokenCoding, match="more than 2 times"):
        get(transport_with(tries=2), server)


def test_z07_a_bomb_within_one_chunk_meets_the_cap_early(
    transport_with: Make, server: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 KB of a bomb in a bomb would be 64 GB."""
    sizes: list[int] = []
    real = body._inflate

    def counted(*arguments: Any) -> bytes:
        part = real(*arguments)
        sizes.append(len(part))
        return part

    monkeypatch.setattr(body, "_inflate", counted)
    bomb = gzip.compress(gzip.compress(bytes(200 * MEGABYTE)))
    assert len(bomb) < body.CHUNK
    server.misbehave(faults.sent(body=bomb, coding="", headers={}))
    with pytest.raises(TooLarge):
        get(transport_with(ratio_from=2 * MEGABYTE), server)
    assert max(sizes) <= MEGABYTE
    assert sum(sizes) < 5 * MEGABYTE


@pytest.mark.parametrize("size", [MEGABYTE - 1, MEGABYTE, MEGABYTE + 1, 3 * MEGABYTE])
def test_a_part_that_is_just_full_is_not_the_end(
    size: int, transport: Transport, server: FakeRepository
) -> None:
    server.misbehave(faults.sent(body=b"<" + bytes(size - 1)))
    assert len(get(transport, server).body) == size
