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
from index.engines.tantivy import _HEAP, _THREADS, TantivyEngine
from index.engines.tantivy_fields import fields, schema
from index.generations import Generations
from index.sync import rebuild, sync
from tests.bench.corpus import SOURCE, size
from tests.bench.report import Report
from tests.commands import put

_SEED = 20_261_123


def beside_tantivy(report: Report, folder: Path, documents: Sequence[Document], rounds: int) -> None:
    """Each turn of ours beside one of tantivy's own, with the same schema, heap and threads."""
    rows = [fields(one) for one in documents]
    ours, alone = [], []
    for turn in range(rounds):
        ours.append(_timed(partial(_put, folder / f"ours-{turn}", documents)))
        alone.append(_timed(partial(_bare, folder / f"bare-{turn}", rows)))
    ratio = statistics.median(bare / own for own, bare in zip(ours, alone, strict=True))
    count = len(documents)
    report.say(
        "put + commit, tantivy alone",
        f"{count / statistics.median(ours):,.0f}, {count / statistics.median(alone):,.0f} documents/s",
    )
    report.figure("put + commit, of tantivy's documents a second", ratio, at_least=0.6)
    own, bare = size(folder / "ours-0"), size(folder / "bare-0")
    report.figure(f"index, times tantivy's {bare / count:,.0f} bytes a document", own / bare, at_most=1.2)


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


def _bare(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    folder.mkdir()
    engine = TantivyEngine(folder)
    engine.create()
    writer = engine._open().writer(heap_size=_HEAP, num_threads=_THREADS)
    known = schema()
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
    began = time.perf_counter()
    do()
    return time.perf_counter() - began
