"""Stored metadata through the repairs and formats of today; no network.

record, its forms ─▶ today's record ─┬▶ as it was: nothing is touched
                                     ├▶ Write: a change, as of a harvest
                                     └▶ no record: it stays as it was, counted and named

How far a pass has come is stored with each batch, so that one that was killed goes on there, unless Windrow
itself has changed since: then it begins anew, and finds unchanged what is.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import msgspec
from lxml import etree

import harvester
from harvester.clock import Clock
from harvester.errors import WindrowError
from harvester.fault_point import fault_point
from harvester.forms import record_of
from harvester.oai.parsing import strict
from harvester.record import HEADER, Record, record_id
from harvester.rework import Desk, as_sent, at_desk
from harvester.store import Store, originals, records
from harvester.store.originals import Original, Progress, Unreadable
from harvester.store.records import LIST_FORM, SENT_FORM, Write

_BATCH = 500
_MOST_FAILURES = 100
_CONTENT = tuple(field for field in Record.__struct_fields__ if field not in HEADER)


class Renormalised(msgspec.Struct, frozen=True):
    """`read` = changed + unchanged + failed, of the whole pass; `fields`: the records in which each changed.

    `failures` names the first hundred.
    """

    source: str
    read: int
    changed: int
    unchanged: int
    failed: int
    fields: dict[str, int]
    failures: tuple[Unreadable, ...]


def renormalise(
    source: str,
    store: Store,
    clock: Clock,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> Renormalised:
    """SourceBusy while the source is harvested; NotFound."""
    with at_desk(source, store, clock) as desk:
        done = _begun(desk)
        on_progress(done.read)
        while batch := _next(desk, done):
            done = _renew(desk, batch, done)
            on_progress(len(batch))
        with desk.writing() as connection:
            originals.save(connection, desk.source_id, None)
    fields = dict(sorted(done.fields.items(), key=lambda one: (-one[1], one[0])))
    unchanged = done.read - done.changed - done.failed
    return Renormalised(source, done.read, done.changed, unchanged, done.failed, fields, done.failures)


def _begun(desk: Desk) -> Progress:
    with desk.store.read() as connection:
        saved = originals.progress(connection, desk.source_id)
    return saved if saved and saved.code == _code() else Progress(_code())


@cache
def _code() -> str:
    """Tells one state of this package from another: a release number does not change as one works on it."""
    digest = blake2b(digest_size=16)
    for file in sorted(Path(harvester.__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _next(desk: Desk, done: Progress) -> list[Original]:
    with desk.store.read() as connection:
        return originals.originals(connection, desk.source_id, done.after, _BATCH)


def _renew(desk: Desk, batch: Sequence[Original], done: Progress) -> Progress:
    """A transaction: the changes of a batch, and how far the pass has come with them."""
    writes: list[Write] = []
    failures: list[Unreadable] = []
    fields = Counter(done.fields)
    for original in batch:
        found = _weigh(original)
        if isinstance(found, str):
            failures.append(Unreadable(record_id(desk.source, original.identifier), found))
        elif found.fields:
            writes.append(_write(original, found))
            fields.update(found.fields)
    done = Progress(
        done.code,
        after=batch[-1].identifier,
        read=done.read + len(batch),
        changed=done.changed + len(writes),
        failed=done.failed + len(failures),
        fields=dict(fields),
        failures=(*done.failures, *failures)[:_MOST_FAILURES],
    )
    _keep(desk, writes, done)
    return done


def _keep(desk: Desk, writes: Sequence[Write], done: Progress) -> None:
    rows = records.pack(writes)
    with desk.writing() as connection:
        originals.save(connection, desk.source_id, done)
        records.write(connection, desk.source_id, rows)
    fault_point("batch renormalised")


class _Today(NamedTuple):
    """`fields` in which the record is another one than was stored."""

    record: Record
    fields: tuple[str, ...]
    forms: dict[str, bytes]


def _weigh(original: Original) -> _Today | str:
    """What the record is today, or why it is none."""
    try:
        stored = original.record()
        forms = _repaired(original.identifier, original.forms())
        record = record_of(forms)
    except WindrowError as error:
        return error.message
    except etree.XMLSyntaxError as error:
        return f"its stored XML is broken: {error.msg}"
    except Exception as error:  # noqa: BLE001  one record must not keep all the others from us
        return f"Windrow itself failed on it, please report it: {error!r}"
    return _Today(record, () if record == stored else _differing(stored, record), forms)


def _repaired(identifier: str, forms: dict[str, bytes]) -> dict[str, bytes]:
    """What had to be repaired, by today's repairs, where they still make the same record whole."""
    if SENT_FORM not in forms:
        return forms
    bound = {name: uri for name, uri in _bound(forms[LIST_FORM]).items() if name}
    with suppress(WindrowError):
        item = as_sent(forms[SENT_FORM], bound)
        if item and not item.fault and item.raw and item.header.identifier == identifier:
            return {**forms, LIST_FORM: item.raw}
    return forms


def _bound(xml: bytes) -> dict[str | None, str]:
    return {name: uri for element in strict(xml).iter() for name, uri in element.nsmap.items()}


def _differing(stored: Record, record: Record) -> tuple[str, ...]:
    return tuple(field for field in _CONTENT if getattr(stored, field) != getattr(record, field))


def _write(original: Original, today: _Today) -> Write:
    """Its forms stay, unless the repairs have changed: then the next delivery is held against the record."""
    known = original.known
    raw = today.forms[LIST_FORM]
    mended = SENT_FORM in today.forms and raw != original.forms()[LIST_FORM]
    return Write(
        identifier=original.identifier,
        datestamp=known.datestamp,
        sets=known.sets,
        deleted=False,
        moves=True,
        known=known,
        content_hash=None if mended else known.content_hash,
        record=today.record,
        raw=raw if mended else None,
        sent=today.forms[SENT_FORM] if mended else None,
    )
