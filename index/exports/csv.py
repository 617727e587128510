"""A table with a heading, one row a hit: what the index shows of it. Several values stand between "; "."""

import csv
from io import StringIO

from harvester.record import Record
from index.document import Hit, hit
from index.exports.plain import line

_COLUMNS = (
    "id", "title", "creators", "year", "type", "source", "container", "doi", "keywords", "abstract",
    "landing_url",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@")  # a spreadsheet would work it out


def row(found: Hit) -> str:
    values = (getattr(found, name) for name in _COLUMNS)
    return _line(map(_cell, values))


def write(record: Record) -> str:
    return row(hit(record))


def _cell(value: str | int | tuple[str, ...] | None) -> str:
    if isinstance(value, int):
        return str(value)
    text = "; ".join(map(line, value)) if isinstance(value, tuple) else line(value or "")
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: "map[str] | tuple[str, ...]") -> str:
    written = StringIO()
    csv.writer(written, lineterminator="\n").writerow(cells)
    return written.getvalue()


HEAD = _line(_COLUMNS)
