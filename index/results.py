"""What a search answers with."""

import msgspec

from index.document import Hit


class ShownHit(msgspec.Struct, frozen=True, kw_only=True):
    """Where asked for: `parts`, what makes up the score, and `stored`, all that the index has of it."""

    id: str
    score: float
    title: str
    creators: tuple[str, ...]
    year: int | None
    type: str
    source: str
    landing_url: str
    snippet: str
    parts: tuple["Part", ...] | msgspec.UnsetType = msgspec.UNSET
    stored: Hit | msgspec.UnsetType = msgspec.UNSET


class Part(msgspec.Struct, frozen=True):
    """A part of the query, and what it adds to the score of a hit."""

    of: str
    score: float


class FacetValue(msgspec.Struct, frozen=True):
    value: str
    count: int


class WordFound(msgspec.Struct, frozen=True):
    """A word of the query, and how many records have it."""

    word: str
    records: int


class Offer(msgspec.Struct, frozen=True):
    """A looser query that finds something; `filters`: with the same ones."""

    query: str
    filters: bool
    total: int


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """`loosened`: fewer than ten records had all the words, so these have any of them.

    `with_all`: how many match the query as it stands.
    `more_values`: by facet, how many values are not among those shown; a thousand stands for more, too.
    `suggestion`: the query as it was probably meant, or "". `words` and `looser`: where nothing was found.
    `parsed`: the query as it was understood, where that was asked for.
    """

    query: str
    total: int
    loosened: bool
    with_all: int
    suggestion: str
    took_ms: float
    hits: tuple[ShownHit, ...]
    facets: dict[str, tuple[FacetValue, ...]]
    more_values: dict[str, int]
    words: tuple[WordFound, ...] = ()
    looser: Offer | None = None
    parsed: str | msgspec.UnsetType = msgspec.UNSET
