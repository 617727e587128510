"""search."""

import re
import textwrap

import click

from harvester.clean.text import printable
from index.cli.opening import json_option, with_program
from index.cli.talk import counted, number, put_json, put_lines, tell, width
from index.engine import Sort
from index.program import Program
from index.search import Results, ShownHit
from index.search import search as find

_MARK = ("\x02", "\x03")  # control characters, which no harvested text keeps
_MOST_NAMES = 4


class _Query(click.Command):
    """`-cancer` is a word to leave out, no option: all of ours but -h are long."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [f" {one}" if _EXCLUSION.match(one) else one for one in args])


_EXCLUSION = re.compile(r"-(?!-|h$)")


@click.command(cls=_Query)
@click.argument("query", nargs=-1)
@click.option(
    "--filter", "filters", multiple=True, metavar="F=V", help="Keep hits whose field has this value."
)
@click.option(
    "--facet", "facets", multiple=True, metavar="F", help="Count the values of a field over all hits."
)
@click.option(
    "--sort",
    type=click.Choice([sort.value for sort in Sort]),
    default="relevance",
    show_default=True,
    help="Newest and oldest by the work's date; added: what changed last comes first.",
)
@click.option("--limit", type=click.IntRange(0, 10_000), default=10, show_default=True, help="Hits to show.")
@click.option("--offset", type=click.IntRange(0, 1_000_000), default=0, help="Hits to skip.")
@json_option
@with_program
def search(
    program: Program,
    query: tuple[str, ...],
    filters: tuple[str, ...],
    facets: tuple[str, ...],
    sort: str,
    limit: int,
    offset: int,
    as_json: bool,
) -> None:
    """Search what was harvested.

    \b
    windrow search coproduction mental health        all of the words
    windrow search '"service user perspectives"'     a phrase: two kinds of quotes
    windrow search 'author:khan year:2019..2021'     fields and ranges
    windrow search 'health -(cancer OR stroke)'      AND, OR, NOT, brackets
    windrow search health --filter type=thesis --facet year
    """
    results = find(
        program.searcher(),
        " ".join(query),
        filters=filters,
        facets=facets,
        sort=Sort(sort),
        limit=limit,
        offset=offset,
        mark=("", "") if as_json else _MARK,
    )
    if as_json:
        put_json(results)
    else:
        put_results(results, offset)


def put_results(results: Results, offset: int = 0) -> None:
    """Hits as a person reads them; colours only on a terminal."""
    put_lines(_headline(results, offset), "")
    for place, hit in enumerate(results.hits, offset + 1):
        put_lines(*_hit_lines(place, hit), "")
    for name, values in results.facets.items():
        put_lines(click.style(name, bold=True))
        put_lines(*(f"  {number(value.count):>8}  {printable(value.value)}" for value in values), "")
    if results.suggestion:
        tell(f"Did you mean  {results.suggestion}")


def _headline(results: Results, offset: int) -> str:
    if not results.total:
        return f"Nothing found ({results.took_ms:.0f} ms)."
    shown = f", {offset + 1} to {offset + len(results.hits)}" if results.hits else ""
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
    parts = snippet.replace(_MARK[0], _MARK[1]).split(_MARK[1])
    return "".join(
        click.style(printable(part), fg="yellow", bold=True) if at % 2 else printable(part)
        for at, part in enumerate(parts)
    )
