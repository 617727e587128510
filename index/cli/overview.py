"""Where all sources stand, in words: a line each, and what is to be said of some. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from harvester.datestamp import format_datestamp, parse_datestamp
from harvester.report import Report
from index.cli.standing import Standing, UnderWay
from index.cli.table import Cell, Column, laid_out
from index.cli.talk import colour_of, counted, moment, next_step, number, roughly, seconds
from index.cli.wrapping import wrapped

_COLUMNS = (
    Column("source"),
    Column("records", is_number=True),
    Column("deleted", is_number=True, spare=2),
    Column("quarantined", is_number=True, spare=1),
    Column("verdict"),
    Column("last run"),
    Column("took", spare=4),
    Column("rate", is_number=True, spare=3),
    Column("next due"),
)
_MINUTE, _LATE = 60, 3600  # seconds
_INDENT = 4


def overview(
    standings: Sequence[Standing], now: datetime, width: int, timezone: str = ""
) -> Iterator[list[str]]:
    """The heading, then each source with its remarks."""
    laid = laid_out(_COLUMNS, [_row(one, now) for one in standings], width)
    yield laid.heading
    for one, lines in zip(standings, laid.rows, strict=True):
        remarks = (
            line for remark in _remarks(one, now, timezone) for line in wrapped(remark, width - _INDENT)
        )
        yield [*lines, *(" " * _INDENT + line for line in remarks)]


def _row(one: Standing, now: datetime) -> tuple[Cell, ...]:
    last = one.last
    return (
        Cell(one.name),
        Cell(number(one.records)),
        Cell(number(one.deleted)),
        Cell(number(one.quarantined)),
        _verdict(one),
        Cell(_ago(one.age_seconds)),
        Cell(seconds(last.seconds) if last and last.finished else ""),
        Cell(per_second(one.rate)),
        _next_due(one, now),
    )


def per_second(rate: float | None) -> str:
    """Of a rate that has two digits: 850/s, 1.2/s."""
    return f"{rate:,g}/s" if rate else ""


def _ago(age: float | None) -> str:
    if age is None:
        return ""
    return "just now" if age < _MINUTE else f"{roughly(age)} ago"


def _verdict(one: Standing) -> Cell:
    if one.state in ("running", "failing"):
        return Cell(one.state, {"running": "cyan", "failing": "red"}[one.state])
    return verdict(one.last) if one.last else Cell("never")


def verdict(last: Report) -> Cell:
    """Of a harvest that does not run."""
    word = last.verdict if last.finished else "cut off"
    return Cell(word, colour_of(word))


def _next_due(one: Standing, now: datetime) -> Cell:
    if one.state in ("disabled", "unconfigured"):
        return Cell(one.state, "yellow")
    due = parse_datestamp(one.next_due or "")
    if due is None:
        return Cell("")
    late = (now - due).total_seconds()
    if late > _LATE:
        return Cell(f"{roughly(late)} late", "yellow")
    return Cell("now" if late >= 0 else f"in {roughly(-late)}")


def _remarks(one: Standing, now: datetime, timezone: str) -> Iterator[str]:
    if one.progress is not None:
        yield progress(one.progress)
        return
    if one.last is not None:
        is_failing = one.state == "failing"
        last = one.in_vain or one.last
        yield from _failing(one, last, now, timezone) if is_failing else _left(one, one.last)
    if one.state == "unconfigured":
        yield f"config.toml has it no more; what came stays until `windrow source remove {one.name}`"
    if one.details_waiting:
        waiting = counted(one.details_waiting, "record")
        yield f"{waiting} without details yet: windrow harvest {one.name}"


def _left(one: Standing, last: Report) -> Iterator[str]:
    """What the last harvest has left to do, and who does it where no schedule will."""
    reason = last.reason if last.finished else "it was cut off; what came is kept"
    if reason:
        yield reason
    if last.verdict == "partial" and last.advice:
        yield f"→ {last.advice}"
    if last.held or not one.next_due:
        yield from (f"→ {step}" for step in [next_step(last)] if step)


def _failing(one: Standing, last: Report, now: datetime, timezone: str) -> Iterator[str]:
    since = moment(one.failing_since or last.finished or format_datestamp(now), timezone)
    runs = counted(one.failures, "run")
    has_come = one.records or one.deleted or one.quarantined
    told = f"since {since}, in {runs}" if has_come else f"yet, in {runs} since {since}"
    yield f"nothing has come {told}: {last.reason}"
    due = parse_datestamp(one.next_due or "")
    again = (
        f"windrow harvest {one.name} tries again"
        if due is None
        else f"it is tried again in {roughly((due - now).total_seconds())}"
        if due > now
        else f"`windrow serve` or windrow harvest {one.name} tries it again"
    )
    yield "→ " + "; ".join(filter(None, (last.advice, f"windrow check {one.url} says what answers", again)))


def progress(one: UnderWay) -> str:
    """12,000 of 98,000 records (12 %), 850 a second, 1 min 41 s left: process 4711 on kent."""
    return ", ".join(filter(None, (_done(one), _wait(one)))) + f": {one.holder}"


def _wait(one: UnderWay) -> str:
    """waits 40 s, as the repository asked."""
    if not one.waits:
        return ""
    return f"waits {seconds(one.wait_seconds)}, {one.waits}" if one.wait_seconds else f"waits {one.waits}"


def _done(one: UnderWay) -> str:
    if one.stage == "other":
        return "waiting for its first answer, or at other work on it"
    if one.stage == "begin":
        return "no page yet" if one.waits else "waiting for the first page"
    if one.stage == "verify":
        return f"{counted(one.records, 'record')} came, and are held against the repository's identifiers"
    came = counted(one.records, "record") + " so far"
    if one.expected:
        share = min(99, 100 * one.records // one.expected)
        about = "" if one.stated else "about "
        came = f"{number(one.records)} of {about}{counted(one.expected, 'record')} ({share} %)"
    if one.waits:
        return came
    pace = f"{one.rate:,g} a second" if one.rate else ""
    left = f"{seconds(one.seconds_left)} left" if one.seconds_left else ""
    return ", ".join(filter(None, (came, pace, left)))


_STATES = ("running", "failing", "waiting", "disabled", "unconfigured")


def urgency(one: Standing) -> int:
    """What needs looking at comes first."""
    return (*_STATES[:3], "ok", *_STATES[3:]).index(one.state)


def totals(standings: Sequence[Standing]) -> str:
    """12 sources, 1 running, 2 failing: 123,456 records."""
    states = Counter(one.state for one in standings)
    parts = [
        counted(len(standings), "source"),
        *(f"{number(states[one])} {one}" for one in _STATES if states[one]),
    ]
    return f"{', '.join(parts)}: {counted(sum(one.records for one in standings), 'record')}"
