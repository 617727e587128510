"""Query → hits, facets, snippets: the one function behind every door. Opens no database."""

import time
from collections.abc import Sequence

import msgspec

from harvester.errors import Ambiguous, NotFound, QueryError
from index import hints
from index.answers import Filters, Page, Tiers, answered
from index.document import Hit, title_key
from index.engine import Found, Searcher, Sort
from index.fields import SPOKEN_FACETS, facet_field
from index.identifiers import identifier_key
from index.nodes import All, Any, Everything, Exact, Node, Not
from index.query import Parsed, filter_node, parse
from index.results import FacetValue, Part, Results, ShownHit
from index.similar import similar
from index.snippets import highlighted, snippet, sought
from index.trees import scored_parts
from index.writing import as_text

Parts = tuple[Part, ...] | msgspec.UnsetType

_LONGEST_TITLE = 1000  # characters


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
    like: str = "",
    explain: bool = False,
    stored: bool = False,
    within: Sequence[Node] = (),
    loosen: bool = True,
) -> Results:
    """`filters` are FIELD=VALUE; `mark` goes around matched words in titles and snippets.

    `like` is the id of a record: the hits are similar to it, and match `query` unless that is empty.
    `explain`: each hit comes with the parts of its score; `stored`: with all that the index has of it.
    `within`: nodes that each hit matches, too; `loosen`: some of the words will do where few have them all.
    QueryError on a fault.
    """
    began = time.perf_counter()
    parsed = _parsed(searcher, query, like)
    narrow = _filters(filters) | {f"within {at}": [node] for at, node in enumerate(within)}
    fields = {name: _facet(name) for name in facets}
    page = Page(
        limit=limit,
        offset=offset,
        sort=sort,
        facets=tuple(set(fields.values())),
        facet_values=facet_values,
    )
    tiers, found = answered(searcher, query, parsed.tree, narrow, page, loosen=loosen)
    results = Results(
        query=query,
        total=found.total,
        loosened=tiers.loosened,
        with_all=tiers.with_all if tiers.loosened else found.total,
        suggestion=parsed.suggestion,
        hits=_hits(searcher, found, tiers, mark, explain=explain, stored=stored),
        facets={
            name: tuple(FacetValue(*one) for one in found.facets[field]) for name, field in fields.items()
        },
        more_values={name: found.more_values[field] for name, field in fields.items()},
        parsed=as_text(tiers.asked) if explain else msgspec.UNSET,
        took_ms=0.0,
    )
    if not like and (tiers.is_unsure or not found.total):
        results = hints.added(results, searcher, parsed.tree, narrow)
    return msgspec.structs.replace(results, took_ms=round((time.perf_counter() - began) * 1000, 3))


def _read(searcher: Searcher, query: str) -> Parsed:
    """What no query may look like is none where it is a title: AND does not mean OR."""
    try:
        return parse(query)
    except QueryError:
        title = Exact("identifier", title_key(query))
        if len(query) > _LONGEST_TITLE or not searcher.search(title, limit=0).total:
            raise
        return Parsed(title)


def _parsed(searcher: Searcher, query: str, like: str) -> Parsed:
    parsed = _read(searcher, query)
    if not like:
        return parsed
    own = Exact("identifier", identifier_key(like))
    hits = searcher.search(own, limit=2).hits
    if len(hits) > 1:
        raise Ambiguous(f"several records answer to {like}", "give the id of one of them")
    if not hits:
        raise NotFound(f"the index has no record {like}", "run `windrow sync` if it was harvested just now")
    alike = All((similar(searcher, hits[0][0]), Not(own)))
    if parsed.tree == Everything():
        return Parsed(alike)
    return msgspec.structs.replace(parsed, tree=All((alike, parsed.tree)))


def _hits(
    searcher: Searcher, found: Found, tiers: Tiers, mark: tuple[str, str], *, explain: bool, stored: bool
) -> tuple[ShownHit, ...]:
    wanted = sought(tiers.whole, searcher.stem)
    shown = []
    for hit, score in found.hits:
        cut = snippet(hit, wanted, mark)
        title = highlighted(hit.title, wanted, mark) if any(mark) else hit.title
        parts = _parts(searcher, tiers.asked, hit) if explain else msgspec.UNSET
        shown.append(_shown(hit, score, title, cut, parts, stored=stored))
    return tuple(shown)


def _parts(searcher: Searcher, tree: Node, hit: Hit) -> tuple[Part, ...]:
    """What the query's words add; a filter adds nothing."""
    own = Exact("identifier", identifier_key(hit.id))
    leaves = dict.fromkeys(scored_parts(tree))
    scored = ((leaf, searcher.search(All((leaf, own)), limit=1).hits) for leaf in leaves)
    return tuple(Part(as_text(leaf), round(hits[0][1], 4)) for leaf, hits in scored if hits and hits[0][1])


def filter_nodes(filters: Sequence[str]) -> list[Node]:
    """For `within`: FIELD=VALUE, of which other filters on the field are no alternatives."""
    return [Any(tuple(nodes)) for nodes in _filters(filters).values()]


def _filters(filters: Sequence[str]) -> Filters:
    nodes: Filters = {}
    for one in filters:
        name, equals, value = one.partition("=")
        field = facet_field(name.strip())
        if field is None or not equals or not value.strip():
            no_value = f"{one} has no value" if field else f"there is no field {name} to filter by"
            raise QueryError(
                no_value if equals else f"{one} is no filter",
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


def _shown(hit: Hit, score: float, title: str, cut: str, parts: Parts, *, stored: bool) -> ShownHit:
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
        parts=parts,
        stored=hit if stored else msgspec.UNSET,
    )
