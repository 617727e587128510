"""Records that a list owes us, asked for one by one with GetRecord.

missing ─▶ GetRecord ─┬▶ deliver ─▶ the store
                      └▶ the repository cannot give it: quarantine, with what it said
"""

from collections.abc import Iterator, Sequence

from harvester.delivery import Delivery
from harvester.errors import NO_ANSWER, IdDoesNotExist, WindrowError
from harvester.intake import Intake
from harvester.oai.items import Header, Item
from harvester.run import Run
from harvester.store.harvests import Counts
from harvester.store.listings import Listed
from harvester.store.records import Refused
from harvester.verdict import is_within

_BATCH = 20


class Singles:
    def __init__(self, run: Run, intake: Intake) -> None:
        self._run = run
        self._intake = intake

    def fetch(self, most: int) -> int:
        """Up to `most` of what the last pass of identifiers found missing; how many were asked for."""
        asked, after = 0, ""
        while wanted := self._run.ledger.missing(min(_BATCH, most - asked), after):
            self._store(wanted, list(self._run.ahead(self._answers(wanted))))
            asked += len(wanted)
            after = wanted[-1].identifier
            self._run.tell("fetch", asked, None)
            if asked >= most:
                break
        return asked

    def bury(self) -> None:
        """What the pass lists as deleted, and lives here."""
        after = ""
        while gone := self._run.ledger.buried(_BATCH, after):
            self._store(
                gone, [Item(Header(one.identifier, one.datestamp, deleted=True)) for one in gone], asked=False
            )
            after = gone[-1].identifier

    def _answers(self, wanted: Sequence[Listed]) -> Iterator[Item | Refused]:
        for one in wanted:
            try:
                yield from self._run.client.record(one.identifier, self._run.request.metadata_prefix).items
            except IdDoesNotExist:
                continue  # gone since it was listed, or listed by mistake (FAULTS L08): nothing to keep
            except NO_ANSWER as error:
                yield _unfetched(one, error)

    def _store(
        self, wanted: Sequence[Listed], answers: Sequence[Item | Refused], *, asked: bool = True
    ) -> None:
        items = [answer for answer in answers if isinstance(answer, Item)]
        refused = tuple(answer for answer in answers if isinstance(answer, Refused))
        delivery = self._intake.deliver(items)
        counts = delivery.counts + Counts(received=len(refused), quarantined=len(refused))
        singles = self._run.checkpoint.singles + (len(wanted) if asked else 0)
        held = self._run.checkpoint.held_tombstones + counts.held
        checkpoint = self._run.changed(
            counts=self._run.checkpoint.counts + counts, singles=singles, held_tombstones=held
        )
        whole = Delivery(delivery.writes, delivery.refused + refused, counts)
        received = [*items, *(Item(Header(one.identifier, one.datestamp)) for one in refused)]
        self._run.ledger.store_items(received, whole, checkpoint)


def is_there(run: Run, identifier: str) -> bool:
    """Does the repository still give this record, whatever its lists say? What it does not say is no yes.

    One that has left the set that was asked for is not there any more (FAULTS S02), where headers tell:
    EPrints' custom sets are never named in them.
    """
    run.ledger.keep_lease()
    try:
        page = run.answer(lambda: run.client.record(identifier, run.request.metadata_prefix))
    except NO_ANSWER:
        return False
    headers = [item.header for item in page.items if not item.header.deleted]
    set_spec = run.request.set_spec if run.checkpoint.names_set else ""
    return any(one.identifier == identifier and not _has_left(one, set_spec) for one in headers)


def _has_left(header: Header, set_spec: str) -> bool:
    return bool(set_spec and header.sets) and not is_within(header.sets, set_spec)


def _unfetched(listed: Listed, error: WindrowError) -> Refused:
    reason = f"it is listed, but cannot be fetched: {error.message}"
    return Refused(listed.identifier, listed.datestamp, reason, b"", unfetched=True)
