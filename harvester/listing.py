"""A ListIdentifiers pass into the store, to be held against the records there."""

from collections.abc import Callable

from harvester import plan, verdict
from harvester.errors import EndlessList, NoRecordsMatch
from harvester.oai.response import Page
from harvester.run import Run
from harvester.store.harvests import Request, Window
from harvester.store.listings import Listed
from harvester.verdict import print_of


class Listing:
    """`read` raises NO_ANSWER, or another TransportError; what is stored then means nothing."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def read(
        self,
        request: Request,
        window: Window | None = None,
        pays: Callable[[Page], bool] = lambda _first: True,
    ) -> int | None:
        """How many are listed; None where the first page shows that it does not pay."""
        self._run.ledger.forget_listed()
        try:
            return self._read(request, window, pays)
        except NoRecordsMatch:
            if self._listed:
                raise
            return 0

    def _read(self, request: Request, window: Window | None, pays: Callable[[Page], bool]) -> int | None:
        self._listed, landmark, empty, page_size, named = 0, "", 0, 0, True
        before = self._run.requests_of_this_process
        pages = self._run.client.pages("ListIdentifiers", plan.list_arguments(request, window))
        for number, page in enumerate(self._run.ahead(pages), 1):
            if number == 1 and not pays(page):
                return None
            empty = 0 if page.items else empty + 1
            verdict.check_emptiness(empty)
            spent = self._run.requests_of_this_process - before
            page_size = max(page_size, len(page.items))
            verdict.check_length(spent, page_size, max(self._run.checkpoint.total, page.list_size or 0))
            if page.token and print_of(page) == landmark:
                raise EndlessList("the list of identifiers goes in a circle", "tell the repository")
            landmark = verdict.landmark(landmark, print_of(page), number)
            if number > 1:
                verdict.check_same_set(page, request.set_spec, named=named)
            named = named and verdict.names_set(page, request.set_spec)
            self._keep(page)
            if page.error:
                raise page.error
        return self._listed

    def _keep(self, page: Page) -> None:
        headers = [item.header for item in page.items]
        self._run.ledger.store_listed(
            [Listed(header.identifier, header.datestamp, header.deleted) for header in headers]
        )
        self._listed += len(headers)
        self._run.tell("verify", self._listed, self._run.checkpoint.list_size)
