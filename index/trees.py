"""What is done to the tree of a query as a whole."""

from collections.abc import Iterator

from index.nodes import All, Any, Beside, Boosted, Fuzzy, Node, Not, Pattern, Spellings, Words
from index.tokens import QUOTES


def leaves(node: Node) -> Iterator[Node]:
    """The nodes without nodes inside, as they stand in the query."""
    match node:
        case All() | Any():
            for one in node.nodes:
                yield from leaves(one)
        case Not() | Boosted():
            yield from leaves(node.node)
        case _:
            yield node


def scored_parts(node: Node, factor: float = 1.0) -> Iterator[Node]:
    """The leaves that are wanted, each with all that it is boosted by."""
    match node:
        case All() | Any():
            for one in node.nodes:
                yield from scored_parts(one, factor)
        case Boosted():
            yield from scored_parts(node.node, factor * node.factor)
        case Not():
            pass
        case _:
            yield node if factor == 1.0 else Boosted(node, factor)


def filtered(tree: Node, filters: dict[str, list[Node]]) -> Node:
    """Filters on one field are alternatives; on different fields they hold together."""
    kept = [Any(tuple(nodes)) for nodes in filters.values()]
    return All((tree, *kept)) if kept else tree


def loosened(tree: Node, query: str, unimportant: frozenset[str]) -> Node | None:
    """Any of the words where all were wanted; None where there is nothing to loosen.

    What names its field stays, as do phrases, `AND` and `+`: who asks for `author:khan health` wants nobody
    else's. `query` is the text of the tree.
    """
    nodes = tree.nodes if isinstance(tree, Beside) else ()
    plain = [node for node in nodes if _is_plain(node, query)]
    firm = [node for node in nodes if not _is_plain(node, query)]
    telling = [node for node in plain if _tells(node, unimportant)]
    if len(plain) < 2 or not telling:
        return None
    some = Any(tuple(telling))
    return All((some, *firm)) if firm else some


def _is_plain(node: Node, query: str) -> bool:
    """A word of no field, however it is written: and/or is one, "and or" is not."""
    match node:
        case Words(field="") | Pattern(field="") | Fuzzy(field=""):
            return query[node.place : node.place + 1] not in QUOTES or not isinstance(node, Words)
        case Boosted():
            return _is_plain(node.node, query)
        case Spellings():
            return any(_is_plain(one, query) for one in node.nodes)
    return False


def _tells(node: Node, unimportant: frozenset[str]) -> bool:
    found = list(leaves(node))
    return not all(isinstance(leaf, Words) and unimportant.issuperset(leaf.words) for leaf in found)
