"""The six verbs, a page at a time, on Sickle: its verbs and token walk, our transport and parse.

Sickle's own parse takes half a page for the end of a list, and its own requests have no time limit.
"""

from collections.abc import Iterator, Mapping

from sickle import Sickle
from sickle.iterator import OAIResponseIterator
from sickle.models import ResumptionToken

from harvester.errors import HttpStatus, ProtocolError, ResponseError, UnknownErrorCode
from harvester.fault_point import fault_point
from harvester.oai import response
from harvester.oai.response import Identify, MetadataFormat, Page, Set
from harvester.transport import Response, Transport

_MOST_SET_PAGES = 1000


class _PageIterator(OAIResponseIterator):  # type: ignore[misc]  # Sickle has no types
    """Sickle's walk from token to token; errors have been raised by our parse already."""

    resumption_token: ResumptionToken | None

    def _next_response(self) -> None:
        arguments = dict(self.params)
        if self.resumption_token:
            arguments = {"verb": self.verb, "resumptionToken": self.resumption_token.token}
        self.oai_response = self.sickle.harvest(**arguments)
        self.resumption_token = self._get_resumption_token()

    def _get_resumption_token(self) -> ResumptionToken:
        return ResumptionToken(token=self.oai_response.token)


class Client(Sickle):  # type: ignore[misc]  # Sickle has no types
    """One repository. Raises TransportError, ResponseError or ProtocolError."""

    def __init__(self, url: str, transport: Transport) -> None:
        super().__init__(url, iterator=_PageIterator)
        self._transport = transport

    def harvest(self, **arguments: str) -> Page:
        """Sickle's hook for one exchange; what cannot be read is asked for again (FAULTS X07, X23, P02)."""
        return self._transport.unless_unreadable(lambda: self._page(arguments), _may_pass)

    def pages(self, verb: str, arguments: Mapping[str, str]) -> Iterator[Page]:
        """`verb` is ListRecords or ListIdentifiers; `arguments` may be a resumptionToken alone."""
        walk = self.ListRecords if verb == "ListRecords" else self.ListIdentifiers
        yield from walk(**arguments)

    def identify(self) -> Identify:
        return response.read_identify(self._ask({"verb": "Identify"}))

    def formats(self) -> tuple[MetadataFormat, ...]:
        return response.read_formats(self._ask({"verb": "ListMetadataFormats"}))

    def sets(self) -> Iterator[Set]:
        """All sets, page by page; a list of sets that goes in a circle ends."""
        arguments, seen = {"verb": "ListSets"}, set()
        for _ in range(_MOST_SET_PAGES):
            sets, token = response.read_sets(self._ask(arguments))
            yield from sets
            if not token or token in seen:
                return
            seen.add(token)
            arguments = {"verb": "ListSets", "resumptionToken": token}

    def record(self, identifier: str, metadata_prefix: str) -> Page:
        return self.harvest(verb="GetRecord", identifier=identifier, metadataPrefix=metadata_prefix)

    def _page(self, arguments: Mapping[str, str]) -> Page:
        page = response.read_page(self._ask(arguments), arguments["verb"])
        fault_point("page parsed")
        if page.error is not None and arguments["verb"] == "GetRecord":
            raise page.error
        return page

    def _ask(self, arguments: Mapping[str, str]) -> bytes:
        answer = self._transport.get(self.endpoint, arguments)
        if answer.status >= 400:
            _raise_for(answer)
        return answer.body


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
