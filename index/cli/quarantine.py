"""quarantine."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from harvester.clean.text import printable
from index.cli.catching_up import catch_up
from index.cli.completion import source_names
from index.cli.naming import insist_on_source
from index.cli.opening import json_option, with_program
from index.cli.pager import paged, pager_option
from index.cli.rework import rework
from index.cli.talk import counted, number, put_bytes, put_json, put_lines, tell
from index.program import Program

if TYPE_CHECKING:
    from harvester.requeue import Requeued
    from harvester.store.quarantine import Entry

_SHOWN = 100
_SHOWN_REASONS = 20


@click.command()
@click.argument("source", default="", shell_complete=source_names)
@click.option("--raw", is_flag=True, help="Each with the bytes that were received.")
@click.option("--retry", is_flag=True, help="Try them again with today's repairs and formats; no network.")
@click.option("--limit", type=click.IntRange(0), help=f"Records to show; else {_SHOWN}, or all with --json.")
@json_option
@pager_option
@with_program
def quarantine(
    program: Program, source: str, raw: bool, retry: bool, limit: int | None, as_json: bool, no_pager: bool
) -> int:
    """What was received and could not be kept as a record: the reasons, then the records.

    A record leaves quarantine when it is received whole, or when --retry makes a record of it.
    """
    held = _held(program, source)
    if retry:
        return _retry(program, held, as_json)
    with paged(no_pager=no_pager):
        if as_json:
            _put_all(program, source, limit)
        else:
            _put_table(program, source, _SHOWN if limit is None else limit, raw)
    return 0


def _held(program: Program, source: str) -> list[str]:
    """The sources that have something in quarantine, of those asked for."""
    from harvester.store import sources

    if source:
        insist_on_source(program, source)
    with program.store.read() as connection:
        states = sources.every(connection)
    return [state.name for state in states if state.quarantined and source in ("", state.name)]


def _put_all(program: Program, source: str, limit: int | None) -> None:
    from harvester.store import quarantine as store

    with program.store.read() as connection:
        for entry in store.entries(connection, source, limit=limit):
            put_json(
                {
                    "source": entry.source,
                    "identifier": entry.identifier,
                    "datestamp": entry.datestamp,
                    "sets": entry.sets,
                    "since": entry.since,
                    "reason": entry.reason,
                    "raw": entry.body.decode("utf-8", "replace"),
                }
            )


def _put_table(program: Program, source: str, limit: int, raw: bool) -> None:
    from harvester.store import quarantine as store

    with program.store.read() as connection:
        reasons = store.reasons(connection, source)
        total = sum(count for _, _, count in reasons)
        if not total:
            put_lines("Nothing is in quarantine.")
            return
        _put_reasons(total, reasons)
        for entry in store.entries(connection, source, limit=limit):
            _put_entry(entry, raw)
    if total > limit:
        put_lines(f"… and {number(total - limit)} more: `--limit {total}` shows all")


def _put_reasons(total: int, reasons: Sequence[tuple[str, str, int]]) -> None:
    put_lines(f"{counted(total, 'record')} in quarantine; `windrow quarantine --retry` tries them again.", "")
    for name, reason, count in reasons[:_SHOWN_REASONS]:
        put_lines(f"{number(count):>8}  {click.style(name, bold=True)}  {_line(reason)}")
    if len(reasons) > _SHOWN_REASONS:
        put_lines(f"{'':>8}  … and {counted(len(reasons) - _SHOWN_REASONS, 'other reason')}")
    put_lines("")


def _put_entry(entry: "Entry", raw: bool) -> None:
    name = _line(entry.identifier) or "(no identifier)"
    facts = (entry.source, name, _line(entry.datestamp), f"since {entry.since}", _line(entry.reason))
    put_lines("  ".join(filter(None, facts)))
    if raw:
        put_bytes(entry.body)
        put_lines("")


def _line(text: str) -> str:
    return " ".join(printable(text).split())


def _retry(program: Program, names: Sequence[str], as_json: bool) -> int:
    from harvester.requeue import requeue

    codes = [rework(program, name, requeue, _put_requeued, as_json=as_json) for name in names]
    if not names and not as_json:
        put_lines("Nothing is in quarantine.")
    if names:
        catch_up(program, quiet=as_json)
    return max(codes, default=0)


def _put_requeued(found: "Requeued") -> None:
    kinds = ("created", "updated", "unchanged", "deleted")
    counts = [f"{number(getattr(found, kind))} {kind}" for kind in kinds if getattr(found, kind)]
    left = f"{number(found.quarantined)} still in quarantine" if found.quarantined else "none is left"
    put_lines(f"{found.source}  {counted(found.tried, 'record')} tried again: {', '.join([*counts, left])}")
    if found.quarantined:
        tell(f"Why: windrow quarantine {found.source}")
