"""source remove."""

from typing import TYPE_CHECKING

import click

from index.cli.completion import source_names
from index.cli.follower import catch_up
from index.cli.naming import unknown_source
from index.cli.opening import json_option, with_program
from index.cli.progress import counting
from index.cli.talk import counted, is_agreed, put_json, put_lines, tell
from index.program import Program

if TYPE_CHECKING:
    from harvester.store.sources import SourceState


@click.group()
def source() -> None:
    """Remove a source, and all that came from it."""


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
    put_lines(f"{name} is removed, and {counted(removed.records, 'record')} with it.")
    if removed.configured:
        tell(f"It is no longer in {program.settings.path}.")
    return 0
