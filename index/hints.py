"""What to try where a query finds nothing: the index's own words, a looser query."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from index.analysis import words
from index.answers import Filters
from index.document import Hit
from index.engine import Searcher
from index.match import within
from index.nodes import All, Any, Beside, Boosted, Fuzzy, Node, Not, Words
from index.results import Offer, Results, WordFound
from index.trees import filtered
from index.writing import as_text

_MOST_WORDS = 20  # of a query that are looked at
_MOST_CORRECTED = 3
_LONGEST_CORRECTED = 40
_MOST_READ = 100  # records with a word like the one that none has
_MOST_COUNTED = 5  # words as near as each other


def added(results: Results, searcher: Searcher, tree: Node, narrow: Filters) -> Results:
    """With did-you-mean; where nothing was found with the words that exist and a looser query, too."""
    asked = list(dict.fromkeys(_asked(tree)))[:_MOST_WORDS]
    known = {one: _count(searcher, one) for one in asked}
    unknown = [one for one in asked if not known[one]]
    suggestion = results.suggestion or _meant(searcher, tree, unknown, narrow)
    if results.total:
        return msgspec.structs.replace(results, suggestion=suggestion)
    return msgspec.structs.replace(
        results,
        suggestion=suggestion,
        words=tuple(WordFound(_written(one), count) for one, count in known.items()),
        looser=_looser(searcher, tree, narrow),
    )


def _asked(node: Node) -> Iterator[Words]:
    """The single words that are wanted."""
    match node:
        case Words():
            yield from (Words((word,), node.field) for word in node.words)
        case All() | Any():
            for one in node.nodes:
                yield from _asked(one)
        case Boosted():
            yield from _asked(node.node)


def _written(word: Words) -> str:
    return f"{word.field}:{word.words[0]}" if word.field else word.words[0]


def _count(searcher: Searcher, node: Node) -> int:
    return searcher.search(node, limit=0).total


def _meant(searcher: Searcher, tree: Node, unknown: list[Words], narrow: Filters) -> str:
    nearest = {one: _nearest(searcher, one) for one in unknown[:_MOST_CORRECTED]}
    corrected = {(one.words[0], one.field): near for one, near in nearest.items() if near}
    if not corrected:
        return ""
    meant = _replaced(tree, corrected)
    return as_text(meant) if _count(searcher, filtered(meant, narrow)) else ""


def _nearest(searcher: Searcher, asked: Words) -> str:
    """The nearest word of the index, of several the most frequent; "" where none is near."""
    word = asked.words[0]
    if not 4 <= len(word) <= _LONGEST_CORRECTED or not word.isalpha():
        return ""
    hits = searcher.search(Fuzzy(word, asked.field, edits=2), limit=_MOST_READ).hits
    frequent = Counter(one for hit, _ in hits for one in set(_words(hit)) if abs(len(one) - len(word)) <= 2)
    distances = {one: _distance(word, one) for one in frequent}
    nearest = min(distances.values(), default=_FAR)
    best = [one for one, _ in frequent.most_common() if distances[one] == nearest < _FAR][:_MOST_COUNTED]
    return max(best, key=lambda one: (_count(searcher, Words((one,), asked.field)), one), default="")


_FAR = 9


def _distance(word: str, other: str) -> int:
    """Few miss the first letter, and many turn two letters round: khan is nearer to kahn than ahn."""
    if within(1, word, other) or _is_turned(word, other):
        return 0 if word[0] == other[0] else 1
    return 2 if len(word) >= 5 and within(2, word, other) else _FAR


def _is_turned(word: str, other: str) -> bool:
    pairs = zip(word, other, strict=False)
    differ = [at for at, (one, two) in enumerate(pairs) if one != two]
    if len(word) != len(other) or len(differ) != 2 or differ[1] - differ[0] != 1:
        return False
    first = differ[0]
    return word[first] == other[first + 1] and word[first + 1] == other[first]


def _words(hit: Hit) -> Iterator[str]:
    for text in (hit.title, hit.abstract, *hit.keywords, *hit.creators):
        yield from words(text)


def _replaced(node: Node, corrected: dict[tuple[str, str], str]) -> Node:
    match node:
        case Words():
            said = tuple(corrected.get((word, node.field), word) for word in node.words)
            return msgspec.structs.replace(node, words=said)
        case All() | Any():
            return type(node)(tuple(_replaced(one, corrected) for one in node.nodes))
        case Not():
            return node
        case Boosted():
            return Boosted(_replaced(node.node, corrected), node.factor)
    return node


def _looser(searcher: Searcher, tree: Node, narrow: Filters) -> Offer | None:
    """The first that finds something."""
    if narrow and (total := _count(searcher, tree)):
        return Offer(as_text(tree), False, total)
    for looser in _looser_trees(searcher, tree, narrow):
        if total := _count(searcher, filtered(looser, narrow)):
            return Offer(as_text(looser), True, total)
    return None


def _looser_trees(searcher: Searcher, tree: Node, narrow: Filters) -> Iterator[Node]:
    """Without the parts that nothing matches, then any of the parts; of a phrase, its words."""
    match tree:
        case Words(words=(_, _, *_)):
            yield Beside(tuple(Words((word,), tree.field) for word in dict.fromkeys(tree.words)))
        case All(nodes=(_, _, *_)):
            alive = tuple(one for one in tree.nodes if _count(searcher, filtered(one, narrow)))
            telling = tuple(one for one in alive if not isinstance(one, Not))
            if telling and len(alive) < len(tree.nodes):
                yield alive[0] if len(alive) == 1 else All(alive)
            if len(telling) > 1:
                yield Any(telling)
