"""verify, sync, rebuild."""

import sys
from contextlib import suppress

import click

from harvester.clean.text import printable
from harvester.clock import SystemClock
from harvester.store import Store
from index.cli.opening import json_option, with_program
from index.cli.progress import counting
from index.cli.talk import counted, number, put_json, put_lines, tell
from index.follow import follow_until_told
from index.generations import Generations
from index.program import Program


@click.command()
@json_option
@with_program
def verify(program: Program, as_json: bool) -> int:
    """Check every invariant of the store and the index; changes nothing. Exits 1 where one is violated."""
    from index.verify import verify as checks

    violated = 0
    for checked in checks(program.store, program.generations):
        violated += not checked.holds
        if as_json:
            put_json(checked)
            continue
        sign = click.style("holds   ", fg="green") if checked.holds else click.style("VIOLATED", fg="red")
        put_lines(f"{sign}  {checked.invariant} ({number(checked.checked)} checked)")
        put_lines(*(f"          {printable(example)}" for example in checked.examples))
    if not as_json:
        tell(f"{counted(violated, 'invariant')} violated." if violated else "All is as it should be.")
    return int(violated > 0)


@click.command()
@click.option("--follow", is_flag=True, hidden=True, help="Go on until standard input ends.")
@json_option
@with_program
def sync(program: Program, follow: bool, as_json: bool) -> None:
    """Bring the index up to the store. Builds it anew where the engine or its version changed."""
    from index.turn import sync_in_turn

    if follow:
        follow_until_told(program, sys.stdin.buffer, SystemClock(), _tell_if_heard)
        return
    with counting("indexing", quiet=as_json) as count:
        synced = sync_in_turn(*_index_of(program), SystemClock(), count, _tell_wait)
    if as_json:
        put_json(synced)
        return
    if synced.rebuilt:
        tell(f"The index was built anew: {synced.rebuilt}.")
    put_lines(f"{counted(synced.indexed, 'record')} indexed, {number(synced.removed)} removed.")


def _tell_if_heard(sentence: str) -> None:
    with suppress(BrokenPipeError):  # of a harvest that was killed; what it stored is taken in all the same
        tell(sentence)


def _tell_wait() -> None:
    tell("Another process writes the index: waiting until it has taken in what is stored, or for our turn.")


def _index_of(program: Program) -> tuple[Store, Generations, str]:
    return program.store, program.generations, program.settings.index.engine


@click.command()
@json_option
@with_program
def rebuild(program: Program, as_json: bool) -> None:
    """Build the index anew beside the old one, which answers until the switch."""
    from index.turn import rebuild_in_turn

    with counting("indexing", quiet=as_json) as count:
        synced = rebuild_in_turn(*_index_of(program), SystemClock(), count, _tell_wait)
    if as_json:
        put_json(synced)
    else:
        put_lines(f"{counted(synced.indexed, 'record')} indexed by {program.settings.index.engine}.")
