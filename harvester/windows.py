"""A window that cannot be read is cut into two that can, or into smaller ones that cannot. Pure."""

from datetime import UTC, datetime
from zlib import crc32

from harvester.datestamp import Granularity, format_datestamp, parse_datestamp
from harvester.oai.response import Page
from harvester.store.harvests import Checkpoint, Request, Window
from harvester.store.listings import Spread
from harvester.store.sources import Dates

_FIRST_REPOSITORIES = datetime(2000, 1, 1, tzinfo=UTC)
_MOST_SPLITS = 100
_MOST_FAILURES = 8
_MOST_FAILURES_AT_FIRST = 3
_MOST_OUTSIDE = 20

# A window that fails costs so many requests, and one to see that its half is empty.
ALLOWED_PER_SPLIT = 8


def may_split(request: Request, checkpoint: Checkpoint) -> bool:
    """Not for ever, not where one part fails after the other, and not where dates mean nothing."""
    most = _MOST_FAILURES if checkpoint.pages else _MOST_FAILURES_AT_FIRST
    if request.dates in (Dates.REFUSED, Dates.IGNORED) or dates_are_ignored(checkpoint):
        return False
    return checkpoint.splits < _MOST_SPLITS and checkpoint.failures < most


def dates_are_ignored(checkpoint: Checkpoint) -> bool:
    """Most of what came within from and until lies outside (FAULTS P17)."""
    return checkpoint.outside >= _MOST_OUTSIDE and checkpoint.outside * 2 > checkpoint.dated


def halves(request: Request, window: Window, now: str) -> tuple[Window, Window] | None:
    """By time; None where it is one unit wide already.

    Both have the middle, for some servers take `until` to be exclusive (FAULTS D15).
    """
    granularity = Granularity.parse(request.granularity)
    low = parse_datestamp(window.from_ or request.earliest) or _FIRST_REPOSITORIES
    high = parse_datestamp(window.until) or parse_datestamp(now)
    if high is None or high - low <= granularity.unit:
        return None
    middle = format_datestamp(low + (high - low) / 2, granularity)
    parts = Window(window.from_, middle), Window(middle, window.until)
    return None if window in parts else parts


def around(request: Request, window: Window, spread: Spread) -> tuple[Window, Window] | None:
    """By the datestamps of what is missing, of which none lies before the first window."""
    granularity = Granularity.parse(request.granularity)
    first, below, middle = map(parse_datestamp, (spread.first, spread.below, spread.middle))
    if not (first and below and middle):
        return None
    left = Window(
        format_datestamp(first, granularity), format_datestamp(below + granularity.unit, granularity)
    )
    right = Window(format_datestamp(middle, granularity), window.until)
    return None if window in (left, right) else (left, right)


def outside(page: Page, window: Window) -> int:
    """How many records of the page the window did not ask for, by their datestamps as written."""
    return sum(not _lies_in(item.header.datestamp, window) for item in page.items)


def sum_of(page: Page) -> int:
    """Of its headers; that of a list is the same in whatever order, and pages, they come."""
    headers = (f"{item.header.identifier} {item.header.datestamp}" for item in page.items)
    return sum(crc32(header.encode("utf-8", "surrogatepass")) for header in headers)


def is_open(window: Window) -> bool:
    return not (window.from_ or window.until)


def _lies_in(datestamp: str, window: Window) -> bool:
    from_, until = window.from_[: len(datestamp)], window.until[: len(datestamp)]
    return from_ <= datestamp[: len(from_)] and (not until or datestamp[: len(until)] <= until)
