"""renormalise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from harvester.clean.text import printable
from index.cli.completion import source_names
from index.cli.naming import insist_on_source
from index.cli.opening import json_option, with_program
from index.cli.rework import rework
from index.cli.talk import counted, number, put_lines, tell
from index.follower import following
from index.program import Program

if TYPE_CHECKING:
    from harvester.renormalise import Renormalised

_SHOWN_FAILURES = 20


@click.command()
@click.argument("source", default="", shell_complete=source_names)
@json_option
@with_program
def renormalise(program: Program, source: str, as_json: bool) -> int:
    """The stored XML of a source, or of all, through today's repairs and formats; no network.

    What becomes another record is a change, as if it had been harvested: the index and all followers take
    it in. The rest is not touched. What today's formats cannot read stays as it was, and is named.
    """
    names = _chosen(program, source)
    if not (names or as_json):
        put_lines("Nothing is stored yet.")
    if not names:
        return 0
    with following(program.settings.path, program.clock, tell):
        return max(_renormalise(program, name, as_json) for name in names)


def _chosen(program: Program, source: str) -> Sequence[str]:
    from harvester.store import sources

    if source:
        insist_on_source(program, source)
    with program.store.read() as connection:
        return [state.name for state in sources.every(connection) if source in ("", state.name)]


def _renormalise(program: Program, name: str, as_json: bool) -> int:
    from harvester.renormalise import renormalise as run

    try:
        return rework(program, name, run, _put, as_json=as_json)
    except (KeyboardInterrupt, SystemExit):
        tell(f"Stopped. What is done is done; to go on from there: windrow renormalise {name}")
        raise


def _put(found: "Renormalised") -> None:
    kinds = ("changed", "unchanged", "failed")
    counts = [f"{number(getattr(found, kind))} {kind}" for kind in kinds if getattr(found, kind)]
    read = f"{found.source}  {counted(found.read, 'record')} read again"
    put_lines(": ".join(filter(None, (read, ", ".join(counts)))))
    put_lines(*(f"  {number(count):>8}  {field.replace('_', ' ')}" for field, count in found.fields.items()))
    for failure in found.failures[:_SHOWN_FAILURES]:
        tell(f"Kept as it was: {printable(failure.id)}: {failure.reason}")
    if found.failed > _SHOWN_FAILURES:
        more = number(found.failed - _SHOWN_FAILURES)
        tell(f"… and {more} more; --json names the first {len(found.failures)}")
