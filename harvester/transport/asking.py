"""How a question is put: the query's encoding, GET or POST. Decided here, done in exchange.py."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

from harvester.errors import TransportError
from harvester.transport.limits import Response
from harvester.transport.words import shown

_LONGEST_QUERY = 4000  # characters; a server's own limit is often 8,190 for the whole line
_VERBATIM = "%!$'()*+,:@/?="  # what can stand in a query and ends no argument (some end one at a semicolon)
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_OTHER = {"GET": "POST", "POST": "GET"}


class Question(msgspec.Struct, frozen=True):
    """`query` is encoded; with POST it is the body."""

    url: str
    query: str
    method: str = "GET"

    def by(self, method: str) -> "Question":
        return msgspec.structs.replace(self, method=method)


def question(url: str, arguments: Mapping[str, str], verbatim: str = "") -> Question:
    """TransportError where `url` has one of the arguments already. Of `verbatim`, see Transport.get."""
    _refuse_twice(url, arguments)
    plain = {name: value for name, value in arguments.items() if name != verbatim}
    parts = [urlencode(plain, safe="", quote_via=quote)]
    if verbatim in arguments:
        parts.append(f"{verbatim}={_as_it_stands(arguments[verbatim])}")
    return Question(url, "&".join(filter(None, parts)))


def _as_it_stands(value: str) -> str:
    """A percent sign that is no escape would make the server refuse the whole request."""
    escaped = _STRAY_PERCENT.sub("%25", value)
    return quote(escaped, safe=_VERBATIM)


def differs_verbatim(value: str) -> bool:
    return quote(value, safe="") != _as_it_stands(value)


def own_arguments(url: str) -> dict[str, str]:
    """A base URL may have arguments of its own: `?mode=oai` (FAULTS H16)."""
    if "?" not in url:
        return {}
    try:
        return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    except ValueError:  # requests says so in better words
        return {}


def _refuse_twice(url: str, arguments: Mapping[str, str]) -> None:
    twice = [name for name in own_arguments(url) if name in arguments]
    if twice:
        raise TransportError(
            f"{shown(url)} has {' and '.join(twice)} of its own, which Windrow sends too",
            "take it out of the source's `url` in config.toml",
        )


class Methods:
    """GET, unless the query is long or the endpoint wants POST (FAULTS H20, H22, K10); kept for the run."""

    def __init__(self) -> None:
        self._wanted: dict[str, str] = {}

    def first(self, asked: Question) -> Question:
        by_length = "POST" if len(asked.query) > _LONGEST_QUERY else "GET"
        return asked.by(self._wanted.get(asked.url, by_length))

    def second(self, asked: Question, answer: Response) -> Question | None:
        """The same by the other method, where `answer` is a refusal of the first."""
        other = _OTHER[asked.method]
        allowed = answer.headers.get("Allow", "").upper()
        too_long = answer.status == 414 and asked.method == "GET"
        if not too_long and not (answer.status == 405 and other in allowed):
            return None
        self._wanted[asked.url] = other
        return asked.by(other)
