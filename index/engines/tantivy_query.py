"""Node → tantivy's query. Its traps are worked around here."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import combinations_with_replacement, product

import tantivy
from tantivy import Occur, Query

from index.analysis import beginnings
from index.engines.tantivy_fields import schema, stem
from index.fields import BY_NAME, SEARCHED, WEIGHED, Field, Kind
from index.nodes import (
    All,
    Any,
    Boosted,
    Everything,
    Exact,
    Fuzzy,
    Has,
    Node,
    Not,
    Pattern,
    Range,
    Words,
)

_UNSIGNED = tantivy.FieldType.Unsigned
_MOST_PHRASES = 64  # one by one; beyond, a phrase of alternatives
_SIGN = re.compile(r"[!-/:-@\[-`{-~]")  # it refuses a backslash before any other

Place = tuple[int, Sequence[str]]  # where a word of a phrase stands, and what it may be


def compiled_query(node: Node, searcher: tantivy.Searcher) -> Query:
    return _Compiler(searcher).query(node)


class _Compiler:
    def __init__(self, searcher: tantivy.Searcher) -> None:
        self._searcher = searcher

    def query(self, node: Node) -> Query:
        match node:
            case Everything():
                return Query.all_query()
            case Words(field=""):
                return _anywhere(node)
            case Words():
                return self._inside(BY_NAME[node.field], node)
            case Pattern():
                return _expanded(node.field, partial(_fitting, node.pattern))
            case Fuzzy():
                return _fuzzy(node)
            case Exact():
                return _unscored(_any([_value(node.field, value) for value in _sigmas(node.value)]))
            case Has():
                return _unscored(Query.term_query(schema(), "has", node.field, "basic"))
            case Range():
                return _range(node)
        return self._combined(node)

    def _combined(self, node: Node) -> Query:
        match node:
            case Not():
                return _without(self.query(node.node))
            case Boosted():
                return Query.boost_query(self.query(node.node), node.factor)
            case All():
                return _all([self.query(one) for one in node.nodes])
            case Any():
                return _any([self.query(one) for one in node.nodes])
        raise AssertionError(f"a node that tantivy does not know: {node}")

    def _inside(self, field: Field, node: Words) -> Query:
        """A field has its words as they are: of a stem, those that share it."""
        if field.kind is Kind.NAME:
            return _phrases(field.name, [(word,) for word in node.words], node.slop)
        return _phrases(field.name, [self._alike(field, word) for word in node.words], node.slop)

    def _alike(self, field: Field, word: str) -> list[str]:
        wanted = stem(word)
        near = [
            term
            for begin in beginnings(wanted)
            for term, _ in self._searcher.terms_with_prefix(field.name, begin)
        ]
        return [term for term in near if stem(term) == wanted]


def _value(field: str, value: str) -> Query:
    return Query.term_query(schema(), field, value, "basic")


def _sigmas(value: str) -> tuple[str, ...]:
    """Of a capital at a word's end tantivy makes σ, Python ς."""
    return (value, value.replace("ς", "σ")) if "ς" in value else (value,)


def _anywhere(node: Words) -> Query:
    """The exact words of a field add to the score; what has them has their stems in its text."""
    found = _phrases("text", [(stem(word),) for word in node.words], node.slop)
    if node.slop:
        return found
    exact = ((field.weight, _phrases(field.name, [(word,) for word in node.words])) for field in WEIGHED)
    return _any([found, *(Query.boost_query(query, weight) for weight, query in exact)])


def _phrases(field: str, alternatives: Sequence[Sequence[str]], slop: int = 0) -> Query:
    if not all(alternatives):
        return Query.empty_query()
    if len(alternatives) == 1:  # a phrase of one word makes tantivy panic
        return _any([Query.term_query(schema(), field, word) for word in alternatives[0]])
    arranged = _arrangements(len(alternatives), slop)
    return _best([_phrase(field, list(zip(places, alternatives, strict=True))) for places in arranged])


def _arrangements(words: int, slop: int) -> Iterator[tuple[int, ...]]:
    """Of words in order with at most `slop` others in between: tantivy's own slop turns them round, too."""
    for gaps in combinations_with_replacement(range(slop + 1), words - 1):
        yield (0, *(at + gap for at, gap in enumerate(gaps, 1)))


def _phrase(field: str, places: list[Place]) -> Query:
    count = 1
    for _, words in places:
        count *= len(words)
    if count > _MOST_PHRASES:
        either: list[str | tuple[int, str]] = [(at, "|".join(words)) for at, words in places]
        return Query.regex_phrase_query(schema(), field, either)
    each = product(*([(at, word) for word in words] for at, words in places))
    return _best([Query.phrase_query(schema(), field, list(one)) for one in each])


def _fuzzy(node: Fuzzy) -> Query:
    """The word itself before its likes."""
    near = _expanded(
        node.field,
        lambda name: Query.fuzzy_term_query(
            schema(), name, node.word, distance=node.edits, transposition_cost_one=False
        ),
    )
    names = (node.field,) if node.field else tuple(field.name for field in SEARCHED)
    itself = _any([Query.term_query(schema(), name, node.word) for name in names])
    return Query.boolean_query([(Occur.Must, near), (Occur.Should, itself)])


def _expanded(field: str, query: Callable[[str], Query]) -> Query:
    """Of the terms that fit, any; how many fit says nothing about a document."""
    if field and BY_NAME[field].kind is Kind.EXACT:
        return _unscored(query(field))
    names = (field,) if field else tuple(one.name for one in SEARCHED)
    return Query.const_score_query(_any([query(name) for name in names]), 1.0)


@lru_cache(maxsize=32)  # one search may ask more than once
def _fitting(pattern: str, field: str) -> Query:
    """A beginning alone is no regular expression: to build one takes tantivy longer than the search."""
    begin = pattern.removesuffix("*")
    if begin == pattern or "*" in begin or "?" in begin:
        return Query.regex_query(schema(), field, _regex(pattern))
    return Query.fuzzy_term_query(schema(), field, begin, distance=0, prefix=True)


def _regex(pattern: str) -> str:
    signs = {"*": ".*", "?": "."}
    return "".join(signs.get(sign) or _SIGN.sub(r"\\\g<0>", sign) for sign in pattern)


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


def _best(queries: list[Query]) -> Query:
    return queries[0] if len(queries) == 1 else Query.disjunction_max_query(queries)


def _without(query: Query) -> Query:
    """Exclusions alone find nothing in tantivy."""
    return Query.boolean_query([(Occur.Must, _unscored(Query.all_query())), (Occur.MustNot, query)])


def _range(node: Range) -> Query:
    low, high = max(0, node.low or 0), node.high if node.high is not None else 2**63
    if high < 0 or low > high:
        return Query.empty_query()
    return _unscored(Query.range_query(schema(), node.field, _UNSIGNED, lower_bound=low, upper_bound=high))
