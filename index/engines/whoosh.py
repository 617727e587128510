"""Whoosh: the engine in pure Python. It keeps the postings; whoosh_segment.py works out what a query finds.

An index folder is never taken from a stranger: it holds pickles.
"""

import heapq
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any as Anything
from weakref import WeakSet

import msgspec
from whoosh import columns, fields, formats, index
from whoosh.filedb.filestore import FileStorage
from whoosh.reading import SegmentReader
from whoosh.writing import SegmentWriter

from harvester.errors import IndexBusy, IndexFault, IndexUnusable
from index.analysis import stem, words
from index.document import Document
from index.engine import MOST_COUNTED, Engine, Found, Searcher, Session, Sort
from index.engines.whoosh_segment import (
    NONE,
    ORDERED,
    Scores,
    Segment,
    counted,
    hold_deletions,
    numbers_of,
    term_of,
)
from index.fields import BY_NAME, FIELDS, Field, Kind
from index.nodes import Node

_MEMORY_MB = 64
_GAP = 100  # places between two values of a field: no phrase crosses it
_SEGMENTS = 8  # as many of one size are merged into one

_encode = msgspec.json.Encoder().encode
_decode_document = msgspec.json.Decoder(Document).decode


class _Text(fields.FieldType):  # type: ignore[misc]  # Whoosh carries no types
    """Words at their places, value by value."""

    def __init__(self, field: Field) -> None:
        super().__init__(formats.Positions(), None, scorable=True)
        self._field = field

    def index(self, values: list[str], **_: Anything) -> Iterator[tuple[bytes, int, float, bytes]]:
        places, at = defaultdict(list), 0
        for value in values:
            for word in words(value):
                places[term_of(self._field, word)].append(at)
                at += 1
            at += _GAP
        for term, found in places.items():
            yield term.encode(), len(found), float(len(found)), self.format.encode(found)


@cache
def _schema() -> Anything:
    number = fields.COLUMN(columns.NumericColumn("q", default=NONE))
    schema = fields.Schema(
        id=fields.ID(sortable=True),
        position=number,
        sorted_date=number,
        hit=fields.COLUMN(columns.CompressedBytesColumn()),
    )
    for field in FIELDS:
        if field.name in ORDERED:
            schema.add(field.name, number)
        elif field.kind is Kind.EXACT:
            schema.add(field.name, fields.FieldType(formats.Existence(), None))
            if field.facet:
                schema.add(counted(field.name), fields.COLUMN(columns.VarBytesColumn()))
        else:
            schema.add(field.name, _Text(field))
    return schema


class _Storage(FileStorage):  # type: ignore[misc]
    """Whoosh syncs nothing, and leaves open what it fails to read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self._opened: WeakSet[Anything] = WeakSet()

    def open_file(self, name: str, **options: Anything) -> Anything:
        opened = super().open_file(name, **options)
        self._opened.add(opened)
        return opened

    def close_files(self) -> None:
        for opened in self._opened:
            if not opened.is_closed:
                opened.close()

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        """Only the table of contents is renamed: all that it names goes to disk first."""
        folder = Path(self.folder)
        for path in folder.iterdir():
            if path.is_file():
                _sync(path)
        super().rename_file(oldname, newname, safe)
        _sync(folder)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class WhooshEngine(Engine):
    name = "whoosh"

    def create(self) -> None:
        index.FileIndex.create(_Storage(self.folder), _schema())

    @contextmanager
    def session(self) -> Iterator[Session]:
        opened, _ = self._open()
        # Whoosh's writers let go of the lock at each commit; this one holds for the session.
        lock = opened.lock("WRITELOCK")
        if not lock.acquire():
            raise IndexBusy(f"another process writes the index {self.folder}", "wait for it to end")
        try:
            _clean(opened)
            session = WhooshSession(opened)
            try:
                yield session
            finally:
                session.cancel()
                _clean(opened)
        finally:
            lock.release()

    def searcher(self) -> Searcher:
        return WhooshSearcher(self._open()[1])

    def _open(self) -> tuple[Anything, Anything]:
        storage = _Storage(self.folder)
        try:
            opened = index.FileIndex(storage, _schema())
            return opened, opened.reader()
        except Exception as error:  # reading damaged pickles may raise anything
            storage.close_files()
            raise IndexUnusable(
                f"the index {self.folder} cannot be opened: {error}", "run `windrow rebuild`"
            ) from error


def _clean(opened: Anything) -> None:
    """What crashes and cancelled writers leave."""
    for path in Path(opened.storage.folder).glob("*.toc.*"):
        path.unlink()
    contents = index.TOC.read(opened.storage, opened.indexname, schema=_schema())
    index.clean_files(opened.storage, opened.indexname, contents.generation, contents.segments)


@contextmanager
def _faults_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise IndexUnusable(
            f"the index cannot be written: {error}",
            "free some space, then run `windrow sync`; the records are safe in the store",
        ) from error


class WhooshSession(Session):
    """A writer and a reader for each turn between two commits."""

    def __init__(self, opened: Anything) -> None:
        self._index = opened
        self._writer: Anything = None
        self._leaves: list[tuple[Anything, int]] = []
        self._added: dict[str, int] = {}

    def put(self, documents: Iterable[Document]) -> None:
        with _faults_told():
            for document in documents:
                _check(document)
                self._remove(document.id)
                self._added[document.id] = self._writer.docnum
                self._writer.add_document(**_fields(document))

    def delete(self, ids: Iterable[str]) -> None:
        with _faults_told():
            for id in ids:
                self._remove(id)

    def commit(self) -> None:
        if self._writer is not None:
            with _faults_told():
                self._writer.commit(mergetype=_merge)
            self._end()

    def cancel(self) -> None:
        if self._writer is not None:
            with suppress(Exception):  # after a commit that failed it fails again, and is cleaned up anyway
                self._writer.cancel()
            self._end()

    def _end(self) -> None:
        self._writer, self._leaves, self._added = None, [], {}

    def _begin(self) -> None:
        self._writer = SegmentWriter(self._index, limitmb=_MEMORY_MB, _lk=False)
        self._leaves = _leaves(self._writer.reader())

    def _remove(self, id: str) -> None:
        # `update_document` opens a searcher for each document and overlooks what was added since the commit.
        if self._writer is None:
            self._begin()
        added = self._added.pop(id, None)
        if added is not None:
            self._writer.newsegment.delete_document(added)
        for leaf, offset in self._leaves:
            for number in numbers_of(leaf, "id", id):
                self._writer.delete_document(offset + number)


def _leaves(reader: Anything) -> list[tuple[Anything, int]]:
    """(leaf, offset of its document numbers) of each segment that has documents."""
    leaves = [(leaf, offset) for leaf, offset in reader.leaf_readers() if leaf.doc_count_all()]
    for leaf, _ in leaves:
        hold_deletions(leaf)
    return leaves


def _merge(writer: Anything, segments: list[Anything]) -> list[Anything]:
    """Merge sizes of which there are many, and what is half deleted: Whoosh's own policy never does."""
    many = {size for size, count in Counter(map(_size, segments)).items() if count >= _SEGMENTS}
    kept = []
    for segment in segments:
        if _size(segment) in many or segment.deleted_count() * 2 >= segment.doc_count_all():
            reader = SegmentReader(writer.storage, writer.schema, segment)
            hold_deletions(reader)
            writer.add_reader(reader)
        else:
            kept.append(segment)
    return kept


def _size(segment: Anything) -> int:
    return int(segment.doc_count().bit_length()) // 3


def _check(document: Document) -> None:
    """A document that Whoosh takes only half would lose others without a word."""
    try:
        _decode_document(_encode(document))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as error:
        raise _unfit(document, str(error)) from error
    numbers = {**document.numbers, "position": document.position}
    if wrong := [f"{name} is {number}" for name, number in numbers.items() if not 0 <= number < 2**63]:
        raise _unfit(document, ", ".join(wrong))
    if unknown := (document.values.keys() - BY_NAME.keys()) | (document.numbers.keys() - ORDERED):
        raise _unfit(document, f"no field {', '.join(sorted(unknown))}")


def _unfit(document: Document, why: str) -> IndexFault:
    return IndexFault(
        f"the document {document.id} cannot be indexed: {why}", "report this as a fault of Windrow"
    )


def _fields(document: Document) -> dict[str, Anything]:
    exact = {name: values for name, values in document.values.items() if BY_NAME[name].kind is Kind.EXACT}
    return {
        **document.values,
        **{name: [value.lower() for value in values] for name, values in exact.items()},
        **{counted(name): _encode(values) for name, values in exact.items() if BY_NAME[name].facet},
        **document.numbers,
        "id": document.id,
        "position": document.position,
        "sorted_date": document.numbers.get("date") or document.numbers.get("year", 0) * 10_000,
        "hit": _encode(document.hit),
    }


class WhooshSearcher(Searcher):
    def __init__(self, reader: Anything) -> None:
        self._count = reader.doc_count()
        self._segments = [Segment(leaf, reader) for leaf, _ in _leaves(reader)]
        self._lock = Lock()  # the postings of a segment are read through one file position

    def search(
        self,
        query: Node,
        *,
        limit: int,
        offset: int = 0,
        sort: Sort = Sort.RELEVANCE,
        facets: Sequence[str] = (),
        facet_values: int = 1000,
    ) -> Found:
        with self._lock:
            found = [(segment, segment.scores(query)) for segment in self._segments]
        ranked = (
            (key, place, number)
            for place, (segment, scores) in enumerate(found)
            for key, number in segment.ranked(scores, sort)
        )
        hits = tuple(
            (self._segments[place].hit(number), -key if sort is Sort.RELEVANCE else 0.0)
            for key, place, number in heapq.nsmallest(offset + limit, ranked)[offset:]
        )
        counted = {name: _facet(found, name) for name in facets}
        return Found(
            total=sum(len(scores) for _, scores in found),
            hits=hits,
            facets={name: values[:facet_values] for name, values in counted.items()},
            more_values={
                name: min(MOST_COUNTED, max(0, len(values) - facet_values))
                for name, values in counted.items()
            },
        )

    def count(self) -> int:
        return int(self._count)

    def positions(self) -> Iterator[tuple[str, int]]:
        for segment in self._segments:
            yield from segment.positions()

    def stem(self, word: str) -> str:
        return stem(word)


def _facet(found: list[tuple["Segment", Scores]], name: str) -> tuple[tuple[str, int], ...]:
    counter: Counter[str] = Counter()
    for segment, scores in found:
        for values in segment.values(name, scores):
            counter.update(values)
    return tuple(sorted(counter.items(), key=lambda bucket: (-bucket[1], bucket[0])))
