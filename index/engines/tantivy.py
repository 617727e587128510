"""Tantivy: the default engine. Its traps are worked around where they are met."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any as Anything

import msgspec
import tantivy
from tantivy import Query

from harvester.errors import IndexBusy, IndexDamaged, IndexUnusable
from index.document import Document, Hit
from index.engine import Engine, Found, Searcher, Session, Sort
from index.engines.tantivy_facets import facet
from index.engines.tantivy_fields import analyzers, as_written, fields, schema, stem
from index.engines.tantivy_query import compiled_query
from index.nodes import Node

_HEAP = 50_000_000  # bytes: with one thread, a third of what the process takes
_THREADS = 1  # the harvest beside it has the other core
_BATCH = 10_000

_decode_hit = msgspec.json.Decoder(Hit).decode


class TantivyEngine(Engine):
    name = "tantivy"

    def create(self) -> None:
        tantivy.Index(schema(), path=str(self.folder))

    @contextmanager
    def session(self) -> Iterator[Session]:
        index = self._open()
        try:
            writer = index.writer(heap_size=_HEAP, num_threads=_THREADS)
        except ValueError as error:
            if "LockBusy" not in str(error):
                raise _unusable(error) from error
            raise IndexBusy(
                f"another process writes the index {self.folder}", "wait for it to end"
            ) from error
        # A crash leaves files whose names the next commit would want.
        writer.garbage_collect_files()
        try:
            yield TantivySession(writer)
            writer.garbage_collect_files()
        finally:
            with _faults_told():
                writer.wait_merging_threads()

    def searcher(self) -> Searcher:
        with _damage_told():
            return TantivySearcher(self._open().searcher())

    def _open(self) -> tantivy.Index:
        # `Index(schema, path)` would make an empty index where the files are gone.
        with _damage_told():
            index = tantivy.Index.open(str(self.folder))
        for name, analyzer in analyzers().items():
            index.register_tokenizer(name, analyzer)
        # Searched whatever their case, but counted as they are written.
        index.register_fast_field_tokenizer("exact", as_written())
        return index


class TantivySession(Session):
    def __init__(self, writer: tantivy.IndexWriter) -> None:
        self._writer = writer

    def put(self, documents: Iterable[Document]) -> None:
        with _faults_told():
            for document in documents:
                added = tantivy.Document.from_dict(fields(document), schema())  # a bad one replaces none
                self._writer.delete_documents_by_term("id", document.id)
                self._writer.add_document(added)

    def delete(self, ids: Iterable[str]) -> None:
        for id in ids:
            self._writer.delete_documents_by_term("id", id)

    def commit(self) -> None:
        with _faults_told():
            self._writer.commit()


_REBUILD = "run `windrow rebuild`: the records are safe in the store"


@contextmanager
def _damage_told() -> Iterator[None]:
    """Damaged files come as ValueError or OSError, and sometimes as a panic, which is no Exception at all."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise _unusable(error) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _unusable(error) from error


def _unusable(error: BaseException) -> IndexUnusable:
    text = str(error)
    if "denied" in text or "Read-only" in text:
        advice = "searching needs the right to read and write the index folder: check its owner and mode"
    else:
        advice = _REBUILD
    return IndexUnusable(f"the index cannot be used: {text}", advice)


@contextmanager
def _faults_told() -> Iterator[None]:
    """A full disk comes as ValueError or OSError, by where tantivy meets it; damage in many ways."""
    try:
        yield
    except (ValueError, OSError) as error:
        if "Data corrupt" in str(error):
            raise IndexDamaged(f"the index is damaged: {error}", _REBUILD) from error
        raise IndexUnusable(
            f"the index cannot be written: {error}",
            "free some space, then run `windrow sync`; the records are safe in the store",
        ) from error


class TantivySearcher(Searcher):
    def __init__(self, searcher: tantivy.Searcher) -> None:
        self._searcher = searcher

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
        with _damage_told():
            compiled = compiled_query(query, self._searcher)
            result = self._searcher.search(compiled, limit=max(1, limit), offset=offset, **_ORDER[sort])
            hits = tuple(
                (self._hit(address), float(score) if sort is Sort.RELEVANCE else 0.0)
                for score, address in result.hits[:limit]
            )
            counted = {name: facet(self._searcher, compiled, name, facet_values) for name in facets}
        total: int = result.count  # type: ignore[attr-defined]  # its stubs leave it out
        values = {name: tuple(values) for name, (values, _) in counted.items()}
        return Found(total, hits, values, {name: more for name, (_, more) in counted.items()})

    def count(self) -> int:
        return self._searcher.num_docs

    def positions(self) -> Iterator[tuple[str, int]]:
        """In batches, so that memory stays flat."""
        last = -1
        while batch := self._positions_after(last):
            yield from batch
            last = batch[-1][1]

    def _positions_after(self, last: int) -> list[tuple[str, int]]:
        later = Query.range_query(schema(), "position", _UNSIGNED, lower_bound=last + 1)
        with _damage_told():
            page = self._searcher.search(later, limit=_BATCH, count=False, **_BY_POSITION)
            return [
                (str(self._searcher.doc(address).get_first("id")), int(position))
                for position, address in page.hits
            ]

    def stem(self, word: str) -> str:
        return stem(word)

    def _hit(self, address: tantivy.DocAddress) -> Hit:
        stored: Anything = self._searcher.doc(address).get_first("hit")
        return _decode_hit(bytes(stored))


_UNSIGNED = tantivy.FieldType.Unsigned
_BY_POSITION: dict[str, Anything] = {"order_by_field": "position", "order": tantivy.Order.Asc}
_ORDER: dict[Sort, dict[str, Anything]] = {
    Sort.RELEVANCE: {},
    Sort.NEWEST: {"order_by_field": "newest", "order": tantivy.Order.Desc},
    Sort.OLDEST: {"order_by_field": "oldest", "order": tantivy.Order.Asc},
    Sort.ADDED: {"order_by_field": "position", "order": tantivy.Order.Desc},
}
