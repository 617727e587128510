"""Query → hits, facets, snippets: the one function behind every door. Opens no database."""

import time
from collections.abc import Sequence

import msgspec

from harvester.errors import QueryError
from index.document import Hit
from index.engine import Found, Searcher, Sort
from index.fields import SPOKEN_FACETS, facet_field
from index.nodes import All, Any, Exact, Node, Not, Words
from index.query import filter_node, parse
from index.snippets import highlighted, snippet, sought
from index.trees import filtered, loosened

_ENOUGH = 10
# Too common to be worth asking for alone.
_STOP_WORDS = frozenset(
    """
    a an and are as at be but by for from had has have he her his i if in into is it its more no not of on
    or our she so such than that the their them then there these they this to was we were what when which
    who will with you your
    """.split()
)


class ShownHit(msgspec.Struct, frozen=True, kw_only=True):
    """`stored` is all that the index has of it, where that was asked for."""

    id: str
    score: float
    title: str
    creators: tuple[str, ...]
    year: int | None
    type: str
    source: str
    landing_url: str
    snippet: str
    stored: Hit | msgspec.UnsetType = msgspec.UNSET


class FacetValue(msgspec.Struct, frozen=True):
    value: str
    count: int


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """`loosened`: fewer than ten records had all the words, so these have any of them.

    `more_values`: by facet, how many values are not among those shown; a thousand stands for more, too.
    """

    query: str
    total: int
    loosened: bool
    suggestion: str
    took_ms: float
    hits: tuple[ShownHit, ...]
    facets: dict[str, tuple[FacetValue, ...]]
    more_values: dict[str, int]


class Tiers(msgspec.Struct, frozen=True):
    """By relevance, what matches `first` comes before the rest of what matches `whole`; it is part of it."""

    whole: Node
    first: Node | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Of a result in its order: `limit` hits after the first `offset`; `facets` are fields."""

    limit: int = 10
    offset: int = 0
    sort: Sort = Sort.RELEVANCE
    facets: tuple[str, ...] = ()
    facet_values: int = 10


def search(
    searcher: Searcher,
    query: str,
    *,
    filters: Sequence[str] = (),
    facets: Sequence[str] = (),
    facet_values: int = 10,
    sort: Sort = Sort.RELEVANCE,
    limit: int = 10,
    offset: int = 0,
    mark: tuple[str, str] = ("", ""),
    stored: bool = False,
) -> Results:
    """`filters` are FIELD=VALUE; `mark` goes around matched words in titles and snippets.

    `stored`: each hit comes with all that the index has of it. QueryError on a fault.
    """
    began = time.perf_counter()
    parsed = parse(query)
    narrow = _filters(filters)
    fields = {name: _facet(name) for name in facets}
    counted = tuple(set(fields.values()))
    page = Page(limit=limit, offset=offset, sort=sort, facets=counted, facet_values=facet_values)
    tiers, found = _answered(searcher, parsed.tree, narrow, page)
    wanted = sought(tiers.whole)

    def shown(hit: Hit, score: float) -> ShownHit:
        cut = snippet(hit, wanted, searcher.stem, mark)
        title = highlighted(hit.title, wanted, searcher.stem, mark) if any(mark) else hit.title
        return _shown(hit, score, title, cut, stored=stored)

    return Results(
        query=query,
        total=found.total,
        loosened=tiers.first is parsed.tree,
        suggestion=parsed.suggestion,
        hits=tuple(shown(hit, score) for hit, score in found.hits),
        facets={
            name: tuple(FacetValue(*one) for one in found.facets[field]) for name, field in fields.items()
        },
        more_values={name: found.more_values[field] for name, field in fields.items()},
        took_ms=round((time.perf_counter() - began) * 1000, 3),
    )


def _answered(
    searcher: Searcher, tree: Node, narrow: dict[str, list[Node]], page: Page
) -> tuple[Tiers, Found]:
    """The query as it stands, or looser where few records match it."""
    strict = understood(tree)
    found = _found(searcher, strict, narrow, page)
    looser = loosened(tree, _STOP_WORDS) if found.total < _ENOUGH else None
    if looser is None:
        return strict, found
    tiers = Tiers(looser, tree)
    wider = _found(searcher, tiers, narrow, page)
    return (tiers, wider) if wider.total > found.total else (strict, found)


def understood(tree: Node) -> Tiers:
    """A number alone may be an eprint's, too."""
    match tree:
        case Words(words=(word,), field="") if word.isdecimal():
            number = Exact("identifier", word)
            return Tiers(Any((tree, number)), number)
    return Tiers(tree)


def _found(searcher: Searcher, tiers: Tiers, narrow: dict[str, list[Node]], page: Page) -> Found:
    whole = filtered(tiers.whole, narrow)
    if tiers.first is None or page.sort is not Sort.RELEVANCE:
        return _page(searcher, whole, page)
    first = filtered(tiers.first, narrow)
    before = searcher.search(first, limit=page.limit, offset=page.offset)
    rest = searcher.search(
        All((whole, Not(first))),
        limit=page.limit - len(before.hits),
        offset=max(0, page.offset - before.total),
    )
    counted = _page(searcher, whole, page, limit=0) if page.facets else rest
    return Found(before.total + rest.total, before.hits + rest.hits, counted.facets, counted.more_values)


def _page(searcher: Searcher, node: Node, page: Page, limit: int | None = None) -> Found:
    return searcher.search(
        node,
        limit=page.limit if limit is None else limit,
        offset=page.offset if limit is None else 0,
        sort=page.sort,
        facets=page.facets,
        facet_values=page.facet_values,
    )


def _filters(filters: Sequence[str]) -> dict[str, list[Node]]:
    nodes: dict[str, list[Node]] = {}
    for one in filters:
        name, equals, value = one.partition("=")
        field = facet_field(name.strip())
        if field is None or not equals or not value.strip():
            raise QueryError(
                f"{one} is no filter" if not equals else f"there is no field {name} to filter by",
                one,
                0,
                "write FIELD=VALUE; fields are id, set, date, " + ", ".join(SPOKEN_FACETS),
            )
        nodes.setdefault(field.name, []).append(filter_node(field, value.strip()))
    return nodes


def _facet(name: str) -> str:
    field = facet_field(name)
    if field is None or not field.facet:
        raise QueryError(f"there is no facet {name}", name, 0, "facets are " + ", ".join(SPOKEN_FACETS))
    return field.name


def _shown(hit: Hit, score: float, title: str, cut: str, *, stored: bool) -> ShownHit:
    return ShownHit(
        id=hit.id,
        score=round(score, 4),
        title=title,
        creators=hit.creators,
        year=hit.year,
        type=hit.type,
        source=hit.source,
        landing_url=hit.landing_url,
        snippet=cut,
        stored=hit if stored else msgspec.UNSET,
    )
