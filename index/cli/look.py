"""search."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import click

from index.cli import completion
from index.cli.asking import Asked, asked, news, since_node
from index.cli.hits import put_results
from index.cli.opening import json_option, with_program
from index.cli.pager import paged, pager_option
from index.cli.remarks import without_remarks
from index.cli.wrapping import MARK
from index.engine import Sort
from index.fields import SPOKEN_FACETS
from index.nodes import Node
from index.program import Program
from index.results import Results
from index.search import search as find

_PAGE, _LARGEST_PAGE = 500, 5000  # hits that are held at a time; each page costs what was before it, too
_FORMATS = ("table", "json", "jsonl", "ids", "csv", "ris", "bibtex")
_LIMIT = 10
_ALL = sys.maxsize


class _Query(click.Command):
    """`-cancer` is a word to leave out, no option: all of ours but -h are long."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [f" {one}" if _EXCLUSION.match(one) else one for one in args])


_EXCLUSION = re.compile(r"-(?!-|h$)")


@click.command(cls=_Query)
@click.argument("query", nargs=-1, shell_complete=completion.words)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="F=V",
    shell_complete=completion.filters,
    help=f"Keep hits whose field has this value. Fields: id, set, date, {', '.join(SPOKEN_FACETS)}.",
)
@click.option(
    "--facet",
    "facets",
    multiple=True,
    metavar="F",
    shell_complete=completion.facets,
    help="Count the values of a field over all hits: any that --filter takes but id, set and date.",
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
    help="Newest and oldest by the work's date; added: what changed last comes first.",
)
@click.option("--limit", type=click.IntRange(0, 10_000), help=f"Hits to show: {_LIMIT}, or with --new all.")
@click.option("--offset", type=click.IntRange(0, 1_000_000), help="Hits to skip.")
@click.option(
    "--since",
    metavar="DATE|POSITION",
    help="Only records that were first stored here since that day or time, or after that position.",
)
@click.option(
    "--new", is_flag=True, help="Of @NAME: what came since the last time; the next time begins after it."
)
@click.option("--like", default="", metavar="ID", help="Records that are similar to this one.")
@click.option("--explain", is_flag=True, help="How the query was understood, and what makes up each score.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(_FORMATS),
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
    sort: str | None,
    limit: int | None,
    offset: int | None,
    since: str | None,
    new: bool,
    like: str,
    explain: bool,
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
    windrow search @NAME --new                       a search saved in config.toml: what came since
    """
    wish = asked(query, filters, program.settings.searches)
    form = _format(format_name, as_json=as_json, has_facets=bool(facets), explain=explain)
    ask = partial(
        find,
        filters=filters,
        facet_values=facet_values,
        sort=Sort(sort or wish.sort or ("added" if new else "relevance")),
        mark=MARK if form == "table" else ("", ""),
        like=like,
        explain=explain,
        stored=form == "csv",
    )
    show = partial(_show, program, form, wish.query, facets, no_pager=no_pager)
    if new:
        _refuse_beside_new(wish, {"--limit": limit, "--offset": offset, "--since": since, "--like": like})
        with news(program, wish.name) as found:
            only_new = partial(ask, within=[*wish.within, found.within], loosen=False)
            code = show(only_new, _ALL, 0, hints=False, nothing="Nothing new")
            found.is_given = code == 0  # what the store did not have is given the next time
            return code
    within = [*wish.within, *_came(program, since)]
    ask = partial(ask, within=within, loosen=since is None)
    return show(ask, _LIMIT if limit is None else limit, offset or 0, hints=since is None)


def _show(
    program: Program,
    form: str,
    query: str,
    facets: Sequence[str],
    ask: Callable[..., Results],
    limit: int,
    offset: int,
    *,
    no_pager: bool,
    hints: bool,
    nothing: str = "Nothing found",
) -> int:
    """The exit code."""
    pages = _pages(partial(ask, program.searcher(), query), facets, limit, offset)
    if not hints:
        pages = map(without_remarks, pages)
    with paged(no_pager=no_pager):
        if form != "table":
            from index.cli.formats import put_hits  # people need none of it

            return put_hits(program, form, pages)
        put_results(pages, limit, offset, nothing)
    return 0


def _came(program: Program, since: str | None) -> list[Node]:
    return [] if since is None else [since_node(since, program.settings.harvest.timezone)]


def _refuse_beside_new(wish: Asked, given: Mapping[str, object]) -> None:
    """What it would leave out would never be new again."""
    if not wish.name:
        raise click.UsageError("--new is for a saved search: windrow search @NAME --new.")
    beside = [option for option, value in given.items() if value not in (None, "")]
    if wish.is_narrowed:
        beside.insert(0, "more words or filters")
    if beside:
        raise click.UsageError(
            f"--new goes with @{wish.name} as it is saved: leave {' and '.join(beside)} out,"
            " or use --since, which moves no mark."
        )


def _format(name: str | None, *, as_json: bool, has_facets: bool, explain: bool) -> str:
    if as_json and name not in (None, "json"):
        raise click.UsageError(f"--json is --format json: leave one of --json and --format {name} out.")
    form = "json" if as_json else name or "table"
    if has_facets and form not in ("table", "json"):
        raise click.UsageError(f"--format {form} has no place for --facet: table and json have.")
    if explain and form not in ("table", "json", "jsonl"):
        raise click.UsageError(f"--format {form} has no place for --explain: table, json and jsonl have.")
    return form


def _pages(ask: Callable[..., Results], facets: Sequence[str], limit: int, offset: int) -> Iterator[Results]:
    """Of one snapshot; the first has the facets, and there is always a first."""
    end = offset + limit
    while True:
        size = min(_LARGEST_PAGE, max(_PAGE, offset // 4), end - offset)
        page = ask(facets=facets, limit=size, offset=offset)
        yield page
        offset, facets = offset + size, ()
        if offset >= min(end, page.total):
            return
