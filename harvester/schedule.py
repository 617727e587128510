"""When a source is due: `every 6 hours`, or a cron line as crontab(5) means it."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

import msgspec

from harvester.errors import ConfigError

FORMS = '"every N minutes", "every N hours", "every N days" or a cron line of five fields'

USUAL = "every 6 hours"  # a few requests a day are no burden, and nothing is older than a morning

_EVERY = re.compile(r"every\s+([0-9]{1,6})\s+(minute|hour|day)s?")
_LONGEST = timedelta(days=366)
_ITEM = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]{1,4}))?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class Schedule(msgspec.Struct, frozen=True):
    """`every` is None for a cron line."""

    text: str
    every: timedelta | None = None


class _Field(msgspec.Struct, frozen=True):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)


@lru_cache(maxsize=1000)  # hundreds of sources share a few, and each is asked for again and again
def parse_schedule(text: str) -> Schedule:
    """Says what is wrong with `text` in a ConfigError."""
    lowered = " ".join(text.lower().split())
    if every := _EVERY.fullmatch(lowered):
        return Schedule(text, _interval(int(every[1]), every[2]))
    fields = lowered.split()
    if lowered.startswith("every") or len(fields) != len(_FIELDS):
        raise ConfigError(f"allowed: {FORMS}")
    for field, items in zip(_FIELDS, fields, strict=True):
        for item in items.split(","):
            _check_item(field, item)
    _check_that_it_comes(lowered)
    return Schedule(text)


def parse_interval(text: str) -> timedelta | None:
    """`every 30 days`, or None for `never`; ConfigError for anything else."""
    lowered = " ".join(text.lower().split())
    if lowered == "never":
        return None
    every = _EVERY.fullmatch(lowered)
    if every is None:
        raise ConfigError('allowed: "every N days" (or hours), or "never"')
    return _interval(int(every[1]), every[2])


def parse_jitter(text: str) -> timedelta:
    """As `parse_duration`, and `0 minutes`."""
    return timedelta(0) if text.split() == ["0", "minutes"] else parse_duration(text)


def parse_duration(text: str) -> timedelta:
    """`12 hours`; ConfigError for anything else."""
    every = _EVERY.fullmatch("every " + " ".join(text.lower().split()))
    if every is None:
        raise ConfigError('allowed: "N minutes", "N hours" or "N days"')
    return _interval(int(every[1]), every[2])


def next_due(schedule: Schedule, after: datetime, zone: tzinfo) -> datetime:
    """The first moment later than `after`, in UTC; the fields of a cron line are read in `zone`."""
    if schedule.every is not None:
        return (after + schedule.every).astimezone(UTC)
    from cronsim import CronSim

    moments = CronSim(_for_cronsim(schedule.text), after.astimezone(zone))
    # CronSim knows an hour that comes twice by its first coming only; `after` may lie in the second.
    return next(utc for moment in moments if (utc := moment.astimezone(UTC)) > after)


def zone_named(name: str) -> tzinfo:
    """The machine's own where there is no name."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name:
        return ZoneInfo(name)
    from tzlocal import get_localzone

    try:
        return get_localzone()
    except ZoneInfoNotFoundError as error:
        raise ConfigError("the machine does not say its time zone", advice="Set harvest.timezone.") from error


def _interval(count: int, unit: str) -> timedelta:
    interval = timedelta(**{f"{unit}s": count})
    if not timedelta(0) < interval <= _LONGEST:
        raise ConfigError(f"allowed: from 1 minute to {_LONGEST.days} days")
    return interval


def _check_item(field: _Field, item: str) -> None:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise ConfigError(f"{item!r} is no {field.name}; allowed: {_allowed(field)}")
    first = _number(field, match["first"] or str(field.low))
    last = _number(field, match["last"]) if match["last"] else first
    if last < first:
        raise ConfigError(f"{item!r} in the field {field.name} runs backwards")
    if match["step"]:
        _check_step(field, item, int(match["step"]), spans=last > first or item.startswith("*"))


def _check_step(field: _Field, item: str, step: int, *, spans: bool) -> None:
    if not spans:
        raise ConfigError(f"the step in {item!r} has no range to go through; allowed: */N or A-B/N")
    if not 1 <= step <= field.high:
        raise ConfigError(f"the step in {item!r} is not from 1 to {field.high} ({field.name})")


def _number(field: _Field, text: str) -> int:
    if text in field.names:
        return field.names.index(text) + field.low
    if len(text) > 2 or not text.isdecimal() or not field.low <= int(text) <= field.high:
        raise ConfigError(f"{text!r} is no {field.name}; allowed: {_allowed(field)}")
    return int(text)


def _allowed(field: _Field) -> str:
    named = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    return f"{field.low} to {field.high}{named}, *, lists, ranges and steps (1,2  1-5  */2)"


def _check_that_it_comes(line: str) -> None:
    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(line, datetime(2000, 1, 1)))
    except (CronSimError, StopIteration):
        raise ConfigError("no such day ever comes") from None


def _for_cronsim(line: str) -> str:
    """Debian's cron takes any star in these fields for "every hour" when the clocks change.

    crontab(5) leaves a doubled hour doubled only for what runs hourly or more often.
    """
    minute, hour, *days = line.lower().split()
    if hour in ("*", "*/1"):
        return line
    return " ".join([minute.replace("*", "0-59"), hour.replace("*", "0-23"), *days])
