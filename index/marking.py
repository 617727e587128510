"""Which words of a displayed text meet a query, also stemmed, folded, joined, in phrases, by wildcards."""

import re
from collections.abc import Callable, Iterator

from index.analysis import prepare, with_joined
from index.answers import STOP_WORDS
from index.match import fits, within
from index.nodes import All, Any, Boosted, Fuzzy, Node, Pattern, Words

Mark = tuple[int, int, str]  # start, end, and what was met there: two marks of one stem are alike
Stem = Callable[[str], str]

# Vowel signs and soft hyphens belong to the word that they stand in.
_LETTERS = r"[^\W_](?:[^\W_]|[\u00ad\u0300-\u036f\u064b-\u065f\u0670])*"
_WORD = re.compile(_LETTERS)
_COMPOUND = re.compile(rf"(?<![^\W_]){_LETTERS}(?:['\u2019\u2010\u2011-]{_LETTERS})*")


_NOTHING = (0, 0, "")


class Marker:
    """Of one field and one query; what a word is met by is worked out once."""

    def __init__(self, node: Node, field: str, stem: Stem) -> None:
        every = [leaf for leaf in _wanted(node) if leaf.field in ("", field)]
        wanted = [leaf for leaf in every if not _is_common(leaf)] or every
        runs = [tuple(map(stem, leaf.words)) for leaf in wanted if isinstance(leaf, Words) and not leaf.slop]
        near = [stem(word) for leaf in wanted if isinstance(leaf, Words) and leaf.slop for word in leaf.words]
        self._phrases = [run for run in runs if len(run) > 1]
        self._single = {run[0] for run in runs if len(run) == 1}.union(near)
        self._stems = self._single.union(*self._phrases)
        self._likes = [leaf for leaf in wanted if not isinstance(leaf, Words)]
        self._starts = {one[:1] for one in self._stems}
        begin = self._starts.union(like.pattern[:1] for like in self._likes if isinstance(like, Pattern))
        anywhere = any(isinstance(like, Fuzzy) for like in self._likes)
        self._candidates = _COMPOUND if anywhere else _beginning(begin)
        self._single.update(map(repr, self._likes))
        self._stem = stem
        self._read: dict[str, tuple[Mark, ...]] = {}

    def marks(self, text: str) -> list[Mark]:
        if not self._single and not self._phrases:
            return []
        found = self._words(text)
        marked = [mark[2] in self._single for mark in found]
        for phrase in self._phrases:
            for at in _runs(phrase, [mark[2] for mark in found]):
                marked[at : at + len(phrase)] = [True] * len(phrase)
        return [mark for mark, shown in zip(found, marked, strict=True) if shown]

    def _words(self, text: str) -> list[Mark]:
        """Each word of the text; what meets nothing is in one piece, which parts what would be phrases."""
        found: list[Mark] = []
        read, seen = self._read, 0
        for match in self._candidates.finditer(text):
            word, begin = match[0], match.start()
            known = read.get(word)
            if known is None:
                known = read[word] = tuple(self._of(word))
            if known:
                if found and self._phrases and _WORD.search(text, seen, begin):
                    found.append(_NOTHING)
                found += [(begin + start, begin + end, met) for start, end, met in known]
                seen = match.end()
        return found

    def _of(self, word: str) -> Iterator[Mark]:
        if word.isascii() and word.isalnum():
            if met := self._met(word.lower()):
                yield 0, len(word), met
            return
        folded = prepare(word)
        whole = with_joined(folded)
        if whole.isalnum() and (whole == folded or self._met(whole)):
            yield 0, len(word), self._met(whole)
            return
        for part in _WORD.finditer(word):
            yield from self._of_part(part)

    def _of_part(self, part: re.Match[str]) -> Iterator[Mark]:
        """A run of CJK has a word at each letter but the last."""
        bigrams = prepare(part[0]).split()
        is_run = len(bigrams) == len(part[0]) - 1
        for at, one in enumerate(bigrams):
            start = part.start() + at
            yield (start, start + 2, self._met(one)) if is_run else (*part.span(), self._met(one))

    def _met(self, word: str) -> str:
        if word[:1] in self._starts and (stemmed := self._stem(word)) in self._stems:
            return stemmed
        return next((repr(like) for like in self._likes if _is_like(word, like)), "")


def _beginning(letters: set[str]) -> re.Pattern[str]:
    """Words that begin so, or with what may be folded to it: few are looked at more closely."""
    plain = "".join(one + one.upper() for one in letters if one.isascii())
    return re.compile(rf"(?=[{plain}\x80-\U0010ffff]){_COMPOUND.pattern}")


def _wanted(node: Node) -> Iterator[Words | Pattern | Fuzzy]:
    match node:
        case Words() | Pattern() | Fuzzy():
            yield node
        case All() | Any():
            for one in node.nodes:
                yield from _wanted(one)
        case Boosted():
            yield from _wanted(node.node)


def _is_common(leaf: Words | Pattern | Fuzzy) -> bool:
    return isinstance(leaf, Words) and STOP_WORDS.issuperset(leaf.words)


def _runs(phrase: tuple[str, ...], terms: list[str]) -> Iterator[int]:
    for at, term in enumerate(terms):
        if term == phrase[0] and tuple(terms[at : at + len(phrase)]) == phrase:
            yield at


def _is_like(word: str, like: Pattern | Fuzzy) -> bool:
    if isinstance(like, Pattern):
        return word[0] == like.pattern[0] and fits(like.pattern, word)
    letters, edits = set(like.word), like.edits
    return len(letters.difference(word)) <= edits and within(edits, like.word, word)
