"""The ways to a detail, the richest first: EPrints3 XML, oai_openaire, BibTeX; and which of them is open.

Since 3.4.6 an EPrints refuses its XML to the public unless its manager says otherwise. oai_openaire has
ORCIDs, keywords, licences and the journal; BibTeX has no ORCID, and question marks for many a letter.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from harvester.errors import (
    Blocked,
    CannotDisseminateFormat,
    Deferred,
    FormatError,
    HttpStatus,
    ProtocolError,
    ResponseError,
    WindrowError,
)
from harvester.forms import read_detail
from harvester.oai.client import Client
from harvester.transport import Transport

XML, OPENAIRE, BIBTEX = "xml", "oai_openaire", "bibtex"
TOLD = {XML: "EPrints3 XML", OPENAIRE: "oai_openaire records", BIBTEX: "BibTeX"}
MOST_PROBED = 3
_OF_THE_PROTOCOL = re.compile(r"/(?:cgi|perl)/.*")  # old ones redirect from /perl/oai2
_EPRINTID = re.compile(rb"<eprintid>\s*(\d{1,15})\s*<")
_FOR_ALL = (Blocked, CannotDisseminateFormat)
_FOR_ONE = (FormatError, ResponseError, ProtocolError)


class Exports:
    """What the EPrints at `url`, its OAI-PMH address, gives of a single item, or of a year."""

    def __init__(self, url: str, transport: Transport) -> None:
        self._transport = transport
        self._base = _OF_THE_PROTOCOL.sub("", url)
        self._client = Client(url, transport)
        self._probed: dict[tuple[str, str], bytes] = {}
        self._asked: Mapping[str, Callable[[str], bytes]] = {
            XML: self._xml,
            OPENAIRE: self._openaire,
            BIBTEX: lambda identifier: self._item(identifier, "BibTeX", "bib"),
        }

    def fetch(self, way: str, identifier: str) -> bytes:
        """A detail that can be read. WindrowError; FormatError where what comes is none."""
        if (kept := self._probed.pop((way, identifier), None)) is not None:
            return kept
        body = self._asked[way](identifier)
        read_detail(body)
        return body

    def year(self, year: int) -> bytes:
        """The EPrints3 XML of all items of a year, where the repository has that view."""
        return self._export(f"/cgi/exportview/year/{year}/XML/{year}.xml")

    def open_way(self, identifiers: Sequence[str], last: str = "") -> str:
        """The richest that gives one of these records; "" where none does.

        Of a way that was open the `last` time, a refusal may be of one record only.
        """
        for way in self._asked:
            if self._is_open(way, identifiers, was_open=way == last):
                return way
        return ""

    def _is_open(self, way: str, identifiers: Sequence[str], *, was_open: bool) -> bool:
        for identifier in identifiers:
            try:
                self._probed[way, identifier] = self.fetch(way, identifier)
            except WindrowError as error:
                if isinstance(error, _FOR_ALL) and not was_open:
                    return False
                if not isinstance(error, _FOR_ALL) and not is_of_one(error):
                    raise
            else:
                return True
        return False

    def _xml(self, identifier: str) -> bytes:
        body = self._item(identifier, "XML", "xml")
        told = _EPRINTID.search(body)
        if told and int(told[1]) != number_of(identifier):
            raise FormatError(f"another eprint came as its detail, number {int(told[1])}")
        return body

    def _item(self, identifier: str, plugin: str, ending: str) -> bytes:
        number = number_of(identifier)
        return self._export(f"/cgi/export/eprint/{number}/{plugin}/eprint-{number}.{ending}")

    def _openaire(self, identifier: str) -> bytes:
        items = self._client.record(identifier, OPENAIRE).items
        if len(items) != 1 or items[0].fault or not items[0].raw:
            raise FormatError("what came as its detail is no record")
        return items[0].raw

    def _export(self, path: str) -> bytes:
        answer = self._transport.get(self._base + path, {})
        if answer.status >= 400:
            raise HttpStatus(f"{answer.url} answers HTTP {answer.status}", answer.status)
        return answer.body


def number_of(identifier: str) -> int:
    """The eprint's, which ends its OAI identifier."""
    number = identifier.rpartition(":")[2]
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise FormatError(f"{identifier} does not end in the number of an eprint")
    return int(number)


def is_of_one(error: WindrowError) -> bool:
    """This record has no detail; the next may have one."""
    if isinstance(error, HttpStatus):
        return error.status in (404, 410)
    return isinstance(error, _FOR_ONE)


def is_refusal(error: WindrowError) -> bool:
    """The repository does not want to be asked any more, for now."""
    if isinstance(error, HttpStatus):
        return error.status == 429
    return isinstance(error, Blocked | Deferred)
