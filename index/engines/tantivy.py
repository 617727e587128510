"""Tantivy: the default engine. Its traps are worked around where they are met."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any as Anything

import msgspec
import tantivy
from tantivy import Occur, Query

from harvester.errors import IndexBusy, IndexUnusable
from index.document import Document, Hit
from index.engine import Engine, Found, Searcher, Session, Sort
from index.fields import FIELDS, SEARCHED, Field, Kind
from index.nodes import All, Any, Everything, Exact, Node, Not, Prefer, Range, Words

_HEAP = 50_000_000  # bytes: with one thread, a third of what the process takes
_THREADS = 1  # the harvest beside it has the other core
_FACET_VALUES = 1_000_000
_BATCH = 10_000
_UNDATED = 99_999_999
_FIRST = 1_000_000.0  # above any BM25 score

_FIELDS = {field.name: field for field in FIELDS}
_encode = msgspec.json.Encoder().encode
_decode_hit = msgspec.json.Decoder(Hit).decode


@cache
def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("position", fast=True)
    builder.add_unsigned_field("newest", fast=True)
    builder.add_unsigned_field("oldest", fast=True)
    builder.add_bytes_field("hit", stored=True)
    for field in FIELDS:
        if field.kind in (Kind.NUMBER, Kind.DATE):
            builder.add_unsigned_field(field.name, indexed=True, fast=True)
        elif field.kind is Kind.EXACT:
            builder.add_text_field(field.name, fast=field.facet, tokenizer_name="exact", index_option="basic")
        else:
            builder.add_text_field(field.name, tokenizer_name=field.kind.value)
    return builder.build()


@cache
def _analyzers() -> dict[str, tantivy.TextAnalyzer]:
    def build(tokenizer: tantivy.Tokenizer, *filters: tantivy.Filter) -> tantivy.TextAnalyzer:
        builder = tantivy.TextAnalyzerBuilder(tokenizer)
        for each in filters:
            builder = builder.filter(each)
        return builder.build()

    lowercase, short = tantivy.Filter.lowercase(), tantivy.Filter.remove_long(256)
    return {
        "text": build(tantivy.Tokenizer.simple(), short, lowercase, tantivy.Filter.stemmer("english")),
        "name": build(tantivy.Tokenizer.simple(), short, lowercase),
        "exact": build(tantivy.Tokenizer.raw(), lowercase),
    }


def _as_written() -> tantivy.TextAnalyzer:
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw()).build()


class TantivyEngine(Engine):
    name = "tantivy"

    def create(self) -> None:
        tantivy.Index(_schema(), path=str(self.folder))

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
        for name, analyzer in _analyzers().items():
            index.register_tokenizer(name, analyzer)
        # Searched whatever their case, but counted as they are written.
        index.register_fast_field_tokenizer("exact", _as_written())
        return index


class TantivySession(Session):
    def __init__(self, writer: tantivy.IndexWriter) -> None:
        self._writer = writer

    def put(self, documents: Iterable[Document]) -> None:
        schema = _schema()
        with _faults_told():
            for document in documents:
                added = tantivy.Document.from_dict(_fields(document), schema)  # a bad one replaces none
                self._writer.delete_documents_by_term("id", document.id)
                self._writer.add_document(added)

    def delete(self, ids: Iterable[str]) -> None:
        for id in ids:
            self._writer.delete_documents_by_term("id", id)

    def commit(self) -> None:
        with _faults_told():
            self._writer.commit()


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
        advice = "run `windrow rebuild`: the records are safe in the store"
    return IndexUnusable(f"the index cannot be used: {text}", advice)


@contextmanager
def _faults_told() -> Iterator[None]:
    """A full disk comes as ValueError or OSError, by where tantivy meets it."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise IndexUnusable(
            f"the index cannot be written: {error}",
            "free some space, then run `windrow sync`; the records are safe in the store",
        ) from error


def _fields(document: Document) -> dict[str, Anything]:
    date = document.numbers.get("date") or document.numbers.get("year", 0) * 10_000
    return {
        **document.values,
        **document.numbers,
        "id": document.id,
        "position": document.position,
        "newest": date,
        "oldest": date or _UNDATED,
        "hit": _encode(document.hit),
    }


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
        compiled = self._compiled(query)
        with _damage_told():
            result = self._searcher.search(compiled, limit=max(1, limit), offset=offset, **_ORDER[sort])
            hits = tuple(
                (self._hit(address), float(score) if sort is Sort.RELEVANCE else 0.0)
                for score, address in result.hits[:limit]
            )
            counted = {name: self._facet(compiled, name)[:facet_values] for name in facets}
        total: int = result.count  # type: ignore[attr-defined]  # its stubs leave it out
        return Found(total, hits, counted)

    def count(self) -> int:
        return self._searcher.num_docs

    def positions(self) -> Iterator[tuple[str, int]]:
        """In batches, so that memory stays flat."""
        last = -1
        while batch := self._positions_after(last):
            yield from batch
            last = batch[-1][1]

    def _positions_after(self, last: int) -> list[tuple[str, int]]:
        later = Query.range_query(_schema(), "position", _UNSIGNED, lower_bound=last + 1)
        with _damage_told():
            page = self._searcher.search(later, limit=_BATCH, count=False, **_BY_POSITION)
            return [
                (str(self._searcher.doc(address).get_first("id")), int(position))
                for position, address in page.hits
            ]

    def stem(self, word: str) -> str:
        stems = _analyzers()["text"].analyze(word)
        return stems[0] if stems else word

    def _hit(self, address: tantivy.DocAddress) -> Hit:
        stored: Anything = self._searcher.doc(address).get_first("hit")
        return _decode_hit(bytes(stored))

    def _facet(self, query: Query, name: str) -> tuple[tuple[str, int], ...]:
        terms = {"field": name, "size": _FACET_VALUES, "segment_size": _FACET_VALUES}
        buckets = self._searcher.aggregate(query, {"of": {"terms": terms}})["of"]["buckets"]
        number = _FIELDS[name].kind is Kind.NUMBER
        counted = ((str(int(one["key"])) if number else one["key"], one["doc_count"]) for one in buckets)
        return tuple(sorted(counted, key=lambda bucket: (-bucket[1], bucket[0])))

    def _compiled(self, node: Node) -> Query:
        match node:
            case Everything():
                return Query.all_query()
            case Words():
                return self._words(node)
            case Exact():
                return _unscored(Query.term_query(_schema(), node.field, node.value, "basic"))
            case Range():
                return _range(node)
            case Not():
                return _without(self._compiled(node.node))
            case All():
                return _all([self._compiled(one) for one in node.nodes])
            case Any():
                return _any([self._compiled(one) for one in node.nodes])
            case Prefer():
                first = Query.const_score_query(self._compiled(node.first), _FIRST)
                return Query.boolean_query([(Occur.Must, self._compiled(node.node)), (Occur.Should, first)])
        raise AssertionError(f"a node that tantivy does not know: {node}")

    def _words(self, node: Words) -> Query:
        fields = (_FIELDS[node.field],) if node.field else SEARCHED
        return _any([self._words_of(field, node.words) for field in fields])

    def _words_of(self, field: Field, words: tuple[str, ...]) -> Query:
        terms: list[Anything] = [self.stem(word) if field.kind is Kind.TEXT else word for word in words]
        # A phrase of one word makes tantivy panic.
        if len(terms) == 1:
            query = Query.term_query(_schema(), field.name, terms[0])
        else:
            query = Query.phrase_query(_schema(), field.name, terms)
        return Query.boost_query(query, field.boost) if field.boost else query


_UNSIGNED = tantivy.FieldType.Unsigned
_BY_POSITION: dict[str, Anything] = {"order_by_field": "position", "order": tantivy.Order.Asc}
_ORDER: dict[Sort, dict[str, Anything]] = {
    Sort.RELEVANCE: {},
    Sort.NEWEST: {"order_by_field": "newest", "order": tantivy.Order.Desc},
    Sort.OLDEST: {"order_by_field": "oldest", "order": tantivy.Order.Asc},
    Sort.ADDED: {"order_by_field": "position", "order": tantivy.Order.Desc},
}


def _unscored(query: Query) -> Query:
    return Query.const_score_query(query, 0.0)


def _all(queries: list[Query]) -> Query:
    if not queries:
        return Query.all_query()
    return Query.boolean_query([(Occur.Must, query) for query in queries])


def _any(queries: list[Query]) -> Query:
    if not queries:
        return Query.empty_query()
    return queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Should, one) for one in queries])


def _without(query: Query) -> Query:
    """Exclusions alone find nothing in tantivy."""
    return Query.boolean_query([(Occur.Must, _unscored(Query.all_query())), (Occur.MustNot, query)])


def _range(node: Range) -> Query:
    low, high = node.low or 0, node.high if node.high is not None else 2**63
    if high < 0 or low > high:
        return Query.empty_query()
    return _unscored(Query.range_query(_schema(), node.field, _UNSIGNED, lower_bound=low, upper_bound=high))
