"""Harvesting many sources from a terminal: what is going to be done, and in the end what came of it."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from index.cli.talk import counted, number, tell
from index.program import Program

if TYPE_CHECKING:
    from harvester.config import Source

_MANY = 20


def say_before(program: Program, sources: "Sequence[Source]") -> None:
    if len(sources) <= _MANY:
        return
    from harvester.store import harvests

    with program.store.read() as connection:
        known = harvests.last_of_all(connection)
    hosts = counted(len({urlsplit(source.url).hostname for source in sources}), "host")
    new = sum(source.name not in known for source in sources)
    first = f", {number(new)} of them for the first time" if new else ""
    tell(
        f"{counted(len(sources), 'source')} on {hosts}{first}, one after the other. Ctrl-C is safe: "
        "what came is kept, and the same command goes on from there. `windrow serve` does this in the "
        "background, several hosts at a time."
    )


def say_after(verdicts: Sequence[str]) -> None:
    if len(verdicts) <= _MANY:
        return
    tallied = ", ".join(f"{number(count)} {verdict}" for verdict, count in Counter(verdicts).most_common())
    tell(f"{counted(len(verdicts), 'source')}: {tallied}. `windrow status` says how each stands.")
