"""quality."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from harvester.clean.text import printable
from index.cli.completion import source_names
from index.cli.naming import insist_on_source
from index.cli.opening import json_option, with_program
from index.cli.pager import paged, pager_option
from index.cli.progress import counting
from index.cli.talk import number, put_json, put_lines, width
from index.cli.wrapping import wrapped
from index.program import Program

if TYPE_CHECKING:
    from index.quality import Quality
    from index.quality.findings import Finding
    from index.quality.tally import Valued

_SHOWN = 8  # values of a kind
_SHOWN_CODES = 16  # as many as there are types
_LONGEST_VALUE = 60
_LONGEST_BAR = 30


@click.command()
@click.argument("source", shell_complete=source_names)
@json_option
@pager_option
@with_program
def quality(program: Program, source: str, as_json: bool, no_pager: bool) -> None:
    """How good the records of a source are: what each field holds, what is wrong, what is not understood.

    The sentences at the end say what could be better, the worst first.
    """
    from index.quality import quality as survey

    insist_on_source(program, source)
    with counting(source, quiet=as_json) as count:
        found = survey(source, program.store, program.clock.now(), count)
    with paged(no_pager=no_pager):
        if as_json:
            put_json(found)
        else:
            put_lines(*lines(found, width()))


def lines(found: "Quality", columns: int) -> Iterator[str]:
    counts = (found.records, found.deleted, found.quarantined)
    live, deleted, quarantined = map(number, counts)
    head = f"{found.source}: {live} records, {deleted} deleted, {quarantined} in quarantine"
    yield from wrapped(head, columns)
    if found.records:
        from index.quality.years import histogram

        yield from _fields(found, columns)
        yield from _section("Types", _bars(_top(found.types), found.records, columns))
        yield from _section("Languages", _bars(_top(found.languages), found.records, columns))
        yield from _section("Years", _bars(histogram(found.years), found.records, columns))
    for heading, values in _values(found).items():
        yield from _section(heading, (_value(one, columns) for one in values[:_SHOWN]))
    yield from _section("What could be better", _findings(found.findings, columns))


def _top(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    top, rest = list(counts.items())[:_SHOWN_CODES], list(counts.values())[_SHOWN_CODES:]
    return [*top, *([(f"{len(rest)} others", sum(rest))] if rest else [])]


def _values(found: "Quality") -> "dict[str, Sequence[Valued]]":
    return {
        "In quarantine": found.quarantine,
        "Warnings": found.warnings,
        "The same DOI": found.repeated_dois,
        **{f"Unknown {kind}": values for kind, values in found.unknown.items()},
        "Other fields, by their own names": found.extra,
    }


def _section(heading: str, shown: Iterator[str]) -> Iterator[str]:
    for at, line in enumerate(shown):
        yield from () if at else ("", click.style(heading, bold=True))
        yield line


def _fields(found: "Quality", columns: int) -> Iterator[str]:
    here = [(name, one.records) for name, one in found.fields.items() if one.records]
    never = [_spoken(name) for name, one in found.fields.items() if not one.records]
    yield from _section(
        "Fields", _bars([(_spoken(name), count) for name, count in here], found.records, columns)
    )
    if never:
        yield from wrapped(f"Never: {', '.join(never)}", columns)


def _spoken(field: str) -> str:
    return "ORCID of a creator" if field == "creators.orcid" else field.replace("_", " ")


def _bars(counts: Sequence[tuple[str, int]], total: int, columns: int) -> Iterator[str]:
    """A label, how many records, their share, and that as a bar."""
    margin = max((len(label) for label, _ in counts), default=0)
    longest = max(0, min(_LONGEST_BAR, columns - margin - 24))
    for label, count in counts:
        bar = "█" * round(longest * count / total)
        line = f"  {printable(label):<{margin}} {number(count):>10} {_percent(count, total):>7}  {bar}"
        yield line.rstrip()


def _percent(count: int, total: int) -> str:
    """Cut, not rounded: 100 % is all."""
    return f"{count * 1000 // total / 10:.1f} %"


def _value(one: "Valued", columns: int) -> str:
    value = " ".join(printable(one.value).split())
    longest = min(_LONGEST_VALUE, columns - 14)
    shown = value if len(value) <= longest else f"{value[: longest - 1]}…"
    line = f"  {number(one.records):>10}  {shown}"
    examples = _examples(one.examples, columns - len(line) - 2)
    return f"{line}  {click.style(examples, dim=True)}" if examples else line


def _examples(ids: Sequence[str], columns: int) -> str:
    """As many as there is room for."""
    shown = ""
    for id in filter(None, ids):
        longer = f"{shown}, {printable(id)}" if shown else printable(id)
        if len(longer) > columns:
            break
        shown = longer
    return shown


def _findings(found: "Sequence[Finding]", columns: int) -> Iterator[str]:
    if not found:
        yield "  Nothing that could be counted."
    for one in found:
        first, *rest = wrapped(one.sentence, columns - 4)
        yield f"  - {first}"
        yield from (f"    {line}" for line in rest)
        if examples := _examples(one.examples, columns - 4):
            yield click.style(f"    {examples}", dim=True)
