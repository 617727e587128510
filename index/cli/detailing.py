"""After the lists of a harvest, the details: told beside the verdicts, which they do not change."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from harvester.clean.text import printable
from harvester.errors import LeaseLost, SourceBusy
from index.cli.progress import harvest_bar
from index.cli.talk import number, put_json, put_lines, tell, tell_error
from index.program import Program

if TYPE_CHECKING:
    from harvester.config import Source
    from harvester.details import Detailed


def fetch_all_details(program: Program, sources: "Sequence[Source]", *, as_json: bool) -> None:
    for source in sources:
        if source.details:
            _fetch(program, source, as_json)


def _fetch(program: Program, source: "Source", as_json: bool) -> None:
    from harvester.details import LIMITS, fetch_details

    with harvest_bar(source.name, quiet=as_json) as show:
        transport = program.transport(limits=LIMITS, on_notice=tell)
        try:
            found = fetch_details(source, program.store, transport, program.clock, show)
        except (SourceBusy, LeaseLost) as error:
            tell_error(error)
            return
        except (KeyboardInterrupt, SystemExit):
            tell(
                f"Stopped. The details that came are kept; to go on from there: windrow harvest {source.name}"
            )
            raise
    if as_json:
        put_json({"source": found.source, "details": found})
    else:
        _put(found)


def _put(found: "Detailed") -> None:
    from harvester.details import TOLD

    if not (found.fetched or found.failed or found.waiting):
        return
    counts = [f"{number(found.fetched)} fetched{f' as {TOLD[found.way]}' if found.way else ''}"]
    kinds = ("changed", "failed", "waiting")
    counts += [f"{number(getattr(found, kind))} {kind}" for kind in kinds if getattr(found, kind)]
    put_lines(f"{found.source}  {click.style('details', bold=True)}: {', '.join(counts)}")
    if found.reason:
        put_lines(f"  → stopped: {printable(found.reason)}; the next harvest goes on")
