"""A window whose list cannot be read to its end, whatever is tried.

error ─▶ ListIdentifiers ─┬▶ nothing is missing: the window is done
                          ├▶ few are: one by one, by GetRecord
                          ├▶ many: cut in two where the missing lie
                          └▶ it fails as well: cut in two by time, down to one unit
"""

from harvester import plan, windows
from harvester.datestamp import format_datestamp
from harvester.errors import (
    NO_ANSWER,
    BadResumptionToken,
    BrokenBody,
    EndlessList,
    HttpStatus,
    MalformedXml,
    NoRecordsMatch,
    ResponseError,
    TimedOut,
    TooLarge,
    Unreachable,
    WindrowError,
)
from harvester.listing import Listing
from harvester.run import Run
from harvester.singles import Singles
from harvester.store.harvests import Window

_FEW = 100
_MOST = 1_000
_MOST_WITHOUT_LISTS = 10_000
_IN_TROUBLE = (*NO_ANSWER, Unreachable)
# The server answers, and the list leads nowhere.
_OF_THE_LIST = (BadResumptionToken, EndlessList, NoRecordsMatch)


class Recovery:
    def __init__(self, run: Run, listing: Listing, singles: Singles) -> None:
        self._run = run
        self._listing = listing
        self._singles = singles

    def of(self, error: WindrowError) -> None:
        """The window at hand is done, or in two parts that are still to be read; or `error` is raised."""
        if self._is_the_server(error):
            raise error
        note = self._run.checkpoint.note or f"the list had to be read in parts: {error.message}"
        failed = not _is_too_long(error)
        self._run.save(failures=self._run.checkpoint.failures + failed, note=note)
        listed = self._identified()
        if listed is None:
            self._halve(error)
            return
        self._singles.bury()
        count = self._run.ledger.missing_count()
        if count > _FEW and self._cut_around(count):
            return
        most = _MOST if self._run.checkpoint.pages else _MOST_WITHOUT_LISTS
        asked = self._singles.fetch(most)
        if asked < count:
            raise _unfinished(error, count - asked)
        self._run.save(token="", listed=listed, ended_by="each was asked for")

    def _is_the_server(self, error: WindrowError) -> bool:
        """Is more than a page at fault? Then its token is kept, and a later run goes on from there."""
        if not self._run.checkpoint.window_pages or isinstance(error, _OF_THE_LIST):
            return False
        arguments = plan.list_arguments(self._run.request, self._run.checkpoint.within)
        try:
            next(self._run.ahead(self._run.client.pages("ListRecords", arguments)), None)
        except _IN_TROUBLE:
            return True
        return False

    def _identified(self) -> int | None:
        """None where ListIdentifiers is no better: it fails, or leaves out what is here already."""
        try:
            listed = self._listing.read(self._run.request, self._run.checkpoint.within)
        except _IN_TROUBLE:
            return None
        return None if self._run.ledger.leaves_out(self._run.window) else listed

    def _cut_around(self, missing: int) -> bool:
        """What comes before the first that is missing is done."""
        if not windows.may_split(self._run.request, self._run.checkpoint):
            return False
        spread = self._run.ledger.spread_of_missing(missing)
        parts = windows.around(self._run.request, self._run.window, spread)
        if parts is None:
            return False
        self._split(parts, done=spread.before)
        return True

    def _halve(self, error: WindrowError) -> None:
        request, checkpoint = self._run.request, self._run.checkpoint
        if not windows.may_split(request, checkpoint) or not (checkpoint.pages or _may_be_one_page(error)):
            raise error
        now = checkpoint.response_date or format_datestamp(self._run.clock.now())
        parts = windows.halves(request, self._run.window, now)
        if parts is None:
            raise error
        self._split(parts, done=0, at_once=_is_too_long(error))

    def _split(self, parts: tuple[Window, Window], done: int, *, at_once: bool = False) -> None:
        checkpoint = self._run.checkpoint
        todo = (*parts, *checkpoint.todo) if at_once else (*checkpoint.todo, *parts)
        self._run.save(
            token="",
            listed=0,
            finished=checkpoint.finished + done,
            todo=todo,
            splits=checkpoint.splits + 1,
        )


def _is_too_long(error: WindrowError) -> bool:
    """No failure, but a rule: some give no list of more than so many records (FAULTS H12, C06)."""
    return isinstance(error, HttpStatus) and error.status == 413


def _may_be_one_page(error: WindrowError) -> bool:
    """Where nothing has come yet: a page too much for the server, and not an address that is wrong?"""
    if isinstance(error, HttpStatus):
        return error.status >= 500 or _is_too_long(error)
    return isinstance(error, BrokenBody | MalformedXml | TimedOut | TooLarge)


def _unfinished(error: WindrowError, left: int) -> ResponseError:
    return ResponseError(
        f"{error.message}; {left:,} records of this list are still to be asked for one by one",
        "run it again: it goes on with them",
    )
