"""The sample repository on loopback, so that the demo is a real harvest over HTTP."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

from index.demo.repository import PATH, DemoRepository


class _Server(ThreadingHTTPServer):
    def __init__(self, repository: DemoRepository) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repository = repository


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave together, or a delayed acknowledgement holds the body back
    disable_nagle_algorithm = True
    timeout = 30

    def do_GET(self) -> None:
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._answer(self.rfile.read(length).decode(errors="replace"))

    def _answer(self, query: str) -> None:
        if urlsplit(self.path).path.rstrip("/") != PATH:
            self._send(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"Not found\n")
            return
        body = self.server.repository.respond(parse_qsl(query, keep_blank_values=True))
        self._send(HTTPStatus.OK, "text/xml; charset=utf-8", body)

    def _send(self, status: HTTPStatus, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silence: the demo has its own words."""


@contextmanager
def serve(repository: DemoRepository) -> Iterator[str]:
    """Gives the base URL, which becomes the repository's own."""
    with _Server(repository) as server:
        repository.base_url = f"http://127.0.0.1:{server.server_port}{PATH}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield repository.base_url
        finally:
            server.shutdown()
            thread.join()
