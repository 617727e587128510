"""What a verified full pass may delete. Pure."""

import msgspec

_FEW = 50
_SHARE = 0.1
_FLOOR = 0.8


class Sweep(msgspec.Struct, frozen=True):
    """`delete` and `hold` count records; one of them is 0."""

    delete: int = 0
    hold: int = 0
    reason: str = ""


def guard(*, live: int, vanished: int, last_full: int | None, allowed: bool) -> Sweep:
    """More than max(50, 10 %) gone, or under 80 % of the last full list left, is held back for a person."""
    if allowed or not vanished:
        return Sweep(delete=vanished)
    left = live - vanished
    if vanished > max(_FEW, live * _SHARE) or left < (last_full or live) * _FLOOR:
        return Sweep(
            hold=vanished,
            reason=f"{vanished:,} of {live:,} records are no longer listed; none of them is deleted "
            "without --allow-deletions",
        )
    return Sweep(delete=vanished)
