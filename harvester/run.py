"""What the parts of one harvest share: its book, its repository, what it asked for and what it spent."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from harvester.clock import Clock
from harvester.config import Source
from harvester.ledger import Ledger
from harvester.oai.ahead import ReadAhead
from harvester.oai.client import Client
from harvester.plan import Options
from harvester.report import Progress
from harvester.store.harvests import Checkpoint, Request, Window
from harvester.transport import Transport, Wait

T = TypeVar("T")
NO_WAIT = {"waits": "", "waits_until": ""}  # of a checkpoint
_LEASE_KEPT = 30.0  # seconds


class Run:
    """`request` is what is asked for; it may become a wider one when the repository refuses the first."""

    def __init__(
        self,
        source: Source,
        ledger: Ledger,
        transport: Transport,
        clock: Clock,
        options: Options,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.source = source
        self.ledger = ledger
        self.transport = transport
        self.client = Client(source.url, transport)
        self.clock = clock
        self.options = options
        self.request = Request(source.metadata_prefix, source.set, bounded=options.bounded)
        self.spent_before = Checkpoint()
        self._on_progress = on_progress
        self._requests_before = transport.requests
        self._began = self._kept = clock.monotonic()
        self.asked_beside_the_list = 0  # requests of this process, about contested records

    @property
    def checkpoint(self) -> Checkpoint:
        return self.ledger.checkpoint

    @property
    def window(self) -> Window:
        return self.checkpoint.within or self.request.window

    def save(self, **changes: object) -> None:
        self.ledger.save(self.changed(**changes))

    def changed(self, **changes: object) -> Checkpoint:
        """The checkpoint with these changes, and what was spent up to now."""
        return msgspec.structs.replace(
            self.checkpoint, requests=self.requests, seconds=self._seconds, **changes
        )

    def change_request(self, request: Request) -> None:
        self.ledger.change_request(request)
        self.request = request

    def ahead(self, pages: Iterator[T]) -> Iterator[T]:
        for page in ReadAhead(pages, self._while_waiting):
            if self.checkpoint.waits:
                self.save(**NO_WAIT)
            yield page

    def answer(self, ask: Callable[[], T]) -> T:
        """What `ask` gives, however long it waits: a turn and an answer may take longer than a lease."""
        return next(self.ahead(ask() for _ in range(1)))

    def _while_waiting(self) -> None:
        """Keeps the lease, and notes what the wait is for where that has changed."""
        waits = self.transport.waiting or Wait("")
        is_news = (waits.why, waits.until) != (self.checkpoint.waits, self.checkpoint.waits_until)
        if is_news and self.ledger.has_begun:
            self.save(waits=waits.why, waits_until=waits.until)
        elif self.clock.monotonic() - self._kept > _LEASE_KEPT:
            self.ledger.keep_lease()
            self._kept = self.clock.monotonic()

    def tell(self, stage: str, received: int, expected: int | None) -> None:
        self._on_progress(Progress(self.source.name, stage, received, expected))

    @property
    def requests_of_this_process(self) -> int:
        return self.transport.requests - self._requests_before

    @property
    def requests(self) -> int:
        return self.spent_before.requests + self.requests_of_this_process

    @property
    def _seconds(self) -> float:
        return self.spent_before.seconds + self.clock.monotonic() - self._began
