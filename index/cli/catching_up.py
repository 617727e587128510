"""The index takes in what a command has changed."""

from harvester.errors import IndexBusy
from index.cli.progress import counting
from index.cli.talk import tell
from index.program import Program
from index.sync import sync


def catch_up(program: Program, *, quiet: bool = False) -> None:
    """Where another process writes the index, that one will."""
    try:
        with counting("indexing", quiet=quiet) as count:
            sync(program.store, program.generations, program.settings.index.engine, count)
    except IndexBusy:
        tell("Another process writes the index: run `windrow sync` when it has ended.")
