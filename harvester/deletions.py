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


def most_deletions(live: int) -> int:
    """So many of them in one run need nobody's word."""
    return int(max(_FEW, live * _SHARE))


def may_delete(*, live_before: int, deleted: int, held: bool) -> int:
    """How many more live records the tombstones of a run may end; none while earlier ones are held."""
    return 0 if held else max(0, most_deletions(live_before) - deleted)


def guard(
    *, live: int, vanished: int, last_full: int | None, allowed: bool, deleted: int = 0, created: int = 0
) -> Sweep:
    """More than max(50, 10 %) gone, or under 80 % of the last full list left, is held back for a person.

    So is more than half of what was there before the run: all may have new identifiers (FAULTS I02).
    `deleted` and `created` are how many the run has deleted and made already.
    """
    if allowed or not vanished:
        return Sweep(delete=vanished)
    left = live - vanished
    is_most = 2 * vanished > live - created
    if is_most or vanished + deleted > most_deletions(live + deleted) or left < (last_full or live) * _FLOOR:
        return Sweep(
            hold=vanished,
            reason=f"{vanished:,} of {live:,} records are no longer listed; none of them is deleted "
            "without --allow-deletions",
        )
    return Sweep(delete=vanished)
