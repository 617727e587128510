"""Hits as a person reads them; colours only on a terminal."""

import textwrap
from collections.abc import Iterable
from itertools import chain

import click

from harvester.clean.text import printable
from index.cli.talk import counted, number, put_lines, tell, width
from index.search import Results, ShownHit

MARK = ("\x02", "\x03")  # control characters, which no harvested text keeps
_MOST_NAMES = 4


def put_results(pages: Iterable[Results], limit: int, offset: int = 0) -> None:
    """Pages of one search, whose first has the facets; `limit` and `offset` are those of them all."""
    every = iter(pages)
    first = next(every)
    put_lines(_headline(first, limit, offset), "")
    hits = (hit for page in chain([first], every) for hit in page.hits)
    for place, hit in enumerate(hits, offset + 1):
        put_lines(*_hit_lines(place, hit), "")
    _put_facets(first)
    if first.suggestion:
        tell(f"Did you mean  {first.suggestion}")


def _put_facets(results: Results) -> None:
    for name, values in results.facets.items():
        put_lines(click.style(name, bold=True))
        put_lines(*(f"  {number(value.count):>8}  {printable(value.value)}" for value in values), "")


def _headline(results: Results, limit: int, offset: int) -> str:
    if not results.total:
        return f"Nothing found ({results.took_ms:.0f} ms)."
    shown = f", {offset + 1:,} to {min(offset + limit, results.total):,}" if results.hits else ""
    loosened = "; few have all of the words, these have some" if results.loosened else ""
    return f"{counted(results.total, 'record')}{shown} ({results.took_ms:.0f} ms){loosened}"


def _hit_lines(place: int, hit: ShownHit) -> list[str]:
    title = printable(hit.title) or "(no title)"
    facts = [_names(hit.creators), str(hit.year or ""), hit.type, hit.source]
    lines = [f"{place:>3}. {click.style(title, bold=True)}", "     " + " · ".join(filter(None, facts))]
    if hit.snippet:
        lines += [f"     {_coloured(line)}" for line in textwrap.wrap(hit.snippet, width() - 5)]
    lines.append("     " + click.style(printable(hit.landing_url or hit.id), fg="blue"))
    return lines


def _names(names: tuple[str, ...]) -> str:
    shown = "; ".join(printable(name) for name in names[:_MOST_NAMES])
    return shown + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")


def _coloured(snippet: str) -> str:
    """A line with its marks as colour: a mark is around one word, so no line ends inside."""
    parts = snippet.replace(MARK[0], MARK[1]).split(MARK[1])
    return "".join(
        click.style(printable(part), fg="yellow", bold=True) if at % 2 else printable(part)
        for at, part in enumerate(parts)
    )
