"""status."""

import shutil
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from harvester.datestamp import format_datestamp
from harvester.errors import WindrowError
from index.cli.opening import json_option, load, with_program
from index.cli.pager import paged, pager_option
from index.cli.talk import columns, counted, number, put_json, put_lines
from index.cli.wrapping import wrapped
from index.program import Program

if TYPE_CHECKING:
    from index.cli.standing import Standing
    from index.serving import Server

_EVERY = 2.0  # seconds


@click.command()
@click.option("--watch", is_flag=True, help="Look again every two seconds, until Ctrl-C.")
@json_option
@pager_option
@with_program
def status(program: Program, watch: bool, as_json: bool, no_pager: bool) -> None:
    """What is harvested, how well, and when next; what runs now; how far the index is."""
    if watch:
        if as_json or not sys.stdout.isatty():
            raise click.UsageError("--watch is for a terminal; a script asks again with --json.")
        _watch(program)
        return
    from index.cli.standing import standings
    from index.serving import server_of

    found, server = standings(program), server_of(program.settings.data)
    with paged(no_pager=no_pager):
        if as_json:
            put_json({"sources": found, "index": _index(program)[0], "server": server and _as_json(server)})
        else:
            blocks = _blocks(program, found)
            put_lines(*(line for block in blocks for line in block), *_footing(program, found, server))


def _as_json(server: "Server") -> dict[str, object]:
    started = format_datestamp(datetime.fromtimestamp(server.started, UTC))
    return {**msgspec.structs.asdict(server), "started": started}


def _blocks(program: Program, standings: "Sequence[Standing]") -> list[list[str]]:
    from index.cli.overview import overview

    if not standings:
        return [["No sources yet: `windrow add URL --harvest` adds one."]]
    timezone = program.settings.harvest.timezone
    return list(overview(standings, program.clock.now(), columns(), timezone))


def _footing(program: Program, standings: "Sequence[Standing]", server: "Server | None") -> list[str]:
    from index.cli.overview import totals

    told = [totals(standings)] if len(standings) > 1 else []
    if server:
        told.append(f"windrow serve: {server}")
    elif any(one.next_due for one in standings):
        told.append("windrow serve is not running: what is due waits for it, or for `windrow harvest`")
    followed = server is not None or any(one.state == "running" for one in standings)
    harvested = any(one.last for one in standings)
    told.append(_index_line(*_index(program), followed=followed, harvested=harvested))
    return ["", *(line for sentence in told for line in wrapped(sentence, columns()))]


def _index(program: Program) -> tuple[dict[str, Any], str]:
    """And what is wrong with it, or ""."""
    from harvester.store import changes
    from index.sync import needs_rebuild

    wrong = needs_rebuild(program.store, program.generations, program.settings.index.engine)
    if wrong:
        nothing = {"engine": program.settings.index.engine, "documents": 0, "position": 0, "lag": None}
        return nothing, wrong
    at = program.generations.position()
    with program.store.read() as connection:
        lag = changes.lag(connection, at.position)
    documents = program.searcher().count()
    return {"engine": at.engine, "documents": documents, "position": at.position, "lag": lag}, ""


def _index_line(index: dict[str, Any], wrong: str, *, followed: bool, harvested: bool) -> str:
    from index.sync import NO_INDEX

    if wrong:
        told = "none yet" if wrong == NO_INDEX else wrong
        if followed:
            return f"index: {told}: it is being built"
        return f"index: {told}{': run `windrow sync`' if harvested else '; the first harvest makes it'}"
    lag = f"{counted(index['lag'], 'change')} behind" if index["lag"] else "up to date"
    advice = ": `windrow sync`" if index["lag"] and not followed else ""
    return f"index: {index['engine']}, {number(index['documents'])} documents, {lag}{advice}"


# --watch


def _watch(program: Program) -> None:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    path = program.settings.path
    with suppress(KeyboardInterrupt), Live(console=Console(), screen=True, auto_refresh=False) as live:
        while True:
            live.update(Text.from_ansi("\n".join(_looked_again(path))), refresh=True)
            program.clock.sleep(_EVERY)


def _looked_again(path: Path) -> list[str]:
    """With the config.toml of now, which may be at fault while somebody writes it."""
    try:
        with closing(Program(load(path))) as program:
            return _screen(program)
    except WindrowError as error:
        told = f"windrow: {error.message}", error.advice
        return [click.style(line, fg="red") for text in told for line in wrapped(text, columns())]


def _screen(program: Program) -> list[str]:
    """What fits, and what needs looking at first."""
    from index.cli.overview import urgency
    from index.cli.standing import standings
    from index.serving import server_of

    found = sorted(standings(program), key=urgency)
    heading, *blocks = _blocks(program, found)
    footing = _footing(program, found, server_of(program.settings.data))
    room = shutil.get_terminal_size().lines - len(heading) - len(footing) - 2
    shown, left = _fitting(blocks, room)
    more = [f"… and {counted(left, 'more source')}"] if left else []
    now = program.clock.now().astimezone()
    return [*heading, *shown, *more, *footing, f"{now:%H:%M:%S}, Ctrl-C ends"]


def _fitting(blocks: list[list[str]], room: int) -> tuple[list[str], int]:
    """And how many do not."""
    shown: list[str] = []
    for at, block in enumerate(blocks):
        if len(shown) + len(block) > room:
            return shown, len(blocks) - at
        shown += block
    return shown, 0
