"""The index takes in what a command has changed."""

from harvester.clock import SystemClock
from harvester.errors import IndexBusy
from index.cli.progress import counting
from index.cli.talk import tell
from index.program import Program
from index.turn import sync_in_turn


def catch_up(program: Program, *, quiet: bool = False) -> None:
    """Or another process does, which is waited for."""
    engine = program.settings.index.engine
    try:
        with counting("indexing", quiet=quiet) as count:
            sync_in_turn(program.store, program.generations, engine, SystemClock(), count)
    except IndexBusy:
        tell("Another process writes the index: run `windrow sync` when it has ended.")
