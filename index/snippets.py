"""The part of a hit's text that shows why it was found, with the matched words marked.

Cut from the text as it is displayed, at word borders.
"""

import msgspec

from index.document import Hit
from index.marking import Mark, Marker, Stem
from index.nodes import Node

LENGTH = 240  # characters, about two lines
_LONGEST_READ = 20_000  # characters of an abstract that are looked at


class Sought(msgspec.Struct, frozen=True):
    title: Marker
    abstract: Marker
    keywords: Marker


def sought(node: Node, stem: Stem) -> Sought:
    """What a hit was found by in each text; `stem` is the engine's."""
    return Sought(*(Marker(node, name, stem) for name in ("title", "abstract", "keywords")))


def snippet(hit: Hit, wanted: Sought, mark: tuple[str, str]) -> str:
    """Of the abstract, or of the keywords where only they meet the query; "" where the hit has neither."""
    abstract, keywords = hit.abstract[:_LONGEST_READ], "; ".join(hit.keywords)
    if marks := wanted.abstract.marks(abstract):
        return _cut(abstract, marks, mark)
    if marks := wanted.keywords.marks(keywords):
        return _cut(keywords, marks, mark)
    return _cut(abstract or keywords, [], mark)


def highlighted(title: str, wanted: Sought, mark: tuple[str, str]) -> str:
    return _marked(title, 0, len(title), wanted.title.marks(title), mark)


def _cut(text: str, marks: list[Mark], mark: tuple[str, str]) -> str:
    start, end = _window(text, marks)
    inside = [place for place in marks if start <= place[0] and place[1] <= end]
    cut = _marked(text, start, end, inside, mark)
    return ("… " if start else "") + cut + (" …" if end < len(text) else "")


def _window(text: str, marks: list[Mark]) -> tuple[int, int]:
    """The stretch with the most of what was sought, begun a little before the first mark in it."""
    if len(text) <= LENGTH or not marks:
        return 0, _word_end(text, LENGTH)
    best = max(range(len(marks)), key=lambda at: (_worth(marks, at), -at))
    first = marks[best][0]
    start = 0 if first < LENGTH // 2 else _word_start(text, first - LENGTH // 4)
    return start, _word_end(text, start + LENGTH)


def _worth(marks: list[Mark], first: int) -> tuple[int, int]:
    """Different words before many of one."""
    last, end = first, marks[first][0] + LENGTH * 3 // 4
    while last < len(marks) and marks[last][1] <= end:
        last += 1
    return len({met for _, _, met in marks[first:last]}), last - first


def _word_start(text: str, at: int) -> int:
    space = text.find(" ", at)
    return space + 1 if 0 <= space < at + 40 else at


def _word_end(text: str, at: int) -> int:
    if at >= len(text):
        return len(text)
    space = text.rfind(" ", 0, at + 1)
    return space if space > at - 40 else at


def _marked(text: str, start: int, end: int, marks: list[Mark], mark: tuple[str, str]) -> str:
    parts, at = [], start
    for first, last in _merged(marks):
        parts += [text[at:first], mark[0], text[first:last], mark[1]]
        at = last
    return " ".join("".join([*parts, text[at:end]]).split())


def _merged(marks: list[Mark]) -> list[tuple[int, int]]:
    """Of two words in a run of CJK the second begins within the first."""
    merged: list[tuple[int, int]] = []
    for first, last, _ in marks:
        if merged and first < merged[-1][1]:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return merged
