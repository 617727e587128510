"""How we speak to people: errors, remarks, text that came from elsewhere."""

import shutil
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click
import msgspec

from harvester.clean.text import printable
from harvester.errors import ConfigError, QueryError, WindrowError

if TYPE_CHECKING:
    from harvester.report import Report

_WIDEST = 100
_NO_TERMINAL = 10_000


def width() -> int:
    """Columns to write in: longer lines are hard to read."""
    return max(20, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 0)).columns))


def columns() -> int:
    """Of the terminal; without one, more than any table needs."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _NO_TERMINAL


def tell(text: str) -> None:
    """Talk, on stderr."""
    click.echo(printable(text), err=True)


def tell_error(error: WindrowError) -> None:
    lines = [f"windrow: {error.message}"]
    if isinstance(error, ConfigError):
        lines += [f"  - {problem}" for problem in error.problems]
    if isinstance(error, QueryError):
        lines += _pointed_at(error)
    if error.advice:
        lines.append(f"  → {error.advice}")
    tell("\n".join(lines))


def _pointed_at(error: QueryError) -> list[str]:
    """The query on one line, a caret under the place; a long query is cut around it."""
    start = max(0, error.place - 60)
    shown = printable(error.query[start : error.place + 20]).replace("\n", " ").replace("\t", " ")
    return [f"  {shown}", f"  {' ' * (error.place - start)}^"]


def put_json(value: object) -> None:
    """One object a line, on stdout."""
    sys.stdout.write(escaped(msgspec.json.encode(value).decode()) + "\n")


def escaped(json_text: str) -> str:
    """The same JSON without control and direction characters, which a terminal would obey."""
    return _without_unprintable(json_text, lambda one: f"\\u{ord(one):04x}")


def put_bytes(body: bytes) -> None:
    """As text; what is none, and what a terminal would obey, as escapes."""
    text = body.decode("utf-8", "backslashreplace")
    put_lines(_without_unprintable(text, lambda one: one.encode("unicode_escape").decode()))


def put_xml(body: bytes) -> None:
    """The same XML: what a terminal would obey is written as references to characters."""
    text = body.decode("utf-8", "backslashreplace")
    put_lines(_without_unprintable(text, lambda one: f"&#x{ord(one):x};"))


def _without_unprintable(text: str, instead: Callable[[str], str]) -> str:
    if printable(text) == text:
        return text
    return "".join(one if printable(one) == one else instead(one) for one in text)


def put_lines(*lines: str) -> None:
    for line in lines:
        click.echo(line)


def is_agreed(question: str, *, yes: bool) -> bool:
    """What cannot be undone is asked first; a script says --yes."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("This asks before it acts: give --yes where nobody can answer.")
    if click.confirm(printable(question), err=True):
        return True
    tell("Nothing was changed.")
    return False


def colour_of(verdict: str) -> str:
    return {"complete": "green", "verified": "green", "failed": "red"}.get(verdict, "yellow")


def next_step(report: "Report") -> str:
    """That a person can take; or ""."""
    if report.held:
        return f"to delete them: windrow harvest {report.source} --full --allow-deletions"
    if report.verdict in ("partial", "deferred"):
        return f"to go on from there: windrow harvest {report.source}"
    if report.verdict == "unproven":
        return f"to hold every identifier against the store: windrow harvest {report.source}"
    return ""


def went_on(report: "Report") -> str:
    """Where a run took up what an earlier one had left; or ""."""
    if report.resumed_at_page is None:
        return f"went on after {counted(report.resumed_after, 'record')}" if report.resumed_after else ""
    about = "" if report.expected_pages == report.pages else "about "
    of = f" of {about}{number(report.expected_pages)}" if report.expected_pages else ""
    return f"went on at page {number(report.resumed_at_page)}{of}"


def number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def counted(value: int, noun: str) -> str:
    return f"{value:,} {noun}" + ("" if value == 1 else "s")


def seconds(value: float) -> str:
    """As people say it: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def roughly(value: float) -> str:
    """Of a span in seconds, as people say it where minutes do not count: 5 min, 3 h, 2 days."""
    if value < 3600:
        return f"{max(1, round(value / 60))} min"
    if value < 2 * 86400:
        return f"{round(value / 3600)} h"
    return f"{round(value / 86400)} days"


def moment(datestamp: str, timezone: str) -> str:
    return in_zone(datetime.fromisoformat(datestamp), timezone).strftime("%d %b %Y %H:%M")


def in_zone(at: datetime, timezone: str) -> datetime:
    """In the zone of that name; in the machine's where there is none."""
    from zoneinfo import ZoneInfo

    return at.astimezone(ZoneInfo(timezone) if timezone else None)
