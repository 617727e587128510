"""/healthz and /metrics, on a port of this machine alone."""

import socket
import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from urllib.parse import urlsplit

import msgspec
import structlog

from harvester.clock import Clock
from harvester.errors import ConfigError, WindrowError
from harvester.runner import Ended
from harvester.store import Store
from index.generations import Generations
from index.serve.metrics import CONTENT_TYPE, Metrics

_POLL = 0.2  # seconds until it sees that it is to end

_Page = tuple[HTTPStatus, str, bytes]


class Monitor:
    """Answers from when it is made until it is closed. `health` says what is wrong, one sentence each.

    `configured` names the sources of config.toml.
    """

    def __init__(
        self,
        listen: str,
        store: Store,
        generations: Generations,
        clock: Clock,
        health: Callable[[], list[str]],
        configured: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """`listen` is HOST:PORT, port 0 any that is free; ConfigError where it is taken."""
        self._metrics = Metrics(store, generations, clock, configured)
        self._health = health
        self._server = _listening(listen, {"/healthz": self._healthz, "/metrics": self._scrape})
        self._thread = Thread(target=self._server.serve_forever, args=[_POLL], name="monitor", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        host, port = (str(part) for part in self._server.server_address[:2])
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def ended(self, ended: Ended) -> None:
        self._metrics.ended(ended)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _healthz(self) -> _Page:
        wrong = self._health()
        status = HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK
        return status, "application/json", msgspec.json.encode({"healthy": not wrong, "wrong": wrong})

    def _scrape(self) -> _Page:
        return HTTPStatus.OK, CONTENT_TYPE, self._metrics.text()


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # whoever reads slowly holds up nobody's end

    def __init__(
        self, family: socket.AddressFamily, host: str, port: int, pages: dict[str, Callable[[], _Page]]
    ) -> None:
        self.address_family = family
        self.pages = pages
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Without the name that HTTPServer asks the DNS for."""
        TCPServer.server_bind(self)

    def handle_error(self, *_who: object) -> None:
        """Whoever asks may leave."""
        if not isinstance(sys.exception(), OSError):
            structlog.get_logger().exception("a question was not answered")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10
    server_version = "Windrow"
    sys_version = ""

    def do_GET(self) -> None:
        page = self.server.pages.get(urlsplit(self.path).path)
        if page is None:
            self._put(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"/healthz and /metrics are here\n")
            return
        try:
            self._put(*page())
        except WindrowError as error:
            wrong = msgspec.json.encode({"healthy": False, "wrong": [error.message]})
            self._put(HTTPStatus.SERVICE_UNAVAILABLE, "application/json", wrong)

    def _put(self, status: HTTPStatus, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Who asks every fifteen seconds needs no line in the log."""


def _listening(listen: str, pages: dict[str, Callable[[], _Page]]) -> _Server:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return _Server(family, host, int(port), pages)
    except OSError as error:
        raise ConfigError(
            f"serve.listen: {listen} cannot be had: {error.strerror or error}",
            advice="give another port, or end the program that has it",
        ) from error
