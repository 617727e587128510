"""What a page delivers, held against what the store holds → what to write. Pure.

item ─▶ not forgotten ─▶ chosen (one of each identifier) ─▶ told apart from the known ─▶ normalised
     ─▶ Write, or Refused
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b

import msgspec

from harvester import formats
from harvester.datestamp import parse_datestamp
from harvester.errors import FormatError
from harvester.forms import merged, read_detail
from harvester.oai.items import Header, Item
from harvester.record import Record
from harvester.store.harvests import Counts
from harvester.store.records import Known, Refused, Write

LONGEST_IDENTIFIER = 4096


class Delivery(msgspec.Struct, frozen=True):
    """`counts` has each received record once."""

    writes: tuple[Write, ...]
    refused: tuple[Refused, ...]
    counts: Counts


def choose(items: Iterable[Item]) -> dict[str, Item]:
    """One item for each identifier: the newest; of two as new as each other, the live one. In any order."""
    chosen: dict[str, Item] = {}
    for item in items:
        identifier = item.header.identifier
        other = chosen.get(identifier)
        if other is None or _rank(item) > _rank(other):
            chosen[identifier] = item
    return chosen


def _rank(item: Item) -> tuple[float, bool, str, tuple[str, ...], bytes]:
    """The rest tells nothing of which is better, only which one is taken whatever came first."""
    header = item.header
    return (_when(header.datestamp), not header.deleted, header.datestamp, header.sets, item.raw)


def _when(datestamp: str) -> float:
    moment = parse_datestamp(datestamp)
    return moment.timestamp() if moment else float("-inf")


def contested(items: Sequence[Item], known: Mapping[str, Known]) -> list[str]:
    """Identifiers said to be deleted and to be live, where no datestamp tells which is later (L04, L07)."""
    lives = {
        name: (one.deleted, one.datestamp)
        for name, one in known.items()
        if not (one.forgotten or one.is_of_a_removed_source)
    }
    if not any(deleted for deleted, _ in lives.values()) and not any(item.header.deleted for item in items):
        return []
    doubtful = []
    for item in items:
        header = item.header
        if item.fault or not header.identifier:
            continue
        deleted, datestamp = lives.get(header.identifier, (header.deleted, ""))
        if deleted != header.deleted and _when(header.datestamp) <= _when(datestamp):
            doubtful.append(header.identifier)
        lives[header.identifier] = (header.deleted, header.datestamp)
    return list(dict.fromkeys(doubtful))


class Terms(msgspec.Struct, frozen=True):
    """What a delivery is held to.

    `truth` has the answer for contested identifiers, where the repository gave one; tombstones of the
    `doubted` are not believed, and held where the value says so. `may_delete` is how many live records
    tombstones may still end, None: any number; those beyond it are held. `detail(id)` gives a row's detail.
    """

    requested_set: str = ""
    truth: Mapping[str, Item] = {}
    doubted: Mapping[str, bool] = {}
    may_delete: int | None = None
    detail: Callable[[int], bytes | None] = lambda _row: None


def deliver(
    items: Sequence[Item],
    known: Mapping[str, Known],
    stored: Callable[[int], Record | None],
    terms: Terms = Terms(),  # noqa: B008  frozen
) -> Delivery:
    """`stored(id)` gives a row's record: asked for only where the XML differs from last time."""
    wanted = _wanted(items, known)
    unusable = [(item, fault) for item in wanted if (fault := _unusable(item))]
    chosen = choose(item for item in wanted if not _unusable(item)) | dict(terms.truth)
    writes: list[Write] = []
    refused = [_refuse(item, fault, terms.requested_set) for item, fault in unusable]
    tally = dict.fromkeys(("created", "updated", "unchanged", "deleted", "quarantined", "held"), 0)
    tally["quarantined"] = len(unusable)
    for identifier, item in chosen.items():
        outcome, row = _weigh(item, known.get(identifier), stored, terms)
        if outcome == "deleted" and (identifier in terms.doubted or _is_spent(terms, tally["deleted"])):
            tally["held"] += terms.doubted.get(identifier, True)
            outcome, row = "unchanged", None
        tally[outcome] += 1
        if isinstance(row, Write):
            writes.append(row)
        elif row is not None:
            refused.append(row)
    tally["unchanged"] += len(items) - len(unusable) - len(chosen)
    return Delivery(tuple(writes), tuple(refused), Counts(received=len(items), **tally))


def _is_spent(terms: Terms, deleted: int) -> bool:
    return terms.may_delete is not None and deleted >= terms.may_delete


def _wanted(items: Sequence[Item], known: Mapping[str, Known]) -> Sequence[Item]:
    """What was forgotten here is unchanged, whatever is delivered for it; not even quarantine keeps it."""
    forgotten = {identifier for identifier, one in known.items() if one.forgotten}
    return [item for item in items if item.header.identifier not in forgotten] if forgotten else items


def _weigh(
    item: Item, known: Known | None, stored: Callable[[int], Record | None], terms: Terms
) -> tuple[str, Write | Refused | None]:
    """The outcome, as `Counts` names it, and the row that it takes, if any."""
    header = item.header
    requested_set = terms.requested_set
    sets = _pack_sets(header.sets, requested_set)
    if header.deleted:
        return _tombstone(header, sets, known)
    if item.metadata is None:
        return "quarantined", _refuse(item, "a live record without metadata", requested_set)
    digest = blake2b(item.raw, digest_size=16).digest()
    if known and not known.deleted and (known.content_hash, known.sets) == (digest, sets):
        return "unchanged", _redate(header, sets, known, digest)
    try:
        record = _detailed(formats.normalise(item.metadata), known, terms)
    except FormatError as error:
        return "quarantined", _refuse(item, error.message, requested_set)
    except Exception as error:  # noqa: BLE001  one record must not keep all the others from us
        reason = f"Windrow itself failed on it, please report it: {error!r}"
        return "quarantined", _refuse(item, reason, requested_set)
    return _live(item, record, sets, known, digest, stored)


def _detailed(record: Record, known: Known | None, terms: Terms) -> Record:
    """With the detail of its last state, until that of today comes."""
    detail = terms.detail(known.id) if known and known.detailed and not known.deleted else None
    return record if detail is None else merged(record, read_detail(detail))


def _live(
    item: Item,
    record: Record,
    sets: str,
    known: Known | None,
    digest: bytes,
    stored: Callable[[int], Record | None],
) -> tuple[str, Write]:
    same = known is not None and not known.deleted and known.sets == sets and stored(known.id) == record
    write = Write(
        identifier=item.header.identifier,
        datestamp=item.header.datestamp,
        sets=sets,
        deleted=False,
        moves=not same,
        known=known,
        content_hash=digest,
        record=record,
        raw=item.raw,
        sent=item.sent or None,
    )
    if same:
        return "unchanged", write
    return "updated" if known and not known.deleted else "created", write


def _tombstone(header: Header, sets: str, known: Known | None) -> tuple[str, Write | None]:
    if known and known.deleted:
        return "unchanged", _redate(header, known.sets, known, None)
    write = Write(
        identifier=header.identifier,
        datestamp=header.datestamp,
        sets=sets,
        deleted=True,
        moves=True,
        known=known,
    )
    return "deleted" if known else "unchanged", write


def _redate(header: Header, sets: str, known: Known, digest: bytes | None) -> Write | None:
    """Servers that stamp everything anew each night cost a row, never a change."""
    if (header.datestamp, digest) == (known.datestamp, known.content_hash):
        return None
    return Write(
        identifier=header.identifier,
        datestamp=header.datestamp,
        sets=sets,
        deleted=known.deleted,
        moves=False,
        known=known,
        content_hash=digest,
    )


def _unusable(item: Item) -> str:
    header = item.header
    if item.fault:
        return item.fault
    if not header.identifier:
        return "a record without an identifier"
    if len(header.identifier) > LONGEST_IDENTIFIER:
        return f"an identifier of {len(header.identifier):,} characters"
    return ""


def _refuse(item: Item, reason: str, requested_set: str) -> Refused:
    header = item.header
    return Refused(
        header.identifier[:LONGEST_IDENTIFIER],
        header.datestamp,
        reason,
        item.raw,
        _pack_sets(header.sets, requested_set),
    )


_encode = msgspec.json.Encoder().encode


def _pack_sets(sets: Sequence[str], requested: str) -> str:
    """Some servers leave the set that was asked for out of the header (FAULTS S04)."""
    if requested and requested not in sets:
        sets = (*sets, requested)
    return _encode(sets).decode()
