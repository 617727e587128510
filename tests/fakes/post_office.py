"""A mail server on loopback: keeps what it is handed, and refuses what a test tells it to."""

import socket
from asyncio import AbstractServer
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ssl import SSLContext
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

_HANGS = 60.0  # seconds


class PostOffice:
    """`mails` as they came; `refusals` are answers by recipient, and "" is that to the mail itself."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.logins: list[tuple[str, str]] = []
        self.refusals: Mapping[str, str] = {}
        self.goodbye = "221 Bye"
        self.address = ""

    @property
    def read(self) -> list[EmailMessage]:
        found = [message_from_bytes(mail.content, policy=default) for mail in self.mails]
        assert all(isinstance(one, EmailMessage) for one in found)
        return found  # type: ignore[return-value]  # the policy says so

    async def handle_RCPT(  # noqa: N802  aiosmtpd calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  aiosmtpd calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if "" in self.refusals:
            return self.refusals[""]
        self.mails.append(envelope)
        return "250 OK"

    async def handle_QUIT(  # noqa: N802  aiosmtpd calls it so
        self, _server: SMTP, _session: Session, _envelope: Envelope
    ) -> str:
        return self.goodbye

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _way: str, data: Any
    ) -> Any:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"right", handled=False)


class _Controller(Controller):
    """Listens at a port that the system has given it, and nobody else can have taken meanwhile."""

    def __init__(self, office: PostOffice, **options: Any) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        host, port = self._listening.getsockname()
        super().__init__(office, hostname=host, port=port, ready_timeout=_HANGS, **options)

    def _create_server(self) -> Awaitable[AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listening, ssl=self.ssl_context)


@contextmanager
def post_office(tls: SSLContext | None = None, *, at_once: bool = False) -> Iterator[PostOffice]:
    """`tls` by STARTTLS, or `at_once`."""
    office = PostOffice()
    options: dict[str, Any] = {"authenticator": office.authenticate, "auth_require_tls": False}
    if tls:
        options |= {"ssl_context": tls} if at_once else {"tls_context": tls, "require_starttls": True}
    controller = _Controller(office, **options)
    office.address = f"localhost:{controller.port}"
    controller.start()
    try:
        yield office
    finally:
        controller.stop()
