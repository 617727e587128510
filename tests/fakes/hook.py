"""What listens behind a webhook: keeps what is posted to it, and answers as a test says."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgspec


class Hook:
    """`posted` has each body, `headers` those of each; `answer` is a status, headers and a body."""

    def __init__(self) -> None:
        self.posted: list[Any] = []
        self.headers: list[Message] = []
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b"ok")
        self.url = ""


class _Server(ThreadingHTTPServer):
    hook: Hook


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        hook = self.server.hook
        hook.posted.append(msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"]))))
        hook.headers.append(self.headers)
        status, headers, body = hook.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """The log is the hook's."""


@contextmanager
def hooked() -> Iterator[Hook]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.hook = Hook()
        server.hook.url = f"http://127.0.0.1:{server.server_port}/services/T0/s3cret"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.hook
        finally:
            server.shutdown()
            thread.join()
