"""The details of one source that are waiting, as far as the repository gives them.

It holds no lease while it asks, so that no harvest has to wait for it; each of its transactions takes it, and
finds out by its number that another run has begun, which then goes on with the details in its own turn.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec
from lxml.etree import XMLSyntaxError
from sqlalchemy.engine import Connection

from harvester.clock import Clock
from harvester.config import Source
from harvester.details import years
from harvester.details.ways import MOST_PROBED, XML, Exports, is_of_one, is_refusal, number_of
from harvester.errors import (
    FormatError,
    LeaseLost,
    NotFound,
    SourceBusy,
    WindrowError,
    machine_faults_told,
)
from harvester.fault_point import fault_point
from harvester.forms import record_of
from harvester.report import Progress
from harvester.store import Store, details, leases, originals, records, sources
from harvester.store.originals import Original
from harvester.store.records import DETAIL_FORM, Write
from harvester.transport import Limits, Transport

# What fails is asked for in the next run, behind all others: to press on would only be impolite.
LIMITS = Limits(deadline=240, tries=1, tries_unreachable=2, tries_on_500=1, tries_unreadable=1)
_MANY = 50  # of one year
_BATCH = 100
_MOST_IN_A_ROW = 5
_NO_WAY = "neither EPrints3 XML, nor oai_openaire, nor BibTeX is open to the public"
_OVERTAKEN = "another run of this source has begun, and goes on with its details"


class Detailed(msgspec.Struct, frozen=True):
    """`fetched` = changed + unchanged; `failed` are those that the repository cannot give, until they change.

    `way` is the one that was open; `reason` why it ended before all was done.
    """

    source: str
    way: str = ""
    fetched: int = 0
    changed: int = 0
    failed: int = 0
    waiting: int = 0
    reason: str = ""


class _Over(Exception):
    """For this run."""


def fetch_details(
    source: Source,
    store: Store,
    transport: Transport,
    clock: Clock,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> Detailed:
    """SourceBusy while another run has the source; NotFound. Faults of the repository are in the report."""
    transport.keep_gap(source.url, float(source.details_gap))
    with machine_faults_told():
        return _Fetching(source, store, transport, clock, on_progress).to_its_end()


class _Fetching:
    def __init__(
        self,
        source: Source,
        store: Store,
        transport: Transport,
        clock: Clock,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._source, self._store, self._clock, self._tell = source, store, clock, on_progress
        self._exports = Exports(source.url, transport)
        with store.write() as connection:
            state = sources.get(connection, source.name)
            if state is None:
                raise NotFound(f"there is no source {source.name}", "`windrow status` lists them")
            lease = leases.take(connection, source.name, clock.now())
            leases.give_back(connection, lease)
            self._way = details.way(connection, state.id)
            self._rows = details.waiting(connection, state.id)
        self._id, self._fence = state.id, lease.fence
        self._done: set[int] = set()
        self._fetched = self._changed = self._failed = self._in_a_row = 0

    def to_its_end(self) -> Detailed:
        reason = ""
        try:
            self._attempt()
        except (SourceBusy, LeaseLost):
            reason = _OVERTAKEN
        except _Over as over:
            reason = str(over)
        with self._store.read() as connection:
            waiting = details.waiting_count(connection, self._id)
        return Detailed(
            self._source.name, self._way, self._fetched, self._changed, self._failed, waiting, reason
        )

    def _attempt(self) -> None:
        if not self._rows:
            return
        self._find_way()
        if self._way == XML:
            self._fetch_years()
        for row in self._rows:
            if row not in self._done:
                self._fetch(row)

    def _find_way(self) -> None:
        found = self._originals(self._rows[:MOST_PROBED])
        try:
            way = self._exports.open_way([one.identifier for one in found], self._way)
        except WindrowError as error:
            raise _Over(error.message) from error
        with self._writing() as connection:
            details.keep_way(connection, self._id, way or self._way)
            if self._way and not way:  # it may be that these alone are refused
                self._failed += sum(details.postpone(connection, one.known.id) for one in found)
        self._way = way
        if not way:
            raise _Over(_NO_WAY)

    def _fetch_years(self) -> None:
        for year, numbers in self._many().items():
            try:
                body = self._exports.year(year)
            except WindrowError as error:
                if is_refusal(error) and not _is_closed(error):
                    raise _Over(error.message) from error
                return  # without that view, one by one
            self._keep_year(body, numbers)

    def _many(self) -> Mapping[int, Mapping[int, int]]:
        """year → eprint number → row, of the years of which many wait."""
        found: defaultdict[int, dict[int, int]] = defaultdict(dict)
        for start in range(0, len(self._rows), _BATCH):
            for one in self._originals(self._rows[start : start + _BATCH]):
                year, number = one.record().year, _number(one.identifier)
                if year and number is not None:
                    found[year][number] = one.known.id
        return {year: numbers for year, numbers in found.items() if len(numbers) > _MANY}

    def _keep_year(self, body: bytes, numbers: Mapping[int, int]) -> None:
        batch: dict[int, bytes] = {}
        try:
            for number, detail in years.items(body, numbers):
                batch[numbers[number]] = detail
                if len(batch) >= _BATCH:
                    self._keep(batch)
                    batch = {}
        except FormatError:
            pass  # the rest of it one by one
        self._keep(batch)

    def _fetch(self, row: int) -> None:
        for one in self._originals([row]):
            try:
                body = self._exports.fetch(self._way, one.identifier)
            except WindrowError as error:
                self._refused(row, error)
            else:
                self._in_a_row = 0
                self._keep({row: body})

    def _refused(self, row: int, error: WindrowError) -> None:
        with self._writing() as connection:
            if is_of_one(error):
                details.settle(connection, [row])
                self._failed += 1
            elif not is_refusal(error) or _is_closed(error):
                self._failed += details.postpone(connection, row)
        self._settled([row])
        if is_refusal(error):
            raise _Over(error.message) from error
        self._in_a_row = 0 if is_of_one(error) else self._in_a_row + 1
        if self._in_a_row >= _MOST_IN_A_ROW:
            raise _Over(error.message) from error

    def _keep(self, bodies: Mapping[int, bytes]) -> None:
        """A transaction: the details, what the records are with them, and that they wait no longer."""
        found = self._originals(list(bodies))
        writes = [write for one in found if (write := _write(one, bodies[one.known.id]))]
        rows = records.pack(writes)
        with self._writing() as connection:
            details.settle(connection, [one.known.id for one in found])
            records.write(connection, self._id, rows)
            fault_point("detail written")
        fault_point("detail kept")
        self._fetched += len(writes)
        self._failed += len(found) - len(writes)
        self._changed += sum(write.moves for write in writes)
        self._settled(list(bodies))

    def _settled(self, rows: Sequence[int]) -> None:
        self._done.update(rows)
        self._tell(Progress(self._source.name, "details", len(self._done), len(self._rows)))

    def _originals(self, rows: Sequence[int]) -> list[Original]:
        with self._store.read() as connection:
            return originals.of_rows(connection, rows)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """_Over where another run has had the source since."""
        with self._store.write() as connection:
            lease = leases.take(connection, self._source.name, self._clock.now())
            if lease.fence != self._fence + 1:
                raise _Over(_OVERTAKEN)
            yield connection
            leases.give_back(connection, lease)
        self._fence = lease.fence


def _number(identifier: str) -> int | None:
    try:
        return number_of(identifier)
    except FormatError:
        return None


def _is_closed(error: WindrowError) -> bool:
    """To us for good, not for now."""
    return getattr(error, "status", 0) in (401, 403)


def _write(original: Original, detail: bytes) -> Write | None:
    """None where the two make no record together."""
    known = original.known
    try:
        stored = original.record()
        record = record_of({**original.forms(), DETAIL_FORM: detail})
    except (WindrowError, XMLSyntaxError):
        return None
    return Write(
        identifier=original.identifier,
        datestamp=known.datestamp,
        sets=known.sets,
        deleted=False,
        moves=record != stored,
        known=known,
        content_hash=known.content_hash,
        record=record,
        detail=detail,
    )
