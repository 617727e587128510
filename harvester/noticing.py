"""What of a run somebody should be told, so that nobody has to look each day. Pure.

Each thing is told once; but a source that has failed for two weeks is named again whenever it is tried.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from harvester.datestamp import format_datestamp, in_words, parse_datestamp
from harvester.report import report
from harvester.store.harvests import Harvest
from harvester.store.notices import Kind, Notice
from harvester.store.sources import SourceState
from harvester.timetable import WEEKLY_AFTER

_IN_VAIN = 2  # runs in a row; a single one is many a repository's Sunday
_PATIENCE = timedelta(hours=1)
_LATER = timedelta(days=1)
_MANY = 10  # records new in quarantine
_OF_THOSE_THAT_CAME = 100  # one in so many

_Found = Iterator[tuple[Kind, str, str]]


def notices(
    before: SourceState | None, after: SourceState, run: Harvest, now: datetime, *, failing_is_told: bool
) -> list[Notice]:
    """Of `run`, which has ended and led from `before` to `after`."""
    if run.checkpoint.stopped:
        return []
    found = (
        *_failing(before, after, run, now, failing_is_told),
        *_held(before, after, run),
        *_quarantine(before, after, run),
    )
    at = format_datestamp(now)
    return [
        Notice(at=at, source=after.name, kind=kind, message=text, advice=advice)
        for kind, text, advice in found
    ]


def _failing(
    before: SourceState | None, after: SourceState, run: Harvest, now: datetime, is_told: bool
) -> _Found:
    if not after.failures and not _is_refusal(run, now):
        if is_told:
            yield Kind.RECOVERED, _works_again(before, after), ""
    elif _has_failed_for(WEEKLY_AFTER, after, now) if is_told else _is_news(after, run, now):
        advice = "; ".join(filter(None, (report(run).advice, "Windrow goes on trying by itself")))
        yield Kind.FAILING, _in_vain(after, run), advice


def _is_news(after: SourceState, run: Harvest, now: datetime) -> bool:
    """That we are to come a little later, again and again, is none before an hour has gone by."""
    if _is_refusal(run, now):
        return True
    is_patient = run.verdict == "deferred" and not _has_failed_for(_PATIENCE, after, now)
    return after.failures >= _IN_VAIN and not is_patient


def _is_refusal(run: Harvest, now: datetime) -> bool:
    """Not "come later", but "stay away" (FAULTS H06), or for days: once is enough to hear that."""
    until = parse_datestamp(run.checkpoint.not_before)
    return until is not None and (run.verdict != "deferred" or until - now > _LATER)


def _has_failed_for(span: timedelta, state: SourceState, now: datetime) -> bool:
    since = parse_datestamp(state.failing_since)
    return since is not None and now - since >= span


def _in_vain(state: SourceState, run: Harvest) -> str:
    if not state.failures:
        return f"{state.name} refuses us in the middle of its list: {run.reason}"
    runs = (
        f"in {state.failures} runs since {in_words(state.failing_since)}"
        if state.failures > 1
        else "this time"
    )
    return f"{state.name} brought nothing {runs}: {run.reason}"


def _works_again(before: SourceState | None, after: SourceState) -> str:
    failed = f", after {before.failures} runs in vain" if before and before.failures > 1 else ""
    since = f" since {in_words(before.failing_since)}" if before and failed else ""
    return f"{after.name} works again{failed}{since}"


def _held(before: SourceState | None, after: SourceState, run: Harvest) -> _Found:
    deletions, was = run.checkpoint.held_tombstones, before.held if before else 0
    unlisted = run.checkpoint.counts.held - deletions
    right = f"windrow harvest {after.name} --full --allow-deletions"
    advice = f"ask the repository; if they are right: {right}"
    if deletions > was:
        yield Kind.HELD, f"{deletions:,} deletions of {after.name} are held back, too many at once", advice
    if unlisted:
        yield Kind.HELD, f"{unlisted:,} records of {after.name} are no longer listed, and are kept", advice


def _quarantine(before: SourceState | None, after: SourceState, run: Harvest) -> _Found:
    was, came = before.quarantined if before else 0, run.checkpoint.counts.received
    new = after.quarantined - was
    has_doubled = (after.quarantined // _MANY).bit_length() > (was // _MANY).bit_length()
    if (has_doubled or new >= _MANY) and new * _OF_THOSE_THAT_CAME >= came:
        text = f"{new:,} more records of {after.name} are in quarantine, {after.quarantined:,} in all"
        yield Kind.QUARANTINE, text, f"windrow quarantine {after.name} says what and why"
