"""When a source is due: by its schedule, a little later than others of that schedule, rarer while it fails.

Pure: what config.toml says and how the last run ended in, a moment out. So a restart forgets nothing.
"""

from datetime import datetime, timedelta, tzinfo
from hashlib import blake2b

from harvester.config import Source
from harvester.datestamp import format_datestamp, parse_datestamp
from harvester.schedule import next_due, parse_schedule
from harvester.store.harvests import Harvest
from harvester.store.schedules import Due
from harvester.store.sources import SourceState

WEEKLY_AFTER = timedelta(days=14)  # of failing
_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
_PART_OF_PERIOD = 10  # that jitter may make up


def next_run(
    source: Source,
    last: Harvest | None,
    state: SourceState | None,
    zone: tzinfo,
    jitter: timedelta,
    now: datetime,
) -> datetime | None:
    """None without a schedule. What was missed while nobody served has been due since, once."""
    if not source.schedule or not source.enabled:
        return None
    schedule = parse_schedule(source.schedule)
    if last is None:  # a cron line names the hours that suit; `every` does not
        return now if schedule.every else next_due(schedule, now, zone) + _lag(source, jitter, zone, now)
    ended, ahead = parse_datestamp(last.finished or ""), timedelta()
    if ended is not None and is_of_the_future(last, now):
        ended, ahead = now, ended - now
    if ended is None or last.checkpoint.stopped:  # cut off, or ended by ourselves: it goes on
        return _not_before(last, ended or parse_datestamp(last.started) or now, ahead)
    regular = next_due(schedule, ended, zone) + _lag(source, jitter, zone, ended)
    return _not_before(last, _rarer(regular, ended, last, state), ahead)


def _rarer(regular: datetime, ended: datetime, last: Harvest, state: SourceState | None) -> datetime:
    """As long again as it has failed: daily after a day, weekly after two weeks (FAULTS O15)."""
    if last.verdict not in ("partial", "deferred", "failed"):
        return regular
    since = parse_datestamp(state.failing_since if state else "")
    failing = ended - since if since else timedelta()
    if failing >= WEEKLY_AFTER:
        return max(regular, ended + _WEEK)
    return max(_soon(regular, ended, last, state), ended + min(failing, _DAY))


def _soon(regular: datetime, ended: datetime, last: Harvest, state: SourceState | None) -> datetime:
    """A rare schedule does not wait for its next turn, nor who is only asked to come a little later."""
    if last.verdict == "deferred":
        return ended
    return min(regular, ended + (_DAY if state and state.failures else _HOUR))


def _not_before(last: Harvest, due: datetime, ahead: timedelta) -> datetime:
    """The repository's own word comes first: its Retry-After, or a refusal (FAULTS H06).

    It was written by a clock that was so far `ahead` of the one of now.
    """
    allowed = parse_datestamp(last.checkpoint.not_before)
    return max(due, allowed - ahead) if allowed else due


def _lag(source: Source, jitter: timedelta, zone: tzinfo, after: datetime) -> timedelta:
    """This source's own share of the jitter, the same each time, as people rely on it (FAULTS O16)."""
    schedule = parse_schedule(source.schedule)
    first = next_due(schedule, after, zone)
    period = next_due(schedule, first, zone) - first
    share = int.from_bytes(blake2b(source.name.encode(), digest_size=4).digest()) / 2**32
    return timedelta(seconds=int(share * min(jitter, period / _PART_OF_PERIOD).total_seconds()))


def is_of_the_future(last: Harvest | None, now: datetime) -> bool:
    """The clock has been put back since: nobody waits until it is there again (FAULTS O05)."""
    ended = parse_datestamp(last.finished or "") if last else None
    return ended is not None and ended > now


def may_be_of_the_future(due: Due, last: Harvest | None, now: datetime) -> bool:
    """Was it reckoned before the clock was put back? A first run has nothing else that would tell."""
    return due.due > format_datestamp(now) if last is None else is_of_the_future(last, now)


def reckoned_from(last: Harvest | None) -> str:
    """Tells whether a stored `Due` is still of the last run."""
    return f"{last.id} {last.finished or ''}" if last else ""


def is_current(due: Due, source: Source, last: Harvest | None) -> bool:
    return (due.schedule, due.run) == (source.schedule, reckoned_from(last))
