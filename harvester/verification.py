"""A ListIdentifiers pass, held against the store; what is missing is fetched, what is gone may be swept.

asked for, or does it pay? ─▶ Listing ─▶ missing? ─▶ Singles ─▶ gone? ─▶ asked for alone ─▶ guard ─▶ sweep
"""

from harvester import deletions, plan, verdict
from harvester.errors import NO_ANSWER
from harvester.listing import Listing
from harvester.run import Run
from harvester.singles import Singles, is_there
from harvester.store.harvests import Counts
from harvester.verdict import Judgement

_SWEEP_BATCH = 1000
_MOST_FETCHED = 1000
_MOST_ASKED = 1000


class Verification:
    """`audited` when all identifiers of the source have been held against the store."""

    def __init__(self, run: Run, listing: Listing, singles: Singles) -> None:
        self._run = run
        self._listing = listing
        self._singles = singles
        self.audited = False

    def of(self, judgement: Judgement) -> Judgement:
        """A better judgement where a pass was asked for, is due or pays; else the one that was given."""
        insist = verdict.must_verify(judgement, self._run.request, self._run.ledger.state)
        if insist or judgement.verdict == "unproven":
            judgement = self._verified(judgement, insist=insist)
        return self._audited(judgement) if judgement.is_proven and self._is_due() else judgement

    def _is_due(self) -> bool:
        request = self._run.request
        is_part = not request.full and not request.bounded
        return is_part and plan.audit_is_due(self._run.ledger.state, self._run.options, self._run.clock.now())

    def _verified(self, judgement: Judgement, *, insist: bool) -> Judgement:
        checkpoint = self._run.checkpoint
        try:
            listed = self._listing.read(
                self._run.request, pays=lambda first: insist or verdict.is_cheap(first, checkpoint)
            )
            if listed is None:
                return judgement
            verdict.check_agreement(listed, checkpoint)
        except NO_ANSWER as error:
            return Judgement("unproven", f"the list could not be verified: {error.message}")
        left = self._fetched()
        if left:
            return Judgement("unproven", left)
        return self._swept(judgement) if self._run.request.full else Judgement("verified", _kept(judgement))

    def _audited(self, judgement: Judgement) -> Judgement:
        """What incremental harvests cannot see: records that were back-dated, or came late (FAULTS D11)."""
        before = self._run.checkpoint.counts
        try:
            self._listing.read(plan.everything(self._run.request))
        except NO_ANSWER as error:
            return Judgement(judgement.verdict, f"the audit could not be made: {error.message}")
        left = self._fetched()
        if left:
            return Judgement("unproven", left)
        self.audited = True
        return Judgement("verified", self._found_by_audit(before))

    def _found_by_audit(self, before: Counts) -> str:
        counts = self._run.checkpoint.counts
        found = counts.received - before.received
        _, vanished = self._run.ledger.vanished()
        said = [
            f"the audit found {_records(found)} that earlier harvests had missed" if found else "",
            f"{_records(vanished)} no longer listed: a full harvest will see to that" if vanished else "",
        ]
        return "; ".join(filter(None, said))

    def _fetched(self) -> str:
        """What is missing is asked for; says what still is."""
        self._singles.bury()
        missing = self._run.ledger.missing_count()
        asked = self._singles.fetch(_MOST_FETCHED) if missing else 0
        if missing <= asked:
            return ""
        first = self._run.ledger.missing(1)
        return f"the list left out {missing - asked:,} records, {first[0].identifier} among them"

    def _swept(self, judgement: Judgement) -> Judgement:
        live, vanished = self._run.ledger.vanished()
        still_there = self._still_there(vanished)
        if still_there:
            return Judgement(
                "unproven",
                f"{vanished:,} records are no longer listed, but the repository still has {still_there} "
                "when it is asked for alone: nothing is deleted",
            )
        sweep = deletions.guard(
            live=live,
            vanished=vanished,
            last_full=self._run.ledger.state.last_full,
            allowed=self._run.options.allow_deletions,
            deleted=self._run.checkpoint.counts.deleted,
            created=self._run.checkpoint.counts.created,
        )
        if sweep.delete:
            self._run.ledger.delete_vanished(_SWEEP_BATCH)
        counts = self._run.checkpoint.counts + Counts(vanished=sweep.delete, held=sweep.hold)
        self._run.save(counts=counts)
        return Judgement("verified", sweep.reason or _kept(judgement))

    def _still_there(self, vanished: int) -> str:
        """One of those no longer listed that the repository has; of very many, some are asked for.

        An EPrints can leave records out of both lists without a word, by a filter of an earlier request.
        """
        step, after = -(-vanished // _MOST_ASKED), 0
        while gone := self._run.ledger.some_vanished(after, _SWEEP_BATCH):
            for identifier, _ in gone[::step]:
                if is_there(self._run, identifier):
                    return identifier
            after = gone[-1][1].id
        return ""


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


def _kept(judgement: Judgement) -> str:
    """What is no doubt is still worth saying."""
    return judgement.reason if judgement.is_proven else ""
