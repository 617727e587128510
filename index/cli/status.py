"""status."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from harvester.clean.text import printable
from harvester.errors import IndexFault
from index.cli.opening import json_option, with_program
from index.cli.talk import number, put_json, put_lines, seconds
from index.program import Program

if TYPE_CHECKING:
    from harvester.config import Source
    from harvester.store.harvests import Harvest
    from harvester.store.sources import SourceState

_COLOURS = {
    "complete": "green",
    "verified": "green",
    "failed": "red",
    "partial": "yellow",
    "unproven": "yellow",
}


@click.command()
@json_option
@with_program
def status(program: Program, as_json: bool) -> None:
    """What is harvested, how well, and when next; how far the index is."""
    from harvester.store import harvests, sources

    rows = []
    with program.store.read() as connection:
        states = {state.name: state for state in sources.every(connection)}
        for name in {**program.settings.sources, **states}:
            last = harvests.last(connection, name) if name in states else None
            rows.append(_row(program, name, states.get(name), last))
    index = _index(program)
    if as_json:
        put_json({"sources": rows, "index": index})
    else:
        _put_table(rows, index)


def _row(program: Program, name: str, state: "SourceState | None", last: "Harvest | None") -> dict[str, Any]:
    from harvester.harvest import report

    source = program.settings.sources.get(name)
    return {
        "name": name,
        "url": source.url if source else "",
        "records": state.live if state else 0,
        "deleted": state.tombstones if state else 0,
        "quarantined": state.quarantined if state else 0,
        "last": report(last) if last else None,
        "next_due": _next_due(program, source, last),
    }


def _next_due(program: Program, source: "Source | None", last: "Harvest | None") -> str | None:
    """For people who run cron: when the schedule wants the next harvest. None without a schedule."""
    from harvester.datestamp import format_datestamp, parse_datestamp
    from harvester.schedule import next_due, parse_schedule, zone_named

    if source is None or not source.schedule:
        return None
    finished = parse_datestamp(last.finished) if last and last.finished else None
    if finished is None:
        return format_datestamp(program.clock.now())
    zone = zone_named(program.settings.harvest.timezone)
    return format_datestamp(next_due(parse_schedule(source.schedule), finished, zone))


def _index(program: Program) -> dict[str, Any]:
    from harvester.store import changes

    try:
        generation = program.generations.current()
        at = generation.position
        documents = generation.engine().searcher().count()
    except IndexFault as error:
        return {
            "engine": program.settings.index.engine,
            "documents": 0,
            "position": 0,
            "lag": None,
            "error": str(error),
        }
    with program.store.read() as connection:
        lag = changes.lag(connection, at.position)
    return {"engine": at.engine, "documents": documents, "position": at.position, "lag": lag}


def _put_table(rows: list[dict[str, Any]], index: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("source", "records", "deleted", "quarantined", "last harvest", "next due"):
        table.add_column(
            heading, justify="right" if heading in ("records", "deleted", "quarantined") else "left"
        )
    for row in rows:
        counts = (number(row[name]) for name in ("records", "deleted", "quarantined"))
        table.add_row(row["name"], *counts, _verdict(row["last"]), _date(row["next_due"]))
    if rows:
        Console(soft_wrap=not rows).print(table)
    else:
        put_lines("No sources yet: `windrow add URL --harvest` adds one.")
    put_lines("", _index_line(index))


def _verdict(last: Any) -> Any:
    from rich.text import Text

    if last is None:
        return Text("never", style="dim")
    text = Text(last.verdict, style=_COLOURS.get(last.verdict, "yellow"))
    when = f"  {_date(last.finished)} in {seconds(last.seconds)}" if last.finished else ""
    return text + Text(when + (f"\n{printable(last.reason)}" if last.reason else ""), style="default")


def _date(datestamp: str | None) -> str:
    """In the reader's own time zone."""
    if not datestamp:
        return ""
    return datetime.fromisoformat(datestamp).astimezone().strftime("%d %b %Y %H:%M")


def _index_line(index: dict[str, Any]) -> str:
    if "error" in index:
        return f"index: {index['error']}"
    lag = f", {number(index['lag'])} changes behind: `windrow sync`" if index["lag"] else ", up to date"
    return f"index: {index['engine']}, {number(index['documents'])} documents{lag}"
