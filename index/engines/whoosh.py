"""Whoosh: the engine in pure Python. It keeps the terms and segments; the postings, and what a query finds in
them, are worked out beside it (whoosh_codec.py, whoosh_matching.py, whoosh_scoring.py).

An index folder is never taken from a stranger: it holds pickles.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from math import inf
from operator import neg
from pathlib import Path
from threading import Lock
from typing import Any as Anything

from whoosh import index
from whoosh.reading import SegmentReader
from whoosh.writing import SegmentWriter

from harvester.errors import IndexBusy, IndexFault, IndexUnusable
from index.analysis import stem
from index.document import Document
from index.engine import MOST_COUNTED, Engine, Found, Searcher, Session, Sort
from index.engines.whoosh_codec import Codec
from index.engines.whoosh_fields import as_fields, check, schema
from index.engines.whoosh_matching import Matching
from index.engines.whoosh_scoring import scores_of
from index.engines.whoosh_snapshot import Snapshot
from index.engines.whoosh_storage import Storage
from index.nodes import Node

_MEMORY_MB = 64
_SEGMENTS = 8  # as many of one size are merged into one


class WhooshEngine(Engine):
    name = "whoosh"

    def create(self) -> None:
        index.FileIndex.create(Storage(self.folder), schema())

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
        with _damage_told():
            return WhooshSearcher(self._open()[1])

    def _open(self) -> tuple[Anything, Anything]:
        storage = Storage(self.folder)
        try:
            with _damage_told():
                opened = index.FileIndex(storage, schema())
                return opened, opened.reader()
        except IndexUnusable:
            storage.close_files()
            raise


def _clean(opened: Anything) -> None:
    """What crashes and cancelled writers leave."""
    for path in Path(opened.storage.folder).glob("*.toc.*"):
        path.unlink()
    contents = index.TOC.read(opened.storage, opened.indexname, schema=schema())
    index.clean_files(opened.storage, opened.indexname, contents.generation, contents.segments)


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except IndexFault:
        raise
    except PermissionError as error:
        advice = "searching needs the right to read the index folder: check its owner and mode"
        raise IndexUnusable(f"the index cannot be used: {error}", advice) from error
    except Exception as error:  # reading damaged pickles and numbers may raise anything
        advice = "run `windrow rebuild`: the records are safe in the store"
        raise IndexUnusable(f"the index cannot be used: {error!r}", advice) from error


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
                check(document)
                self._remove(document.id)
                self._added[document.id] = self._writer.docnum
                self._writer.add_document(**as_fields(document))

    def delete(self, ids: Iterable[str]) -> None:
        with _faults_told():
            for id in ids:
                self._remove(id)

    def commit(self) -> None:
        if self._writer is not None:
            with _damage_told(), _faults_told():
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
        self._writer = SegmentWriter(self._index, limitmb=_MEMORY_MB, _lk=False, codec=Codec())
        self._leaves = _leaves(self._writer.reader())

    def _remove(self, id: str) -> None:
        # `update_document` opens a searcher for each document and overlooks what was added since the commit.
        if self._writer is None:
            self._begin()
        added = self._added.pop(id, None)
        if added is not None:
            self._writer.newsegment.delete_document(added)
        with _damage_told():
            for leaf, offset in self._leaves:
                for number in _numbers_of(leaf, id):
                    self._writer.delete_document(offset + number)


def _leaves(reader: Anything) -> list[tuple[Anything, int]]:
    """(leaf, offset of its document numbers) of each segment that has documents."""
    leaves = [(leaf, offset) for leaf, offset in reader.leaf_readers() if leaf.doc_count_all()]
    for leaf, _ in leaves:
        _hold_deletions(leaf)
    return leaves


def _hold_deletions(leaf: Anything) -> None:
    """Whoosh copies the set of deleted documents for each term that it reads; a frozen set is not copied."""
    deleted = frozenset(leaf._perdoc.deleted_docs())
    leaf._perdoc.deleted_docs = lambda: deleted


def _numbers_of(leaf: Anything, id: str) -> list[int]:
    term = "id", id.encode("utf-8", "surrogatepass")
    return list(leaf.postings(*term).all_ids()) if term in leaf else []


def _merge(writer: Anything, segments: list[Anything]) -> list[Anything]:
    """Merge sizes of which there are many, and what is half deleted: Whoosh's own policy never does."""
    many = {size for size, count in Counter(map(_size, segments)).items() if count >= _SEGMENTS}
    kept = []
    for segment in segments:
        if _size(segment) in many or segment.deleted_count() * 2 >= segment.doc_count_all():
            reader = SegmentReader(writer.storage, writer.schema, segment)
            _hold_deletions(reader)
            writer.add_reader(reader)
        else:
            kept.append(segment)
    return kept


def _size(segment: Anything) -> int:
    return int(segment.doc_count().bit_length()) // 3


class WhooshSearcher(Searcher):
    def __init__(self, reader: Anything) -> None:
        self._snapshot = Snapshot(_leaves(reader))
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
        with self._lock, _damage_told():
            matching = Matching(self._snapshot)
            found = matching.of(query)
            last = min(offset + limit, len(found)) if limit else 0
            ranked = self._ranked(query, matching, sort) if last > offset else iter(())
            shown = heapq.nsmallest(last, ranked)[offset:]
            counted = {name: self._facet(found, name) for name in facets}
            return Found(
                total=len(found),
                hits=tuple(
                    (self._snapshot.hit(number), -key if sort is Sort.RELEVANCE else 0.0)
                    for key, number in shown
                ),
                facets={name: values[:facet_values] for name, values in counted.items()},
                more_values={
                    name: min(MOST_COUNTED, max(0, len(values) - facet_values))
                    for name, values in counted.items()
                },
            )

    def count(self) -> int:
        return len(self._snapshot.documents)

    def positions(self) -> Iterator[tuple[str, int]]:
        with _damage_told():
            yield from self._snapshot.positions()

    def stem(self, word: str) -> str:
        return stem(word)

    def _ranked(self, query: Node, matching: Matching, sort: Sort) -> Iterator[tuple[float, int]]:
        """(key, number) of each document, the smallest key first."""
        if sort is Sort.RELEVANCE:
            scores = scores_of(query, matching, self._snapshot)
            return zip(map(neg, scores.values()), scores, strict=True)
        found = matching.of(query)
        keys = self._snapshot.numbers("position" if sort is Sort.ADDED else "sorted_date")
        if sort is Sort.OLDEST:
            return ((keys[number] or inf, number) for number in found)
        return ((-keys[number], number) for number in found)

    def _facet(self, found: Set[int], name: str) -> tuple[tuple[str, int], ...]:
        counter: Counter[str] = Counter()
        for values in self._snapshot.values(name, found):
            counter.update(values)
        return tuple(sorted(counter.items(), key=lambda bucket: (-bucket[1], bucket[0])))
