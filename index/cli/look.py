"""search."""

import re
from collections.abc import Callable, Iterator
from functools import partial

import click

from index.cli.formats import FORMATS, put_hits
from index.cli.hits import put_results
from index.cli.opening import json_option, with_program
from index.cli.pager import paged, pager_option
from index.cli.wrapping import MARK
from index.engine import Sort
from index.program import Program
from index.results import Results
from index.search import search as find

_PAGE = 500  # hits that are held at a time


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
    "--facet-values",
    type=click.IntRange(1, 1_000_000),
    default=10,
    show_default=True,
    help="Values to show of each facet, most frequent first.",
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
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    help="table for people, the default; jsonl, ids, csv: a hit a line; ris, bibtex: whole records.",
)
@json_option
@pager_option
@with_program
def search(
    program: Program,
    query: tuple[str, ...],
    filters: tuple[str, ...],
    facets: tuple[str, ...],
    facet_values: int,
    sort: str,
    limit: int,
    offset: int,
    format_name: str | None,
    as_json: bool,
    no_pager: bool,
) -> int:
    """Search what was harvested.

    \b
    windrow search coproduction mental health        all of the words
    windrow search '"service user perspectives"'     a phrase: two kinds of quotes
    windrow search 'author:khan year:2019..2021'     fields and ranges
    windrow search 'health -(cancer OR stroke)'      AND, OR, NOT, brackets
    windrow search health --filter type=thesis --facet year
    """
    form = _format(format_name, as_json=as_json, has_facets=bool(facets))
    ask = partial(
        find,
        program.searcher(),
        " ".join(query),
        filters=filters,
        facet_values=facet_values,
        sort=Sort(sort),
        mark=MARK if form == "table" else ("", ""),
        stored=form == "csv",
    )
    pages = _pages(ask, facets, limit, offset)
    with paged(no_pager=no_pager):
        if form != "table":
            return put_hits(program, form, pages)
        put_results(pages, limit, offset)
    return 0


def _format(name: str | None, *, as_json: bool, has_facets: bool) -> str:
    if as_json and name not in (None, "json"):
        raise click.UsageError(f"--json is --format json: leave one of --json and --format {name} out.")
    form = "json" if as_json else name or "table"
    if has_facets and form not in ("table", "json"):
        raise click.UsageError(f"--format {form} has no place for --facet: table and json have.")
    return form


def _pages(
    ask: Callable[..., Results], facets: tuple[str, ...], limit: int, offset: int
) -> Iterator[Results]:
    """Of one snapshot; the first has the facets, and there is always a first."""
    end = offset + limit
    while True:
        page = ask(facets=facets, limit=min(_PAGE, end - offset), offset=offset)
        yield page
        offset, facets = offset + _PAGE, ()
        if offset >= min(end, page.total):
            return
