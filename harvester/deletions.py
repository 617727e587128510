"""What tombstones, and a verified full pass, may delete. Pure."""

import msgspec

_FEW = 50
_SHARE = 0.1
_FLOOR = 0.8


class Sweep(msgspec.Struct, frozen=True):
    """`delete` and `hold` count records; one of them is 0."""

    delete: int = 0
    hold: int = 0
    reason: str = ""


def may_delete(*, live_before: int, deleted: int, held: bool) -> int:
    """How many more live records the tombstones of a run may end; none while earlier ones are held."""
    return 0 if held else max(0, int(max(_FEW, live_before * _SHARE)) - deleted)


def guard(*, live: int, vanished: int, last_full: int | None, allowed: bool, deleted: int = 0) -> Sweep:
    """More than max(50, 10 %) gone, or under 80 % of the last full list left, is held back for a person.

    `deleted` is how many the run has deleted already.
    """
    if allowed or not vanished:
        return Sweep(delete=vanished)
    left = live - vanished
    most = max(_FEW, (live + deleted) * _SHARE)
    if vanished + deleted > most or left < (last_full or live) * _FLOOR:
        return Sweep(
            hold=vanished,
            reason=f"{vanished:,} of {live:,} records are no longer listed; none of them is deleted "
            "without --allow-deletions",
        )
    return Sweep(delete=vanished)
