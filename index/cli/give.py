"""changes, export."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from index.cli.completion import source_names
from index.cli.formats import put_records, safe
from index.cli.naming import insist_on_source
from index.cli.opening import LARGEST, with_program
from index.cli.pager import paged, pager_option
from index.cli.talk import put_json
from index.exports import FORMATS, exporter
from index.program import Program

if TYPE_CHECKING:
    from harvester.record import Record

_BATCH = 500


@click.command()
@click.option(
    "--since",
    type=click.IntRange(0, LARGEST),
    default=0,
    show_default=True,
    help="Position after which to begin.",
)
@click.option("--limit", type=click.IntRange(1), help="Changes to print; all without it.")
@pager_option
@with_program
def changes(program: Program, since: int, limit: int | None, no_pager: bool) -> None:
    """The change feed as JSON lines: each record at its last change, tombstones included.

    A follower keeps the last position it has taken in, and asks for what came since.
    """
    with paged(no_pager=no_pager):
        _put_changes(program, since, limit)


def _put_changes(program: Program, since: int, limit: int | None) -> None:
    from harvester.store import changes as feed

    left = limit
    while left is None or left > 0:
        with program.store.read() as connection:
            batch = feed.changes(connection, since, min(_BATCH, left or _BATCH))
        for change in batch:
            record = change.record
            op = "delete" if record.deleted else "upsert"
            shown = None if record.deleted else record
            put_json({"position": change.position, "op": op, "id": record.id, "record": shown})
        if not batch:
            return
        since, left = batch[-1].position, None if left is None else left - len(batch)


@click.command()
@click.option(
    "--format",
    "format_name",
    type=click.Choice(list(FORMATS)),
    default="jsonl",
    show_default=True,
    help="; ".join(f"{name}: {meaning}" for name, meaning in FORMATS.items()) + ".",
)
@click.option("--query", help="Only what a search finds.")
@click.option("--source", shell_complete=source_names, help="Only records of this source.")
@pager_option
@with_program
def export(program: Program, format_name: str, query: str | None, source: str | None, no_pager: bool) -> int:
    """Live records in an exchange format, on stdout."""
    if source is not None:
        insist_on_source(program, source)
    with paged(no_pager=no_pager):
        return _put_records(program, format_name, query, source)


def _put_records(program: Program, format_name: str, query: str | None, source: str | None) -> int:
    if query is not None:
        return put_records(program, format_name, _found(program, query, source))
    wanted = exporter(format_name)
    sys.stdout.write(wanted.head)
    for record in _live(program, source or ""):
        sys.stdout.write(safe(format_name, wanted.write(record)))
    return 0


def _live(program: Program, source: str) -> "Iterator[Record]":
    from harvester.store import records

    with program.store.read() as connection:
        yield from records.live(connection, source)


def _found(program: Program, query: str, source: str | None) -> Iterator[list[str]]:
    """Ids of all hits, in pages of one snapshot."""
    from index.answers import understood
    from index.engine import Sort
    from index.nodes import Exact
    from index.query import parse
    from index.trees import filtered

    searcher, offset = program.searcher(), 0
    tree = understood(parse(query).tree).whole
    if source is not None:
        tree = filtered(tree, {"source": [Exact("source", source.lower())]})
    while True:
        found = searcher.search(tree, limit=_BATCH, offset=offset, sort=Sort.ADDED)
        yield [hit.id for hit, _ in found.hits]
        offset += _BATCH
        if offset >= found.total:
            return
