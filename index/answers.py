"""Which query is answered, and in which order its hits come."""

from itertools import chain

import msgspec

from index.analysis import words
from index.document import Hit, title_key
from index.engine import Found, Searcher, Sort
from index.nodes import All, Any, Beside, Boosted, Exact, Node, Not, Spellings, Words
from index.trees import filtered, leaves, loosened

_ENOUGH = 10
_LONG_TITLE = 5  # words
# Too common to be worth asking for alone.
STOP_WORDS = frozenset(
    """
    a an and are as at be but by for from had has have he her his i if in into is it its more no not of on
    or our she so such than that the their them then there these they this to was we were what when which
    who will with you your
    """.split()
)

Filters = dict[str, list[Node]]  # by field: alternatives of one field, all fields together


class Tiers(msgspec.Struct, frozen=True):
    """By relevance, what matches each of `first` comes before all that is left of what matches `asked`.

    `loosened`: `asked` is looser than the query, which `with_all` records match.
    """

    asked: Node
    first: tuple[Node, ...] = ()
    loosened: bool = False
    with_all: int = 0

    @property
    def whole(self) -> Node:
        return Any((self.asked, *self.first)) if self.first else self.asked

    @property
    def is_unsure(self) -> bool:
        """Nothing but words side by side, of which few records have all."""
        return self.loosened and len(self.first) == 1


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Of a result in its order: `limit` hits after the first `offset`; `facets` are fields."""

    limit: int = 10
    offset: int = 0
    sort: Sort = Sort.RELEVANCE
    facets: tuple[str, ...] = ()
    facet_values: int = 10


def answered(
    searcher: Searcher, query: str, tree: Node, narrow: Filters, page: Page, *, loosen: bool = True
) -> tuple[Tiers, Found]:
    """The query as it stands; or looser, if it may be, where few records match it."""
    sure = (*_pasted(searcher, query, tree), *_numbered(tree))
    strict = Tiers(tree, (*sure, *_identified(tree, tree)))
    found = _found(searcher, strict, narrow, page)
    looser = loosened(tree, query, STOP_WORDS) if loosen and found.total < _ENOUGH else None
    if looser is None:
        return strict, found
    tiers = Tiers(looser, (*sure, *_identified(tree, looser), tree), loosened=True, with_all=found.total)
    wider = _found(searcher, tiers, narrow, page)
    return (tiers, wider) if wider.total > found.total else (strict, found)


def understood(tree: Node) -> Tiers:
    return Tiers(tree, _numbered(tree))


def _identified(tree: Node, asked: Node) -> tuple[Node, ...]:
    """Among words, what an identifier names comes first."""
    nodes = tree.nodes if isinstance(tree, Beside) else ()
    named = [one for node in nodes for one in leaves(node) if isinstance(node, Spellings) and _is_named(one)]
    return (All((asked, Any(tuple(named)))),) if named else ()


def _is_named(node: Node) -> bool:
    return isinstance(node, Exact) and node.field == "identifier"


def _numbered(tree: Node) -> tuple[Node, ...]:
    """A number alone may be an eprint's, too."""
    match tree:
        case Words(words=(word,), field="") if word.isdecimal():
            return (Exact("identifier", word),)
    return ()


def _pasted(searcher: Searcher, query: str, tree: Node) -> tuple[Node, ...]:
    """A whole title means its record, which is scored by the query.

    Signs that exclude are part of a title only where it is long: `climate -change` is meant as it stands.
    """
    if _excludes(tree) and len(words(query)) < _LONG_TITLE:
        return ()
    title = Exact("identifier", title_key(query))
    return (All((title, Any((tree, title)))),) if searcher.search(title, limit=0).total else ()


def _excludes(node: Node) -> bool:
    match node:
        case All() | Any():
            return any(map(_excludes, node.nodes))
        case Boosted():
            return _excludes(node.node)
    return isinstance(node, Not)


def _found(searcher: Searcher, tiers: Tiers, narrow: Filters, page: Page) -> Found:
    whole = filtered(tiers.whole, narrow)
    if not tiers.first or page.sort is not Sort.RELEVANCE:
        return _page(searcher, whole, page)
    if page.offset:
        return _later(searcher, tiers, narrow, page)
    found = _page(searcher, whole, page)
    before = (searcher.search(filtered(node, narrow), limit=page.limit).hits for node in tiers.first)
    hits: dict[str, tuple[Hit, float]] = {}
    for hit, score in chain(*before, found.hits):
        hits.setdefault(hit.id, (hit, score))
    return msgspec.structs.replace(found, hits=tuple(hits.values())[: page.limit])


def _later(searcher: Searcher, tiers: Tiers, narrow: Filters, page: Page) -> Found:
    """What a tier has in common with those before it is left out by the engine, which takes longer."""
    total = 0
    hits: tuple[tuple[Hit, float], ...] = ()
    before: tuple[Node, ...] = ()
    for node in (*tiers.first, tiers.whole):
        part = filtered(All((node, *map(Not, before))), narrow)
        found = searcher.search(part, limit=page.limit - len(hits), offset=max(0, page.offset - total))
        total, hits, before = total + found.total, hits + found.hits, (*before, node)
    counted = _page(searcher, filtered(tiers.whole, narrow), page, limit=0)
    return msgspec.structs.replace(counted, hits=hits)


def _page(searcher: Searcher, node: Node, page: Page, limit: int | None = None) -> Found:
    return searcher.search(
        node,
        limit=page.limit if limit is None else limit,
        offset=page.offset if limit is None else 0,
        sort=page.sort,
        facets=page.facets,
        facet_values=page.facet_values,
    )
