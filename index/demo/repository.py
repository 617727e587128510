"""An OAI-PMH 2.0 repository over a list of works: arguments in, XML out, no network.

respond ─▶ read_arguments ─▶ the verb's method ─▶ envelope
                   └────── ProtocolError ──────▶ fault
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import msgspec
from lxml import etree

from harvester.datestamp import Granularity, format_datestamp
from harvester.errors import ProtocolError
from index.demo import render_dc, render_eprints
from index.demo.envelope import XSI, add, document, envelope, fault, header, locate, new
from index.demo.item import ARCHIVE, Item
from index.demo.selection import Selection, bad_token, from_arguments, from_token, read_arguments
from index.demo.vocabulary import all_sets

PATH = "/cgi/oai2"
FORMATS = {"oai_dc": render_dc, "eprints": render_eprints}
_OAI_IDENTIFIER = "http://www.openarchives.org/OAI/2.0/oai-identifier"


def sample_records() -> list[dict[str, Any]]:
    lines = files("index.demo").joinpath("records.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=dict[str, Any]) for line in lines]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DemoRepository:
    """Answers from `records`, ordered by their number as EPrints does. `base_url` may be set later."""

    def __init__(
        self,
        records: Iterable[Mapping[str, Any]],
        base_url: str = f"http://127.0.0.1{PATH}",
        *,
        page_size: int = 50,
        has_sets: bool = True,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.base_url = base_url
        self.page_size = page_size
        self.has_sets = has_sets
        self.now = now
        self.items = sorted(map(Item, records), key=lambda item: item.number)

    def respond(self, arguments: Sequence[tuple[str, str]]) -> bytes:
        # The protocol dates an answer by when the request came in.
        now = self.now()
        known: dict[str, str] = {}
        try:
            known = read_arguments(arguments)
            root = envelope(now, self.base_url, known)
            self._verbs()[known["verb"]](add(root, known["verb"]), known)
        except ProtocolError as error:
            root = fault(now, self.base_url, known, error)
        return document(root)

    def _verbs(self) -> dict[str, Callable[[etree._Element, Mapping[str, str]], None]]:
        return {
            "Identify": self._identify,
            "ListMetadataFormats": self._list_metadata_formats,
            "ListSets": self._list_sets,
            "GetRecord": self._get_record,
            "ListIdentifiers": self._list,
            "ListRecords": self._list,
        }

    def _identify(self, body: etree._Element, _arguments: Mapping[str, str]) -> None:
        earliest = min((item.changed for item in self.items), default=datetime(2000, 1, 1, tzinfo=UTC))
        add(body, "repositoryName", "Windrow's sample repository")
        add(body, "baseURL", self.base_url)
        add(body, "protocolVersion", "2.0")
        add(body, "adminEmail", f"admin@{ARCHIVE}")
        add(body, "earliestDatestamp", format_datestamp(earliest))
        add(body, "deletedRecord", "persistent")
        add(body, "granularity", Granularity.SECOND.value)
        add(body, "compression", "gzip")
        _describe_identifiers(add(body, "description"))

    def _list_metadata_formats(self, body: etree._Element, arguments: Mapping[str, str]) -> None:
        if "identifier" in arguments and self._find(arguments["identifier"]).deleted:
            raise ProtocolError("The item is deleted: no format is left of it", "noMetadataFormats")
        for prefix, format_ in FORMATS.items():
            element = add(body, "metadataFormat")
            add(element, "metadataPrefix", prefix)
            add(element, "schema", format_.SCHEMA)
            add(element, "metadataNamespace", format_.NAMESPACE)

    def _list_sets(self, body: etree._Element, arguments: Mapping[str, str]) -> None:
        self._expect_sets()
        if "resumptionToken" in arguments:
            raise bad_token()
        for spec, name in all_sets().items():
            element = add(body, "set")
            add(element, "setSpec", spec)
            add(element, "setName", name)

    def _get_record(self, body: etree._Element, arguments: Mapping[str, str]) -> None:
        _expect_format(arguments["metadataPrefix"])
        self._record(body, self._find(arguments["identifier"]), arguments["metadataPrefix"])

    def _list(self, body: etree._Element, arguments: Mapping[str, str]) -> None:
        selection = from_token(arguments) if "resumptionToken" in arguments else from_arguments(arguments)
        _expect_format(selection.prefix)
        if selection.set_spec:
            self._expect_sets()
        found = [item for item in self.items if selection.takes(item)]
        if selection.offset and selection.offset >= len(found):
            raise bad_token()
        if not found:
            raise ProtocolError("No record is in that window and set", "noRecordsMatch")
        self._page(body, found, selection)

    def _page(self, body: etree._Element, found: Sequence[Item], selection: Selection) -> None:
        end = selection.offset + self.page_size
        for item in found[selection.offset : end]:
            if selection.verb == "ListIdentifiers":
                self._header(body, item)
            else:
                self._record(body, item, selection.prefix)
        if len(found) > self.page_size:
            token = selection.token(end) if end < len(found) else ""
            counts = {"completeListSize": str(len(found)), "cursor": str(selection.offset)}
            add(body, "resumptionToken", token, **counts)

    def _record(self, parent: etree._Element, item: Item, prefix: str) -> None:
        record = add(parent, "record")
        self._header(record, item)
        if not item.deleted:
            add(record, "metadata").append(FORMATS[prefix].render(item))

    def _header(self, parent: etree._Element, item: Item) -> None:
        header(parent, item, item.set_specs if self.has_sets else ())

    def _find(self, identifier: str) -> Item:
        for item in self.items:
            if item.identifier == identifier:
                return item
        raise ProtocolError(f"There is no {identifier} here", "idDoesNotExist")

    def _expect_sets(self) -> None:
        if not self.has_sets:
            raise ProtocolError("This repository has no sets", "noSetHierarchy")


def _expect_format(prefix: str) -> None:
    if prefix not in FORMATS:
        raise ProtocolError(f"No record is available as {prefix}", "cannotDisseminateFormat")


def _describe_identifiers(parent: etree._Element) -> None:
    element = new(_OAI_IDENTIFIER, "oai-identifier", xsi=XSI)
    parent.append(element)
    locate(element, _OAI_IDENTIFIER, f"{_OAI_IDENTIFIER}.xsd")
    add(element, "scheme", "oai")
    add(element, "repositoryIdentifier", ARCHIVE)
    add(element, "delimiter", ":")
    add(element, "sampleIdentifier", f"oai:{ARCHIVE}:111396")
