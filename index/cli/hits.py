"""Hits as a person reads them; colours only on a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import click
import msgspec

from index.cli.remarks import remark
from index.cli.talk import counted, number, put_lines, width
from index.cli.wrapping import one_line, wrapped, wrapped_marked
from index.engine import MOST_COUNTED
from index.results import Part, Results, ShownHit

_MOST_NAMES = 4


def put_results(
    pages: Iterable[Results], limit: int, offset: int = 0, nothing: str = "Nothing found"
) -> None:
    """Pages of one search, whose first has the facets; `limit` and `offset` are those of them all."""
    every = iter(pages)
    first = next(every)
    put_lines(*wrapped(_headline(first, limit, offset, nothing), width()))
    if first.parsed is not msgspec.UNSET:
        put_lines(*_beside("understood as  ", wrapped(first.parsed, width() - 15)))
    put_lines("")
    hits = (hit for page in chain([first], every) for hit in page.hits)
    for place, hit in enumerate(hits, offset + 1):
        put_lines(*_hit_lines(place, hit), "")
    _put_facets(first)
    remark(first)


def _put_facets(results: Results) -> None:
    for name, values in results.facets.items():
        put_lines(click.style(name, bold=True))
        for value in values:
            put_lines(*_beside(f"  {number(value.count):>8}  ", wrapped(value.value, width() - 12)))
        if more := results.more_values[name]:
            put_lines(*_beside("  ", wrapped(_unshown(more, len(values)), width() - 2)))
        put_lines("")


def _unshown(more: int, shown: int) -> str:
    least = "at least " if more >= MOST_COUNTED else ""
    return f"… {least}{more:,} more; --facet-values {shown + more}"


def _headline(results: Results, limit: int, offset: int, nothing: str) -> str:
    if not results.total:
        return f"{nothing} ({results.took_ms:.0f} ms)."
    shown = f", {offset + 1:,} to {min(offset + limit, results.total):,}" if results.hits else ""
    some = f"; {_with_all(results.with_all)} of the words, the rest some" if results.loosened else ""
    past = "; there are no more" if not results.hits and limit and offset >= results.total else ""
    return f"{counted(results.total, 'record')}{shown} ({results.took_ms:.0f} ms){some}{past}"


def _with_all(count: int) -> str:
    return "none has all" if not count else "1 has all" if count == 1 else f"{count} have all"


def _hit_lines(place: int, hit: ShownHit) -> Iterator[str]:
    number = f"{place:>3}. "
    columns = width() - len(number)
    facts = (_names(hit.creators), str(hit.year or ""), hit.type, hit.source)
    lines = [
        *_coloured(hit.title or "(no title)", columns, bold=True),
        *wrapped(" · ".join(filter(None, facts)), columns),
        *_coloured(hit.snippet, columns),
        click.style(one_line(hit.landing_url or hit.id), fg="blue"),
        *(_parts(hit.score, hit.parts, columns) if hit.parts is not msgspec.UNSET else ()),
    ]
    return _beside(number, lines)


def _parts(score: float, parts: Sequence[Part], columns: int) -> Iterator[str]:
    """The score, and below it what makes it up."""
    yield f"score {score:9.4f}"
    for part in parts:
        yield from _beside(f"{part.score:15.4f}  ", wrapped(part.of, max(10, columns - 17)))


def _beside(label: str, lines: Sequence[str]) -> Iterator[str]:
    """The label before the first of them, and as many columns before the others."""
    for at, line in enumerate(lines):
        yield (" " * len(label) if at else label) + line


def _names(names: tuple[str, ...]) -> str:
    shown = "; ".join(names[:_MOST_NAMES])
    return shown + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")


def _coloured(text: str, columns: int, *, bold: bool = False) -> Iterator[str]:
    """Lines with their marks as colour."""
    for pieces in wrapped_marked(text, columns):
        yield "".join(
            click.style(piece, fg="yellow" if marked else None, bold=True) if marked or bold else piece
            for piece, marked in pieces
        )
