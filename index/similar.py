"""The query for records like a given one: of its words those that tell most, each as much as it tells."""

from collections import Counter
from collections.abc import Iterator
from math import log, sqrt

from index.analysis import words
from index.answers import STOP_WORDS
from index.document import Hit
from index.engine import Searcher
from index.nodes import Any, Boosted, Node, Words

_MOST_COUNTED = 60  # words, the most frequent of the record first
_MOST_ASKED = 25
_OF_TITLE, _OF_KEYWORDS = 3, 2  # how often a word counts there, against once in the abstract
_LONGEST_READ = 20_000  # characters


def similar(searcher: Searcher, hit: Hit) -> Node:
    """Matches what has any of the words: by relevance, what has the most in common comes first."""
    frequent = Counter(_words(hit)).most_common(_MOST_COUNTED)
    documents = searcher.count()
    weights = {word: sqrt(count) * _rarity(searcher, word, documents) for word, count in frequent}
    telling = sorted(weights, key=lambda word: -weights[word])[:_MOST_ASKED]
    return Any(tuple(Boosted(Words((word,)), weights[word] / weights[telling[0]]) for word in telling))


def _words(hit: Hit) -> Iterator[str]:
    texts = [
        *[hit.title] * _OF_TITLE,
        *(word for word in hit.keywords for _ in range(_OF_KEYWORDS)),
        hit.abstract[:_LONGEST_READ],
    ]
    for text in texts:
        yield from (word for word in words(text) if len(word) > 1 and word not in STOP_WORDS)


def _rarity(searcher: Searcher, word: str, documents: int) -> float:
    having = searcher.search(Words((word,)), limit=0).total
    return log(1 + documents / (having + 1))
