"""The two ways by which news goes out, and what can go wrong on them. No password gets into a message."""

import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime
from email.errors import MessageError
from importlib.metadata import version
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests
import urllib3
from requests.utils import get_auth_from_url

from harvester.clock import SystemClock
from harvester.config import NotifySettings, Settings
from harvester.datestamp import format_datestamp
from harvester.digest import mail, webhook_body
from harvester.errors import NotTold, TimedOut
from harvester.store.notices import Kind, Notice, Way
from harvester.transport import Limits
from harvester.transport.addresses import Door, is_public, look_at_each_connection
from harvester.transport.pace import CURRENT, Pace
from harvester.transport.words import explained, host_of, shown

_CONNECT, _ANSWER = 10.0, 30.0  # seconds
_WHOLE = 60.0  # seconds, for a webhook: of a server that drips, each byte is an answer


def ways(settings: NotifySettings) -> dict[Way, str]:
    """Those that are configured, and where each leads; a webhook's path is its password."""
    found = {Way.WEBHOOK: host_of(settings.webhook), Way.EMAIL: ", ".join(settings.email)}
    return {way: where for way, where in found.items() if where}


def warning(settings: NotifySettings) -> str:
    """What is unwise about the ways, or ""."""
    host = settings.smtp.rpartition(":")[0]
    if not settings.email or settings.security != "none" or not settings.user or _is_here(host):
        return ""
    return f'the password goes to {settings.smtp} in clear: set security = "starttls" or "tls" in [notify]'


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def trial(now: datetime) -> Notice:
    """To be sent by `windrow notify --test`."""
    message = "this is what news of your sources will look like"
    return Notice(at=format_datestamp(now), source="windrow", kind=Kind.TEST, message=message)


def send(way: Way, those: Sequence[Notice], settings: Settings, now: datetime) -> NotTold | None:
    """At once. NotTold where nobody was told; it is what comes back where only some were."""
    machine = socket.gethostname()
    if way is Way.WEBHOOK:
        _post(settings.notify.webhook, webhook_body(those, machine))
        return None
    sender = settings.notify.sender or settings.harvest.contact or settings.notify.email[0]
    return _mail(settings.notify, those, machine, sender, format_datestamp(now))


# The webhook


def _post(url: str, body: bytes) -> None:
    """Redirects are not followed: what is posted, and a path that is a password, is for one host."""
    host = host_of(url)
    try:
        status, reason = _status(url, body, host)
    except TimedOut as error:
        raise NotTold(f"the webhook: {error.message}", _CHECK_WEBHOOK) from error
    except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:  # requests' own are OSErrors
        raise NotTold(f"the webhook: {_why(error, url)}", _CHECK_WEBHOOK) from error
    if 300 <= status < 400:
        raise NotTold(
            f"the webhook at {host} leads elsewhere ({status}), and is not followed", _CHECK_WEBHOOK
        )
    if not 200 <= status < 300:
        raise NotTold(f"the webhook at {host} answers {status} {shown(reason)}", _CHECK_WEBHOOK)


_CHECK_WEBHOOK = "check notify.webhook in config.toml, then try it: windrow notify --test"


def _status(url: str, body: bytes, host: str) -> tuple[int, str]:
    """What the answer says beyond that is not read."""
    pace = CURRENT.set(Pace(SystemClock(), Limits(deadline=_WHOLE), host))
    try:
        return _answer(url, body)
    finally:
        CURRENT.reset(pace)


def _answer(url: str, body: bytes) -> tuple[int, str]:
    headers = {"Content-Type": "application/json", "User-Agent": f"Windrow/{version('windrow')}"}
    with requests.Session() as session:
        auth = get_auth_from_url(url)  # with none at all, requests would look the host up in ~/.netrc
        session.auth = auth if any(auth) else lambda request: request
        look_at_each_connection(session, Door(is_public, guarded=False))
        answer = session.post(
            url, body, headers=headers, timeout=(_CONNECT, _ANSWER), allow_redirects=False, stream=True
        )
        with closing(answer):
            return answer.status_code, answer.reason or ""


def _why(error: Exception, url: str) -> str:
    parts = urlsplit(url)
    message = explained(error, f"{parts.scheme}://{parts.netloc}").message
    secrets = (url, parts.path.strip("/"), parts.query)
    return message if not any(secret and secret in message for secret in secrets) else type(error).__name__


# E-mail


def _mail(
    settings: NotifySettings, those: Sequence[Notice], machine: str, sender: str, now: str
) -> NotTold | None:
    try:
        message = mail(those, machine, sender, settings.email, now)
        with closing(_connected(settings)) as smtp:
            refused = smtp.send_message(message, sender, settings.email)
            with suppress(smtplib.SMTPException, OSError):  # it has the mail, whatever its goodbye
                smtp.quit()
    except (smtplib.SMTPException, MessageError, OSError, ValueError) as error:
        raise NotTold(f"e-mail by {settings.smtp}: {_told_by(error)}", _CHECK_MAIL) from error
    if not refused:
        return None
    return NotTold(f"e-mail by {settings.smtp}: refused for {_refusals(refused)}", _CHECK_MAIL)


_CHECK_MAIL = "check [notify] in config.toml, then try it: windrow notify --test"


def _connected(settings: NotifySettings) -> smtplib.SMTP:
    host, _, port = settings.smtp.rpartition(":")
    context = ssl.create_default_context()
    if settings.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, int(port), timeout=_ANSWER, context=context)
    else:
        smtp = smtplib.SMTP(host, int(port), timeout=_ANSWER)
    try:
        if settings.security == "starttls":
            smtp.starttls(context=context)
        if settings.user:
            smtp.login(settings.user, settings.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


_Refused = dict[str, tuple[int, bytes]]


def _refusals(refused: _Refused) -> str:
    return ", ".join(f"{who} ({code} {_said(text)})" for who, (code, text) in refused.items())


def _said(text: bytes | str) -> str:
    return shown(text.decode(errors="replace") if isinstance(text, bytes) else text)


def _told_by(error: Exception) -> str:
    """No name or password of ours is in it, not even where the server gives them back."""
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words(error)
    return shown(str(error))


def _of_system(error: OSError) -> str:
    return error.strerror or shown(str(error))


_WORDS: tuple[tuple[type[Exception], Callable[..., str]], ...] = (
    (smtplib.SMTPAuthenticationError, lambda error: f"it refuses the name and password ({error.smtp_code})"),
    (smtplib.SMTPRecipientsRefused, lambda error: f"refused for {_refusals(error.recipients)}"),
    (smtplib.SMTPResponseException, lambda error: f"it answers {error.smtp_code} {_said(error.smtp_error)}"),
    (UnicodeError, lambda _error: "a name or password has letters that are not ASCII"),
    (ssl.SSLError, lambda error: f"it cannot prove who it is: {shown(str(error))}"),
    (TimeoutError, lambda _error: "it did not answer in time"),
    (smtplib.SMTPException, lambda error: shown(str(error))),
    (OSError, _of_system),
)
