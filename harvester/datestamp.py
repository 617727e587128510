"""UTC datestamps at day or second granularity (OAI-PMH 2.0, section 3.3)."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum


class Granularity(Enum):
    DAY = "YYYY-MM-DD"
    SECOND = "YYYY-MM-DDThh:mm:ssZ"

    @property
    def unit(self) -> timedelta:
        return timedelta(days=1) if self is Granularity.DAY else timedelta(seconds=1)

    @classmethod
    def parse(cls, text: str) -> "Granularity":
        """What Identify says; whatever is neither of the two counts as day, the safer one."""
        return cls.SECOND if text.strip().lower() == cls.SECOND.value.lower() else cls.DAY


_DATESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?\s*([Zz]|[+-][01][0-9]:?[0-5][0-9])?)?"
)


def parse_datestamp(text: str) -> datetime | None:
    """Lenient (FAULTS D07, D17): fractions are dropped, offsets applied; a 60th second, a 24th hour and a
    30 February are the nearest moment before.

    None for what names no moment (`0000-00-00`, a 13th month, prose).
    """
    match = _DATESTAMP.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, offset = match.groups()
    try:
        on = date(int(year), int(month), _clamped_day(int(year), int(month), int(day)))
        at = _clamped_time(int(hour or 0), int(minute or 0), int(second or 0))
        return datetime.combine(on, at, tzinfo=UTC) - _offset(offset)
    except (ValueError, OverflowError):
        return None


def _clamped_day(year: int, month: int, day: int) -> int:
    return min(day, monthrange(year, month)[1]) if 28 < day <= 31 else day


def _clamped_time(hour: int, minute: int, second: int) -> time:
    if (hour, minute, second) == (24, 0, 0):
        return time(23, 59, 59)
    return time(hour, minute, 59 if second == 60 else second)


def _offset(text: str | None) -> timedelta:
    if not text or text in "Zz":
        return timedelta(0)
    size = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return -size if text[0] == "-" else size


def format_datestamp(moment: datetime, granularity: Granularity = Granularity.SECOND) -> str:
    moment = moment.astimezone(UTC)
    # strftime does not pad years before 1000, and EPrints names year 1 as its earliest datestamp.
    day = f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
    if granularity is Granularity.DAY:
        return day
    return f"{day}T{moment.hour:02}:{moment.minute:02}:{moment.second:02}Z"


def in_words(datestamp: str) -> str:
    """For people who may live in another time zone than this machine: 01 Jun 2026 12:00 UTC."""
    moment = parse_datestamp(datestamp)
    return f"{moment:%d %b %Y %H:%M} UTC" if moment else datestamp
