"""A list, read to its end: page by page into the store, window by window where it fails in one piece.

window ─▶ client.pages ─▶ ReadAhead ─▶ Intake ─▶ one transaction a page: records, quarantine, checkpoint
   ▲                          │ a page that cannot be had, whatever is tried
   └──────── Recovery ◀───────┘
"""

from collections.abc import Iterator

from harvester import plan, verdict, windows
from harvester.errors import (
    BadArgument,
    BadResumptionToken,
    BrokenBody,
    EndlessList,
    HttpStatus,
    NoRecordsMatch,
    OddHeaders,
    ResponseError,
    TimedOut,
    TooLarge,
    UnknownErrorCode,
    Unreachable,
)
from harvester.intake import Intake
from harvester.oai.response import Page
from harvester.recovery import Recovery
from harvester.run import Run
from harvester.store.harvests import Checkpoint, Counts
from harvester.store.sources import Dates
from harvester.verdict import print_of

_UNREADABLE = (
    BadResumptionToken, BrokenBody, HttpStatus, OddHeaders, ResponseError, TimedOut, TooLarge,
    UnknownErrorCode, Unreachable,
)  # fmt: skip


class Limited(Exception):
    """The run was told to stop here."""


class _AskAgain(Exception):
    """The page was empty and the last, which it should not be: once more, to be sure (FAULTS K22, K04)."""


class _PageLost(Exception):
    """The server counts for itself, and may have counted a page that never came (FAULTS K01b)."""


class Walk:
    def __init__(self, run: Run, intake: Intake, recovery: Recovery) -> None:
        self._run = run
        self._intake = intake
        self._recovery = recovery
        self._left_over = ""

    def to_its_end(self) -> None:
        self._left_over = self._run.checkpoint.token or ""
        while self._is_under_way():
            try:
                self._read_window()
            except BadArgument as error:
                self._ask_otherwise(error)
            except _AskAgain:
                self._run.save(asked_again=True)
            except _PageLost:
                self._restart(self._run.checkpoint)
            except _UNREADABLE as error:
                self._recovery.of(error)

    def _is_under_way(self) -> bool:
        """Enters the next window where one is done."""
        checkpoint = self._run.checkpoint
        if checkpoint.token != "":
            return True
        if not checkpoint.todo:
            return False
        self._run.save(
            finished=checkpoint.total,
            within=checkpoint.todo[0],
            todo=checkpoint.todo[1:],
            restarts=0,
            **_FROM_ITS_START,
        )
        return True

    def _read_window(self) -> None:
        checkpoint = self._run.checkpoint
        if checkpoint.token and checkpoint.same_token and plan.may_restart(checkpoint):
            raise _PageLost
        try:
            for page in self._run.ahead(self._pages()):
                self._store(page)
        except NoRecordsMatch as error:
            self._nothing_more(error)
        except BadResumptionToken:
            if not (self._is_left_over() or plan.may_restart(self._run.checkpoint)):
                raise
            self._restart(self._run.checkpoint)

    def _is_left_over(self) -> bool:
        """Is the token an earlier run's? It may only have grown old meanwhile: once, that proves nothing."""
        is_old = bool(self._left_over) and self._run.checkpoint.token == self._left_over
        self._left_over = ""
        return is_old

    def _pages(self) -> Iterator[Page]:
        asked = plan.list_arguments(self._run.request, self._run.checkpoint.within)
        token = self._run.checkpoint.token
        return self._run.client.pages("ListRecords", {"resumptionToken": token} if token else asked, of=asked)

    def _restart(self, checkpoint: Checkpoint) -> None:
        before = {} if checkpoint.within else {"pages_before": 0, "records_before": 0}
        self._run.save(restarts=checkpoint.restarts + 1, **_FROM_ITS_START, **before)

    def _store(self, page: Page) -> None:
        self._check(page)
        delivery = self._intake.deliver(page.items)
        counts = delivery.counts + Counts(repaired=page.repaired)
        self._run.ledger.store_items(page.items, delivery, self._advanced(page, counts))
        checkpoint = self._run.checkpoint
        self._run.tell("list", checkpoint.total, checkpoint.list_size)
        if page.error:
            raise ResponseError(f"{page.error.message}, beside records", page.error.advice)
        limit = self._run.options.limit
        if limit and checkpoint.token and checkpoint.total >= limit:
            raise Limited

    def _check(self, page: Page) -> None:
        """Raises where the list does not go on as a list does."""
        checkpoint = self._run.checkpoint
        if page.token and print_of(page) in (checkpoint.page_print, checkpoint.landmark):
            raise EndlessList("the repository keeps sending the same pages", "tell the repository")
        if verdict.may_have_lost_a_page(page, checkpoint) and plan.may_restart(checkpoint):
            raise _PageLost
        if not page.items and not page.token and not page.more and self._should_be_more():
            raise _AskAgain
        verdict.check_emptiness(0 if page.items else checkpoint.empty_pages + 1)
        verdict.check_same_list(page, checkpoint, self._run.request.set_spec)
        if checkpoint.within and windows.dates_are_ignored(checkpoint):
            raise ResponseError("the repository ignores from and until", "tell the repository")
        expected = max(checkpoint.list_size or 0, self._run.ledger.state.last_full or 0)
        allowed = checkpoint.splits * windows.ALLOWED_PER_SPLIT + checkpoint.singles
        requests = self._run.requests_of_this_process - self._run.asked_beside_the_list
        verdict.check_length(requests, checkpoint.page_size, expected, allowed)

    def _should_be_more(self) -> bool:
        """After an empty page: not where all that was stated has come, nor twice."""
        checkpoint = self._run.checkpoint
        if checkpoint.asked_again or not checkpoint.window_pages:
            return False
        return checkpoint.window_size is None or verdict.is_short(checkpoint.listed, checkpoint.window_size)

    def _nothing_more(self, error: NoRecordsMatch) -> None:
        """The end where all has come, or nothing was there; else the list broke off (FAULTS P05)."""
        if self._should_be_more():
            raise _AskAgain
        if verdict.is_short(self._run.checkpoint.listed, self._run.checkpoint.window_size):
            self._recovery.of(error)
        else:
            self._run.save(token="", ended_by="no records match", last_page=0, failures=0)

    def _ask_otherwise(self, error: BadArgument) -> None:
        """Some refuse seconds, or dates as such, whatever Identify says (FAULTS D01, D04, P18)."""
        request, checkpoint = self._run.request, self._run.checkpoint
        other = plan.without_seconds(request) or plan.without_dates(request, Dates.REFUSED)
        if other is None or checkpoint.pages or checkpoint.within:
            raise error
        self._run.change_request(other)

    def _advanced(self, page: Page, counts: Counts) -> Checkpoint:
        last = self._run.checkpoint
        response_date = last.response_date or plan.response_date(page.response_date, self._run.clock.now())
        stamps = [item.header.datestamp for item in page.items]
        is_whole = not page.more and page.error is None
        dated = 0 if windows.is_open(self._run.window) else len(page.items)
        return self._run.changed(
            pages=last.pages + 1,
            response_date=response_date,
            newest=plan.newest_acceptable(last.newest, stamps, response_date),
            list_size=last.list_size if last.within or last.window_pages else page.list_size,
            page_size=max(last.page_size, len(page.items)),
            listed=last.listed + len(page.items),
            counts=last.counts + counts,
            held_tombstones=last.held_tombstones + counts.held,
            dated=last.dated + dated,
            outside=last.outside + (windows.outside(page, self._run.window) if dated else 0),
            sum=last.sum + (windows.sum_of(page) if dated else 0),
            names_set=last.names_set and verdict.names_set(page, self._run.request.set_spec),
            doubt=last.doubt or verdict.doubt_of_page(page, last),
            **(self._of_a_whole_page(page, last) if is_whole else {}),
        )

    def _of_a_whole_page(self, page: Page, last: Checkpoint) -> dict[str, object]:
        """What only the end of a response tells: its token, and what follows from it."""
        number = last.window_pages + 1
        return {
            "token": page.token or "",
            "window_pages": number,
            "window_size": last.window_size if last.window_pages else page.list_size,
            "last_page": len(page.items),
            "page_print": print_of(page),
            "landmark": verdict.landmark(last.landmark, print_of(page), number),
            "empty_pages": 0 if page.items else last.empty_pages + 1,
            "ended_by": "" if page.token else "no token" if page.token is None else "empty token",
            "asked_again": False,
            "same_token": bool(page.token) and page.token == last.token,
            "failures": 0,
        }


_FROM_ITS_START: dict[str, object] = {
    "token": None,
    "listed": 0,
    "window_size": None,
    "window_pages": 0,
    "page_print": "",
    "landmark": "",
    "empty_pages": 0,
    "asked_again": False,
    "same_token": False,
}
