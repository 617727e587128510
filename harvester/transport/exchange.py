"""One HTTP exchange: a deadline, caps, Retry-After, bounded retries, one connection kept per repository.

The body is decompressed here, because a gzip stream whose end is missing passes in every client library.
Limits: FAULTS 7 of the design, all of them fields of `Limits`.
"""

import random
import threading
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from urllib.parse import urlsplit

import msgspec
import requests
import tenacity
import urllib3

from harvester.clock import Clock
from harvester.errors import BrokenBody, Deferred, HttpStatus, TimedOut, TooLarge, TransportError, Unreachable

_CHUNK = 64 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_BUSY = frozenset({429, 502, 503, 504})


class Limits(msgspec.Struct, frozen=True):
    """Seconds and bytes."""

    connect: float = 15.0
    read: float = 300.0
    deadline: float = 1800.0
    tries: int = 6
    tries_unreachable: int = 3
    tries_on_500: int = 2
    backoff: float = 5.0
    backoff_cap: float = 600.0
    retry_after_cap: float = 3600.0
    redirects: int = 5
    body: int = 512 * 1024 * 1024
    ratio: int = 200
    ratio_from: int = 10 * 1024 * 1024


class Response(msgspec.Struct, frozen=True):
    """`body` is decompressed; `url` is where the answer came from, after redirects."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Shared by all sources of a process; one request in flight per host.

    `on_wait(seconds, why)` is called before each wait.
    """

    def __init__(
        self,
        clock: Clock,
        contact: str = "",
        limits: Limits | None = None,
        on_wait: Callable[[float, str], None] = lambda _seconds, _why: None,
    ) -> None:
        self.limits = limits or Limits()
        self.requests = 0
        self._clock = clock
        self._on_wait = on_wait
        self._session = requests.Session()
        self._session.max_redirects = self.limits.redirects
        self._session.headers.update(_headers(contact))
        self._hosts: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def get(self, url: str, parameters: Mapping[str, str]) -> Response:
        """The answer, whatever its status but those that are retried in vain.

        TransportError where there is none; Deferred where the repository wants us to come much later.
        """
        retrying = tenacity.Retrying(
            sleep=self._clock.sleep,
            retry=tenacity.retry_if_exception(_is_passing),
            stop=self._stop,
            wait=self._wait,
            before_sleep=self._tell,
            reraise=True,
        )
        return retrying(self._exchange, url, parameters)

    def close(self) -> None:
        self._session.close()

    def _exchange(self, url: str, parameters: Mapping[str, str]) -> Response:
        with self._hosts[_host(url)]:
            self.requests += 1
            ends = self._clock.monotonic() + self.limits.deadline
            try:
                return self._answer(url, parameters, ends)
            except requests.RequestException as error:
                raise _explained(error, url) from error
            except urllib3.exceptions.HTTPError as error:
                raise _explained_body(error, url) from error

    def _answer(self, url: str, parameters: Mapping[str, str], ends: float) -> Response:
        timeout = (self.limits.connect, self.limits.read)
        with self._session.get(url, params=parameters, stream=True, timeout=timeout) as answer:
            body = self._body(answer, ends)
            if answer.status_code in _BUSY or (answer.status_code == 500 and not _speaks_oai_pmh(body)):
                raise self._refusal(answer)
            return Response(answer.url, answer.status_code, answer.headers, body)

    def _body(self, answer: requests.Response, ends: float) -> bytes:
        received, size, plain = 0, 0, []
        unpack: _Unpacker | None = None
        for chunk in _chunks(answer):
            if self._clock.monotonic() > ends:
                raise TimedOut(f"{answer.url} had not finished answering after {self.limits.deadline:.0f} s")
            unpack = unpack or _Unpacker(answer.headers.get("Content-Encoding", ""), chunk)
            received += len(chunk)
            for part in unpack(chunk):
                size += len(part)
                self._check_size(answer.url, received, size)
                plain.append(part)
        if unpack is not None and not unpack.ended:
            raise BrokenBody(f"{answer.url} sent a compressed answer whose end is missing")
        return b"".join(plain)

    def _check_size(self, url: str, received: int, size: int) -> None:
        if size > self.limits.body:
            raise TooLarge(f"{url} sent more than {self.limits.body // 2**20} MB in one answer")
        if size > self.limits.ratio_from and size > received * self.limits.ratio:
            raise TooLarge(
                f"{url} sent an answer that unpacks to more than {self.limits.ratio} times its size"
            )

    def _refusal(self, answer: requests.Response) -> TransportError:
        message = f"{answer.url} answers {answer.status_code} {answer.reason}"
        asked = _retry_after(answer.headers.get("Retry-After", ""), self._clock.now())
        if asked is None:
            return HttpStatus(message, answer.status_code, "the repository has trouble: try again later")
        if asked > self.limits.retry_after_cap:
            return Deferred(f"{message} and asks us to come back in {asked / 3600:.0f} hours", asked)
        error = HttpStatus(message, answer.status_code, "the repository is busy: try again later")
        error.retry_after = asked
        return error

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        error = _failure(state)
        tries = self.limits.tries
        if isinstance(error, Unreachable):
            tries = self.limits.tries_unreachable
        elif isinstance(error, HttpStatus) and error.status == 500:
            tries = self.limits.tries_on_500
        return state.attempt_number >= tries

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = _failure(state)
        if isinstance(error, HttpStatus) and error.retry_after is not None:
            return max(1.0, error.retry_after)
        wait = self.limits.backoff * 2.0 ** (state.attempt_number - 1)
        spread = random.uniform(0.5, 1.5)  # noqa: S311  jitter is no secret
        return min(wait, self.limits.backoff_cap) * spread

    def _tell(self, state: tenacity.RetryCallState) -> None:
        assert state.next_action is not None
        self._on_wait(state.next_action.sleep, str(_failure(state)))


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    """What has come: read() would wait for a whole chunk of a body that drips. The first can tell gzip."""
    chunk = answer.raw.read1(_CHUNK)
    while 0 < len(chunk) < len(_GZIP_MAGIC) and (more := answer.raw.read1(_CHUNK)):
        chunk += more
    while chunk:
        yield chunk
        chunk = answer.raw.read1(_CHUNK)


class _Unpacker:
    """Undoes gzip and deflate, also gzip that nobody announced; plain bytes pass."""

    def __init__(self, encoding: str, first: bytes) -> None:
        self._stream = None
        if first.startswith(_GZIP_MAGIC):
            self._stream = zlib.decompressobj(31)
        elif encoding.strip().lower() == "deflate":
            self._stream = zlib.decompressobj()

    def __call__(self, chunk: bytes) -> list[bytes]:
        """Parts of at most a megabyte, so that a cap is met before memory is."""
        if self._stream is None:
            return [chunk]
        parts = []
        try:
            while chunk:
                parts.append(self._stream.decompress(chunk, 2**20))
                chunk = self._stream.unconsumed_tail
        except zlib.error as error:
            raise BrokenBody(f"the compressed answer is broken: {error}") from error
        return parts

    @property
    def ended(self) -> bool:
        return self._stream is None or self._stream.eof


def _headers(contact: str) -> dict[str, str]:
    """A repository manager who wonders who we are finds a program and a person."""
    about = f"; mailto:{contact}" if contact else ""
    headers = {
        "User-Agent": f"Windrow/{version('windrow')} (OAI-PMH harvester{about})",
        "Accept-Encoding": "gzip",
        "Accept": "text/xml, application/xml;q=0.9, */*;q=0.1",
    }
    return headers | ({"From": contact} if contact else {})


def _failure(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _is_passing(error: BaseException) -> bool:
    """Worth another try: TooLarge and Deferred are not."""
    return isinstance(error, Unreachable | TimedOut | BrokenBody | HttpStatus)


def _retry_after(text: str, now: datetime) -> float | None:
    """Seconds or an HTTP date (RFC 9110, section 10.2.3); None for anything else."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:  # an unclosed bracket: requests says so too, in better words
        return url


def _speaks_oai_pmh(body: bytes) -> bool:
    """Some servers answer an OAI-PMH error with status 500 (FAULTS H11)."""
    return b"OAI-PMH" in body[:2000] and b"<error" in body


def _explained(error: requests.RequestException, url: str) -> TransportError:
    host = _host(url)
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(
            f"{host} cannot prove who it is: {_cause(error)}",
            "its certificate is expired, self-signed or incomplete: tell the repository",
        )
    if isinstance(error, requests.Timeout):
        return TimedOut(f"{host} did not answer in time", "try again later, or check the address")
    if isinstance(error, requests.TooManyRedirects):
        return Unreachable(f"{url} redirects in a circle", "check the address in a browser")
    if isinstance(error, requests.ConnectionError):
        return Unreachable(
            f"{host} cannot be reached: {_cause(error)}",
            "check the address and the network, or try again later",
        )
    return TransportError(f"{url} gave no usable answer: {_cause(error)}", "check the address in a browser")


def _explained_body(error: urllib3.exceptions.HTTPError, url: str) -> TransportError:
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return TimedOut(f"{url} stopped in the middle of its answer")
    return BrokenBody(f"{url} broke off its answer: {error}")


def _cause(error: BaseException) -> str:
    """The innermost reason: requests and urllib3 wrap it in four layers of text."""
    while wrapped := [
        one for one in (getattr(error, "reason", None), *error.args) if isinstance(one, Exception)
    ]:
        error = wrapped[0]
    text = str(error)
    return text.rsplit(": ", 1)[-1] if "Errno" in text or "HTTPConnection" in text else text
