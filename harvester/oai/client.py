"""The six verbs, a page at a time, on Sickle: its verbs and token walk, our transport and parse.

Sickle's own parse takes half a page for the end of a list, and its own requests have no time limit.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import TypeVar

import msgspec
from sickle import Sickle
from sickle.iterator import OAIResponseIterator
from sickle.models import ResumptionToken

from harvester.errors import HttpStatus, ProtocolError, ResponseError, UnknownErrorCode
from harvester.fault_point import fault_point
from harvester.oai import response
from harvester.oai.agreement import check_record, check_request
from harvester.oai.manner import Manner
from harvester.oai.response import Identify, MetadataFormat, Page, Set
from harvester.transport import Response, Transport, own_arguments

Answer = TypeVar("Answer")

_MOST_SET_PAGES = 1000


class _PageIterator(OAIResponseIterator):  # type: ignore[misc]  # Sickle has no types
    """Sickle's walk from token to token; errors have been raised by our parse already."""

    oai_response: Iterator[Page]
    resumption_token: ResumptionToken | None

    def __init__(self, client: "Client", arguments: Mapping[str, str], of: Mapping[str, str]) -> None:
        self._of = of
        super().__init__(client, dict(arguments))

    def next(self) -> Page:
        """A response, or a part of a huge one: only the last part of it has the token."""
        while (page := next(self.oai_response, None)) is None:
            if self.resumption_token is None or not self.resumption_token.token:
                raise StopIteration
            self._next_response()
        if not page.more:
            self.resumption_token = ResumptionToken(token=page.token)
        return page

    def _next_response(self) -> None:
        arguments = dict(self.params)
        if self.resumption_token:
            arguments = {"verb": self.verb, "resumptionToken": self.resumption_token.token}
        self.oai_response = self.sickle.harvest(self._of, **arguments)


class Client(Sickle):  # type: ignore[misc]  # Sickle has no types
    """One repository. Raises TransportError, ResponseError or ProtocolError."""

    def __init__(self, url: str, transport: Transport) -> None:
        super().__init__(url, iterator=_PageIterator)
        self._transport = transport
        self._manner = Manner()

    def harvest(self, of: Mapping[str, str], /, **arguments: str) -> Iterator[Page]:
        """Sickle's hook for one exchange; what cannot be read is asked for again (FAULTS X07, X23, P02)."""
        return self._transport.unless_unreadable(lambda: self._parts(arguments, of), _may_pass)

    def pages(
        self, verb: str, arguments: Mapping[str, str], of: Mapping[str, str] | None = None
    ) -> Iterator[Page]:
        """`verb` is ListRecords or ListIdentifiers; `arguments` may be a resumptionToken alone.

        `of` is what the list was first asked for with, where `arguments` are a token of it.
        """
        if of is None:
            of = {} if "resumptionToken" in arguments else arguments
        yield from _PageIterator(self, {"verb": verb, **arguments}, of)

    def identify(self) -> Identify:
        return response.read_identify(self._ask({"verb": "Identify"}))

    def formats(self) -> tuple[MetadataFormat, ...]:
        return response.read_formats(self._ask({"verb": "ListMetadataFormats"}))

    def sets(self) -> Iterator[Set]:
        """All sets, page by page; a list of sets that goes in a circle ends."""
        arguments, seen = {"verb": "ListSets"}, set()
        for _ in range(_MOST_SET_PAGES):
            sets, token = self._read(response.read_sets, arguments, {})
            yield from sets
            if not token or token in seen:
                return
            seen.add(token)
            arguments = {"verb": "ListSets", "resumptionToken": token}

    def record(self, identifier: str, metadata_prefix: str) -> Page:
        """ResponseError where it is another record that comes."""
        asked = {"identifier": identifier, "metadataPrefix": metadata_prefix}
        return next(self.harvest(asked, verb="GetRecord", **asked))

    def _parts(self, arguments: Mapping[str, str], of: Mapping[str, str]) -> Iterator[Page]:
        """One page; several of a huge response, of which the first has been read."""
        verb, replayed = arguments["verb"], self._transport.retries
        page, others = self._read(lambda body: _first_of(response.read_pages(body, verb)), arguments, of)
        fault_point("page parsed")
        if page.error is not None and verb == "GetRecord":
            raise page.error
        check_request(page.request, own_arguments(self.endpoint) | {**of, "verb": verb})
        if verb == "GetRecord":
            check_record(page, of["identifier"])
        if self._transport.retries > replayed:
            page = msgspec.structs.replace(page, replayed=True)
        return chain((page,), others)

    def _read(
        self, read: Callable[[bytes], Answer], arguments: Mapping[str, str], of: Mapping[str, str]
    ) -> Answer:
        """A token that is refused is sent once more in another manner, which is kept where it works."""

        def ask(manner: Manner) -> Answer:
            answer = read(self._ask(manner.dressed(arguments, of), verbatim=manner.verbatim))
            self._manner = manner.worked(arguments)
            return answer

        try:
            return ask(self._manner)
        except (ProtocolError, HttpStatus) as refusal:
            other = self._manner.after(refusal, arguments, of)
            if other is None:
                raise
            try:
                return ask(other)
            except (ProtocolError, HttpStatus):
                raise refusal from None

    def _ask(self, arguments: Mapping[str, str], *, verbatim: bool = False) -> bytes:
        answer = self._transport.get(self.endpoint, arguments, verbatim="resumptionToken" if verbatim else "")
        if answer.status >= 400:
            _raise_for(answer)
        return answer.body


def _first_of(pages: Iterator[Page]) -> tuple[Page, Iterator[Page]]:
    return next(pages), pages


def _may_pass(error: BaseException) -> bool:
    """A cut page, a page of HTML, trouble that the repository has no code for. Identify is not asked again:
    a wrong address is told at once.
    """
    return isinstance(error, ResponseError | UnknownErrorCode)


def _raise_for(answer: Response) -> None:
    """An OAI-PMH error keeps its meaning whatever the status it came with (Zenodo: 422)."""
    try:
        response.read(answer.body)
    except ProtocolError:
        raise
    except ResponseError:
        pass
    raise HttpStatus(_sentence(answer), answer.status, _ADVICE.get(answer.status, "check the address"))


def _sentence(answer: Response) -> str:
    return f"{answer.url} answers HTTP {answer.status}"


_ADVICE = {
    404: "there is nothing there: OAI-PMH is often at …/cgi/oai2 (EPrints), …/oai/request (DSpace) or …/oai",
    410: "the address is gone for good: look for the new one",
}
