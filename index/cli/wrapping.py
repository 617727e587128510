"""Text in the columns of a terminal. Pure."""

import textwrap
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from harvester.clean.text import printable

MARK = ("\x02", "\x03")  # around a matched word: control characters, which no harvested text keeps


def one_line(text: str) -> str:
    """Safe on a terminal, and no more than a line."""
    return " ".join(printable(text).split())


def wrapped_marked(text: str, width: int) -> Iterator[list[tuple[str, bool]]]:
    """Lines, each in pieces: (text, is it marked). Marks take no column, and may go over a line's end."""
    parts = text.replace(MARK[0], MARK[1]).split(MARK[1])
    marks = iter(
        [at % 2 == 1 for at, part in enumerate(parts) for letter in printable(part) if not letter.isspace()]
    )
    for line in wrapped("".join(parts), width):
        letters = [(letter, not letter.isspace() and next(marks)) for letter in line]
        yield [
            ("".join(letter for letter, _ in piece), marked)
            for marked, piece in groupby(letters, key=itemgetter(1))
        ]


def wrapped(text: str, width: int) -> list[str]:
    """At spaces, by the columns that a terminal needs. An address is not broken: it could not be followed."""
    text = one_line(text)
    if any(unicodedata.east_asian_width(letter) in "WF" for letter in text):
        return _wrapped_by_cells(text, width)
    return textwrap.wrap(text, width, break_long_words="://" not in text, break_on_hyphens=False)


def _wrapped_by_cells(text: str, width: int) -> list[str]:
    text = text.replace("\u200d", "")  # which joins nothing here, and trips rich at a line's beginning
    from rich.console import Console  # only where letters are two columns wide
    from rich.text import Text

    return [line.plain.rstrip() for line in Text(text).wrap(Console(width=width), width)]
