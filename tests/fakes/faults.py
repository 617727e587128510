"""Ways to misbehave, each a `Fault`. `BY_ROW` names them by the number of their row in the catalogue."""

import gzip
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from html import unescape
from urllib.parse import quote

from tests.fakes.repository import Answer, Asked, FakeRepository, Fault, When

_HANGS = 120.0  # seconds until a test that waits for what never comes is given up


def status(code: int, body: bytes = b"", **headers: str) -> Fault:
    """`Retry_After="5"` is the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _asked, _answer: Answer(body, code, named)


def body(text: bytes, media_type: str = "text/html") -> Fault:
    return lambda _asked, answer: replace(answer, body=text, headers={"Content-Type": media_type})


def sent(**changes: object) -> Fault:
    """The same answer, sent otherwise: fields of `Answer`."""
    return lambda _asked, answer: replace(answer, **changes)  # type: ignore[arg-type]


def replaced(pattern: str, by: str) -> Fault:
    """What the regular expression finds in the body is replaced."""
    find = re.compile(pattern.encode(), re.S)
    return lambda _asked, answer: replace(answer, body=find.sub(by.encode(), answer.body))


def half_a_page(_asked: Asked, answer: Answer) -> Answer:
    """Well-formed HTTP, half of the XML."""
    return replace(answer, body=answer.body[: len(answer.body) * 6 // 10])


def oai_error(code: str, message: str = "") -> Fault:
    """In place of what the verb would have answered."""
    return replaced(r"</request>.*</OAI-PMH>", f'</request><error code="{code}">{message}</error></OAI-PMH>')


def reset(_asked: Asked, answer: Answer) -> Answer:
    """The connection is gone before a byte of the answer."""
    raise ConnectionResetError


def unstated_size() -> Fault:
    return replaced(r' completeListSize="\d+" cursor="\d+"', "")


def no_last_token() -> Fault:
    """As EPrints ends a list: no element at all."""
    return replaced(r"<resumptionToken[^>]*/>", "")


def day_granularity(asked: Asked, answer: Answer) -> Answer:
    """Dates as days; seconds are refused."""
    if "T" in asked.arguments.get("from", "") + asked.arguments.get("until", ""):
        return oai_error("badArgument", "days only")(asked, answer)
    days = re.sub(rb"(<datestamp>[0-9-]{10})T[0-9:]+Z", rb"\1", answer.body)
    return replace(answer, body=days.replace(b"YYYY-MM-DDThh:mm:ssZ", b"YYYY-MM-DD"))


def encoded_tokens(_asked: Asked, answer: Answer) -> Answer:
    """Hands out tokens that are encoded already, and reads them as if they were not."""
    tokens = re.compile(rb"(<resumptionToken[^>]*>)([^<]+)")

    def encoded(found: re.Match[bytes]) -> bytes:
        return found[1] + quote(unescape(found[2].decode()), safe="").encode()

    return replace(answer, body=tokens.sub(encoded, answer.body))


def wants_cookie(asked: Asked, answer: Answer) -> Answer:
    """A list lives on one node, and the cookie says on which."""
    if asked.token and asked.headers["Cookie"] != "node=7":
        return oai_error("badResumptionToken")(asked, answer)
    return replace(answer, headers=answer.headers | {"Set-Cookie": "node=7"})


BY_ROW: Mapping[str, Fault] = {
    "T03": reset,
    "T04": sent(framing="close", share=0.6, coding=""),
    "T05": sent(coding="gzip", share=0.9, honest=True),
    "T06": sent(share=0.6, coding=""),
    "T07": sent(announced=False),
    "T08": lambda _asked, answer: replace(
        answer, coding="", headers=answer.headers | {"Content-Encoding": "gzip"}
    ),
    "T09": lambda _asked, answer: replace(answer, body=gzip.compress(answer.body), coding="gzip"),
    "T11": lambda _asked, answer: replace(
        answer, headers=answer.headers | {f"X-{number}": "x" * 90 for number in range(150)}
    ),
    "H03": status(503),
    "H17": lambda asked, answer: (
        oai_error("badResumptionToken")(asked, answer) if "%3D" in asked.path else answer
    ),
    "H20": lambda asked, answer: answer if asked.method == "POST" else Answer(b"", 405, {"Allow": "POST"}),
    "H22": lambda asked, answer: answer if len(asked.path) < 2000 else Answer(b"", 414, {}),
    "K11": wants_cookie,
    "X07": half_a_page,
    "D01": day_granularity,
}


def in_drops(body: bytes, size: int, pause: Callable[[], object]) -> Answer:
    """`size` bytes at once, after each a pause."""

    def drops() -> Iterator[bytes]:
        yield f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        for place in range(0, len(body), size):
            yield body[place : place + size]
            pause()

    return Answer(b"", framing="wire", parts=drops())


class Gate:
    """Holds a request back until the test lets it go on: the way to act at an exact point of a harvest."""

    def __init__(self, repository: FakeRepository) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        self._repository = repository

    def before(self, _asked: Asked, answer: Answer) -> Answer:
        """Nothing of the answer has been sent."""
        self._hold()
        return answer

    def in_mid_body(self, _asked: Asked, answer: Answer) -> Answer:
        return replace(answer, midway=self._hold)

    def dripping(self, _asked: Asked, answer: Answer) -> Answer:
        """Byte by byte."""
        self.reached.set()
        return in_drops(answer.body, 1, self._may_pass)

    def await_reached(self) -> None:
        assert self.reached.wait(_HANGS), "the request that was to be held back never came"

    def _hold(self) -> None:
        self.reached.set()
        while not self._may_pass():
            pass

    def _may_pass(self) -> bool:
        return self.opened.wait(0.02) or self._repository.ending.is_set()


def offset(start: int, verb: str = "ListRecords") -> When:
    """The page that begins at record `start`, counted from 0."""
    return lambda asked: asked.verb == verb and asked.offset == start


def verb(name: str) -> When:
    return lambda asked: asked.verb == name


def free_port() -> int:
    """Nobody listens there, and as it stays taken nobody else comes to."""
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    _taken.append(probe)
    port: int = probe.getsockname()[1]
    return port


_taken: list[socket.socket] = []
