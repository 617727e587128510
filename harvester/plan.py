"""What to request, when to read all of it again, and how far a run has come. Pure: facts in, decisions out.

The watermark rule is FAULTS section 3 of the design.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from harvester.config import Source
from harvester.datestamp import Granularity, format_datestamp, parse_datestamp
from harvester.errors import Blocked, Deferred, WindrowError
from harvester.oai.response import Identify
from harvester.store.harvests import Checkpoint, Harvest, Request, Window
from harvester.store.sources import Dates, SourceState

# A server that stamps in local time, labelled UTC, is at most this far off.
SKEW = timedelta(hours=26)
_CLOCKS_AGREE = timedelta(minutes=10)
_OVERLAP = {Granularity.SECOND: timedelta(hours=1), Granularity.DAY: timedelta(days=1)}
_BEGINNING = datetime.min.replace(tzinfo=UTC)  # EPrints names it as its earliest datestamp
_MOST_RESTARTS = 3
_DAY = timedelta(days=1)
_SETTLED = timedelta(days=7)
_LONGEST_LEAVE = 7 * 86400.0  # seconds; some send the moment itself, in seconds since 1970


class Options(msgspec.Struct, frozen=True):
    """What a person asked for on the command line; dates as OAI-PMH writes them.

    After `audit` all identifiers are held against the store, after `reread` the whole list is read again;
    None: never.
    """

    full: bool = False
    from_: str = ""
    until: str = ""
    limit: int | None = None
    allow_deletions: bool = False
    audit: timedelta | None = timedelta(days=30)
    reread: timedelta | None = timedelta(days=180)

    @property
    def bounded(self) -> bool:
        return bool(self.from_ or self.until)


def fingerprint(source: Source) -> str:
    return msgspec.json.encode([source.url, source.metadata_prefix, source.set]).decode()


def of_this_list(last: Harvest | None, source: Source) -> Harvest | None:
    """The last run, unless it asked for another list: of an address, say, that has been corrected since."""
    return last if last is not None and last.fingerprint == fingerprint(source) else None


def resumable(last: Harvest | None, source: Source, options: Options) -> Harvest | None:
    """The last run, where it has pages still to come and asks for what is wanted now."""
    last = of_this_list(last, source)
    if last is None or not _is_under_way(last.checkpoint):
        return None
    if last.verdict in ("complete", "verified", "unproven", "failed") or options.bounded:
        return None
    if last.request.bounded or (options.full and not last.request.full):
        return None
    return last


def not_before(error: WindrowError, now: datetime) -> str:
    """When a repository that refused us may be asked again: as it says, or one try a day (FAULTS H06)."""
    if isinstance(error, Deferred):
        return format_datestamp(now + timedelta(seconds=min(error.seconds, _LONGEST_LEAVE)))
    return format_datestamp(now + _DAY) if isinstance(error, Blocked) else ""


def _is_under_way(checkpoint: Checkpoint) -> bool:
    return checkpoint.token is not None or checkpoint.within is not None


def request(
    source: Source, state: SourceState, identify: Identify, options: Options, now: datetime
) -> Request:
    """A full list where nothing is known yet, or it is time; else what changed since the watermark."""
    granularity = Granularity.DAY if state.dates == Dates.DAYS else Granularity.parse(identify.granularity)
    is_due = options.full or _whole_list_is_due(state, identify, options, now)
    from_ = options.from_
    if not options.bounded and not is_due and state.watermark and state.dates in ("", Dates.DAYS):
        from_ = _from(state.watermark, granularity, clocks_differ(identify.response_date, now))
    return Request(
        metadata_prefix=source.metadata_prefix,
        set_spec=source.set,
        from_=_at(from_, granularity, "00:00:00"),
        until=_at(options.until, granularity, "23:59:59"),
        full=not from_ and not options.until,
        bounded=options.bounded,
        sweeps=is_due and not options.bounded,
        granularity=granularity.value,
        earliest=_earliest(identify, granularity),
        dates="" if is_due else state.dates,
    )


def _earliest(identify: Identify, granularity: Granularity) -> str:
    """Some say it in seconds and take days only (FAULTS D03)."""
    moment = parse_datestamp(identify.earliest)
    return format_datestamp(moment, granularity) if moment else ""


def _whole_list_is_due(state: SourceState, identify: Identify, options: Options, now: datetime) -> bool:
    """Twice as often where deletions leave no lasting trace (section 2.5.1): only a whole list shows them."""
    if options.reread is None or state.read_whole is None:
        return False
    leaves_traces = identify.deleted_record.strip().lower() == "persistent"
    return _is_over(state.read_whole, options.reread / (1 if leaves_traces else 2), now)


def audit_is_due(state: SourceState, options: Options, now: datetime) -> bool:
    if options.audit is None:
        return False
    return state.audited is None or _is_over(state.audited, options.audit, now)


def _is_over(since: str, span: timedelta, now: datetime) -> bool:
    """Also where the clock has been put back by as much."""
    moment = parse_datestamp(since)
    return moment is None or abs(now - moment) >= span


def _from(watermark: str, granularity: Granularity, clocks_differ: bool) -> str:
    moment = parse_datestamp(watermark)
    assert moment is not None, f"a watermark of our own: {watermark}"
    overlap = max(_OVERLAP[granularity], SKEW) if clocks_differ else _OVERLAP[granularity]
    return format_datestamp(_before(moment, overlap), granularity)


def _before(moment: datetime, span: timedelta) -> datetime:
    return moment - min(span, moment - _BEGINNING)


def _at(datestamp: str, granularity: Granularity, time_of_day: str) -> str:
    """Both ends of a window must have the repository's granularity (section 2.7.1)."""
    if granularity is Granularity.DAY or not datestamp:
        return datestamp[:10]
    return datestamp if "T" in datestamp else f"{datestamp}T{time_of_day}Z"


def without_seconds(request: Request) -> Request | None:
    """For a repository that refuses seconds, whatever it says (FAULTS D01); None where there are none."""
    if "T" not in request.from_ + request.until:
        return None
    return msgspec.structs.replace(
        request,
        from_=request.from_[:10],
        until=request.until[:10],
        granularity=Granularity.DAY.value,
        dates=Dates.DAYS,
    )


def without_dates(request: Request, dates: str) -> Request | None:
    """For one that makes nothing of from and until (FAULTS P17, P18); None where a person gave them."""
    if request.bounded or not request.from_:
        return None
    return msgspec.structs.replace(request, from_="", until="", full=True, dates=dates)


def list_arguments(request: Request, window: Window | None = None) -> dict[str, str]:
    """Empty arguments are left out: `set=` means another list to some servers."""
    window = window or request.window
    arguments = {
        "metadataPrefix": request.metadata_prefix,
        "from": window.from_,
        "until": window.until,
        "set": request.set_spec,
    }
    return {name: value for name, value in arguments.items() if value}


def everything(request: Request) -> Request:
    """The same list, whole: what an audit looks at."""
    return msgspec.structs.replace(request, from_="", until="", full=True)


def clocks_differ(response_date: str, now: datetime) -> bool:
    theirs = parse_datestamp(response_date)
    return theirs is not None and abs(theirs - now) > _CLOCKS_AGREE


def response_date(said: str, now: datetime) -> str:
    """What the repository calls now; a day ago by our clock where that is no moment, or none of today."""
    moment = parse_datestamp(said)
    return format_datestamp(moment if moment is not None and moment - now <= SKEW else _before(now, _DAY))


def newest_acceptable(newest: str, datestamps: list[str], response_date: str) -> str:
    """The latest datestamp so far, in seconds; stamps from the future move nothing (FAULTS D09)."""
    now = parse_datestamp(response_date)
    moments = [moment for moment in map(parse_datestamp, {*datestamps, newest}) if moment is not None]
    if now is not None:
        moments = [moment for moment in moments if moment - now <= SKEW]
    return format_datestamp(max(moments)) if moments else ""


def next_watermark(state: SourceState, request: Request, checkpoint: Checkpoint) -> str | None:
    """After a complete run. None where it stays: nothing seen, a window of one's own, deletions held back."""
    if request.bounded or not checkpoint.newest or checkpoint.held_tombstones:
        return None
    safe = [checkpoint.newest] + ([checkpoint.response_date] if checkpoint.response_date else [])
    candidate = min(moment for moment in map(parse_datestamp, safe) if moment is not None)
    said = parse_datestamp(checkpoint.response_date)
    if said is not None and echo(request, checkpoint) == state.echo:
        candidate = max(candidate, _before(said, _SETTLED))
    return max(format_datestamp(candidate), state.watermark or "")


def echo(request: Request, checkpoint: Checkpoint) -> str | None:
    """Tells a run that brought what the last one did: a million of one datestamp come each time (D20)."""
    return f"{request.from_} {checkpoint.sum:x}" if request.from_ and not request.bounded else None


def may_restart(checkpoint: Checkpoint) -> bool:
    return checkpoint.restarts < (1 if checkpoint.within else _MOST_RESTARTS)
