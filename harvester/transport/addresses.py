"""Whom a socket is connected to. A name can be made to point anywhere, at any moment (FAULTS Z04, Z06); the
peer of a connected socket is a fact, and it is looked at before a byte of a request is sent.
"""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from harvester.errors import RedirectRefused
from harvester.transport.pace import PacedResponse

IsPublic = Callable[[str], bool]

_NAT64 = ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Neither private, loopback, link-local nor set aside, in whatever coat the address comes."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        found = _uncoated(found)
    return found.is_global and not found.is_multicast


def _uncoated(address: IPv6Address) -> IPv4Address | IPv6Address:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


class Door(msgspec.Struct, frozen=True):
    """`guarded`: nobody but public hosts may be reached through it."""

    is_public: IsPublic
    guarded: bool

    def admit(self, sock: socket.socket, host: str) -> bool:
        """Is the peer public? RedirectRefused where it had to be."""
        address = sock.getpeername()[0]
        public = self.is_public(address)
        if self.guarded and not public:
            sock.close()
            raise _refused(host, address)
        return public

    def admit_name(self, host: str) -> None:
        """Behind a proxy there is no peer to look at, and names need not resolve here."""
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            return
        for address in (str(one[4][0]) for one in found):
            if not self.is_public(address):
                raise _refused(host, address)


def _refused(host: str, address: str) -> RedirectRefused:
    inside = f"{host} ({address})" if host != address else host
    return RedirectRefused(
        f"the repository redirects to {inside}, an address inside a private network",
        "Windrow does not go there for a public host; if that is the repository, name it in config.toml",
    )


class _Plain(HTTPConnection):
    door: Door | None = None
    peer_is_public = True  # behind a proxy: it cannot be known, so the stricter rule is for it
    response_class = PacedResponse

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        if self.door is not None:
            self.peer_is_public = self.door.admit(sock, self.host)
        return sock


class _Secure(_Plain, HTTPSConnection):
    pass


class CheckedAdapter(HTTPAdapter):
    """Connections as ever, each looked at once when it is made."""

    def __init__(self, door: Door) -> None:
        self._door = door
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = _pools(self._door)

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **named)
        if isinstance(manager, urllib3.ProxyManager) and not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _pools(None)
        return manager

    def send(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        if self._door.guarded and select_proxy(request.url or "", named.get("proxies")):
            self._door.admit_name(urlsplit(request.url or "").hostname or "")
        return super().send(request, *arguments, **named)


def look_at_each_connection(session: requests.Session, door: Door) -> None:
    """And read its answers at the pace that is CURRENT."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, CheckedAdapter(door))


def peer_is_public(answer: requests.Response) -> bool:
    """Ask before the body is read: the connection goes back to its pool then."""
    return bool(getattr(answer.raw.connection, "peer_is_public", True))


def _pools(door: Door | None) -> dict[str, Any]:
    plain = type("Plain", (_Plain,), {"door": door})
    secure = type("Secure", (_Secure,), {"door": door})
    return {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
