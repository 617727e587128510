"""What went wrong, in words and by class. No password of an address gets into a message."""

import http.client
import re
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests
import urllib3

from harvester.errors import (
    Blocked,
    BrokenBody,
    OddHeaders,
    TimedOut,
    TransportError,
    Unreachable,
    Untrusted,
)

_USERINFO = re.compile(r"//[^/?#\s]*@")
_LONGEST_SHOWN = 300


def redacted(text: str) -> str:
    return _USERINFO.sub("//", text)


def shown(text: str) -> str:
    """Of an address, or of what a server says, for a message: one line of a bounded length (FAULTS Z19)."""
    text = "".join(one if one.isprintable() else " " for one in redacted(text[: 2 * _LONGEST_SHOWN]))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


_PORTS = {"http": ":80", "https": ":443"}


def host_of(url: str) -> str:
    """Name and port; one host has one, however its addresses are written."""
    try:
        parts = urlsplit(url)
        return parts.netloc.rpartition("@")[2].lower().removesuffix(_PORTS.get(parts.scheme, ":"))
    except ValueError:  # an unclosed bracket: requests says so too, in better words
        return redacted(url)


# No answer at all


def explained(error: Exception, url: str) -> TransportError:
    """Of what requests, urllib3 and http.client raise."""
    host, cause = host_of(url), _cause(error)
    if isinstance(cause, ssl.SSLError):
        return _untrusted(host, cause)
    if "TLS CA certificate bundle" in str(error):  # requests looks for the file, and says so like this
        path = str(error).rpartition(": ")[2]
        return Untrusted(f"{host}: there is no file {path}", "correct `ca` of the source in config.toml")
    if isinstance(error, requests.exceptions.ProxyError):
        return Unreachable(
            f"the proxy on the way to {host} refuses: {_text(cause)}",
            "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment",
        )
    if isinstance(error, requests.Timeout):
        return TimedOut(f"{host} did not answer in time", "try again later, or check the address")
    if isinstance(cause, http.client.HTTPException) and not isinstance(cause, ConnectionError):
        return _odd(host, cause)
    if isinstance(error, requests.ConnectionError):
        return Unreachable(
            f"{host} cannot be reached: {_text(cause)}", "check the address, and the line to the Internet"
        )
    return TransportError(
        f"{shown(url)} gave no usable answer: {_text(cause)}", "check the address in a browser"
    )


def explained_body(error: urllib3.exceptions.HTTPError, url: str) -> TransportError:
    if isinstance(error, urllib3.exceptions.LocationValueError):  # an empty label, or a long one
        return TransportError(f"{shown(url)} leads to no host: {shown(str(error))}", "check the address")
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return TimedOut(f"{shown(url)} stopped in the middle of its answer")
    return BrokenBody(f"{shown(url)} broke off its answer: {shown(str(error))}")


def _cause(error: BaseException) -> BaseException:
    """The innermost reason: requests and urllib3 wrap it in four layers of text."""
    while wrapped := [
        one for one in (getattr(error, "reason", None), *error.args) if isinstance(one, Exception)
    ]:
        error = wrapped[0]
    return error


_PLAINLY = {  # what Linux and macOS say
    "Connection refused": "nothing answers there (connection refused)",
    "Temporary failure in name resolution": "names of hosts cannot be looked up now",
    "Failed to resolve": "there is no host of that name",
    "No route to host": "no way leads there",
    "Network is unreachable": "this machine has no line to it",
}


def _text(cause: BaseException) -> str:
    text = shown(str(cause))
    plainly = (words for sign, words in _PLAINLY.items() if sign in text)
    if "Errno" in text or "HTTPConnection" in text:
        text = text.rsplit(": ", 1)[-1]
    return next(plainly, text)


def _odd(host: str, cause: http.client.HTTPException) -> OddHeaders:
    """http.client takes 100 header lines of 64 KB each."""
    if isinstance(cause, http.client.BadStatusLine):
        return OddHeaders(f"what answers at {host} does not speak HTTP", "check the address and its port")
    return OddHeaders(
        f"{host} sends headers beyond any measure: {_text(cause)}",
        "nothing can be done from here: tell the repository",
    )


# TLS


_CERTIFICATE = {  # verification results of OpenSSL
    9: ("its certificate is not valid yet", "is this machine's clock right? If so, tell the repository"),
    10: ("its certificate has expired", "tell the repository"),
    18: ("its certificate is self-signed", "save it as a PEM file, and name that as `ca` of the source"),
    19: (
        "its certificate comes from an authority of its own",
        "save that authority's certificate as a PEM file, and name it as `ca` of the source",
    ),
    20: (
        "its certificate chain is incomplete, or comes from an unknown authority",
        "tell the repository; meanwhile name a PEM file with the whole chain as `ca` of the source",
    ),
    62: ("its certificate is for another host", "check the address, or tell the repository"),
    64: ("its certificate is for another host", "give the name of the host, not its number"),
}
_CERTIFICATE[2] = _CERTIFICATE[21] = _CERTIFICATE[20]

_HANDSHAKE = {
    "WRONG_VERSION_NUMBER": ("it does not speak TLS there", "does the address begin with http://?"),
    "HTTP_REQUEST": ("it does not speak TLS there", "does the address begin with http://?"),
    "UNSUPPORTED_PROTOCOL": ("it offers only TLS 1.0 or 1.1, which are broken", "tell the repository"),
    "PROTOCOL_VERSION": ("it offers only TLS 1.0 or 1.1, which are broken", "tell the repository"),
    "NO_CERTIFICATE_OR_CRL_FOUND": (
        "the file that `ca` names holds no certificate",
        "it begins with -----BEGIN CERTIFICATE-----",
    ),
}


def _untrusted(host: str, cause: ssl.SSLError) -> Untrusted:
    said, advice = _CERTIFICATE.get(getattr(cause, "verify_code", 0), ("", ""))
    if not said:
        text = str(cause)
        known = (words for sign, words in _HANDSHAKE.items() if sign in text.upper().replace(" ", "_"))
        said, advice = next(known, (text, "tell the repository"))
    return Untrusted(f"{host} cannot prove who it is: {said}", advice)


# An answer that is somebody else's


_LET_US_IN = "ask its manager to let us in (the User-Agent begins with Windrow/, `contact` says who asks)"

_STATUS = {
    401: ("wants a name and a password", "Windrow cannot give them: ask its manager for open OAI-PMH"),
    403: ("blocks us", _LET_US_IN),
    407: (
        "cannot be asked: the proxy wants a name and a password",
        "put them into HTTPS_PROXY or HTTP_PROXY, or name the host in NO_PROXY",
    ),
    451: ("may not answer, for legal reasons", "ask its manager"),
}

# What a challenge page has in its first bytes; Anubis stands before many a repository, with status 200.
_CHALLENGES = {
    b"Just a moment...": "Cloudflare",
    b"Attention Required! | Cloudflare": "Cloudflare",
    b"_Incapsula_Resource": "Imperva",
    b"Making sure you&#39;re not a bot": "Anubis",
    b"Making sure you're not a bot": "Anubis",
}


def blocked(url: str, status: int, headers: Mapping[str, str], body: bytes) -> Blocked | None:
    """A guard, a login or a law; None where it is the repository itself that answers."""
    guard = _guard(headers, body)
    if guard:
        return Blocked(f"{shown(url)} is guarded by {guard}, which wants a browser", status, _LET_US_IN)
    if status in _STATUS:
        said, advice = _STATUS[status]
        return Blocked(f"{shown(url)} {said} (HTTP {status})", status, advice)
    return None


def _guard(headers: Mapping[str, str], body: bytes) -> str:
    if headers.get("cf-mitigated") == "challenge":
        return "Cloudflare"
    if "x-amzn-waf-action" in headers:
        return "AWS WAF"
    start = body[:8192]
    return next((guard for sign, guard in _CHALLENGES.items() if sign in start), "")
