"""Run one source to its end, or as far as it goes.

plan ─▶ client.pages ─▶ ReadAhead ─▶ deliver ─▶ one transaction a page: records, quarantine, checkpoint
                                                     │
                 the list's end ─▶ judge ─▶ (ListIdentifiers pass ─▶ sweep) ─▶ verdict, watermark

Whatever happens, what is stored stays, and the next run goes on from the last checkpoint.
"""

from collections.abc import Callable
from hashlib import blake2b
from traceback import clear_frames

import msgspec

from harvester import plan
from harvester.clock import Clock
from harvester.config import Source
from harvester.delivery import deliver
from harvester.errors import (
    BadArgument,
    BadResumptionToken,
    Deferred,
    HttpStatus,
    NoRecordsMatch,
    NotFound,
    ProtocolError,
    ResponseError,
    StoreError,
    TransportError,
    WindrowError,
)
from harvester.ledger import Ledger
from harvester.oai.ahead import ReadAhead
from harvester.oai.client import Client
from harvester.oai.response import Page
from harvester.plan import Judgement, Options
from harvester.report import Progress, Report, report
from harvester.store import Store
from harvester.store.harvests import Checkpoint, Counts, Harvest, Request
from harvester.transport import Transport
from harvester.verification import Verification


def harvest(
    source: Source,
    store: Store,
    transport: Transport,
    clock: Clock,
    options: Options | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> Report:
    """SourceBusy where another process is at it; every fault of the repository is in the report."""
    run = _Run(source, Ledger(source, store, clock), transport, clock, options or Options(), on_progress)
    return report(run.to_its_end())


class _Limited(Exception):
    """The run was told to stop here."""


class _Run:
    def __init__(
        self,
        source: Source,
        ledger: Ledger,
        transport: Transport,
        clock: Clock,
        options: Options,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._transport = transport
        self._client = Client(source.url, transport)
        self._clock = clock
        self._options = options
        self._on_progress = on_progress
        self._request = Request(metadata_prefix=source.metadata_prefix, set_spec=source.set)
        self._spent = Checkpoint()
        self._requests_before = transport.requests
        self._began = clock.monotonic()
        transport.start_gap(source.url, ledger.state.gap)

    def to_its_end(self) -> Harvest:
        try:
            return self._end(self._attempt())
        except StoreError:
            raise
        except WindrowError as error:
            broken = plan.judge_break(self._checkpoint, error.message, deferred=isinstance(error, Deferred))
            return self._end(broken, "; ".join(filter(None, (error.message, error.advice))))
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt | SystemExit)
            # An interrupt strikes between any two lines, even those that would end a transaction: end it now.
            clear_frames(error.__traceback__)
            reason = "it was interrupted" if stopped else "Windrow itself failed: please report it"
            self._end(plan.judge_break(self._checkpoint, reason), "" if stopped else repr(error))
            raise

    def _attempt(self) -> Judgement:
        self._begin()
        try:
            self._read_list()
        except _Limited:
            limit = f"stopped after {self._checkpoint.listed:,} records, as asked"
            return plan.judge_break(self._checkpoint, limit)
        except (BadArgument, HttpStatus):
            self._insist_on_set()
            raise
        self._insist_on_set()
        return self._verified(plan.judge_end(self._request, self._checkpoint, self._ledger.state))

    def _begin(self) -> None:
        """A run that goes on keeps its own request; a new one is planned by what Identify says."""
        resumed = plan.resumable(self._ledger.last, self._source, self._options)
        if resumed:
            self._request, self._spent = resumed.request, resumed.checkpoint
            self._ledger.resume(resumed)
            return
        identify = self._client.identify()
        skewed = plan.clocks_differ(identify.response_date, self._clock.now())
        self._request = plan.request(self._source, self._ledger.state, identify, self._options, skewed)
        self._ledger.begin(self._request)

    def _read_list(self) -> None:
        while self._checkpoint.token != "":
            try:
                pages = self._client.pages("ListRecords", self._next_arguments())
                for page in ReadAhead(pages, self._ledger.keep_lease):
                    self._store_page(page)
            except NoRecordsMatch:
                self._save(token="", ended_by="no records match", last_page=0)
            except BadResumptionToken:
                if not plan.may_restart(self._checkpoint):
                    raise
                self._save(token=None, listed=0, restarts=self._checkpoint.restarts + 1)

    def _next_arguments(self) -> dict[str, str]:
        if self._checkpoint.token:
            return {"resumptionToken": self._checkpoint.token}
        return plan.list_arguments(self._request)

    def _store_page(self, page: Page) -> None:
        delivery = deliver(page.items, self._ledger.known(page), self._ledger.stored, self._request.set_spec)
        if self._is_repeated(page):
            raise ResponseError(
                f"the repository keeps sending the same page, after {self._checkpoint.listed:,} records",
                "nothing can be done from here: tell the repository",
            )
        expected = max(self._checkpoint.list_size or 0, self._ledger.state.last_full or 0)
        plan.check_length(self._checkpoint.pages, self._checkpoint.page_size, expected)
        self._ledger.store_page(
            page, delivery, self._advanced(page, delivery.counts + Counts(repaired=page.repaired))
        )
        self._tell("list", self._checkpoint.listed, self._checkpoint.list_size)
        limit = self._options.limit
        if limit and self._checkpoint.token and self._checkpoint.listed >= limit:
            raise _Limited

    def _is_repeated(self, page: Page) -> bool:
        """Some servers use one token for a whole list: only the same page with the same token is a circle."""
        again = (page.token, _page_print(page)) == (self._checkpoint.token, self._checkpoint.page_print)
        return bool(page.token) and again

    def _advanced(self, page: Page, counts: Counts) -> Checkpoint:
        last = self._checkpoint
        response_date = last.response_date or plan.response_date(page.response_date, self._clock.now())
        stamps = [item.header.datestamp for item in page.items]
        return msgspec.structs.replace(
            last,
            token=page.token or "",
            pages=last.pages + 1,
            requests=self._requests,
            seconds=self._seconds,
            response_date=response_date,
            newest=plan.newest_acceptable(last.newest, stamps, response_date),
            list_size=last.list_size if last.listed else page.list_size,
            page_size=max(last.page_size, len(page.items)),
            last_page=len(page.items),
            page_print=_page_print(page),
            ended_by="" if page.token else "no token" if page.token is None else "empty token",
            listed=last.listed + len(page.items),
            counts=last.counts + counts,
        )

    def _insist_on_set(self) -> None:
        """An unknown set is a badArgument, "nothing matches" (FAULTS P03), or a status 500 (EPrints)."""
        if self._checkpoint.listed or not self._request.set_spec:
            return
        try:
            known = {found.spec for found in self._client.sets()}
        except (ResponseError, ProtocolError, TransportError):
            return
        if known and self._request.set_spec not in known:
            raise NotFound(
                f"the repository has no set {self._request.set_spec}",
                f"`windrow check {self._source.url}` lists its sets; correct `set` in config.toml",
            )

    def _verified(self, judgement: Judgement) -> Judgement:
        verification = Verification(self._client, self._ledger, self._request, self._options, self._tell)
        return verification.of(judgement)

    def _end(self, judgement: Judgement, error: str = "") -> Harvest:
        self._ledger.checkpoint = msgspec.structs.replace(
            self._checkpoint, requests=self._requests, seconds=self._seconds
        )
        gap = self._transport.gap(self._source.url)
        return self._ledger.end(self._request, judgement, error, gap)

    def _save(self, **changes: object) -> None:
        self._ledger.save(msgspec.structs.replace(self._checkpoint, **changes))

    def _tell(self, stage: str, received: int, expected: int | None) -> None:
        self._on_progress(Progress(self._source.name, stage, received, expected))

    @property
    def _checkpoint(self) -> Checkpoint:
        return self._ledger.checkpoint

    @property
    def _requests(self) -> int:
        return self._spent.requests + self._transport.requests - self._requests_before

    @property
    def _seconds(self) -> float:
        return self._spent.seconds + self._clock.monotonic() - self._began


def _page_print(page: Page) -> str:
    headers = [(item.header.identifier, item.header.datestamp) for item in page.items]
    return blake2b(msgspec.json.encode(headers), digest_size=16).hexdigest()
