"""Run one source to its end, or as far as it goes.

plan ─▶ Walk: pages into the store ─▶ judge ─▶ Verification: identifiers ─▶ sweep ─▶ verdict, watermark

Whatever happens, what is stored stays, and the next run goes on from the last checkpoint.
"""

from collections.abc import Callable
from datetime import timedelta
from traceback import clear_frames

import msgspec

from harvester import plan, verdict, windows
from harvester.clock import Clock
from harvester.config import Source
from harvester.datestamp import format_datestamp
from harvester.errors import (
    BadArgument,
    Deferred,
    HttpStatus,
    NotFound,
    ProtocolError,
    ResponseError,
    StoreError,
    TransportError,
    WindrowError,
    machine_faults_told,
)
from harvester.intake import Intake
from harvester.ledger import Ledger
from harvester.listing import Listing
from harvester.oai.response import check_version
from harvester.plan import Options
from harvester.recovery import Recovery
from harvester.report import Progress, Report, report
from harvester.run import NO_WAIT, Run
from harvester.singles import Singles
from harvester.stopping import Stopped
from harvester.store import Store
from harvester.store.harvests import Checkpoint, Harvest, Window
from harvester.store.sources import Dates
from harvester.transport import Transport
from harvester.verdict import Judgement
from harvester.verification import Verification
from harvester.walk import Limited, Walk


def harvest(
    source: Source,
    store: Store,
    transport: Transport,
    clock: Clock,
    options: Options | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> Report:
    """SourceBusy where another process is at it; every fault of the repository is in the report."""
    run = Run(source, Ledger(source, store, clock), transport, clock, options or Options(), on_progress)
    return report(_Harvest(run).to_its_end())


class _Harvest:
    def __init__(self, run: Run) -> None:
        self._run = run
        intake, listing = Intake(run), Listing(run)
        singles = Singles(run, intake)
        self._walk = Walk(run, intake, Recovery(run, listing, singles))
        self._verification = Verification(run, listing, singles)
        run.transport.start_gap(run.source.url, run.ledger.state.gap)

    def to_its_end(self) -> Harvest:
        try:
            with machine_faults_told():
                return self._end(self._attempt())
        except StoreError:
            raise
        except Stopped as told:
            return self._stopped(told)
        except WindrowError as error:
            return self._broken_off(error)
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt | SystemExit)
            # An interrupt strikes between any two lines, even those that would end a transaction: end it now.
            clear_frames(error.__traceback__)
            self._run.ledger.reread()
            reason = "it was interrupted" if stopped else "Windrow itself failed: please report it"
            broken = verdict.judge_break(self._run.checkpoint, reason, stopped=stopped)
            self._end(broken, "" if stopped else repr(error))
            raise

    def _broken_off(self, error: WindrowError) -> Harvest:
        reason = verdict.told(error.message, self._run.checkpoint)
        broken = verdict.judge_break(self._run.checkpoint, reason, deferred=isinstance(error, Deferred))
        not_before = plan.not_before(error, self._run.clock.now())
        return self._end(
            broken, "; ".join(filter(None, (error.message, error.advice))), not_before=not_before
        )

    def _stopped(self, told: Stopped) -> Harvest:
        """By ourselves: it goes on when the source is no longer to be left alone."""
        if told.pause and not self._run.checkpoint.is_beyond(self._run.spent_before):
            return self._end(verdict.judge_break(self._run.checkpoint, told.reason), told.reason)
        broken = verdict.judge_break(self._run.checkpoint, told.reason, stopped=True)
        not_before = format_datestamp(self._run.clock.now() + timedelta(seconds=told.pause))
        return self._end(broken, not_before=not_before, stopped=True)

    def _attempt(self) -> Judgement:
        self._begin()
        allowed = self._run.checkpoint.allowed or self._run.options.allow_deletions
        before = _where_it_goes_on(self._run.checkpoint)
        self._run.save(allowed=allowed, not_before="", stopped=False, **NO_WAIT, **before)
        try:
            self._walk.to_its_end()
            self._probe_from_earliest()
        except Limited:
            limit = f"stopped after {self._run.checkpoint.total:,} records, as asked"
            return verdict.judge_break(self._run.checkpoint, limit)
        except (BadArgument, HttpStatus):
            self._insist_on_set()
            raise
        self._insist_on_set()
        self._notice_ignored_dates()
        judged = verdict.judge_end(self._run.request, self._run.checkpoint, self._run.ledger.state)
        return self._verification.of(judged)

    def _begin(self) -> None:
        """A run that goes on keeps its own request; a new one is planned by what Identify says."""
        run = self._run
        resumed = plan.resumable(run.ledger.last, run.source, run.options)
        if resumed:
            run.spent_before = resumed.checkpoint
            run.ledger.resume(resumed)
            sweeps = resumed.request.sweeps or run.options.full
            run.change_request(msgspec.structs.replace(resumed.request, sweeps=sweeps))
            return
        identify = run.answer(run.client.identify)
        check_version(identify)
        run.request = plan.request(run.source, run.ledger.state, identify, run.options, run.clock.now())
        run.ledger.begin(run.request)

    def _probe_from_earliest(self) -> None:
        """Some give nothing without from (FAULTS P16)."""
        request, checkpoint = self._run.request, self._run.checkpoint
        if not request.full or checkpoint.total or checkpoint.within or not request.earliest:
            return
        self._run.save(todo=(Window(request.earliest),))
        self._walk.to_its_end()

    def _insist_on_set(self) -> None:
        """An unknown set is a badArgument, "nothing matches" (FAULTS P03), or a status 500 (EPrints)."""
        set_spec = self._run.request.set_spec
        if self._run.checkpoint.total or not set_spec:
            return
        try:
            known = {found.spec for found in self._run.ahead(self._run.client.sets())}
        except (ResponseError, ProtocolError, TransportError):
            return
        if known and set_spec not in known:
            raise NotFound(
                f"the repository has no set {set_spec}",
                f"`windrow check {self._run.source.url}` lists its sets; correct `set` in config.toml",
            )

    def _notice_ignored_dates(self) -> None:
        """What ignores `from` sends everything each time: then it is read, and judged, as a whole list."""
        checkpoint, request = self._run.checkpoint, self._run.request
        is_all = checkpoint.dated * 2 > self._run.ledger.state.live
        if is_all and windows.dates_are_ignored(checkpoint) and not request.bounded:
            self._run.request = msgspec.structs.replace(request, dates=Dates.IGNORED)

    def _end(self, judgement: Judgement, error: str = "", **ended: object) -> Harvest:
        """`ended` is what the checkpoint says of how it ended, for the next run."""
        run = self._run
        run.ledger.checkpoint = run.changed(**ended)
        gap = run.transport.gap(run.source.url)
        return run.ledger.end(
            run.request,
            judgement,
            error,
            gap,
            audited=self._verification.audited,
            failures=self._failures(judgement),
        )

    def _failures(self, judgement: Judgement) -> int:
        """A window that a person asked for, a day long ago say, says little of the source."""
        run, before = self._run, self._run.ledger.state.failures
        if run.options.bounded:
            return before
        return verdict.failures(before, judgement, progressed=run.checkpoint.is_beyond(run.spent_before))


def _where_it_goes_on(checkpoint: Checkpoint) -> dict[str, object]:
    has_no_place = checkpoint.token == "" or checkpoint.splits or checkpoint.singles
    return {
        "pages_before": 0 if has_no_place else checkpoint.window_pages,
        "records_before": checkpoint.total,
    }
