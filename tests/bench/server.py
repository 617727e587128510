"""A fast OAI-PMH server in a process of its own: answers are made before the clock starts.

Selective requests (`from`) get what `since` says: nothing, or the first records again with a new datestamp.
"""

import multiprocessing
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, urlsplit

from tests.bench import pages


class _Answers:
    def __init__(self, limit: int | None, resent: int) -> None:
        self.full = pages.list_pages(limit)
        self.again = pages.list_pages(resent, "2026-10-31T00:00:00Z") if resent else [pages.nothing()]
        self.identify = pages.identify()

    def to(self, target: str) -> bytes:
        query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        if query["verb"] == "Identify":
            return self.identify
        token = query.get("resumptionToken", "")
        if "from" in query or token.startswith("again"):
            return self._resent(token)
        return self.full[int(token or 0)]

    def _resent(self, token: str) -> bytes:
        return _own_token(self.again[int(token.removeprefix("again") or 0)])


def _own_token(page: bytes) -> bytes:
    """Tokens of the short list lead back to the short list."""
    head, mark, tail = page.rpartition(b"<resumptionToken")
    if not mark:
        return page
    attributes, _, rest = tail.partition(b">")
    own = rest if rest.startswith(b"<") else b"again" + rest
    return head + mark + attributes + b">" + own


class _Handler(socketserver.StreamRequestHandler):
    answers: _Answers
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while line := self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            body = self.answers.to(line.split()[1].decode("ascii"))
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode("ascii") + body)


def _run(limit: int | None, resent: int, parent: Connection) -> None:
    _Handler.answers = _Answers(limit, resent)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        parent.send(server.server_address[1])
        server.serve_forever()


@contextmanager
def serving(limit: int | None = None, resent: int = 0) -> Iterator[str]:
    """The base URL; the process ends with the block."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(limit, resent, theirs), daemon=True
    )
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/oai"
    finally:
        process.terminate()
        process.join()
