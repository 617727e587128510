"""history."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec

from harvester.report import report
from index.cli.completion import source_names
from index.cli.naming import insist_on_source
from index.cli.opening import json_option, with_program
from index.cli.overview import per_second, progress, verdict
from index.cli.pager import paged, pager_option
from index.cli.standing import UnderWay, rate_of, under_way
from index.cli.table import Cell, Column, laid_out
from index.cli.talk import columns, moment, number, put_json, put_lines, seconds, went_on
from index.cli.wrapping import wrapped
from index.program import Program

if TYPE_CHECKING:
    from harvester.store.harvests import Harvest

_SHOWN = 20
_INDENT = 4


class _Told(NamedTuple):
    harvest: "Harvest"
    progress: UnderWay | None


@click.command()
@click.argument("source", default="", shell_complete=source_names)
@click.option("--limit", type=click.IntRange(1), default=_SHOWN, help=f"Harvests to show; else {_SHOWN}.")
@json_option
@pager_option
@with_program
def history(program: Program, source: str, limit: int, as_json: bool, no_pager: bool) -> None:
    """Past harvests of a source or of all, the newest first; above them those that run now."""
    if source:
        insist_on_source(program, source)
    told = _told(program, source, limit + 1)
    with paged(no_pager=no_pager):
        if as_json:
            for one in told[:limit]:
                put_json(_as_json(one))
        elif told:
            zone = program.settings.harvest.timezone
            put_lines(*chain.from_iterable(_lines(told[:limit], zone, has_one_source=bool(source))))
            if len(told) > limit:
                put_lines(f"… and older ones: `--limit {2 * limit}`")
        else:
            put_lines(" ".join(("No harvest yet: windrow harvest", source)).rstrip())


def _told(program: Program, source: str, limit: int) -> list[_Told]:
    """A long one that runs began before many that have ended."""
    from harvester.store import harvests, leases, sources

    now = program.clock.now()
    with program.store.read() as connection:
        held = leases.held(connection, now)
        last_full = {state.name: state.last_full for state in sources.every(connection)} if held else {}
        lasts = harvests.last_of_all(connection) if held else {}
        past = harvests.past(connection, limit, source)
    run = [lasts[name] for name in held if name in lasts and source in ("", name)]
    running = {one.id: one for one in run if one.verdict is None}
    shown = [*running.values(), *(one for one in past if one.id not in running)]
    told = {id: under_way(one, held[one.source], last_full[one.source], now) for id, one in running.items()}
    return [_Told(one, told.get(one.id)) for one in shown[:limit]]


def _as_json(one: _Told) -> dict[str, object]:
    found = report(one.harvest)
    return {
        **msgspec.structs.asdict(found),
        "started": one.harvest.started,
        "from": one.harvest.request.from_,
        "until": one.harvest.request.until,
        "rate": rate_of(found),
        "progress": one.progress,
    }


_COLUMNS = (
    Column("began"),
    Column("source"),
    Column("verdict"),
    Column("took"),
    Column("since", spare=4),
    Column("records", is_number=True),
    Column("created", is_number=True),
    Column("updated", is_number=True, spare=1),
    Column("deleted", is_number=True, spare=2),
    Column("quarantined", is_number=True, spare=3),
    Column("rate", is_number=True, spare=5),
)


def _lines(told: Sequence[_Told], timezone: str, *, has_one_source: bool) -> Iterator[list[str]]:
    laid = laid_out(_COLUMNS, [_row(one, timezone, has_one_source) for one in told], columns())
    yield laid.heading
    for one, lines in zip(told, laid.rows, strict=True):
        said = progress(one.progress) if one.progress else one.harvest.reason
        remark = "; ".join(filter(None, (said, went_on(report(one.harvest)))))
        yield [*lines, *(" " * _INDENT + line for line in wrapped(remark, columns() - _INDENT))]


def _row(one: _Told, timezone: str, has_one_source: bool) -> tuple[Cell, ...]:
    found, request = report(one.harvest), one.harvest.request
    counts = (found.received, found.created, found.updated, found.deleted + found.vanished, found.quarantined)
    return (
        Cell(moment(one.harvest.started, timezone)),
        Cell("" if has_one_source else found.source),
        Cell("running", "cyan") if one.progress else verdict(found),
        Cell(seconds(found.seconds)),
        Cell(request.from_[:10]),
        *(Cell(number(count)) for count in counts),
        Cell(per_second(rate_of(found))),
    )
