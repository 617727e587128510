"""What a run may call itself, and when a list has gone on for too long."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester import verdict
from harvester.errors import EndlessList, ResponseError
from harvester.oai.items import Header, Item
from harvester.oai.response import Page
from harvester.store.harvests import Checkpoint, Request
from harvester.store.sources import SourceState
from harvester.verdict import Judgement

DC = Request(metadata_prefix="oai_dc", full=True)


def state(**known: Any) -> SourceState:
    nothing = {"id": 1, "name": "test", "watermark": None, "last_full": None, "doubted": False}
    return SourceState(**{**nothing, "live": 0, "tombstones": 0, "quarantined": 0, **known})


# The end of a list


@pytest.mark.parametrize("expected", [1, 100, 1234])
def test_a_list_has_an_end(expected: int) -> None:
    most = 3 * -(-expected // 100) + 30
    verdict.check_length(most - 1, 100, expected)
    with pytest.raises(EndlessList, match="does not end"):
        verdict.check_length(most, 100, expected)


def test_a_list_of_unknown_length_has_one_too() -> None:
    verdict.check_length(999_999, 100, 0)
    with pytest.raises(ResponseError):
        verdict.check_length(1_000_000, 0, 0)


def ended(**facts: Any) -> Checkpoint:
    """A list of 95 in 10 pages."""
    usual = {"token": "", "pages": 10, "listed": 95, "list_size": 95, "page_size": 10, "last_page": 5}
    return Checkpoint(**{**usual, "ended_by": "empty token", **facts})


def one_page(size: int) -> Checkpoint:
    usual = {"list_size": None, "ended_by": "no token", "window_pages": 1}
    return ended(**usual, page_size=size, last_page=size, listed=size)


INCREMENT = Request("oai_dc", from_="2026-01-01")


@pytest.mark.parametrize(
    ("checkpoint", "known", "request_", "doubt"),
    [
        (ended(), {}, DC, ""),
        (ended(list_size=105), {}, DC, ""),
        (ended(list_size=106), {}, DC, "stopped after 95 of 106"),
        (ended(listed=9900, list_size=10_000), {}, DC, ""),
        (ended(listed=9899, list_size=10_000), {}, DC, "stopped after 9,899 of 10,000"),
        (ended(list_size=7), {}, DC, ""),
        (ended(list_size=None, ended_by="no token"), {}, DC, ""),
        (ended(list_size=None, ended_by="no token", last_page=10), {}, DC, "full page of 10"),
        (ended(list_size=95, ended_by="no token", last_page=10), {}, DC, ""),
        (ended(list_size=None, last_page=10), {}, DC, ""),
        (one_page(100), {}, DC, "full page of 100"),
        (one_page(37), {}, DC, ""),
        (ended(ended_by="no records match", last_page=0, list_size=None), {}, DC, "broke off after 95"),
        (ended(ended_by="no records match", last_page=0), {}, DC, ""),
        (ended(listed=45, finished=50), {}, DC, ""),
        (ended(listed=45, finished=40), {}, DC, ""),
        (ended(listed=45, finished=39), {}, DC, "stopped after 84 of 95"),
        (ended(doubt="it comes from a cache"), {}, DC, "cache"),
        (ended(), {"last_full": 118}, DC, ""),
        (ended(), {"last_full": 119}, DC, "last time it had 119"),
        (ended(), {"last_full": 119}, INCREMENT, ""),
        (ended(listed=0, pages=0, list_size=None, ended_by="no records match"), {}, DC, "has no records"),
        (ended(listed=0, pages=0, list_size=None, ended_by="no records match"), {}, INCREMENT, ""),
    ],
)  # fmt: skip
def test_doubts(checkpoint: Checkpoint, known: dict[str, Any], request_: Request, doubt: str) -> None:
    judged = verdict.judge_end(request_, checkpoint, state(**known))
    assert judged.verdict == ("unproven" if doubt else "complete")
    assert doubt in judged.reason


@pytest.mark.parametrize(
    ("pages", "deferred", "name"),
    [(0, False, "failed"), (1, False, "partial"), (0, True, "deferred"), (5, True, "deferred")],
)
def test_breaks(pages: int, deferred: bool, name: str) -> None:
    assert verdict.judge_break(Checkpoint(pages=pages), "why", deferred=deferred) == Judgement(name, "why")


# Verification


@pytest.mark.parametrize(
    ("name", "doubted", "sweeps", "must"),
    [
        ("complete", False, False, False),
        ("complete", True, False, False),
        ("unproven", False, False, False),
        ("unproven", True, False, True),
        ("complete", False, True, True),
    ],
)
def test_when_to_verify(name: str, doubted: bool, sweeps: bool, must: bool) -> None:
    request = Request("oai_dc", full=True, sweeps=sweeps)
    assert verdict.must_verify(Judgement(name), request, state(doubted=doubted)) is must


@pytest.mark.parametrize(
    ("headers", "token", "cheap"),
    [(100, "next", True), (99, "next", False), (10, "next", False), (1000, "", True)],
)
def test_what_is_cheap(headers: int, token: str, cheap: bool) -> None:
    """Against 1,000 records in 100 pages."""
    page = Page(tuple([Item(Header("a", ""))] * headers), token=token)
    assert verdict.is_cheap(page, Checkpoint(listed=1000, pages=100)) is cheap


@pytest.mark.parametrize(
    ("identifiers", "agrees"), [(1000, True), (1100, True), (990, True), (989, False), (0, False)]
)
def test_a_shorter_pass_does_not_agree(identifiers: int, agrees: bool) -> None:
    try:
        verdict.check_agreement(identifiers, Checkpoint(listed=1000))
    except ResponseError:
        assert not agrees
    else:
        assert agrees


def _a_list_that_turns_round(before: int, circle: int) -> list[str]:
    """The prints of its pages: so many before the circle, and then the circle for ever."""
    turns = range(3 * (before + circle) + 2)
    return [f"page {number}" for number in range(before)] + [f"turn {turn % circle}" for turn in turns]


@given(before=st.integers(0, 200), circle=st.integers(1, 200))
def test_a_circle_is_found_in_flat_memory(before: int, circle: int) -> None:
    """Within three times the pages that there are (FAULTS K01, K02)."""
    mark = ""
    for number, print_ in enumerate(_a_list_that_turns_round(before, circle), 1):
        if print_ == mark:
            return
        mark = verdict.landmark(mark, print_, number)
    raise AssertionError("never found")
