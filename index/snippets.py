"""The part of a hit's text that shows why it was found, with the matched words marked.

Cut from the text as it is displayed, at word borders; stemmed and folded matches are marked too.
"""

from collections.abc import Callable, Iterable, Iterator

from index.analysis import places
from index.document import Hit
from index.nodes import All, Any, Node, Words

LENGTH = 240  # characters, about two lines
_LONGEST_READ = 20_000  # characters of an abstract that are looked at


def sought(node: Node) -> frozenset[str]:
    """The words that a hit was found by; what is excluded is not among them."""
    return frozenset(_words(node))


def _words(node: Node) -> Iterator[str]:
    match node:
        case Words():
            yield from node.words
        case All() | Any():
            for one in node.nodes:
                yield from _words(one)


def snippet(hit: Hit, wanted: frozenset[str], stem: Callable[[str], str], mark: tuple[str, str]) -> str:
    """Of the abstract, else of the keywords; "" where the hit has neither."""
    text = hit.abstract[:_LONGEST_READ] or "; ".join(hit.keywords)
    if not text:
        return ""
    marks = list(_marks(text, wanted, stem))
    start, end = _window(text, marks)
    inside = [place for place in marks if start <= place[0] and place[1] <= end]
    cut = _marked(text, start, end, inside, mark)
    return ("… " if start else "") + cut + (" …" if end < len(text) else "")


def highlighted(text: str, wanted: frozenset[str], stem: Callable[[str], str], mark: tuple[str, str]) -> str:
    return _marked(text, 0, len(text), list(_marks(text, wanted, stem)), mark)


def _marks(text: str, wanted: frozenset[str], stem: Callable[[str], str]) -> Iterator[tuple[int, int]]:
    """Places of the wanted words. Stems share their first letters, so few words need stemming."""
    stems = {stem(word) for word in wanted}
    starts = {word[:2] for word in (*wanted, *stems)}
    seen = -1
    for word, start, end in places(text):
        if start != seen and word[:2] in starts and (word in wanted or stem(word) in stems):
            seen = start
            yield start, end


def _window(text: str, marks: list[tuple[int, int]]) -> tuple[int, int]:
    """The stretch with the most marks, begun a little before the first of them."""
    if len(text) <= LENGTH or not marks:
        return 0, _word_end(text, LENGTH)
    best = max(marks, key=lambda first: (_marks_from(marks, first[0]), -first[0]))[0]
    start = 0 if best < LENGTH // 2 else _word_start(text, best - LENGTH // 4)
    return start, _word_end(text, start + LENGTH)


def _marks_from(marks: Iterable[tuple[int, int]], start: int) -> int:
    return sum(start <= place[0] and place[1] <= start + LENGTH * 3 // 4 for place in marks)


def _word_start(text: str, at: int) -> int:
    space = text.find(" ", at)
    return space + 1 if 0 <= space < at + 40 else at


def _word_end(text: str, at: int) -> int:
    if at >= len(text):
        return len(text)
    space = text.rfind(" ", 0, at + 1)
    return space if space > at - 40 else at


def _marked(text: str, start: int, end: int, marks: list[tuple[int, int]], mark: tuple[str, str]) -> str:
    parts, at = [], start
    for first, last in marks:
        parts += [text[at:first], mark[0], text[first:last], mark[1]]
        at = last
    return " ".join("".join([*parts, text[at:end]]).split())


__all__ = ["highlighted", "snippet", "sought"]
