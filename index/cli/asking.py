"""What a search is asked for: words, or a saved search and what narrows it; and since when."""

import difflib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import click
import msgspec

from harvester.config import SavedSearch
from harvester.errors import ConfigError
from index.answers import understood
from index.cli.talk import tell
from index.marks import Mark, News, came_after, came_since
from index.nodes import Node
from index.program import Program
from index.query import parse
from index.search import filter_nodes

_LONGEST_POSITION = 18  # digits
_NAMED = re.compile(r"\s*@(\S+)\s*")


class Asked(msgspec.Struct, frozen=True):
    """`within`: what each hit must match beside the query; `sort` is empty where nobody said it."""

    query: str
    name: str = ""
    within: tuple[Node, ...] = ()
    sort: str = ""
    is_narrowed: bool = False


def asked(words: Sequence[str], filters: Sequence[str], saved: Mapping[str, SavedSearch]) -> Asked:
    """`@NAME` is the saved search of that name; further words and filters narrow it."""
    text = " ".join(words)
    named = _NAMED.match(text)
    if named is None:
        return Asked(text)
    search = saved.get(named[1])
    if search is None:
        raise _unknown(named[1], saved)
    more = text[named.end() :]
    kept = [understood(parse(search.query).tree).whole] if more else []
    return Asked(
        query=more or search.query,
        name=search.name,
        within=(*kept, *filter_nodes(search.filters)),
        sort=search.sort,
        is_narrowed=bool(more or filters),
    )


def _unknown(name: str, saved: Mapping[str, SavedSearch]) -> ConfigError:
    near = difflib.get_close_matches(name, saved, n=1)
    listed = ", ".join(f"@{one}" for one in sorted(saved)[:10])
    known = f"did you mean @{near[0]}?" if near else f"there are {listed}" if saved else "there are none yet"
    return ConfigError(
        f"there is no saved search @{name}; {known}",
        advice="to search for the word, leave the @ out; "
        f"to save a search of that name, write [searches.{name}] in config.toml",
    )


@contextmanager
def news(program: Program, name: str) -> Iterator[News]:
    """What a hit of the saved search must match to be new. The mark moves where all of it was given."""
    mark = Mark(program.settings.data / "searches", name)
    with mark.held():
        at = program.generations.position()  # before the searcher is opened, which may see more
        found = mark.news(at)
        if found.lost:
            tell(f"@{name} begins anew, with everything that matches: {found.lost}.")
        yield found
        sys.stdout.flush()
        if found.is_given:
            mark.move(at)


def since_node(text: str, timezone: str) -> Node:
    """A position of the feed, or a date in that time zone: 2026-11-23, 2026-11-23T09:30."""
    if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_POSITION:
        return came_after(int(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is neither a date (2026-11-23, 2026-11-23T09:30) nor a position.",
            param_hint="'--since'",
        ) from error
    if moment.tzinfo is None:
        from harvester.schedule import zone_named

        moment = moment.replace(tzinfo=zone_named(timezone))
    return came_since(moment.timestamp())
