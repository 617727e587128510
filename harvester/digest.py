"""News as people and programs read it. Pure. What a provider wrote is text in it, and nothing else."""

from collections.abc import Iterator, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from importlib.metadata import version
from itertools import groupby
from textwrap import wrap

import msgspec

from harvester.clean.text import printable
from harvester.datestamp import in_words, parse_datestamp
from harvester.store.notices import Kind, Notice

_HEADINGS = {
    Kind.TEST: "a test",
    Kind.FAILING: "failing",
    Kind.HELD: "deletions held back",
    Kind.QUARANTINE: "quarantine growing",
    Kind.RECOVERED: "working again",
}
_ORDER = list(_HEADINGS)
_WIDTH = 72
_MOST_SHOWN = 100
_MOST_NAMED = 3
_LONGEST = 1000  # characters of what one notice says
# What Slack and Mattermost would make a link of, or a call to everybody.
_PLAIN = str.maketrans({"<": "‹", ">": "›", "@": "@\u2060"})


def subject(notices: Sequence[Notice], machine: str) -> str:
    """What is up with whom, by kind, the worst first."""
    parts = (f"{_HEADINGS[kind]}: {_named(those)}" for kind, those in _by_kind(notices))
    return f"Windrow on {_line(machine)}: {'; '.join(parts)}"


def webhook_body(notices: Sequence[Notice], machine: str) -> bytes:
    """JSON; `text` is what a chat shows."""
    shown = [subject(notices, machine)]
    for kind, those in _by_kind(notices[:_MOST_SHOWN]):
        shown += [f"{_HEADINGS[kind]}:", *(f"• {_with_advice(notice)}" for notice in those)]
    return msgspec.json.encode(
        {
            "text": "\n".join([*shown, *_left_out(notices)]).translate(_PLAIN),
            "program": f"windrow {version('windrow')}",
            "machine": _line(machine),
            "notices": [_plain(notice) for notice in notices],
        }
    )


def mail(notices: Sequence[Notice], machine: str, sender: str, to: Sequence[str], now: str) -> EmailMessage:
    """`now` is a moment in seconds UTC. ValueError for what is no address."""
    moment = parse_datestamp(now)
    assert moment is not None
    message = EmailMessage(SMTP)
    message["From"] = Address("Windrow", addr_spec=sender)
    message["To"] = tuple(Address(addr_spec=one) for one in to)
    message["Subject"] = subject(notices, machine)
    message["Date"] = format_datetime(moment)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence answers it
    message.set_content("\n".join(_mail_lines(notices, machine)))
    return message


def _mail_lines(notices: Sequence[Notice], machine: str) -> Iterator[str]:
    for kind, those in _by_kind(notices[:_MOST_SHOWN]):
        yield _HEADINGS[kind].capitalize()
        yield ""
        for notice in those:
            yield from _wrapped(f"{_line(notice.message)} ({in_words(notice.at)})", "  ", "  ")
            yield from _wrapped(_line(notice.advice), "  → ", "    ")
            yield ""
    yield from _left_out(notices)
    yield from _wrapped("`windrow status` says how each source stands.", "", "")
    yield from ("", "-- ", f"Windrow {version('windrow')} on {_line(machine)}")
    yield "[notify] in its config.toml says who is told, and how often."


def _by_kind(notices: Sequence[Notice]) -> Iterator[tuple[Kind, list[Notice]]]:
    ordered = sorted(notices, key=lambda notice: _ORDER.index(notice.kind))
    for kind, those in groupby(ordered, key=lambda notice: notice.kind):
        yield kind, list(those)


def _named(notices: Sequence[Notice]) -> str:
    names = list(dict.fromkeys(notice.source for notice in notices))
    return _line(", ".join(names)) if len(names) <= _MOST_NAMED else f"{len(names):,} sources"


def _left_out(notices: Sequence[Notice]) -> list[str]:
    left = len(notices) - _MOST_SHOWN
    return [f"And {left:,} more.", ""] if left > 0 else []


def _with_advice(notice: Notice) -> str:
    message, advice = _line(notice.message), _line(notice.advice)
    return f"{message} → {advice}" if advice else message


def _plain(notice: Notice) -> dict[str, str]:
    return {
        "at": notice.at,
        "source": _line(notice.source),
        "kind": notice.kind,
        "message": _line(notice.message),
        "advice": _line(notice.advice),
    }


def _wrapped(text: str, first: str, others: str) -> list[str]:
    return wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _line(text: str) -> str:
    text = " ".join(printable(text[: 2 * _LONGEST]).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
