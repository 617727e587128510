"""How each source stands: its settings, what is stored of it, its last harvest, the one that runs now."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from harvester.datestamp import format_datestamp, parse_datestamp
from harvester.plan import of_this_list
from harvester.report import Report, report
from harvester.timetable import is_current, next_run
from index.program import Program

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from harvester.config import Source
    from harvester.store.harvests import Checkpoint, Harvest
    from harvester.store.sources import SourceState

_LEAST, _FEW = 5.0, 2  # seconds and pages, for a rate
_PUT_OFF = 2  # times in a row that a repository may ask us to come later before that is a failing


class UnderWay(msgspec.Struct, frozen=True):
    """What `holder` does with a source now. `stage` is begin, list or verify of a harvest, or "other".

    `expected` is what the repository states, or else what a whole list had last time, or None. `rate` is
    in records a second. `waits` is what it waits for, for `wait_seconds` from now on where that is known.
    """

    stage: str
    holder: str
    records: int = 0
    expected: int | None = None
    stated: bool = False
    rate: float | None = None
    seconds_left: float | None = None
    waits: str = ""
    wait_seconds: float | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A source in `status --json`. `rate` is the last harvest's, `failures` are runs that brought nothing.

    `in_vain` is the one that tells why, where that is not the last: somebody ended that one.

    `state` is running, unconfigured (config.toml has it no more), disabled, failing, waiting (for a harvest
    that would bring more, or for a person), or ok.
    """

    name: str
    url: str
    records: int
    deleted: int
    quarantined: int
    details_waiting: int | None
    last: Report | None
    in_vain: Report | None
    next_due: str | None
    state: str
    progress: UnderWay | None
    failures: int
    failing_since: str | None
    schedule: str
    age_seconds: float | None
    rate: float | None


class Facts(NamedTuple):
    """`holder` is who works on it, in words, or ""."""

    source: "Source | None"
    state: "SourceState | None"
    last: "Harvest | None"
    holder: str
    details_waiting: int | None
    next_due: datetime | None
    in_vain: "Harvest | None" = None


def standings(program: Program) -> list[Standing]:
    """In the order of config.toml; then those that it has no more."""
    now = program.clock.now()
    with program.store.read() as connection:
        facts = _facts(program, connection, now)
    return [standing(name, one, now) for name, one in facts.items()]


def _facts(program: Program, connection: "Connection", now: datetime) -> dict[str, Facts]:
    """With as many queries for a thousand sources as for one."""
    from harvester.store import details, harvests, leases, sources

    configured = program.settings.sources
    states = {state.name: state for state in sources.every(connection)}
    lasts, held = harvests.last_of_all(connection), leases.held(connection, now)
    detailed = [name for name, one in configured.items() if one.details and name in states]
    counts = details.waiting_counts(connection, [states[name].id for name in detailed]) if detailed else {}
    waiting = {name: counts.get(states[name].id, 0) for name in detailed}
    due, regular = _reckoning(program, connection, now), harvests.last_regular(connection)
    return {
        name: Facts(
            configured.get(name),
            states.get(name),
            lasts.get(name),
            held.get(name, ""),
            waiting.get(name),
            None if name in held else due(configured.get(name), regular.get(name), states.get(name)),
            _in_vain(connection, lasts.get(name), states.get(name)),
        )
        for name in {**configured, **states}
    }


def _in_vain(
    connection: "Connection", last: "Harvest | None", state: "SourceState | None"
) -> "Harvest | None":
    from harvester.store import harvests

    if last is None or last.error or state is None or not state.failures:
        return None
    return harvests.last_in_vain(connection, state.name)


_Due = Callable[["Source | None", "Harvest | None", "SourceState | None"], datetime | None]


def _reckoning(program: Program, connection: "Connection", now: datetime) -> _Due:
    """What `windrow serve` has reckoned, where that still holds; else what it would."""
    from harvester.schedule import zone_named
    from harvester.store import schedules

    settings = program.settings
    stored = schedules.every(connection)
    has_schedules = any(source.schedule for source in settings.sources.values())
    zone = zone_named(settings.harvest.timezone) if has_schedules else now.tzinfo
    assert zone is not None

    def due(source: "Source | None", last: "Harvest | None", state: "SourceState | None") -> datetime | None:
        if source is None or not source.enabled:
            return None
        known, last = stored.get(source.name), of_this_list(last, source)
        if known is not None and is_current(known, source, last):
            return parse_datestamp(known.due)
        return next_run(source, last, state, zone, settings.serve.jitter, now)

    return due


def standing(name: str, facts: Facts, now: datetime) -> Standing:
    """Pure."""
    source, state, last = facts.source, facts.state, facts.last
    told = report(last) if last else None
    ended = parse_datestamp(told.finished) if told and told.finished else None
    return Standing(
        name=name,
        url=source.url if source else "",
        records=state.live if state else 0,
        deleted=state.tombstones if state else 0,
        quarantined=state.quarantined if state else 0,
        details_waiting=facts.details_waiting,
        last=told,
        in_vain=report(facts.in_vain) if facts.in_vain else None,
        next_due=format_datestamp(facts.next_due) if facts.next_due else None,
        state=_state(facts, told),
        progress=_under_way(facts, now) if facts.holder else None,
        failures=state.failures if state else 0,
        failing_since=(state.failing_since or None) if state else None,
        schedule=source.schedule if source else "",
        age_seconds=(now - ended).total_seconds() if ended else None,
        rate=rate_of(told) if told else None,
    )


def _state(facts: Facts, told: Report | None) -> str:
    if facts.holder:
        return "running"
    if facts.source is None:
        return "unconfigured"
    if not facts.source.enabled:
        return "disabled"
    is_put_off = told is not None and told.verdict == "deferred"
    if facts.state and facts.state.failures > (_PUT_OFF if is_put_off else 0):
        return "failing"
    return "waiting" if told is None or told.exit_code else "ok"


def _under_way(facts: Facts, now: datetime) -> UnderWay:
    last, last_full = facts.last, facts.state.last_full if facts.state else None
    if last is None or last.verdict is not None:
        return UnderWay("other", facts.holder)
    return under_way(last, facts.holder, last_full, now)


def under_way(harvest: "Harvest", holder: str, last_full: int | None, now: datetime) -> UnderWay:
    """Of a harvest that `holder` is at. `last_full` is how many records its whole list had last time."""
    checkpoint = harvest.checkpoint
    stated = checkpoint.list_size
    expected = stated if stated is not None else last_full if harvest.request.full else None
    rate = _rate(checkpoint.counts.received, checkpoint.seconds, checkpoint.pages)
    left = expected - checkpoint.total if expected is not None else None
    until = parse_datestamp(checkpoint.waits_until)
    wait = (until - now).total_seconds() if until else None
    return UnderWay(
        _stage(checkpoint),
        holder,
        records=checkpoint.total,
        expected=expected,
        stated=stated is not None,
        rate=rate,
        seconds_left=max(0, left) / rate if left is not None and rate else None,
        waits=checkpoint.waits if wait is None or wait > 0 else "",
        wait_seconds=wait if wait is None or wait > 0 else None,
    )


def _stage(checkpoint: "Checkpoint") -> str:
    if not checkpoint.pages:
        return "begin"
    return "verify" if checkpoint.token == "" and not checkpoint.todo else "list"


def rate_of(told: Report) -> float | None:
    """Records a second."""
    return _rate(told.received, told.seconds, told.pages)


def _rate(records: int, seconds: float, pages: int) -> float | None:
    """Two digits of it, as more would be chance; None where all of it would be."""
    if not records or seconds < _LEAST or pages < _FEW:
        return None
    return float(f"{records / seconds:.2g}")
