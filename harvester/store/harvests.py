"""Runs over a source: what was asked for, the checkpoint of each page, what came of it."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from harvester.fault_point import fault_point
from harvester.store import schema
from harvester.store.schema import harvests


class Counts(msgspec.Struct, frozen=True):
    """received = created + updated + unchanged + deleted + quarantined; the others are counted apart."""

    received: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    quarantined: int = 0
    vanished: int = 0
    held: int = 0
    repaired: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


class Window(msgspec.Struct, frozen=True):
    """`from` and `until` as they are sent; "" is open."""

    from_: str = ""
    until: str = ""


class Request(msgspec.Struct, frozen=True):
    """What a run asks for. `bounded`: a person gave a window or a limit of their own.

    `sweeps`: it verifies its list, and deletes what is gone. `granularity` and `earliest` are Identify's.
    """

    metadata_prefix: str
    set_spec: str = ""
    from_: str = ""
    until: str = ""
    full: bool = False
    bounded: bool = False
    sweeps: bool = False
    granularity: str = ""
    earliest: str = ""
    dates: str = ""  # sources.Dates

    @property
    def window(self) -> Window:
        return Window(self.from_, self.until)


class Checkpoint(msgspec.Struct, frozen=True):
    """How far a run has come, across interruptions.

    The list is read in one piece, or in windows where that fails: `within` is the one at hand (None: all
    of the request), `todo` those to come, `finished` the records of those that are done. `token` is what to
    ask for next in the window at hand: None before its first page, "" after its last. `list_size` is what
    the first page of all stated, `window_size` what the first page of the window did.
    `response_date` is the first page's, `newest` the latest acceptable datestamp, both in seconds UTC.
    `page_size` is the largest page's, `last_page` the last one's, in records; `ended_by` how the list ended:
    "empty token", "no token", "no records match", "each was asked for". `page_print` tells the last page
    from another one, `landmark` is that of an earlier page of the window, by which a circle is known.
    `waits` is what the next page waited for when that was last looked at, as `transport.Wait` has it.
    `pages_before` and `records_before` had come of the list when the run last went on.
    """

    token: str | None = None
    pages: int = 0
    requests: int = 0
    seconds: float = 0.0
    response_date: str = ""
    newest: str = ""
    list_size: int | None = None
    page_size: int = 0
    last_page: int = 0
    page_print: str = ""
    ended_by: str = ""
    restarts: int = 0
    listed: int = 0  # records of this pass over the window; a restart begins at 0 again
    counts: Counts = Counts()
    within: Window | None = None
    todo: tuple[Window, ...] = ()
    finished: int = 0
    window_size: int | None = None
    window_pages: int = 0
    landmark: str = ""
    empty_pages: int = 0  # in a row
    asked_again: bool = False  # for the page at hand, which was empty and the last
    same_token: bool = False  # for this page and the one before: the place in the list is the server's
    splits: int = 0
    failures: int = 0  # windows that could not be read, since the last that could
    singles: int = 0  # records asked for one by one
    live_before: int = 0
    held_tombstones: int = 0
    allowed: bool = False  # a person allowed all deletions
    dated: int = 0  # records of lists with from or until
    outside: int = 0  # those of them that lie outside of these
    sum: int = 0  # of the headers of such lists, in any order
    names_set: bool = True  # each record of the list so far names the set that was asked for
    doubt: str = ""
    note: str = ""  # how the end was reached all the same
    not_before: str = ""  # when the repository may be asked again, as it said, or as its refusal means
    stopped: bool = False  # we ended it ourselves, and it goes on next time
    pages_before: int = 0  # 0 where the list was in pieces by then, or at its end
    records_before: int = 0
    waits: str = ""
    waits_until: str = ""

    def is_beyond(self, other: "Checkpoint") -> bool:
        """Has anything come since? A list that begins again and breaks at the same place brings nothing."""
        is_cut_otherwise = (self.within, self.todo) != (other.within, other.todo)
        return is_cut_otherwise or self.total > other.total or self.singles > other.singles

    @property
    def total(self) -> int:
        """Records of the list so far."""
        return self.finished + self.listed


class Harvest(msgspec.Struct, frozen=True):
    id: int
    source: str
    fingerprint: str
    started: str
    request: Request
    checkpoint: Checkpoint
    finished: str | None = None
    verdict: str | None = None
    reason: str = ""
    error: str = ""
    watermark: str | None = None


_encode = msgspec.json.Encoder().encode


def change_request(connection: Connection, harvest_id: int, request: Request) -> None:
    _update(connection, harvest_id, request=_encode(request).decode())


def begin(connection: Connection, source_id: int, fingerprint: str, request: Request, started: str) -> int:
    row = {
        "source_id": source_id,
        "fingerprint": fingerprint,
        "started": started,
        "request": _encode(request).decode(),
        "checkpoint": _encode(Checkpoint()).decode(),
    }
    inserted = connection.execute(sa.insert(harvests), row).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def save_checkpoint(connection: Connection, harvest_id: int, checkpoint: Checkpoint) -> None:
    """Belongs into the transaction that stores the page's records."""
    connection.execute(_SAVE, {"run": harvest_id, "packed": _encode(checkpoint).decode()})
    fault_point("checkpoint written")


def checkpoint_of(connection: Connection, harvest_id: int) -> Checkpoint:
    packed = connection.execute(
        sa.select(harvests.c.checkpoint).where(harvests.c.id == harvest_id)
    ).scalar_one()
    return msgspec.json.decode(packed, type=Checkpoint)


_SAVE = (
    sa.update(harvests).where(harvests.c.id == sa.bindparam("run")).values(checkpoint=sa.bindparam("packed"))
)


def end(
    connection: Connection,
    harvest_id: int,
    *,
    finished: str,
    verdict: str,
    reason: str,
    error: str,
    watermark: str | None,
) -> None:
    fault_point("verdict about to be written")
    outcome = {"verdict": verdict, "reason": reason, "error": error}
    _update(connection, harvest_id, finished=finished, watermark=watermark, **outcome)


def reopen(connection: Connection, harvest_id: int) -> None:
    """A run that goes on has no verdict."""
    _update(connection, harvest_id, finished=None, verdict=None, reason="", error="")


def last(connection: Connection, source: str) -> Harvest | None:
    return next(iter(past(connection, 1, source)), None)


def past(connection: Connection, limit: int, source: str = "") -> list[Harvest]:
    """The newest first; of all sources, or of one."""
    query = sa.select(harvests, schema.sources.c.name).join(schema.sources).order_by(harvests.c.id.desc())
    if source:
        query = query.where(schema.sources.c.name == source)
    return [_harvest(row) for row in connection.execute(query.limit(limit))]


def last_of_all(connection: Connection) -> dict[str, Harvest]:
    """By source: of each its newest run."""
    return _newest_of_each(connection, sa.true(), sa.true())


def last_regular(connection: Connection, source: str = "") -> dict[str, Harvest]:
    """By source, of all or of one: the newest run that says when the next is due.

    A window that a person asked for says that only where the repository bade us wait.
    """
    waits = sa.type_coerce(harvests.c.checkpoint, sa.JSON)["not_before"].as_string() > harvests.c.finished
    of_those = schema.sources.c.name == source if source else sa.true()
    return _newest_of_each(connection, _OF_THE_SOURCE | waits, of_those)


def _newest_of_each(
    connection: Connection, runs: sa.ColumnElement[bool], of_those: sa.ColumnElement[bool]
) -> dict[str, Harvest]:
    query = sa.select(harvests, schema.sources.c.name).join_from(
        schema.sources, harvests, harvests.c.id == _newest(runs)
    )
    return {row.name: _harvest(row) for row in connection.execute(query.where(of_those))}


def _newest(runs: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    """Beside a row of sources: the id of its newest among those runs."""
    return (
        sa.select(harvests.c.id)
        .where(harvests.c.source_id == schema.sources.c.id, runs)
        .order_by(harvests.c.id.desc())
        .limit(1)
        .correlate(schema.sources)
        .scalar_subquery()
    )


_OF_THE_SOURCE = sa.type_coerce(harvests.c.request, sa.JSON)["bounded"].as_boolean().is_not(sa.true())
_PROVEN = harvests.c.verdict.in_(("complete", "verified")) & _OF_THE_SOURCE


def last_in_vain(connection: Connection, source: str) -> Harvest | None:
    """The newest that the repository ended, and not we."""
    query = sa.select(harvests, schema.sources.c.name).join(schema.sources)
    query = query.where(schema.sources.c.name == source, harvests.c.error != "")
    row = connection.execute(query.order_by(harvests.c.id.desc()).limit(1)).one_or_none()
    return _harvest(row) if row else None


def last_proven(connection: Connection) -> dict[str, str]:
    """Source → when its last complete or verified run ended, where there was one; not of a mere window."""
    query = sa.select(schema.sources.c.name, harvests.c.finished)
    rows = connection.execute(query.join_from(schema.sources, harvests, harvests.c.id == _newest(_PROVEN)))
    return {row.name: row.finished for row in rows}


def prune(connection: Connection, keep: int) -> int:
    """Of each source its last `keep` runs stay, and its last proven one. How many went."""
    age = sa.func.row_number().over(partition_by=harvests.c.source_id, order_by=harvests.c.id.desc())
    aged = sa.select(harvests.c.id, age.label("age")).subquery()
    proven = sa.select(_newest(_PROVEN).label("id")).select_from(schema.sources).subquery()
    kept = sa.select(proven.c.id).where(proven.c.id.is_not(None))
    old = sa.select(aged.c.id).where(aged.c.age > keep, aged.c.id.not_in(kept))
    connection.execute(sa.delete(schema.listed).where(schema.listed.c.harvest_id.in_(old)))
    return connection.execute(sa.delete(harvests).where(harvests.c.id.in_(old))).rowcount


def _harvest(row: sa.Row[tuple[object, ...]]) -> Harvest:
    return Harvest(
        id=row.id,
        source=row.name,
        fingerprint=row.fingerprint,
        started=row.started,
        request=msgspec.json.decode(row.request, type=Request),
        checkpoint=msgspec.json.decode(row.checkpoint, type=Checkpoint),
        finished=row.finished,
        verdict=row.verdict,
        reason=row.reason,
        error=row.error,
        watermark=row.watermark,
    )


def _update(connection: Connection, harvest_id: int, **values: object) -> None:
    connection.execute(sa.update(harvests).where(harvests.c.id == harvest_id).values(values))
