"""The records of a page: header, metadata, and the raw form that is kept. Pure."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import overload

import msgspec
from lxml import etree

from harvester.errors import NotOaiPmh
from harvester.oai.elements import OAI, attribute, children, documents, first_child, string_value
from harvester.oai.parsing import Broken, Parsed, strict

_HEADER = OAI + "header"
_KINDS = {
    written: name
    for name in ("identifier", "datestamp", "setSpec")
    for written in (OAI + name, (OAI + name).lower())
}


# Where the page binds OAI-PMH to a prefix alone, what is inside may have no namespace, and must get none.
_SHELL = (b'<record xmlns="http://www.openarchives.org/OAI/2.0/">', b"</record>")
_PREFIXED_SHELL = (b'<oai:record xmlns:oai="http://www.openarchives.org/OAI/2.0/">', b"</oai:record>")


class Header(msgspec.Struct, frozen=True):
    """Section 2.5 of the specification. `identifier` and `datestamp` as sent, outer white space aside."""

    identifier: str
    datestamp: str
    sets: tuple[str, ...] = ()
    deleted: bool = False


class Item(msgspec.Struct, frozen=True):
    """One record of a list. `raw` parses alone: the record's metadata and about, without its header.

    `sent` is the whole record as it came, where it had to be repaired; `fault` says why one is none.
    """

    header: Header
    metadata: etree._Element | None = None
    raw: bytes = b""
    sent: bytes = b""
    fault: str = ""


class Items(Sequence[Item]):
    """The records of a page, each read when it is first looked at; those at fault come last.

    So the thread that reads ahead only parses, which lxml does beside Python, and leaves the rest to
    the thread that stores.
    """

    def __init__(
        self, elements: Sequence[etree._Element], read: Callable[[etree._Element], Item], parsed: Parsed
    ) -> None:
        self._elements = elements
        self._read = read
        self._parsed = parsed

    @cached_property
    def _items(self) -> tuple[Item, ...]:
        items = list(map(self._read, self._elements))
        for at, sent in self._parsed.sent.items():
            items[at] = msgspec.structs.replace(items[at], sent=sent)
        return (*items, *map(_broken_item, self._parsed.broken))

    def __len__(self) -> int:
        return len(self._elements) + len(self._parsed.broken)

    @overload
    def __getitem__(self, at: int) -> Item: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Item]: ...
    def __getitem__(self, at: int | slice) -> Item | Sequence[Item]:
        return self._items[at]

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)


def items_in(parent: etree._Element, verb: str, parsed: Parsed) -> Items:
    """Those of the element that answers `verb`.

    Some servers wrap the headers of ListIdentifiers, as those of ListRecords are (FAULTS P08).
    """
    if verb == "ListIdentifiers":
        listed = [*children(parent, "header"), *children(parent, "record")]
        return Items(listed, _identifier_item, parsed)
    shell = _SHELL if parent.nsmap.get(None) else _PREFIXED_SHELL
    return Items(children(parent, "record"), partial(_item, shell), parsed)


def read_raw(raw: bytes) -> etree._Element | None:
    """The metadata document of an `Item.raw`."""
    return _document(strict(raw))


def _item(shell: tuple[bytes, bytes], record: etree._Element) -> Item:
    header = _header_in(record)
    facts = _facts(record, header)
    if facts.deleted:
        return Item(facts)
    raw = _standalone(shell, (child for child in record if child is not header))
    return Item(facts, _document(record), raw)


def _identifier_item(listed: etree._Element) -> Item:
    is_header = listed.tag.lower() == _HEADER.lower()
    return Item(_facts(listed, listed if is_header else _header_in(listed)))


def _broken_item(broken: Broken) -> Item:
    return Item(Header(broken.identifier, broken.datestamp), raw=broken.body, fault=broken.reason)


def _header_in(record: etree._Element) -> etree._Element | None:
    header = record.find(_HEADER)
    return header if header is not None else first_child(record, "header")


def _facts(record: etree._Element, header: etree._Element | None) -> Header:
    """Some put the status on the record, for its header (FAULTS L09)."""
    deleted = _is_deleted(record)
    if header is None:
        return Header("", "", deleted=deleted)
    identifier = datestamp = ""
    sets = []
    for child in header:
        kind = _KINDS.get(child.tag) or _KINDS.get(str(child.tag).lower())
        if kind == "identifier":
            identifier = string_value(child)
        elif kind == "datestamp":
            datestamp = string_value(child)
        elif kind == "setSpec":
            sets.append(string_value(child))
    return Header(identifier, datestamp, tuple(sets), deleted or _is_deleted(header))


def _is_deleted(element: etree._Element) -> bool:
    return bool(element.keys()) and attribute(element, "status").lower() == "deleted"


def _standalone(shell: tuple[bytes, bytes], children: Iterator[etree._Element]) -> bytes:
    parts = b"".join(etree.tostring(child, encoding="utf-8", with_tail=False) for child in children)
    return parts.join(shell)


def _document(record: etree._Element) -> etree._Element | None:
    """The first in its <metadata>; or what stands there as text, written as XML (FAULTS X19)."""
    metadata = first_child(record, "metadata")
    if metadata is None:
        return None
    found = next(documents(metadata), None)
    return found if found is not None else _embedded(string_value(metadata))


def _embedded(text: str) -> etree._Element | None:
    if not text.startswith("<"):
        return None
    try:
        return strict(text.encode(), "utf-8")
    except (etree.XMLSyntaxError, NotOaiPmh):
        return None
