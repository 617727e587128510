"""harvest."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click
import msgspec

from harvester.clean.text import printable
from harvester.datestamp import format_datestamp, parse_datestamp
from harvester.errors import ConfigError, LeaseLost, SourceBusy
from index.cli.completion import source_names
from index.cli.detailing import fetch_all_details
from index.cli.many import say_after, say_before
from index.cli.naming import listed, unknown_source
from index.cli.opening import json_option, with_program
from index.cli.progress import harvest_bar
from index.cli.talk import (
    colour_of,
    counted,
    next_step,
    number,
    put_json,
    put_lines,
    seconds,
    tell,
    tell_error,
    went_on,
)
from index.follower import following
from index.program import Program

if TYPE_CHECKING:
    from harvester.config import Source
    from harvester.plan import Options
    from harvester.report import Report


class _Datestamp(click.ParamType[str]):
    name = "date"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        moment = parse_datestamp(value)
        if moment is None:
            self.fail(f"{value} is no date: write 2026-01-31 or 2026-01-31T12:00:00Z", param, ctx)
        return value[:10] if len(value) == 10 else format_datestamp(moment)


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...", shell_complete=source_names)
@click.option("--full", is_flag=True, help="Read the whole list again, verify it, delete what is gone.")
@click.option("--from", "from_", type=_Datestamp(), help="Only records changed since this date.")
@click.option("--until", type=_Datestamp(), help="Only records changed up to this date.")
@click.option("--limit", type=click.IntRange(1), help="Stop after the page that reaches this many records.")
@click.option("--allow-deletions", is_flag=True, help="Believe however many deletions there are.")
@json_option
@with_program
def harvest(
    program: Program,
    sources: tuple[str, ...],
    full: bool,
    from_: str | None,
    until: str | None,
    limit: int | None,
    allow_deletions: bool,
    as_json: bool,
) -> int:
    """Harvest the sources named, or all of config.toml that are not disabled; the index follows.

    An interrupted harvest goes on where it stopped. Exits 0 when complete, 3 when a part is missing,
    1 when nothing could be harvested. Details come after all lists and change nothing of that.
    """
    from harvester.plan import Options

    if full and (from_ or until):
        raise click.UsageError("--full reads the whole list: it does not go with --from or --until.")
    options = Options(
        full=full, from_=from_ or "", until=until or "", limit=limit, allow_deletions=allow_deletions
    )
    return harvest_sources(program, _chosen(program, sources), options, as_json=as_json)


def harvest_sources(
    program: Program, sources: "Sequence[Source]", options: "Options | None" = None, *, as_json: bool = False
) -> int:
    """One after the other; the exit code is the worst one's."""
    options = _kept_up(options, program)
    # The store is opened first: two processes that make the same store would wait for each other.
    refused = [error for source in sources if (error := _refusal(program, source))]
    if len(refused) == len(sources):  # a follower would have to wait for that of the other harvest
        for error in refused:
            tell_error(error)
        return SourceBusy.exit_code
    say_before(program, sources)
    with following(program.settings.path, program.clock, tell):
        reports = {source: _harvest(program, source, options, as_json) for source in sources}
        fetch_all_details(program, [one for one in sources if _is_welcome(reports[one])], as_json=as_json)
    say_after([report.verdict if report else "busy" for report in reports.values()])
    return worst([report.exit_code if report else SourceBusy.exit_code for report in reports.values()])


def _is_welcome(report: "Report | None") -> bool:
    """Where the list could not be had, its details need not be asked for."""
    return report is not None and report.verdict not in ("failed", "deferred")


def _kept_up(options: "Options | None", program: Program) -> "Options":
    from harvester.plan import Options

    often = program.settings.harvest
    return msgspec.structs.replace(options or Options(), audit=often.audit, reread=often.full)


def _refusal(program: Program, source: "Source") -> SourceBusy | None:
    from harvester.store import leases

    try:
        with program.store.read() as connection:
            leases.refuse_busy(connection, source.name, program.clock.now())
    except SourceBusy as error:
        return error
    return None


def worst(codes: Sequence[int]) -> int:
    """1 only if every source failed."""
    if all(code == 1 for code in codes):
        return 1
    return 3 if any(codes) else 0


def _harvest(program: Program, source: "Source", options: "Options", as_json: bool) -> "Report | None":
    """None where another run has the source."""
    from harvester.harvest import harvest as run

    with harvest_bar(source.name, quiet=as_json) as show:
        transport = program.transport(on_wait=_tell_wait, on_notice=tell)
        try:
            report = run(source, program.store, transport, program.clock, options, show)
        except (SourceBusy, LeaseLost) as error:
            tell_error(error)
            return None
        except (KeyboardInterrupt, SystemExit):
            tell(f"Stopped. What came is kept; to go on from there: windrow harvest {source.name}")
            raise
    if as_json:
        put_json(report)
    else:
        _put_report(report)
    return report


def _tell_wait(wait: float, why: str) -> None:
    tell(f"Waiting {seconds(wait)}: {why}")


def _chosen(program: Program, names: Sequence[str]) -> "list[Source]":
    known = program.settings.sources
    if not known:
        raise ConfigError(
            f"{program.settings.path} has no sources",
            advice="`windrow add URL` writes one, or `windrow demo` shows one",
        )
    for name in names:
        if name not in known:
            raise unknown_source(name, list(known))
    return [known[name] for name in dict.fromkeys(names)] if names else _enabled(known)


def _enabled(known: "Mapping[str, Source]") -> "list[Source]":
    """A person who names a disabled source means it."""
    disabled = [name for name, source in known.items() if not source.enabled]
    if len(disabled) == len(known):
        raise ConfigError("all sources are disabled", advice="`windrow source enable NAME` changes that")
    if disabled:
        tell(f"Left alone, as they are disabled: {listed(disabled)}")
    return [source for source in known.values() if source.enabled]


def _put_report(report: "Report") -> None:
    verdict = click.style(report.verdict, fg=colour_of(report.verdict), bold=True)
    reason = f": {printable(report.reason)}" if report.reason else ""
    put_lines(f"{report.source}  {verdict}{reason}")
    kinds = ("created", "updated", "unchanged", "deleted", "quarantined", "vanished", "held", "repaired")
    counts = [f"{number(getattr(report, kind))} {kind}" for kind in kinds if getattr(report, kind)]
    came = f"{counted(report.received, 'record')} in {counted(report.pages, 'page')}"
    told = ", ".join(filter(None, (came, seconds(report.seconds), went_on(report))))
    if report.pages or not report.error:
        put_lines(f"  {told}" + (": " + ", ".join(counts) if counts else ""))
    steps = filter(None, (printable(report.advice), next_step(report)))
    put_lines(*(f"  → {step}" for step in steps))
