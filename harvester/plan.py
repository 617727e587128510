"""What to request, and what may be said of the outcome. Pure: state and facts in, decisions out.

The watermark rule and the completeness ladder are FAULTS section 3 of the design.
"""

from datetime import UTC, datetime, timedelta
from math import ceil

import msgspec

from harvester.config import Source
from harvester.datestamp import Granularity, format_datestamp, parse_datestamp
from harvester.errors import ResponseError
from harvester.oai.response import Identify, Page
from harvester.store.harvests import Checkpoint, Harvest, Request
from harvester.store.sources import SourceState

# A server that stamps in local time, labelled UTC, is at most this far off.
SKEW = timedelta(hours=26)
_CLOCKS_AGREE = timedelta(minutes=10)
_OVERLAP = {Granularity.SECOND: timedelta(hours=1), Granularity.DAY: timedelta(days=1)}
_BEGINNING = datetime.min.replace(tzinfo=UTC)  # EPrints names it as its earliest datestamp
_MOST_PAGES = 1_000_000
_MOST_RESTARTS = 3


class Options(msgspec.Struct, frozen=True):
    """What a person asked for on the command line; dates as OAI-PMH writes them."""

    full: bool = False
    from_: str = ""
    until: str = ""
    limit: int | None = None
    allow_deletions: bool = False

    @property
    def bounded(self) -> bool:
        return bool(self.from_ or self.until)


class Judgement(msgspec.Struct, frozen=True):
    verdict: str
    reason: str = ""


def fingerprint(source: Source) -> str:
    return msgspec.json.encode([source.url, source.metadata_prefix, source.set]).decode()


def resumable(last: Harvest | None, source: Source, options: Options) -> Harvest | None:
    """The last run, where it has pages still to come and asks for what is wanted now."""
    if last is None or last.checkpoint.token is None or last.fingerprint != fingerprint(source):
        return None
    if last.verdict in ("complete", "verified", "unproven", "failed") or options.bounded:
        return None
    if last.request.bounded or (options.full and not last.request.full):
        return None
    return last


def request(
    source: Source, state: SourceState, identify: Identify, options: Options, clocks_differ: bool
) -> Request:
    """A full list where nothing is known yet; else what changed since the watermark, with an overlap."""
    granularity = Granularity.parse(identify.granularity)
    from_, full = options.from_, options.full
    if not from_ and not full and state.watermark is not None:
        from_ = _from(state.watermark, granularity, clocks_differ)
    return Request(
        metadata_prefix=source.metadata_prefix,
        set_spec=source.set,
        from_=_at(from_, granularity, "00:00:00"),
        until=_at(options.until, granularity, "23:59:59"),
        full=not from_ and not options.until,
        bounded=options.bounded,
    )


def _from(watermark: str, granularity: Granularity, clocks_differ: bool) -> str:
    moment = parse_datestamp(watermark)
    assert moment is not None, f"a watermark of our own: {watermark}"
    overlap = max(_OVERLAP[granularity], SKEW) if clocks_differ else _OVERLAP[granularity]
    return format_datestamp(moment - min(overlap, moment - _BEGINNING), granularity)


def _at(datestamp: str, granularity: Granularity, time_of_day: str) -> str:
    """Both ends of a window must have the repository's granularity (section 2.7.1)."""
    if granularity is Granularity.DAY or not datestamp:
        return datestamp[:10]
    return datestamp if "T" in datestamp else f"{datestamp}T{time_of_day}Z"


def list_arguments(request: Request) -> dict[str, str]:
    """Empty arguments are left out: `set=` means another list to some servers."""
    arguments = {
        "metadataPrefix": request.metadata_prefix,
        "from": request.from_,
        "until": request.until,
        "set": request.set_spec,
    }
    return {name: value for name, value in arguments.items() if value}


def clocks_differ(response_date: str, now: datetime) -> bool:
    theirs = parse_datestamp(response_date)
    return theirs is not None and abs(theirs - now) > _CLOCKS_AGREE


def response_date(said: str, now: datetime) -> str:
    """What the repository calls now; our own where that is no moment, or lies beyond any time zone."""
    moment = parse_datestamp(said)
    return format_datestamp(moment if moment is not None and moment - now <= SKEW else now)


def newest_acceptable(newest: str, datestamps: list[str], response_date: str) -> str:
    """The latest datestamp so far, in seconds; stamps from the future move nothing (FAULTS D09)."""
    now = parse_datestamp(response_date)
    moments = [moment for moment in map(parse_datestamp, {*datestamps, newest}) if moment is not None]
    if now is not None:
        moments = [moment for moment in moments if moment - now <= SKEW]
    return format_datestamp(max(moments)) if moments else ""


def next_watermark(state: SourceState, request: Request, checkpoint: Checkpoint) -> str | None:
    """After a complete run. None where the watermark stays: nothing seen, or a window of one's own."""
    if request.bounded or not checkpoint.newest:
        return None
    safe = [checkpoint.newest] + ([checkpoint.response_date] if checkpoint.response_date else [])
    moments = [moment for moment in map(parse_datestamp, safe) if moment is not None]
    candidate = format_datestamp(min(moments))
    return max(candidate, state.watermark) if state.watermark else candidate


def check_length(pages: int, page_size: int, expected: int) -> None:
    """A list is over by three times the pages of the stated or the last one, plus 30."""
    most = 3 * ceil(expected / page_size) + 30 if expected and page_size else _MOST_PAGES
    if pages >= most:
        raise ResponseError(
            f"the list does not end: {most:,} pages were read, {expected or 'fewer'} records expected",
            "nothing can be done from here: tell the repository",
        )


def check_agreement(identifiers: int, checkpoint: Checkpoint) -> None:
    """A ListIdentifiers pass that is shorter than the list proves nothing, and deletes nothing."""
    if checkpoint.listed - identifiers > _tolerance(checkpoint.listed):
        raise ResponseError(
            f"ListIdentifiers has {identifiers:,} records, ListRecords had {checkpoint.listed:,}",
            "nothing can be done from here: tell the repository",
        )


def _tolerance(records: int) -> int:
    """So many may come and go while a list is read."""
    return max(10, records // 100)


def may_restart(checkpoint: Checkpoint) -> bool:
    return checkpoint.restarts < _MOST_RESTARTS


def judge_end(request: Request, checkpoint: Checkpoint, state: SourceState) -> Judgement:
    """The list was read to its end: is there a doubt?"""
    doubt = _doubt(request, checkpoint, state)
    return Judgement("unproven", doubt) if doubt else Judgement("complete")


def _doubt(request: Request, checkpoint: Checkpoint, state: SourceState) -> str:
    stated, listed = checkpoint.list_size, checkpoint.listed
    if stated is not None and stated - listed > _tolerance(stated):
        return f"the list stopped after {listed:,} of {stated:,}"
    if checkpoint.ended_by == "no records match" and listed:
        return f"the list broke off after {listed:,} records: the repository then said that nothing matches"
    if request.full and state.last_full and listed < 0.8 * state.last_full:
        return f"the list has {listed:,} records, last time it had {state.last_full:,}"
    if stated is None and _ended_on_full_page(checkpoint):
        return f"the list ended on a full page of {checkpoint.last_page} without a sign that it was the last"
    if request.full and listed == 0:
        return "the repository says that it has no records"
    return ""


def _ended_on_full_page(checkpoint: Checkpoint) -> bool:
    """A list of one page tells no page size: then only a round number of records is suspicious."""
    full = checkpoint.last_page >= checkpoint.page_size and checkpoint.last_page > 0
    if checkpoint.pages == 1:
        full = full and checkpoint.last_page % 50 == 0
    return checkpoint.ended_by == "no token" and full


def judge_break(checkpoint: Checkpoint, reason: str, *, deferred: bool = False) -> Judgement:
    """The end was not reached."""
    if deferred:
        return Judgement("deferred", reason)
    return Judgement("partial" if checkpoint.pages else "failed", reason)


def must_verify(judgement: Judgement, state: SourceState, options: Options) -> bool:
    """A full list asked for by name, or a doubt that stands a second time."""
    return options.full or (judgement.verdict == "unproven" and state.doubted)


def is_cheap(first: Page, checkpoint: Checkpoint) -> bool:
    """Would a ListIdentifiers pass cost under a tenth of the list itself, by its first page?"""
    if not first.token:
        return checkpoint.pages >= 10
    pages = ceil(max(checkpoint.listed, checkpoint.list_size or 0) / max(1, len(first.items)))
    return pages * 10 <= checkpoint.pages
