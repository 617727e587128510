"""status."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from index.cli.opening import json_option, with_program
from index.cli.pager import paged, pager_option
from index.cli.talk import colour_of, columns, counted, number, put_json, put_lines, seconds
from index.cli.wrapping import wrapped
from index.program import Program

if TYPE_CHECKING:
    from harvester.config import Source
    from harvester.report import Report
    from harvester.store.harvests import Harvest
    from harvester.store.sources import SourceState


@click.command()
@json_option
@pager_option
@with_program
def status(program: Program, as_json: bool, no_pager: bool) -> None:
    """What is harvested, how well, and when next; how far the index is."""
    from harvester.store import harvests, sources

    rows = []
    with program.store.read() as connection:
        states = {state.name: state for state in sources.every(connection)}
        for name in {**program.settings.sources, **states}:
            last = harvests.last(connection, name) if name in states else None
            rows.append(_row(program, name, states.get(name), last))
    index, wrong = _index(program)
    with paged(no_pager=no_pager):
        if as_json:
            put_json({"sources": rows, "index": index})
        else:
            _put_table(rows)
            put_lines("", *wrapped(_index_line(index, wrong), columns()))


def _row(program: Program, name: str, state: "SourceState | None", last: "Harvest | None") -> dict[str, Any]:
    from harvester.report import report

    source = program.settings.sources.get(name)
    return {
        "name": name,
        "url": source.url if source else "",
        "records": state.live if state else 0,
        "deleted": state.tombstones if state else 0,
        "quarantined": state.quarantined if state else 0,
        "details_waiting": _details_waiting(program, source, state),
        "last": report(last) if last else None,
        "next_due": _next_due(program, source, last),
    }


def _details_waiting(program: Program, source: "Source | None", state: "SourceState | None") -> int | None:
    """None where no details are wanted."""
    from harvester.store import details

    if source is None or state is None or not source.details:
        return None
    with program.store.read() as connection:
        return details.waiting_count(connection, state.id)


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


def _index(program: Program) -> tuple[dict[str, Any], str]:
    """And what is wrong with it, with the advice, or ""."""
    from harvester.store import changes
    from index.sync import needs_rebuild

    wrong = needs_rebuild(program.store, program.generations, program.settings.index.engine)
    if wrong:
        nothing = {"engine": program.settings.index.engine, "documents": 0, "position": 0, "lag": None}
        return nothing, f"{wrong}: run `windrow sync`"
    at = program.generations.current().position
    with program.store.read() as connection:
        lag = changes.lag(connection, at.position)
    documents = program.searcher().count()
    return {"engine": at.engine, "documents": documents, "position": at.position, "lag": lag}, ""


_HEADINGS = ("source", "records", "deleted", "quarantined", "last harvest", "next due")
_NUMBERS = range(1, 4)


def _put_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        put_lines("No sources yet: `windrow add URL --harvest` adds one.")
        return
    table = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [_aligned(cells, widths) for cells in table]
    has_room = max(map(len, lines)) <= columns()
    if has_room:
        put_lines(click.style(lines[0], bold=True))
    for row, cells, line in zip(rows, table[1:], lines[1:], strict=True):
        for shown in [line] if has_room else _stacked(cells):
            put_lines(_coloured(shown, row["last"]))
        put_lines(*(f"    {line}" for remark in _remarks(row) for line in wrapped(remark, columns() - 4)))


def _stacked(cells: tuple[str, ...]) -> Iterator[str]:
    """One under the other, where a line has no room for them."""
    yield cells[0]
    margin = max(map(len, _HEADINGS)) + 4
    for heading, cell in zip(_HEADINGS[1:], cells[1:], strict=True):
        for at, line in enumerate(wrapped(cell, max(10, columns() - margin))):
            yield f"  {'' if at else heading:<{margin - 2}}{line}"


def _coloured(line: str, last: "Report | None") -> str:
    return (
        line.replace(last.verdict, click.style(last.verdict, fg=colour_of(last.verdict)), 1) if last else line
    )


def _remarks(row: dict[str, Any]) -> Iterator[str]:
    if row["last"] is not None and row["last"].reason:
        yield row["last"].reason
    if row["details_waiting"]:
        waiting = counted(row["details_waiting"], "record")
        yield f"{waiting} without details yet: windrow harvest {row['name']}"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    counts = (number(row[name]) for name in ("records", "deleted", "quarantined"))
    return (row["name"], *counts, _last(row["last"]), _date(row["next_due"]))


def _aligned(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = (
        f"{cell:>{width}}" if at in _NUMBERS else f"{cell:<{width}}"
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(padded).rstrip()


def _last(last: "Report | None") -> str:
    if last is None:
        return "never"
    when = f"  {_date(last.finished)} in {seconds(last.seconds)}" if last.finished else ""
    return last.verdict + when


def _date(datestamp: str | None) -> str:
    """In the reader's own time zone."""
    if not datestamp:
        return ""
    return datetime.fromisoformat(datestamp).astimezone().strftime("%d %b %Y %H:%M")


def _index_line(index: dict[str, Any], wrong: str) -> str:
    if wrong:
        return f"index: {wrong}"
    lag = f", {counted(index['lag'], 'change')} behind: `windrow sync`" if index["lag"] else ", up to date"
    return f"index: {index['engine']}, {number(index['documents'])} documents{lag}"
