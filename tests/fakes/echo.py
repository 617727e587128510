"""For tests of one exchange: a responder that always says the same, and transports that are closed after."""

from collections.abc import Callable, Iterator
from typing import Any

from harvester.transport import Limits, Response, Transport
from tests.fakes.clock import FakeClock
from tests.fakes.repository import FakeRepository

IDENTIFY = {"verb": "Identify"}
MEGABYTE = 2**20

Make = Callable[..., Transport]


class Echo:
    """Long enough that a gzip stream has an inside."""

    base_url = ""
    plain = b"<OAI-PMH>" + bytes(range(32, 127)) * 500 + b"</OAI-PMH>"

    def respond(self, _arguments: object) -> bytes:
        return self.plain


def transports(clock: FakeClock) -> Iterator[Make]:
    """What a fixture yields from. Names of `Limits` are limits, all else is the transport's own."""
    made: list[Transport] = []

    def make(contact: str = "", **named: Any) -> Transport:
        limits = {name: named.pop(name) for name in list(named) if name in Limits.__struct_fields__}
        made.append(Transport(clock, contact, Limits(**limits), **named))
        return made[-1]

    yield make
    for one in made:
        one.close()


def get(transport: Transport, server: FakeRepository) -> Response:
    return transport.get(server.url, IDENTIFY)
