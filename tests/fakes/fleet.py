"""Many fake repositories, each a host of its own: one thread waits for those who come to any of them."""

import select
import selectors
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from tests.fakes.repository import FakeRepository, Responder, Server

_AT_ONCE = 0.2  # seconds, on loopback


class Fleet:
    """`repositories` are in the order of their responders; those of `dead` refuse until `revive`."""

    def __init__(self, responders: Sequence[Responder], dead: int = 0) -> None:
        self.repositories = [FakeRepository(responder) for responder in responders]
        self._servers = [Server(repository, "127.0.0.1") for repository in self.repositories]
        self._dead = self._servers[len(responders) - dead :]
        self._in_the_way: list[socket.socket] = []
        self._doors = selectors.DefaultSelector()
        self._bell, self._ringer = socket.socketpair()
        self._doors.register(self._bell, selectors.EVENT_READ)
        for server in self._servers[: len(responders) - dead]:
            self._open(server)

    def jam(self) -> None:
        """The dead neither refuse nor accept any more: as behind a firewall, or swamped."""
        for server in self._dead:
            server.socket.listen(0)
            while self._takes_another(server):
                pass

    def _takes_another(self, server: Server) -> bool:
        coming = socket.socket()
        self._in_the_way.append(coming)
        coming.setblocking(False)
        coming.connect_ex(server.server_address)
        return bool(select.select([], [coming], [], _AT_ONCE)[1])

    def revive(self) -> None:
        """All listen, and none misbehaves any more; whatever was held back is let go."""
        for repository in self.repositories:
            repository.behave()
            repository.ending.set()
        while self._in_the_way:
            self._in_the_way.pop().close()
        while self._dead:
            self._open(self._dead.pop())

    @property
    def most_at_once(self) -> int:
        return max(repository.most_at_once for repository in self.repositories)

    def serve(self) -> None:
        """Until `end`."""
        while True:
            for key, _events in self._doors.select():
                if key.fileobj is self._bell:
                    return
                key.data.handle_request()

    def end(self) -> None:
        self._ringer.send(b"x")

    def close(self) -> None:
        with ExitStack() as stack:
            for part in (self._doors, self._bell, self._ringer, *self._in_the_way, *self._servers):
                stack.callback(part.close if not isinstance(part, Server) else part.server_close)

    def _open(self, server: Server) -> None:
        server.server_activate()
        server.timeout = 0
        self._doors.register(server.socket, selectors.EVENT_READ, server)


@contextmanager
def fleet(responders: Sequence[Responder], dead: int = 0) -> Iterator[Fleet]:
    """The last `dead` of them refuse connections."""
    ships = Fleet(responders, dead)
    thread = threading.Thread(target=ships.serve, name="fleet", daemon=True)
    thread.start()
    try:
        yield ships
    finally:
        for repository in ships.repositories:
            repository.ending.set()
        ships.end()
        thread.join()
        ships.close()
