"""Dates of works: `2021`, `2021-03` or `2021-03-09`, and never more than was said."""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple


class WorkDate(NamedTuple):
    """`stamped`: a machine's moment, as DSpace adds for accession, beside the work's own date."""

    date: str
    stamped: bool = False


NO_DATE = WorkDate("")

_ISO = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ](\d{2}:\d{2}[\d:.,]*)\s*(?:Z|[+-]\d{2}:?\d{2})?)?)?)?"
)
_BASIC = re.compile(r"(\d{4})(\d{2})(\d{2})")
_AMERICAN = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_WORDED = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?\s+)?([A-Za-z]{3,9})\.?(?:\s+(\d{1,2})(?:st|nd|rd|th)?)?,?\s+(\d{4})"
)
_MONTH_NAMED = re.compile(r"(\d{4})-([A-Za-z]{3,9})")
_SPAN = re.compile(r"\(?(\d{4}(?:-\d{2}-\d{2})?)\??\s*[-–/]\s*\S.*")
_LOOSE = re.compile(r"[\[(]?(?:c|ca|circa)?\.?\s*(\d{4})\??[\])]?\.?")
_MIDNIGHT = re.compile(r"0[78]:00:00(?:\.0+)?")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}


def choose(values: Sequence[str]) -> WorkDate:
    """The first date said plainly; the earliest of the machine's stamps where nothing else is said at all."""
    found = [read(value) for value in values if "embargo" not in value]
    if len(found) == 3 and _is_behind_two_days(*(one.date for one in found)):
        return found[2]
    plain = next((one for one in found if one.date and not one.stamped), None)
    if plain and len(plain.date) == 4 and len(values) > 1:
        return WorkDate(_with_month(plain.date, values))
    if plain or not all(one.date for one in found):  # "1980's" beside a stamp: the stamp is not the work's
        return plain or NO_DATE
    return min(found, default=NO_DATE)


def _is_behind_two_days(read_on: str, found_on: str, said: str) -> bool:
    """CiteSeerX says when it last looked, when it found the paper, and then the paper's year."""
    return len(read_on) == len(found_on) == 10 and len(said) == 4 and said < min(read_on, found_on)[:4]


def _with_month(year: str, values: Sequence[str]) -> str:
    """Kansas says the month in an element of its own: `2015`, `December`."""
    months = [value for value in values if value.isalpha() and value.lower()[:3] in _MONTHS]
    return _from_words(None, months[0], None, year) if months else year


def year(text: str) -> int | None:
    return int(text[:4]) if text else None


@lru_cache(maxsize=8192)
def read(text: str) -> WorkDate:
    """A span gives its first year; what names no year ("1960's", "undated", an embargo's end) gives none."""
    text = text.strip()
    if match := _ISO.fullmatch(text):
        return _from_iso(*match.groups())
    if match := _BASIC.fullmatch(text):
        return WorkDate(_valid(*map(int, match.groups())))
    if match := _AMERICAN.fullmatch(text):
        return WorkDate(_from_numbers(*map(int, match.groups())))
    if match := _WORDED.fullmatch(text):
        return WorkDate(_from_words(*match.groups()))
    if match := _MONTH_NAMED.fullmatch(text):  # the ACL Anthology: `2019-jul`
        return WorkDate(_from_words(None, match[2], None, match[1]) or _valid(int(match[1])))
    if match := _SPAN.fullmatch(text) or _LOOSE.fullmatch(text):
        return WorkDate(_valid(*map(int, match[1].split("-"))))
    return NO_DATE


def is_span(text: str) -> bool:
    """`1940-1949`, `(1870-1871)`: its first year is not all that it says."""
    return _ISO.fullmatch(text) is None and _SPAN.fullmatch(text) is not None


def _from_iso(year: str, month: str | None, day: str | None, clock: str | None) -> WorkDate:
    if clock and _MIDNIGHT.fullmatch(clock):
        return WorkDate(_from_bepress(int(year), int(month or 0), int(day or 0)))
    stamped = bool(clock and clock.strip("0:.,"))
    return WorkDate(_valid(int(year), int(month or 0), int(day or 0)), stamped)


def _from_bepress(year: int, month: int, day: int) -> str:
    """bepress writes Californian midnight in UTC, and 01 for the day and month it does not know."""
    if day != 1:
        return _valid(year, month, day)
    return _valid(year, 0 if month == 1 else month)


def _from_numbers(first: int, second: int, year: int) -> str:
    """`12-20-2007` can only be December; of `05-06-2007` the year alone is sure."""
    if second > 12 >= first:
        return _valid(year, first, second)
    if first > 12 >= second:
        return _valid(year, second, first)
    return _valid(year)


def _from_words(before: str | None, month: str, after: str | None, year: str) -> str:
    number = _MONTHS.get(month[:3].lower())
    if number is None:
        return ""
    return _valid(int(year), number, int(before or after or 0))


def _valid(year: int, month: int = 0, day: int = 0) -> str:
    """Cut to the part that a calendar has: `2011-02-30` is `2011-02`, `9999-12-31` is nothing."""
    if not 1000 <= year <= 2100:
        return ""
    if not 1 <= month <= 12:
        return f"{year}"
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return f"{year}-{month:02}"
