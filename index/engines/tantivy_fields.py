"""How tantivy keeps a document: its schema, its analysers, a document's fields."""

from functools import cache
from typing import Any as Anything

import msgspec
import tantivy

from index.document import Document
from index.fields import FIELDS, SEARCHED, Kind
from index.nodes import WIDEST_SLOP

_UNDATED = 99_999_999
# Nobody's word, for words are in lower case: it only takes up places.
_NO_WORD = "X"
_BETWEEN = f" {_NO_WORD}" * (WIDEST_SLOP + 1) + " "  # no phrase goes from one value to the next

_encode = msgspec.json.Encoder().encode


@cache
def schema() -> tantivy.Schema:
    """`text` is all that is searched, stemmed; each field has its words as they are."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("position", fast=True)
    builder.add_unsigned_field("newest", fast=True)
    builder.add_unsigned_field("oldest", fast=True)
    builder.add_bytes_field("hit", stored=True)
    builder.add_text_field("text", tokenizer_name="stems")
    builder.add_text_field("has", tokenizer_name="raw", index_option="basic")
    for field in FIELDS:
        if field.kind in (Kind.NUMBER, Kind.DATE):
            builder.add_unsigned_field(field.name, indexed=True, fast=True)
        elif field.kind is Kind.EXACT:
            builder.add_text_field(field.name, fast=field.facet, tokenizer_name="exact", index_option="basic")
        else:
            builder.add_text_field(field.name, tokenizer_name="words")
    return builder.build()


@cache
def analyzers() -> dict[str, tantivy.TextAnalyzer]:
    simple, raw = tantivy.Tokenizer.simple(), tantivy.Tokenizer.raw()
    usual = (tantivy.Filter.custom_stopword([_NO_WORD]),)
    return {
        "stems": _analyzer(simple, *usual, tantivy.Filter.stemmer("english")),
        "words": _analyzer(simple, *usual),
        "exact": _analyzer(raw, tantivy.Filter.lowercase()),
    }


def as_written() -> tantivy.TextAnalyzer:
    return _analyzer(tantivy.Tokenizer.raw())


def _analyzer(tokenizer: tantivy.Tokenizer, *filters: tantivy.Filter) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tokenizer)
    for each in filters:
        builder = builder.filter(each)
    return builder.build()


def stem(word: str) -> str:
    stems = analyzers()["stems"].analyze(word)
    return stems[0] if stems else word


def fields(document: Document) -> dict[str, Anything]:
    date = document.numbers.get("date") or document.numbers.get("year", 0) * 10_000
    values = document.values
    texts = {name: _BETWEEN.join(values[name]) for name in _TEXTS if name in values}
    return {
        **values,
        **texts,
        **document.numbers,
        "text": _BETWEEN.join(texts[name] for name in _SEARCHED if name in texts),
        "has": [*values, *document.numbers],
        "id": document.id,
        "position": document.position,
        "newest": date,
        "oldest": date or _UNDATED,
        "hit": _encode(document.hit),
    }


_TEXTS = tuple(field.name for field in FIELDS if field.kind in (Kind.TEXT, Kind.NAME))
_SEARCHED = tuple(field.name for field in SEARCHED)
