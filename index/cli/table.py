"""Facts in columns; where the terminal is too narrow fewer of them, and then one under the other. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import click

from index.cli.wrapping import wrapped

_GAP = "  "
_LEAST = 10  # columns for a value beside its heading


class Column(NamedTuple):
    """One that is empty in all rows is left out. The higher `spare`, the sooner it is for want of room."""

    heading: str
    is_number: bool = False
    spare: int = 0


class Cell(NamedTuple):
    text: str
    colour: str | None = None


Row = Sequence[Cell]


class Laid(NamedTuple):
    """`heading` is empty where there was no room for columns; each row has its lines."""

    heading: list[str]
    rows: list[list[str]]


def laid_out(columns: Sequence[Column], rows: Sequence[Row], width: int) -> Laid:
    if not rows:
        return Laid([], [])
    kept = [at for at in range(len(columns)) if any(row[at].text for row in rows)]
    widths = [
        max([len(column.heading), *(len(row[at].text) for row in rows)]) for at, column in enumerate(columns)
    ]
    for spare in sorted({columns[at].spare for at in kept} - {0}, reverse=True):
        if not _fits(kept, widths, width):
            kept = [at for at in kept if columns[at].spare != spare]
    if not _fits(kept, widths, width):
        return Laid([], [list(_stacked(columns, row, width)) for row in rows])
    headings = [Cell(column.heading) for column in columns]
    lines = [_line(columns, row, kept, widths) for row in (headings, *rows)]
    return Laid([click.style(lines[0], bold=True)], [[line] for line in lines[1:]])


def _fits(kept: Sequence[int], widths: Sequence[int], width: int) -> bool:
    return sum(widths[at] + len(_GAP) for at in kept) - len(_GAP) <= width


def _line(columns: Sequence[Column], row: Row, kept: Sequence[int], widths: Sequence[int]) -> str:
    padded = [_padded(row[at], widths[at], columns[at].is_number) for at in kept]
    return _GAP.join(padded).rstrip()


def _padded(cell: Cell, width: int, is_number: bool) -> str:
    space = " " * (width - len(cell.text))
    text = _coloured(cell.text, cell.colour)
    return space + text if is_number else text + space


def _coloured(text: str, colour: str | None) -> str:
    return click.style(text, fg=colour) if colour else text


def _stacked(columns: Sequence[Column], row: Row, width: int) -> Iterator[str]:
    yield row[0].text
    margin = max(len(column.heading) for column in columns) + 2 * len(_GAP)
    for column, cell in zip(columns[1:], row[1:], strict=True):
        for at, line in enumerate(wrapped(cell.text, max(_LEAST, width - margin))):
            heading = "" if at else column.heading
            yield _GAP + f"{heading:<{margin - len(_GAP)}}" + _coloured(line, cell.colour)
