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


class Request(msgspec.Struct, frozen=True):
    """What a run asks for. `bounded`: a person gave a window or a limit of their own."""

    metadata_prefix: str
    set_spec: str = ""
    from_: str = ""
    until: str = ""
    full: bool = False
    bounded: bool = False


class Checkpoint(msgspec.Struct, frozen=True):
    """How far a run has come, across interruptions.

    `token` is what to ask for next: None before the first page, "" after the last.
    `response_date` is the first page's, `newest` the latest acceptable datestamp, both in seconds UTC.
    `page_size` is the largest page's, `last_page` the last one's, in records; `ended_by` how the list ended:
    "empty token", "no token", "no records match". `page_print` tells the last page from another one.
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
    listed: int = 0  # records of this pass over the list; a restart begins at 0 again
    counts: Counts = Counts()


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
    query = (
        sa.select(harvests, schema.sources.c.name)
        .join(schema.sources)
        .where(schema.sources.c.name == source)
        .order_by(harvests.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _harvest(row)


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
