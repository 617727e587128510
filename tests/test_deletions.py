"""What a verified full pass may delete."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.deletions import Sweep, guard

COUNT = st.integers(0, 10_000)


@pytest.mark.parametrize(
    ("live", "vanished", "last_full", "deletes"),
    [
        (1000, 0, 1000, True),
        (1000, 50, 1000, True),
        (1000, 100, 1000, True),
        (1000, 101, 1000, False),
        (300, 50, 300, True),
        (300, 51, 300, False),
        (100, 20, 100, True),
        (100, 21, 100, False),  # under 80 % of last time
        (100, 21, None, False),
        (40, 40, None, False),
        (1, 1, 1, False),
        (100, 10, 200, False),
        (0, 0, None, True),
    ],
)
def test_the_guard(live: int, vanished: int, last_full: int | None, deletes: bool) -> None:
    sweep = guard(live=live, vanished=vanished, last_full=last_full, allowed=False)
    assert (sweep.delete, sweep.hold) == ((vanished, 0) if deletes else (0, vanished))
    assert bool(sweep.reason) is not deletes


def test_the_guard_says_what_to_do() -> None:
    reason = guard(live=1234, vanished=1200, last_full=1234, allowed=False).reason
    assert "1,200 of 1,234" in reason
    assert "--allow-deletions" in reason


@given(live=COUNT, vanished=COUNT, last_full=st.none() | COUNT)
def test_a_person_may_allow_all(live: int, vanished: int, last_full: int | None) -> None:
    assert guard(live=live, vanished=vanished, last_full=last_full, allowed=True) == Sweep(delete=vanished)


@given(live=COUNT, share=st.floats(0, 1), last_full=st.none() | COUNT)
def test_no_more_than_the_limit_goes_unasked(live: int, share: float, last_full: int | None) -> None:
    vanished = int(live * share)
    sweep = guard(live=live, vanished=vanished, last_full=last_full, allowed=False)
    assert sweep.delete + sweep.hold == vanished
    assert sweep.delete <= max(50, live / 10)
    assert not (sweep.delete and sweep.delete == live)
