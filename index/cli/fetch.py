"""add, check."""

import os
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import click

from harvester import config
from harvester.clean.text import printable
from harvester.errors import ConfigError
from harvester.schedule import USUAL
from index.cli.opening import config_path, json_option
from index.cli.reloading import reload_server
from index.cli.talk import number, put_json, put_lines, tell
from index.program import Program

if TYPE_CHECKING:
    from pathlib import Path

    from harvester.check import Finding

_SHOWN_SETS = 12
_ARGUMENTS = frozenset({"verb", "metadataPrefix", "identifier", "from", "until", "set", "resumptionToken"})


@click.command()
@click.argument("url")
@click.option("--prefix", default="", help="Metadata prefix to try; else oai_dc where it is offered.")
@json_option
@click.pass_context
def check(ctx: click.Context, url: str, prefix: str, as_json: bool) -> None:
    """Try an OAI-PMH address: what is there, how it behaves, and a source block for config.toml."""
    finding = _checked(config_path(ctx), _with_scheme(url), prefix, "")
    if as_json:
        put_json(finding)
    else:
        _put_finding(finding)


@click.command()
@click.argument("url")
@click.option("--name", default="", help="The source's name; else one is made from the address.")
@click.option("--prefix", default="", help="Metadata prefix; else oai_dc where it is offered.")
@click.option("--set", "set_spec", default="", help="Only this set, as `windrow check` lists it.")
@click.option("--schedule", help=f'When `windrow serve` harvests it; else {USUAL!r}; "" is never.')
@click.option("--harvest", "harvest_now", is_flag=True, help="Harvest it at once.")
@click.pass_context
def add(
    ctx: click.Context,
    url: str,
    name: str,
    prefix: str,
    set_spec: str,
    schedule: str | None,
    harvest_now: bool,
) -> int:
    """Check an address and write it into config.toml, which is made if it is missing."""
    from msgspec.structs import replace

    from harvester.check import suggested_name
    from harvester.config_file import add_source, refuse_faulty

    path, url = config_path(ctx), _with_scheme(url)
    schedule = USUAL if schedule is None else schedule
    refuse_faulty(path, config.Source(name or suggested_name(url, ""), url, set=set_spec, schedule=schedule))
    finding = _checked(path, url, prefix, name)
    _insist_on_set(finding, set_spec)
    source = replace(finding.source, set=set_spec, schedule=schedule)
    block = add_source(path, source)
    tell(f"{_summary(finding)}\nWritten to {path}:\n\n{block}")
    for note in finding.notes:
        tell(f"Note: {note}.")
    data = _settings(path).data
    if not harvest_now:
        is_taken_up = reload_server(data) and bool(source.schedule)
        by_itself = ", or windrow serve" if source.schedule else ""
        tell("Next: windrow status" if is_taken_up else f"Next: windrow harvest {source.name}{by_itself}")
        return 0
    try:
        return _harvest(path, source.name)
    finally:  # not before: it would begin with the same source
        reload_server(data)


def _insist_on_set(finding: "Finding", spec: str) -> None:
    known = {one.spec for one in finding.sets}
    if spec and known and spec not in known:
        raise ConfigError(
            f"{finding.url} has no set {spec}; nothing is written",
            advice=f"`windrow check {finding.url} --json` lists its {len(known)} sets",
        )


def _harvest(path: "Path", name: str) -> int:
    from index.cli.harvesting import harvest_sources

    program = Program(config.load(path, os.environ))
    try:
        code = harvest_sources(program, [program.settings.sources[name]])
    finally:
        program.close()
    tell("Next: windrow search YOUR WORDS")
    return code


def _checked(path: "Path", url: str, prefix: str, name: str) -> "Finding":
    from harvester.check import check as try_address
    from harvester.transport import Limits

    # A person waits: fewer tries than a harvest has.
    impatient = Limits(
        connect=10,
        read=60,
        deadline=120,
        tries=2,
        tries_unreachable=1,
        tries_on_500=1,
        backoff=2,
        retry_after_cap=10,
    )
    program = Program(_settings(path))
    try:
        transport = program.transport(limits=impatient, on_notice=tell)
        return try_address(url, transport, program.clock, prefix=prefix, name=name)
    finally:
        program.close()


def _settings(path: "Path") -> config.Settings:
    """Of the file, for its contact address; of an empty one where there is none yet."""
    return config.load(path, os.environ) if path.exists() else config.read_settings({}, path, os.environ)


def _with_scheme(url: str) -> str:
    url = url if "://" in url else f"https://{url}"
    try:
        usable = urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname
    except ValueError:
        usable = None
    if not usable:
        raise ConfigError(f"{url} is no address on the web", advice="it begins with https:// or http://")
    return _without_arguments(url)


def _without_arguments(url: str) -> str:
    """People copy `…/oai2?verb=Identify` out of a browser; what is not OAI-PMH's in a query stays."""
    parts = urlsplit(url)
    kept = [one for one in parse_qsl(parts.query, keep_blank_values=True) if one[0] not in _ARGUMENTS]
    bare = urlunsplit(parts._replace(query=urlencode(kept), fragment=""))
    if bare != url:
        tell(f"Taken as {bare}")
    return bare


def _summary(finding: "Finding") -> str:
    kind = finding.software or "a repository"
    count = (
        f"{number(finding.records)} records"
        if finding.records is not None
        else "an unstated number of records"
    )
    return f"{finding.name or finding.url} ({kind}): {count}."


def _put_finding(finding: "Finding") -> None:
    from harvester.config_file import source_block
    from harvester.details import TOLD

    pages = f", {number(finding.page_size)} a page" if finding.page_size else ""
    facts = {
        "repository": finding.name,
        "software": finding.software or "not told",
        "records": f"{number(finding.records)}{pages}",
        "earliest": finding.earliest,
        "granularity": finding.granularity,
        "deletions": finding.deleted_record,
        "formats": ", ".join(finding.formats),
        "sets": number(len(finding.sets)),
        "details": TOLD.get(finding.details, "none"),
    }
    for name, value in facts.items():
        put_lines(f"{click.style(f'{name:>12}', dim=True)}  {printable(value)}")
    for one in finding.sets[:_SHOWN_SETS]:
        meaning = f" ({one.meaning})" if one.meaning != one.spec else ""
        put_lines(f"{'':>14}{printable(one.spec)}{printable(meaning)}  {printable(one.name)}")
    if len(finding.sets) > _SHOWN_SETS:
        put_lines(f"{'':>14}… and {number(len(finding.sets) - _SHOWN_SETS)} more: --json lists all")
    put_lines(*(f"{click.style('        note', fg='yellow')}  {printable(note)}" for note in finding.notes))
    put_lines("", "For config.toml (`windrow add` writes it):", "", printable(source_block(finding.source)))
