"""One row put to the test: blows are counted, and each run is held to the laws of the design.

arrange ─▶ harvest ─▶ laws ─▶ what the row expects ─▶ the repository behaves again ─▶ all is well
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from harvester.datestamp import parse_datestamp
from harvester.report import Report
from tests.fakes.clock import FakeClock
from tests.fakes.repository import Answer, Asked, Fault, When
from tests.fakes.rig import Rig, rigged
from tests.fakes.works import Works

PROVEN = ("complete", "verified")
_SKEW = timedelta(hours=26)
_PASSES = 2  # the list, and a pass of identifiers


def always(_asked: Asked) -> bool:
    return True


@dataclass
class Blow:
    """A fault, and the `moments` when it made another answer of the one that was due, in seconds."""

    fault: Fault
    clock: FakeClock
    moments: list[float] = field(default_factory=list)

    @property
    def landed(self) -> int:
        return len(self.moments)

    def __call__(self, asked: Asked, answer: Answer) -> Answer:
        now = self.clock.monotonic()
        try:
            struck = self.fault(asked, answer)
        except OSError:
            self.moments.append(now)
            raise
        if struck != answer:
            self.moments.append(now)
        return struck


@dataclass
class Trial:
    """`baits` are faults that nothing may take; `blind` is what no run so far could know of, `disowned`
    what the repository itself calls deleted.

    `owed` is what the source is to hold, where that is not all that lives in the repository.
    """

    rig: Rig
    blows: list[Blow] = field(default_factory=list)
    baits: list[Blow] = field(default_factory=list)
    blind: set[str] = field(default_factory=set)
    disowned: set[str] = field(default_factory=set)
    owed: Callable[[], set[str]] | None = None
    proofs: int = 0
    watermark: str | None = None

    def strike(self, fault: Fault, when: When = always, times: int | None = None) -> Blow:
        blow = Blow(fault, self.rig.clock)
        self.blows.append(blow)
        self.rig.repository.misbehave(blow, when, times)
        return blow

    def bait(self, fault: Fault, when: When = always) -> None:
        self.strike(fault, when)
        self.baits.append(self.blows.pop())

    def proved(self, happened: object) -> None:
        """Where no answer is changed: what shows that the repository did as the row says."""
        assert happened
        self.proofs += 1

    def harvest(self, **options: object) -> Report:
        report = self.rig.harvest(**options)
        self._is_honest(report)
        self._loses_nothing_in_silence(report)
        self._deletes_nothing_that_lives()
        self._moves_the_watermark_rightly(report)
        self._is_polite_and_ends(report)
        return report

    def has_fired(self) -> bool:
        is_proven = bool(self.blows or self.proofs) and all(blow.landed for blow in self.blows)
        return is_proven and not any(bait.landed for bait in self.baits)

    def recovers(self) -> None:
        """Once the repository behaves, a full harvest puts all right."""
        self.rig.repository.behave()
        self.rig.later()
        self.blind.clear()
        report = self.harvest(full=True, allow_deletions=True)
        assert report.verdict == "verified", report.reason
        assert self.rig.live == self._owed()

    def _owed(self) -> set[str]:
        return self.owed() if self.owed else self.rig.works.live

    def _is_honest(self, report: Report) -> None:
        outcomes = report.created + report.updated + report.unchanged + report.deleted + report.quarantined
        assert report.received == outcomes
        assert (report.exit_code == 0) == (report.verdict in PROVEN and not report.held)
        assert report.reason or report.verdict in PROVEN
        assert len(report.reason) < 2000

    def _loses_nothing_in_silence(self, report: Report) -> None:
        if report.verdict in PROVEN and not self.rig.last_run.request.bounded:
            lost = self._owed() - self.blind - self.rig.live - set(self.rig.refused)
            assert not lost, f"{report.verdict}, and lost {sorted(lost)}"
        assert all(entry.reason for entry in self.rig.refused.values())

    def _deletes_nothing_that_lives(self) -> None:
        wrong = self.rig.tombstones & self._owed() - self.disowned
        assert not wrong, f"deleted, and lives: {sorted(wrong)}"

    def _moves_the_watermark_rightly(self, report: Report) -> None:
        if report.verdict not in PROVEN:
            assert report.watermark == self.watermark
        self.watermark = report.watermark
        stands = parse_datestamp(report.watermark or "")
        assert stands is None or stands <= self.rig.clock.now() + _SKEW

    def _is_polite_and_ends(self, report: Report) -> None:
        assert self.rig.repository.most_at_once <= 1
        checkpoint = self.rig.last_run.checkpoint
        pages = max(report.pages, checkpoint.list_size or 0, 50) // 10
        extra = 8 * checkpoint.splits + 2 * checkpoint.singles + report.vanished + report.held
        assert len(self.rig.repository.log) <= _PASSES * (3 * pages + 30) + extra
        assert all(seconds > 0 for seconds in self.rig.clock.slept)


Stand = Callable[[Path, FakeClock], AbstractContextManager[Rig]]


def works(count: int = 50, page_size: int = 10, kind: type[Works] = Works) -> Stand:
    return lambda folder, clock: rigged(folder, kind(count, clock.now, page_size), clock)


FIFTY = works()


@dataclass(frozen=True)
class Row:
    """`doing` is what the provider does; `arrange` makes it do so, `expect` is what then must be so.

    `harvested`: all was well once before. `recovers` is False where nothing is left that could.
    """

    id: str
    doing: str
    arrange: Callable[[Trial], object]
    expect: Callable[[Trial, Report], object]
    harvested: bool = False
    full: bool = False
    stand: Stand = FIFTY
    recovers: bool = True
    slow: bool = False

    def play(self, rig: Rig) -> None:
        trial = Trial(rig)
        if self.harvested:
            assert trial.harvest().verdict == "complete"
            rig.later()
        self.arrange(trial)
        self.expect(trial, trial.harvest(full=True) if self.full else trial.harvest())
        assert trial.has_fired(), [blow.landed for blow in trial.blows]
        if self.recovers:
            trial.recovers()
