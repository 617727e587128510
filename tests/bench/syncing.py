"""What it takes to follow the store, beside tantivy alone given the same; and what many small turns leave."""

import json
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import tantivy

from harvester.record import Record
from harvester.store import Store
from index.document import Document
from index.engines import engine_named
from index.engines.tantivy import _HEAP, _THREADS
from index.engines.tantivy_fields import analyzers, as_written, fields, schema
from index.fields import FIELDS, Kind
from index.generations import Generations
from index.sync import rebuild, sync
from tests.bench.corpus import SOURCE, size
from tests.bench.report import Report
from tests.commands import put

_SEED = 20_261_123


def beside_tantivy(report: Report, folder: Path, documents: Sequence[Document], rounds: int) -> None:
    """Each turn of ours beside tantivy alone, heap and threads the same: of our schema, of a plain one."""
    rows = [fields(one) for one in documents]
    plain = [_plain_row(row, one) for row, one in zip(rows, documents, strict=True)]
    took: dict[str, list[float]] = {"ours": [], "same": [], "plain": []}
    for turn in range(rounds):
        took["ours"].append(_timed(partial(_put, folder / f"ours-{turn}", documents)))
        took["same"].append(_timed(partial(_bare, folder / f"same-{turn}", rows, schema())))
        took["plain"].append(_timed(partial(_bare, folder / f"plain-{turn}", plain, _plain_schema())))
    speeds = (f"{len(rows) / statistics.median(some):,.0f}" for some in took.values())
    report.say("put + commit; tantivy alone; with a plain schema", f"{'; '.join(speeds)} documents/s")
    for name, what in (("same", "tantivy's"), ("plain", "a plain schema's")):
        ratio = statistics.median(alone / own for own, alone in zip(took["ours"], took[name], strict=True))
        report.figure(f"put + commit, of {what} documents a second", ratio, at_least=0.6)
        own, alone = size(folder / "ours-0"), size(folder / f"{name}-0")
        each = alone / len(rows)
        report.figure(f"index, times {what} {each:,.0f} bytes a document", own / alone, at_most=1.2)


def _plain_schema() -> tantivy.Schema:
    """Every field once, stemmed where it is text; what is stored is the same."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for name in ("position", "newest", "oldest"):
        builder.add_unsigned_field(name, fast=True)
    builder.add_bytes_field("hit", stored=True)
    for field in FIELDS:
        if field.kind in (Kind.NUMBER, Kind.DATE):
            builder.add_unsigned_field(field.name, indexed=True, fast=True)
        elif field.kind is Kind.EXACT:
            builder.add_text_field(field.name, fast=field.facet, tokenizer_name="exact", index_option="basic")
        else:
            builder.add_text_field(field.name, tokenizer_name="stems")
    return builder.build()


def _plain_row(row: dict[str, Any], document: Document) -> dict[str, Any]:
    kept = {name: row[name] for name in ("id", "position", "newest", "oldest", "hit")}
    return {**document.values, **document.numbers, **kept}


def whole_sync(report: Report, folder: Path, records: Sequence[Record], engine: str) -> None:
    """From the store: reading, projecting and indexing."""
    with closing(_stored(folder / "whole", records)) as store:
        took = _timed(lambda: sync(store, Generations(folder / "whole" / "index"), engine))
    report.say(f"sync from the store, {engine}", f"{len(records) / took:,.0f} documents/s")


def small_syncs(
    report: Report, folder: Path, records: Sequence[Record], engine: str, turns: int = 200, changed: int = 100
) -> None:
    place = folder / "small"
    generations = Generations(place / "index")
    chance = Random(_SEED)
    with closing(_stored(place, records)) as store:
        sync(store, generations, engine)
        began = time.perf_counter()
        for turn in range(turns):
            some = chance.sample(range(len(records)), changed)
            put(store, *(_changed(records[at], turn) for at in some), source=SOURCE)
            sync(store, generations, engine)
        took = (time.perf_counter() - began) / turns
        left, files = size(generations.folder), _segments(generations)
        rebuild(store, generations, engine)
    what = f"folder after {turns} syncs of {changed} of {len(records):,} records, times a rebuild's"
    report.figure(what, left / size(generations.folder), at_most=1.5)
    report.say("  segments then, seconds a sync", f"{files}, {took:.2f} s")
    shutil.rmtree(place)


def _put(folder: Path, documents: Sequence[Document]) -> None:
    folder.mkdir()
    engine = engine_named("tantivy", folder)
    engine.create()
    with engine.session() as session:
        session.put(documents)
        session.commit()


def _bare(folder: Path, rows: Sequence[dict[str, Any]], known: tantivy.Schema) -> None:
    folder.mkdir()
    index = tantivy.Index(known, path=str(folder))
    for name, analyzer in analyzers().items():
        index.register_tokenizer(name, analyzer)
    index.register_fast_field_tokenizer("exact", as_written())
    writer = index.writer(heap_size=_HEAP, num_threads=_THREADS)
    for row in rows:
        writer.add_document(tantivy.Document.from_dict(row, known))
    writer.commit()
    writer.wait_merging_threads()


def _stored(place: Path, records: Sequence[Record]) -> Store:
    place.mkdir()
    store = Store(f"sqlite:///{place / 'windrow.db'}")
    for at in range(0, len(records), 1000):
        put(store, *records[at : at + 1000], source=SOURCE)
    return store


def _changed(record: Record, turn: int) -> Record:
    return msgspec.structs.replace(record, title=f"{record.title} {turn}")


def _segments(generations: Generations) -> int:
    meta = generations.current().folder / "files" / "meta.json"
    return len(json.loads(meta.read_bytes())["segments"]) if meta.exists() else 0


def _timed(do: Callable[[], object]) -> float:
    """Seconds of CPU, of all threads: others may use the machine."""
    began = time.process_time()
    do()
    return time.process_time() - began
