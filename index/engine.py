"""What a search engine must do.

document    the searchable projection of one live record (document.py)
hit         what a result shows; stored with its document
field       a named part of a document (fields.py)
facet       the values of a field over a whole result, counted
session     one writer's turn: opened fresh, committed one or more times, closed after merging
commit      what was put and deleted so far becomes visible to searches opened later, and survives a crash
searcher    a snapshot: what is committed later is not seen

An engine keeps one folder of files and knows nothing of positions, generations or the store.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from pathlib import Path

import msgspec

from index.document import Document, Hit
from index.nodes import Node

# Raised whenever documents, fields or analysis change: an index of another number is built anew.
SCHEMA_VERSION = 2

# Of the values of a facet beyond those asked for; where there are more, that is said.
MOST_COUNTED = 1000


class Sort(Enum):
    """NEWEST and OLDEST go by the work's date, undated last; ADDED by the last change, latest first."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"
    ADDED = "added"


class Found(msgspec.Struct, frozen=True):
    """`total` counts all hits; `hits` is one page, with scores; `facets` by field, most frequent first.

    `more_values`: how many values a field has beyond those in `facets`, MOST_COUNTED at most.
    """

    total: int
    hits: tuple[tuple[Hit, float], ...]
    facets: dict[str, tuple[tuple[str, int], ...]]
    more_values: dict[str, int] = {}


class Session(ABC):
    @abstractmethod
    def put(self, documents: Iterable[Document]) -> None:
        """Add, or replace the document of the same id."""

    @abstractmethod
    def delete(self, ids: Iterable[str]) -> None:
        """Ids that are not there are no fault."""

    @abstractmethod
    def commit(self) -> None:
        """Durable when it returns."""


class Searcher(ABC):
    @abstractmethod
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
        """`facets` are field names; each gives its most frequent values, `facet_values` at most, with exact
        counts.
        """

    @abstractmethod
    def count(self) -> int:
        """Documents, all told."""

    @abstractmethod
    def positions(self) -> Iterator[tuple[str, int]]:
        """(id, position) of every document, in order of position."""

    @abstractmethod
    def stem(self, word: str) -> str:
        """A folded word as this engine has it in fields of stemmed text."""


class Engine(ABC):
    """`folder` exists and is this engine's alone. IndexUnusable where its files are damaged."""

    name: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def create(self) -> None:
        """An empty index."""

    @abstractmethod
    def session(self) -> AbstractContextManager[Session]:
        """IndexBusy while another process writes. What was not committed is gone when it ends."""

    @abstractmethod
    def searcher(self) -> Searcher: ...
