"""The tree of a query. What each node matches is said by match.py."""

import msgspec

WIDEST_SLOP = 20


class Node(msgspec.Struct, frozen=True):
    """`place` is an offset in the query, in characters."""


class Everything(Node, frozen=True):
    pass


class Words(Node, frozen=True):
    """Folded words in this order, with at most `slop` (to WIDEST_SLOP) further words in between: one word, or
    a phrase. It keeps to one value of the field.

    `field` "" means the usual fields, here and below.
    """

    words: tuple[str, ...]
    field: str = ""
    place: int = 0
    slop: int = 0


class Pattern(Node, frozen=True):
    """A folded, unstemmed word, or the whole value of an exact field: `?` stands for one character,
    `*` for any number of them.
    """

    pattern: str
    field: str = ""
    place: int = 0


class Fuzzy(Node, frozen=True):
    """A folded, unstemmed word at most `edits` insertions, deletions and replacements away."""

    word: str
    field: str = ""
    place: int = 0
    edits: int = 1


class Exact(Node, frozen=True):
    """The whole value of a field, whatever its case."""

    field: str
    value: str
    place: int = 0


class Has(Node, frozen=True):
    """The field has a value."""

    field: str
    place: int = 0


class Range(Node, frozen=True):
    """Both ends belong to it; None is open."""

    field: str
    low: int | None
    high: int | None
    place: int = 0


class All(Node, frozen=True):
    nodes: tuple[Node, ...]


class Beside(All, frozen=True):
    """Side by side: all of them, unless so few records have them all that any of them will do."""


class Any(Node, frozen=True):
    """Of no nodes: matches nothing."""

    nodes: tuple[Node, ...]


class Spellings(Any, frozen=True):
    """One word in the ways it is written: co-production and coproduction."""


class Not(Node, frozen=True):
    node: Node


class Boosted(Node, frozen=True):
    """Matches what `node` does; its score counts `factor` times."""

    node: Node
    factor: float
