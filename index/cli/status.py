"""status."""

import shutil
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from harvester.errors import WindrowError
from index.cli.completion import source_names
from index.cli.naming import insist_on_source
from index.cli.opening import json_option, load, with_program
from index.cli.pager import paged, pager_option
from index.cli.talk import columns, counted, in_zone, moment, number, put_json, put_lines
from index.cli.wrapping import wrapped
from index.program import Program

if TYPE_CHECKING:
    from index.cli.standing import Standing
    from index.serving import Server

_EVERY = 2.0  # seconds


@click.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...", shell_complete=source_names)
@click.option("--watch", is_flag=True, help="Look again every two seconds, until Ctrl-C.")
@json_option
@pager_option
@with_program
def status(program: Program, names: tuple[str, ...], watch: bool, as_json: bool, no_pager: bool) -> None:
    """What is harvested, how well, and when next; what runs now; how far the index is.

    Of all sources where none is named.
    """
    if watch:
        if as_json or not sys.stdout.isatty():
            raise click.UsageError("--watch is for a terminal; a script asks again with --json.")
        _watch(program, names)
        return
    seen = _look(program, names)
    with paged(no_pager=no_pager):
        if as_json:
            server = seen.server and _as_json(seen.server)
            put_json({"sources": seen.shown, "index": _index(program)[0], "server": server})
        else:
            blocks = _blocks(program, seen.shown)
            put_lines(*(line for block in blocks for line in block), *_footing(program, seen))


def _as_json(server: "Server") -> dict[str, object]:
    return {"pid": server.pid, "started": server.since, "machine": server.machine}


class _Seen(NamedTuple):
    """`shown` are those of `every` source that were named, or all."""

    shown: "list[Standing]"
    every: "list[Standing]"
    server: "Server | None"


def _look(program: Program, names: Sequence[str]) -> _Seen:
    from index.cli.standing import standings
    from index.serving import server_of

    for name in names:
        insist_on_source(program, name)
    every = standings(program)
    shown = [one for one in every if one.name in names] if names else every
    return _Seen(shown, every, server_of(program.settings.data))


def _blocks(program: Program, standings: "Sequence[Standing]") -> list[list[str]]:
    from index.cli.overview import overview

    if not standings:
        return [["No sources yet: `windrow add URL --harvest` adds one."]]
    timezone = program.settings.harvest.timezone
    return list(overview(standings, program.clock.now(), columns(), timezone))


def _footing(program: Program, seen: _Seen) -> list[str]:
    from index.cli.overview import totals

    server = seen.server
    told = [totals(seen.shown)] if len(seen.shown) > 1 else []
    if server:
        since = moment(server.since, program.settings.harvest.timezone)
        told.append(f"windrow serve: {server}, since {since}")
    elif any(one.next_due for one in seen.shown):
        told.append("windrow serve is not running: what is due waits for it, or for `windrow harvest`")
    followed = server is not None or any(one.state == "running" for one in seen.every)
    harvested = any(one.last for one in seen.every)
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
            doubt = "" if wrong == NO_INDEX else ", or the log says what keeps it from that"
            return f"index: {told}: it is being built{doubt}"
        return f"index: {told}{': run `windrow sync`' if harvested else '; the first harvest makes it'}"
    lag = f"{counted(index['lag'], 'change')} behind" if index["lag"] else "up to date"
    advice = ": `windrow sync`" if index["lag"] and not followed else ""
    return f"index: {index['engine']}, {number(index['documents'])} documents, {lag}{advice}"


# --watch


def _watch(program: Program, names: Sequence[str]) -> None:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    path = program.settings.path
    with suppress(KeyboardInterrupt), Live(console=Console(), screen=True, auto_refresh=False) as live:
        while True:
            live.update(Text.from_ansi("\n".join(_looked_again(path, names))), refresh=True)
            program.clock.sleep(_EVERY)


def _looked_again(path: Path, names: Sequence[str]) -> list[str]:
    """With the config.toml of now, which may be at fault while somebody writes it."""
    try:
        with closing(Program(load(path))) as program:
            return _screen(program, names)
    except WindrowError as error:
        told = f"windrow: {error.message}", error.advice
        return [click.style(line, fg="red") for text in told for line in wrapped(text, columns())]


def _screen(program: Program, names: Sequence[str]) -> list[str]:
    """What fits, and what needs looking at first."""
    from index.cli.overview import urgency

    seen = _look(program, names)
    heading, *blocks = _blocks(program, sorted(seen.shown, key=urgency))
    footing = _footing(program, seen)
    room = shutil.get_terminal_size().lines - len(heading) - len(footing) - 2
    shown, left = _fitting(blocks, room)
    more = [f"… and {counted(left, 'more source')}"] if left else []
    now = in_zone(program.clock.now(), program.settings.harvest.timezone)
    return [*heading, *shown, *more, *footing, f"{now:%H:%M:%S}, Ctrl-C ends"]


def _fitting(blocks: list[list[str]], room: int) -> tuple[list[str], int]:
    """And how many do not."""
    shown: list[str] = []
    for at, block in enumerate(blocks):
        if len(shown) + len(block) > room:
            return shown, len(blocks) - at
        shown += block
    return shown, 0
