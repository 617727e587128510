"""source list, disable, enable, remove."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import msgspec

from index.cli.catching_up import catch_up
from index.cli.completion import source_names
from index.cli.naming import unknown_source
from index.cli.opening import json_option, with_program
from index.cli.pager import paged, pager_option
from index.cli.progress import counting
from index.cli.reloading import reload_server
from index.cli.table import Cell, Column, laid_out
from index.cli.talk import columns, counted, is_agreed, put_json, put_lines, tell
from index.cli.wrapping import wrapped
from index.program import Program

if TYPE_CHECKING:
    from collections.abc import Collection

    from harvester.config import Source
    from harvester.store.sources import SourceState


@click.group()
def source() -> None:
    """List the sources, leave some alone for a while, remove one with all that came from it."""


@source.command("list")
@json_option
@pager_option
@with_program
def list_(program: Program, as_json: bool, no_pager: bool) -> None:
    """What config.toml says of each source; how they stand, `windrow status` says."""
    configured = list(program.settings.sources.values())
    left = _no_longer_configured(program)
    with paged(no_pager=no_pager):
        if as_json:
            for one in configured:
                put_json({**msgspec.structs.asdict(one), "configured": True})
            for state in left:
                put_json({"name": state.name, "configured": False})
        else:
            _put_sources(configured, left, program)


def _no_longer_configured(program: Program) -> "list[SourceState]":
    from harvester.store import sources

    with program.store.read() as connection:
        return [state for state in sources.every(connection) if state.name not in program.settings.sources]


_COLUMNS = (Column("source"), Column("schedule"), Column("asks for", spare=1), Column("address"))


def _put_sources(configured: "Sequence[Source]", left: "Sequence[SourceState]", program: Program) -> None:
    if not configured and not left:
        put_lines("No sources yet: `windrow add URL --harvest` adds one.")
        return
    laid = laid_out(_COLUMNS, [_row(one) for one in configured], columns())
    put_lines(*laid.heading, *(line for lines in laid.rows for line in lines))
    for state in left:
        remark = (
            f"{state.name} is no longer in {program.settings.path}; what came from it stays until "
            f"`windrow source remove {state.name}`: {counted(state.live, 'record')}."
        )
        put_lines(*wrapped(remark, columns()))


def _row(one: "Source") -> tuple[Cell, ...]:
    when = Cell(one.schedule or "when you say so") if one.enabled else Cell("disabled", "yellow")
    parts = (one.metadata_prefix, one.set and f"set {one.set}", one.details and "details")
    return Cell(one.name), when, Cell(", ".join(filter(None, parts))), Cell(one.url)


@source.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=source_names)
@with_program
def disable(program: Program, names: tuple[str, ...]) -> None:
    """Leave sources alone: `windrow serve` does, and `windrow harvest` without names. Their records stay."""
    _switch(program, names, enabled=False)


@source.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=source_names)
@with_program
def enable(program: Program, names: tuple[str, ...]) -> None:
    """Harvest sources again that were disabled."""
    _switch(program, names, enabled=True)


def _switch(program: Program, names: Sequence[str], *, enabled: bool) -> None:
    from harvester.config_file import switch

    for name in names:
        if name not in program.settings.sources:
            raise unknown_source(name, program.settings.sources)
    names = list(dict.fromkeys(names))
    changed = switch(program.settings.path, names, enabled=enabled)
    word = "enabled" if enabled else "disabled"
    for name in names:
        put_lines(f"{name} is {word}." if name in changed else f"{name} is {word} already.")
    if not enabled:
        _say_what_goes_on(program, changed)
    if changed:
        reload_server(program.settings.data)


def _say_what_goes_on(program: Program, names: "Collection[str]") -> None:
    from harvester.store import leases

    with program.store.read() as connection:
        at_work = leases.held(connection, program.clock.now())
    for name in names:
        if name in at_work:
            tell(f"{name} is being harvested at this moment, by {at_work[name]}: that goes on to its end.")


@source.command()
@click.argument("name", shell_complete=source_names)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_program
def remove(program: Program, name: str, yes: bool, as_json: bool) -> int:
    """Take a source out of config.toml, the store and the index.

    The feed keeps a tombstone of each of its records, so that every follower learns of the deletion. Cut off
    in the middle, the same command goes on.
    """
    from harvester.store import sources

    with program.store.read() as connection:
        states = {state.name: state for state in sources.every(connection)}
        since = sources.removed_since(connection, name)
    known = {**states, **program.settings.sources}
    if name not in known and since is None:
        raise unknown_source(name, known)
    if name in known and not is_agreed(_question(program, name, states.get(name)), yes=yes):
        return 1
    return _remove(program, name, as_json)


def _question(program: Program, name: str, state: "SourceState | None") -> str:
    held = counted(state.live, "record") if state else "no records"
    refused = f", {counted(state.quarantined, 'record')} in quarantine" if state and state.quarantined else ""
    return f"Remove {name} ({held}{refused}) from {program.settings.path}, the store and the index?"


def _remove(program: Program, name: str, as_json: bool) -> int:
    """What was removed already may be in the index still."""
    from harvester.removal import remove as run

    with counting(f"removing {name}", quiet=as_json) as count:
        removed = run(name, program.settings.path, program.store, program.clock, count)
    catch_up(program, quiet=as_json)
    if as_json:
        put_json(removed)
        return 0
    had = removed.records or removed.configured
    with_it = f", and {counted(removed.records, 'record')} with it" if had else " already"
    put_lines(f"{name} is removed{with_it}.")
    if removed.configured:
        tell(f"It is no longer in {program.settings.path}.")
        reload_server(program.settings.data)
    return 0
