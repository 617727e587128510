"""What came, made ready for the store: contested lives settled, deletions held to the guard.

items ─▶ known here? ─▶ contested ─▶ GetRecord ─▶ deliver ─▶ Delivery
"""

from collections.abc import Sequence

from harvester import deletions
from harvester.delivery import Delivery, Terms, contested, deliver
from harvester.errors import NO_ANSWER, IdDoesNotExist
from harvester.oai.items import Header, Item
from harvester.run import Run
from harvester.store.records import Known

_MOST_ASKED_ABOUT = 100


class Intake:
    def __init__(self, run: Run) -> None:
        self._run = run
        self._asked_about = 0

    def deliver(self, items: Sequence[Item]) -> Delivery:
        known = self._run.ledger.known(items)
        doubtful = contested(items, known)
        truth, doubted = self._settled(doubtful, known) if doubtful else ({}, {})
        ledger = self._run.ledger
        terms = Terms(self._run.request.set_spec, truth, doubted, self._may_delete(), ledger.detail)
        return deliver(items, known, ledger.stored, terms)

    def _settled(
        self, doubtful: Sequence[str], known: dict[str, Known]
    ) -> tuple[dict[str, Item], dict[str, bool]]:
        """What the repository says of each when it is asked for alone; else the live one is believed."""
        truth: dict[str, Item] = {}
        doubted: dict[str, bool] = {}
        for identifier in doubtful:
            if self._asked_about >= _MOST_ASKED_ABOUT:
                doubted[identifier] = True
                continue
            self._asked_about += 1
            answer = self._alone(identifier, known)
            if answer is None:
                doubted[identifier] = False
            else:
                truth[identifier] = answer
        return truth, doubted

    def _alone(self, identifier: str, known: dict[str, Known]) -> Item | None:
        """None where the repository does not tell. EPrints does not know those that it lists as deleted."""
        self._run.ledger.keep_lease()
        self._run.asked_beside_the_list += 1
        try:
            page = self._run.client.record(identifier, self._run.request.metadata_prefix)
        except IdDoesNotExist:
            datestamp = known[identifier].datestamp if identifier in known else ""
            return Item(Header(identifier, datestamp, deleted=True))
        except NO_ANSWER:
            return None
        return page.items[0] if len(page.items) == 1 else None

    def _may_delete(self) -> int | None:
        if self._run.options.allow_deletions:
            return None
        checkpoint = self._run.checkpoint
        return deletions.may_delete(
            live_before=checkpoint.live_before,
            deleted=checkpoint.counts.deleted,
            held=self._run.ledger.state.held > 0,
        )
