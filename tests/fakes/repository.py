"""A repository on loopback: well behaved until a test says otherwise, and it writes down what it is asked.

request ─▶ Asked ─▶ the repository's answer ─▶ each Rule that applies: its Fault wraps the answer ─▶ the wire

A `Fault` is a function `(Asked, Answer) -> Answer`: `tests.fakes.faults` has them. A `Rule` counts how often
its fault fired, so that a test can prove that what it tested did happen.
"""

import gzip
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext, SSLSocket
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

PATH = "/cgi/oai2"
EXPORT = "/cgi/export"


class Responder(Protocol):
    """What stands behind the server: `DemoRepository`, or a replay."""

    base_url: str

    def respond(self, arguments: Sequence[tuple[str, str]]) -> bytes: ...


@dataclass(frozen=True)
class Asked:
    """One request. `connection` is the same for all requests of one TCP connection; `nth` counts its verb.

    `form` is the body of a POST, as it came; `arguments` has both: the address's and the form's.
    """

    path: str
    arguments: Mapping[str, str]
    headers: Message
    connection: int
    nth: int
    began: float
    method: str = "GET"
    form: str = ""

    @property
    def verb(self) -> str:
        return self.arguments.get("verb", "")

    @property
    def token(self) -> str:
        return self.arguments.get("resumptionToken", "")

    @property
    def offset(self) -> int:
        """Where in the list the answer begins, by the sample repository's tokens."""
        return int(dict(parse_qsl(self.token)).get("offset", 0))


@dataclass
class Answer:
    """What goes on the wire.

    `coding` is gzip where the client allows it; `announced`: Content-Encoding says so. `framing` is how the
    body's end is known: length, chunked or close; raw leaves that to `headers` and `body`; wire sends nothing
    but `parts`, one by one. Only the first `share` of the bytes is sent; where `honest`, the stated length
    agrees with that. `midway` is called when half of what is sent has left.
    """

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/xml; charset=utf-8"})
    coding: str = ""
    announced: bool = True
    framing: str = "length"
    share: float = 1.0
    honest: bool = False
    midway: Callable[[], None] | None = None
    parts: Iterable[bytes] = ()

    def wire(self) -> bytes:
        return gzip.compress(self.body, 6) if self.coding == "gzip" else self.body


Fault = Callable[[Asked, Answer], Answer]
When = Callable[[Asked], bool]


@dataclass
class Rule:
    fault: Fault
    when: When
    times: int | None
    fired: int = 0

    def __call__(self, asked: Asked, answer: Answer) -> Answer:
        if not self.when(asked) or self.fired == self.times:
            return answer
        self.fired += 1
        return self.fault(asked, answer)


class FakeRepository:
    """Serves `responder`, and what `exports` gives of a path beside it.

    `log` has each request in order; `most_at_once` is how many overlapped. Who was killed in mid-request
    has none in flight any more.
    """

    def __init__(self, responder: Responder) -> None:
        self.responder = responder
        self.exports: Callable[[str], Answer] = lambda _path: Answer(b"", 404)
        self.rules: list[Rule] = []
        self.log: list[Asked] = []
        self.connections = 0
        self.most_at_once = 0
        self._in_flight: set[socket.socket] = set()
        self.ending = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return self.responder.base_url

    def misbehave(self, fault: Fault, when: When = lambda _asked: True, times: int | None = None) -> Rule:
        """From now on, where `when` says so, at most `times` times; in the order in which they were given."""
        rule = Rule(fault, when, times)
        self.rules.append(rule)
        return rule

    def behave(self) -> None:
        self.rules.clear()

    @property
    def at_work(self) -> int:
        return len(self._in_flight)

    def begin(self, connection: socket.socket) -> None:
        """A request came in; `lock` is held."""
        self._in_flight = {one for one in self._in_flight if _has_peer(one)} | {connection}
        self.most_at_once = max(self.most_at_once, self.at_work)

    def end(self, connection: socket.socket) -> None:
        with self.lock:
            self._in_flight.discard(connection)

    def asked(self, verb: str) -> list[Asked]:
        return [one for one in self.log if one.verb == verb]

    def answer(self, asked: Asked, arguments: Sequence[tuple[str, str]]) -> Answer:
        accepted = asked.headers.get("Accept-Encoding", "")
        if asked.path.startswith(EXPORT):
            answer = self.exports(asked.path)
        else:
            answer = Answer(self.responder.respond(arguments), coding="gzip" if "gzip" in accepted else "")
        for rule in list(self.rules):
            answer = rule(asked, answer)
        return answer


def _has_peer(connection: socket.socket) -> bool:
    if isinstance(connection, SSLSocket):  # it cannot be looked at without taking what has come
        return True
    try:  # recv would wait for the whole timeout of the socket, whatever its flags
        has_come = select.select([connection], [], [], 0)[0]
        return not has_come or connection.recv(1, socket.MSG_PEEK) != b""
    except (OSError, ValueError):  # it is closed
        return False


class Server(ThreadingHTTPServer):
    """Until `server_activate` its port refuses."""

    def __init__(self, repository: FakeRepository, host: str, tls: SSLContext | None = None) -> None:
        super().__init__((host, 0), _Handler, bind_and_activate=False)
        self.repository = repository
        self.server_bind()
        scheme = "https" if tls else "http"
        repository.responder.base_url = f"{scheme}://{host}:{self.server_port}{PATH}"
        if tls is not None:  # the handshake is the connection's own thread's
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed leaves in mid-answer: that is what such tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave together, or a delayed acknowledgement holds the body back
    disable_nagle_algorithm = True
    timeout = 60

    def setup(self) -> None:
        super().setup()
        with self.server.repository.lock:
            self.server.repository.connections += 1
            self.connection_number = self.server.repository.connections

    def do_GET(self) -> None:
        self._serve("")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _serve(self, form: str) -> None:
        repository = self.server.repository
        queries = (urlsplit(self.path).query, form)
        arguments = [pair for query in queries for pair in parse_qsl(query, keep_blank_values=True)]
        with repository.lock:
            asked = self._log(repository, dict(arguments), form)
            repository.begin(self.connection)
        try:
            sending = self._send(repository.answer(asked, arguments))
            next(sending)
        finally:
            repository.end(self.connection)
        next(sending, None)

    def _log(self, repository: FakeRepository, arguments: Mapping[str, str], form: str) -> Asked:
        nth = 1 + len(repository.asked(arguments.get("verb", "")))
        now, number = time.monotonic(), self.connection_number
        asked = Asked(self.path, arguments, self.headers, number, nth, now, self.command, form)
        repository.log.append(asked)
        return asked

    def _send(self, answer: Answer) -> Iterator[None]:
        """Yields when the repository is done with the request: what is left is on its way."""
        if answer.framing == "wire":
            yield
            self._put_wire(answer.parts)
            return
        whole = answer.wire()
        sent = whole[: int(len(whole) * answer.share)]
        is_cut = len(sent) < len(whole)
        self.close_connection = answer.framing == "close" or (is_cut and not answer.honest)
        first = len(sent) // 2 if answer.midway else 0
        if answer.midway is None:
            yield
        self._put_headers(answer, len(sent) if answer.honest else len(whole))
        if answer.midway is not None:
            self._put_part(answer, sent[:first])
            self.wfile.flush()
            answer.midway()
            yield
        self._put_part(answer, sent[first:])
        if answer.framing == "chunked" and not is_cut:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _put_wire(self, parts: Iterable[bytes]) -> None:
        self.close_connection = True
        for part in parts:
            self.wfile.write(part)
            self.wfile.flush()

    def _put_headers(self, answer: Answer, length: int) -> None:
        self.send_response(answer.status)
        framing = {
            "length": {"Content-Length": str(length)},
            "chunked": {"Transfer-Encoding": "chunked"},
            "close": {"Connection": "close"},
            "raw": {},
        }[answer.framing]
        coding = {"Content-Encoding": answer.coding} if answer.coding and answer.announced else {}
        for name, value in (framing | coding | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()

    def _put_part(self, answer: Answer, part: bytes) -> None:
        if answer.framing == "chunked":
            part = f"{len(part):x}\r\n".encode() + part + b"\r\n" if part else b""
        self.wfile.write(part)

    def log_message(self, format: str, *arguments: object) -> None:
        """The log is the repository's."""


@contextmanager
def serving(
    responder: Responder, host: str = "127.0.0.1", tls: SSLContext | None = None
) -> Iterator[FakeRepository]:
    """Runs until the context ends; whatever a fault holds back is let go then."""
    repository = FakeRepository(responder)
    with Server(repository, host, tls) as server:
        server.server_activate()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield repository
        finally:
            repository.ending.set()
            server.shutdown()
            thread.join()
