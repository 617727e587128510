"""A ListIdentifiers pass, held against what was stored; after a full list, what is gone may be swept.

asked for, or does it pay? ─▶ identifiers into the store ─▶ missing? vanished? ─▶ guard ─▶ sweep
"""

from collections.abc import Callable

import msgspec

from harvester import deletions, plan
from harvester.errors import NoRecordsMatch, ProtocolError, ResponseError
from harvester.ledger import Ledger
from harvester.oai.ahead import ReadAhead
from harvester.oai.client import Client
from harvester.plan import Judgement, Options
from harvester.store.harvests import Counts, Request

_SWEEP_BATCH = 1000
_MOST_NAMED = 1000


class Verification:
    def __init__(
        self,
        client: Client,
        ledger: Ledger,
        request: Request,
        options: Options,
        tell: Callable[[str, int, int | None], None],
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._request = request
        self._options = options
        self._tell = tell

    def of(self, judgement: Judgement) -> Judgement:
        """A better judgement where the pass was asked for or pays; else the one that was given."""
        insist = plan.must_verify(judgement, self._ledger.state, self._options)
        if not insist and judgement.verdict != "unproven":
            return judgement
        try:
            if not self._list_identifiers(insist=insist):
                return judgement
        except (ProtocolError, ResponseError) as error:
            return Judgement("unproven", f"the list could not be verified: {error.message}")
        missing = self._ledger.missing(_MOST_NAMED)
        if missing:
            some = f"{len(missing):,}" if len(missing) < _MOST_NAMED else f"{_MOST_NAMED:,} or more"
            return Judgement("unproven", f"the list left out {some} records, {missing[0]} among them")
        return self._swept() if self._request.full else Judgement("verified")

    def _list_identifiers(self, *, insist: bool) -> bool:
        """Read the whole pass into the store; False where its first page shows that it costs too much."""
        self._ledger.forget_listed()
        checkpoint, count, page_size = self._ledger.checkpoint, 0, 0
        pages = self._client.pages("ListIdentifiers", plan.list_arguments(self._request))
        try:
            for number, page in enumerate(ReadAhead(pages, self._ledger.keep_lease)):
                if number == 0 and not insist and not plan.is_cheap(page, checkpoint):
                    return False
                page_size = max(page_size, len(page.items))
                plan.check_length(number, page_size, max(checkpoint.listed, page.list_size or 0))
                self._ledger.store_listed(page)
                count += len(page.items)
                self._tell("verify", count, checkpoint.listed)
        except NoRecordsMatch:
            if count:
                raise
        plan.check_agreement(count, checkpoint)
        return True

    def _swept(self) -> Judgement:
        live, vanished = self._ledger.vanished()
        sweep = deletions.guard(
            live=live,
            vanished=vanished,
            last_full=self._ledger.state.last_full,
            allowed=self._options.allow_deletions,
        )
        if sweep.delete:
            self._ledger.delete_vanished(_SWEEP_BATCH)
        checkpoint = self._ledger.checkpoint
        counts = checkpoint.counts + Counts(vanished=sweep.delete, held=sweep.hold)
        self._ledger.save(msgspec.structs.replace(checkpoint, counts=counts))
        return Judgement("verified", sweep.reason)
