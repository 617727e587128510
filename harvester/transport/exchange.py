"""The request: a turn at its host, its redirects, its retries, its refusals.

Limits: FAULTS 7 of the design, all of them fields of `Limits`.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from importlib.metadata import version
from urllib.parse import urlsplit

import requests
import urllib3

from harvester.clock import Clock
from harvester.datestamp import format_datestamp
from harvester.errors import BrokenCoding, Deferred, HttpStatus, RedirectRefused, TransportError
from harvester.fault_point import fault_point
from harvester.stopping import Stop
from harvester.transport import body, redirects, words
from harvester.transport.addresses import Door, IsPublic, is_public, look_at_each_connection, peer_is_public
from harvester.transport.asking import Methods, Question, question
from harvester.transport.limits import Limits, Response, Trust, Wait
from harvester.transport.pace import CURRENT, Pace
from harvester.transport.politeness import Turns
from harvester.transport.retries import Answered, IsPassing, Retries

_BUSY = frozenset({429, 502, 503, 504})
_WIDENS_GAP = frozenset({429, 503})
_MOST_COOKIES = 100
_SLOW = 60.0
_OAI_PMH = b"OAI-PMH"  # the root, early in any answer that is one


class Transport:
    """Of one run, or of several one after the other. Cookies and connections are kept.

    One request is in flight per host among all that share `turns`. `on_wait(seconds, why)` is called before
    each wait, `on_notice(sentence)` once for each thing that a person should know. `trust` is by host name.
    Told by `stop`, whoever asks or waits gets Stopped at once. `heard` is when an answer came last, by the
    clock's monotonic(); `waiting` what keeps the next request from being made, for any thread to see.
    """

    def __init__(
        self,
        clock: Clock,
        contact: str = "",
        limits: Limits | None = None,
        on_wait: Callable[[float, str], None] = lambda _seconds, _why: None,
        *,
        on_notice: Callable[[str], None] = lambda _sentence: None,
        trust: Mapping[str, Trust] | None = None,
        turns: Turns | None = None,
        stop: Stop | None = None,
        is_public: IsPublic = is_public,
    ) -> None:
        self.limits = limits or Limits()
        self.requests = 0
        self.heard = clock.monotonic()
        self.waiting: Wait | None = None
        self._clock = clock
        self._stop = stop
        self._sleep = clock.sleep if stop is None else partial(stop.sleep, clock)
        self._retries = Retries(self._sleep, self.limits, self._tell_wait)
        self._on_wait, self._on_notice = on_wait, on_notice
        self._turns = turns or Turns(clock, self.limits.gap_cap)
        self._least: dict[str, float] = {}
        self._trust = trust or {}
        self._methods = Methods()
        self._told: set[str] = set()
        self._uncompressed: set[str] = set()
        self._open = _session(contact, Door(is_public, guarded=False))
        self._guarded = _session(contact, Door(is_public, guarded=True))
        self._guarded.cookies = self._open.cookies

    @property
    def retries(self) -> int:
        """How many requests were made because the one before them came to nothing."""
        return self._retries.count

    def start_gap(self, url: str, last: float) -> None:
        """From the gap of an earlier run."""
        self._turns.start(words.host_of(url), last)

    def keep_gap(self, url: str, seconds: float) -> None:
        """At least so much between two requests to the host of `url`, of this run's."""
        self._least[words.host_of(url)] = seconds

    def gap(self, url: str) -> float:
        """Seconds between two requests to the host of `url`."""
        return self._turns.gap(words.host_of(url))

    def get(self, url: str, arguments: Mapping[str, str], *, verbatim: str = "") -> Response:
        """The answer, whatever its status but those that are retried in vain or say that we are blocked.

        The value of the argument named `verbatim` is sent as it is, as far as a query can hold it.
        TransportError where there is no answer; Deferred where the repository wants us to come much later.
        """
        asked = self._methods.first(question(url, arguments, verbatim))
        answer = self._retries.exchange(lambda: self._exchange(asked))
        other = self._methods.second(asked, answer)
        return answer if other is None else self._retries.exchange(lambda: self._exchange(other))

    def unless_unreadable(self, ask: Callable[[], Answered], is_passing: IsPassing) -> Answered:
        """`ask`, which gets and reads an answer; again, a few times, where its error `is_passing`."""
        return self._retries.unreadable(ask, is_passing)

    def close(self) -> None:
        self._open.close()
        self._guarded.close()

    def _exchange(self, asked: Question) -> Response:
        if self._stop is None:
            return self._in_turn(asked, lambda: None)
        stop = self._stop
        return stop.unless_told(lambda: self._in_turn(asked, stop.check))

    def _in_turn(self, asked: Question, check: Callable[[], None]) -> Response:
        host = words.host_of(asked.url)
        least, pause = self._least.get(host, 0.0), partial(self._pause, host)
        self.waiting = Wait(f"for its turn at {host}")
        with self._turns.turn(host, least, pause, check, self._neighbour_seen):
            self.waiting = None
            pace = Pace(self._clock, self.limits, host)
            token = CURRENT.set(pace)
            try:
                answer, moved_to = self._followed(asked, pace)
                self._turns.answered(host, words.host_of(answer.url))
                with answer:
                    response = self._read(answer, host)
            except urllib3.exceptions.HTTPError as error:
                raise words.explained_body(error, asked.url) from error
            except OSError as error:  # requests' own are
                raise words.explained(error, asked.url) from error
            finally:
                CURRENT.reset(token)
        self.heard = self._clock.monotonic()
        if moved_to and _OAI_PMH in response.body[:2000]:
            self._propose(asked.url, moved_to)
        if pace.passed() > _SLOW:
            self._notice(f"{host} is slow, more than {_SLOW:.0f} s for one answer: each is waited for")
        return response

    def _followed(self, asked: Question, pace: Pace) -> tuple[requests.Response, str]:
        """The answer at the end of the redirects; and where it has moved to for good, or "".

        Behind a public host, only public ones are reached. POST stays POST: all verbs only read.
        """
        session, at, moved_to, forever = self._open, asked.url, "", True
        query, form = (asked.query, "") if asked.method == "GET" else ("", asked.query)
        for _ in range(self.limits.redirects + 1):
            answer = self._sent(session, asked.method, at, query if at is asked.url else "", form, pace)
            location = _location(answer)
            if location is None:
                return answer, moved_to
            with answer:
                session = self._guarded if peer_is_public(answer) else session
                at = redirects.target(answer.url, location, query)
                _drain(answer)
            forever = forever and answer.status_code in redirects.PERMANENT
            moved_to = redirects.base(at, query) if forever else moved_to
        raise RedirectRefused(
            f"{words.shown(asked.url)} redirects in a circle, or more than {self.limits.redirects} times",
            "check the address in a browser",
        )

    def _sent(
        self, session: requests.Session, method: str, url: str, query: str, form: str, pace: Pace
    ) -> requests.Response:
        self.requests += 1
        if len(session.cookies) > _MOST_COOKIES:
            session.cookies.clear()
        answer = session.request(
            method,
            url,
            params=query,
            data=form or None,
            headers=self._headers(url, form),
            stream=True,
            timeout=(self.limits.connect, min(self.limits.read, pace.left())),
            verify=self._believed(url),
        )
        fault_point("headers read")
        return answer

    def _headers(self, url: str, form: str) -> dict[str, str]:
        """Those that differ from one request to the next."""
        identity = {"Accept-Encoding": "identity"} if words.host_of(url) in self._uncompressed else {}
        return identity | ({"Content-Type": "application/x-www-form-urlencoded"} if form else {})

    def _believed(self, url: str) -> bool | str:
        """True: the public authorities. For another host than the source's own, always."""
        trust = self._trust.get(_name(url)) if self._trust else None
        if trust is None:
            return True
        if not trust.insecure:
            return trust.ca or True
        self._notice(
            f"{trust.source}: nobody checks who {_name(url)} is (insecure = true in config.toml): "
            "what it sends may be anyone's"
        )
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # said, once, in words
        return False

    def _read(self, answer: requests.Response, host: str) -> Response:
        codings = answer.headers.get("Content-Encoding", "")
        url = words.shown(answer.url)
        try:
            content = body.read(_chunks(answer), codings, self.limits, url)
        except BrokenCoding:
            self._uncompressed.add(words.host_of(answer.url))
            raise
        fault_point("body decoded")
        status = answer.status_code
        if status != 200 or _OAI_PMH not in content[:2000]:
            self._refuse(answer, content, host)
        return Response(words.redacted(answer.url), status, answer.headers, content)

    def _refuse(self, answer: requests.Response, content: bytes, host: str) -> None:
        """Raises where another than the repository answers, or it is busy or in trouble."""
        status = answer.status_code
        if not _speaks_oai_pmh(content):
            if blocked := words.blocked(answer.url, status, answer.headers, content):
                raise blocked
            if status == 500:
                raise self._refusal(answer)
        if status in _WIDENS_GAP:
            self._turns.widen(host)
        if status in _BUSY:
            raise self._refusal(answer)

    def _refusal(self, answer: requests.Response) -> TransportError:
        message = f"{words.shown(answer.url)} answers {answer.status_code} {words.shown(answer.reason)}"
        asked = _retry_after(answer.headers.get("Retry-After", ""), self._clock.now())
        if asked is None:
            return HttpStatus(message, answer.status_code, "the repository has trouble: try again later")
        if asked > self.limits.retry_after_cap:
            return Deferred(f"{message} and asks us to come back in {_in_words(asked)}", asked)
        error = HttpStatus(message, answer.status_code, "the repository is busy: try again later")
        error.retry_after = asked
        return error

    def _tell_wait(self, seconds: float, failure: BaseException) -> None:
        is_asked = isinstance(failure, HttpStatus) and failure.retry_after is not None
        self._note_wait(seconds, "as the repository asked" if is_asked else f"since {failure}")
        self._on_wait(seconds, str(failure))

    def _pause(self, host: str, seconds: float) -> None:
        self._note_wait(seconds, f"as {host} was busy")
        self._sleep(seconds)

    def _note_wait(self, seconds: float, why: str) -> None:
        self.waiting = Wait(why, format_datestamp(self._clock.now() + timedelta(seconds=seconds)))

    def _propose(self, url: str, moved_to: str) -> None:
        self._notice(
            f"{words.shown(url)} has moved for good to {words.shown(moved_to)}: make that the `url` in "
            "config.toml when it suits you (the next harvest then reads the whole list)"
        )

    def _neighbour_seen(self, host: str) -> None:
        self._notice(f"another windrow is asking {host}, too: the two take turns, a request at a time")

    def _notice(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._on_notice(sentence)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """We follow redirects: requests would read their bodies whole, however far they unpack."""


def _session(contact: str, door: Door) -> requests.Session:
    session = _Session()
    session.headers.update(_headers(contact))
    session.auth = lambda request: request  # or requests would look the host up in ~/.netrc
    look_at_each_connection(session, door)
    return session


def _headers(contact: str) -> dict[str, str]:
    """A repository manager who wonders who we are finds a program and a person."""
    about = f"; mailto:{contact}" if contact else ""
    headers = {
        "User-Agent": f"Windrow/{version('windrow')} (OAI-PMH harvester{about})",
        "Accept-Encoding": "gzip",
        "Cache-Control": "no-cache",  # a stale list has no gap to be seen (FAULTS H21)
        "Accept": "text/xml, application/xml;q=0.9, */*;q=0.1",
    }
    return headers | ({"From": contact} if contact else {})


def _location(answer: requests.Response) -> str | None:
    """http.client reads headers as Latin-1; addresses come in UTF-8."""
    if not answer.is_redirect:
        return None
    return answer.headers["Location"].encode("latin-1").decode("utf-8", "replace")


def _drain(answer: requests.Response) -> None:
    """A short body is read, so that the connection lives on; of a long one, no more."""
    left = body.CHUNK
    while left > 0 and (chunk := answer.raw.read1(left)):
        left -= len(chunk)


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    """What has come: read() would wait for a whole chunk of a body that drips."""
    half = (answer.raw.length_remaining or 0) // 2
    received = 0
    while chunk := answer.raw.read1(body.CHUNK):
        if received <= half < received + len(chunk):
            fault_point("half the body read")
        received += len(chunk)
        yield chunk


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


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


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds < 2 * 3600 else f"{seconds / 3600:.0f} hours"


def _speaks_oai_pmh(content: bytes) -> bool:
    """Some servers answer an OAI-PMH error with status 500 (FAULTS H11)."""
    return _OAI_PMH in content[:2000] and b"<error" in content
