"""Repositories that are odd through and through, where no change of single answers makes them so."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from html import escape, unescape
from typing import Any

from harvester.datestamp import format_datestamp, parse_datestamp
from tests.fakes.works import Works

Arguments = Sequence[tuple[str, str]]


class Addressed(Works):
    """Is itself only where its address has a query of its own."""

    def respond(self, arguments: Arguments) -> bytes:
        own = ("mode", "oai")
        asked = [pair for pair in arguments if pair != own]
        return super().respond(asked if own in arguments else [])


class Retokened(Works):
    """Its tokens are what `dress` makes of the number of the page's first record."""

    dress: Callable[[int], str]
    _token = re.compile(rb"(<resumptionToken[^>]*>)([^<]+)")

    @classmethod
    def by(cls, dress: Callable[[int], str]) -> "type[Retokened]":
        return type("Retokened", (cls,), {"dress": staticmethod(dress)})

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._real: dict[str, str] = {}

    def respond(self, arguments: Arguments) -> bytes:
        told = [
            (name, self._real.get(value, "") if name == "resumptionToken" else value)
            for name, value in arguments
        ]
        return self._token.sub(self._dressed, super().respond(told))

    def _told(self, name: str, value: str) -> str:
        return self._real.get(value, "") if name == "resumptionToken" else value

    def _dressed(self, found: re.Match[bytes]) -> bytes:
        real = unescape(found[2].decode())
        dressed = self.dress(int(real.rpartition("=")[2]))
        self._real[dressed] = real
        return found[1] + escape(dressed).encode()


class Dateless(Works):
    """Sends everything, whatever from and until say."""

    def respond(self, arguments: Arguments) -> bytes:
        return super().respond([pair for pair in arguments if pair[0] not in ("from", "until")])


class Demanding(Works):
    """Wants metadataPrefix beside each token, which the specification forbids."""

    def respond(self, arguments: Arguments) -> bytes:
        names = {name for name, _ in arguments}
        if "resumptionToken" not in names:
            return super().respond(arguments)
        allowed = ("verb", "resumptionToken") if "metadataPrefix" in names else ("verb", "metadataPrefix")
        return super().respond([pair for pair in arguments if pair[0] in allowed])


class Exclusive(Works):
    """Takes nothing that is as late as its until."""

    def respond(self, arguments: Arguments) -> bytes:
        return super().respond(
            [(name, _before(value) if name == "until" else value) for name, value in arguments]
        )


def _before(datestamp: str) -> str:
    moment = parse_datestamp(datestamp)
    assert moment is not None
    return format_datestamp(moment - timedelta(seconds=1))


class OneToken(Works):
    """Remembers where each list is, and has one token for all of its pages."""

    _next = ""

    def respond(self, arguments: Arguments) -> bytes:
        told = [(name, self._next if name == "resumptionToken" else value) for name, value in arguments]
        body = super().respond(told)
        found = re.search(rb"<resumptionToken[^>]*>([^<]+)", body)
        if found:
            self._next = found[1].decode().replace("&amp;", "&")
        return body.replace(found[1], b"same") if found else body


class Unset(Works):
    """Its tokens have lost the set."""

    def respond(self, arguments: Arguments) -> bytes:
        return re.sub(rb"(set_spec=)[0-9A-F]+", rb"\1", super().respond(arguments))
