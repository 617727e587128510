"""Bytes → Page, Identify, sets, formats; or the protocol's error. Pure: no network, no clock.

Only a strict parse counts: recovery mode takes half a page for the end of a list.
Elements are found by their exact path, for metadata may hold elements of the same names.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

import msgspec
from lxml import etree

from harvester import errors
from harvester.errors import NotOaiPmh, ProtocolError, ResponseError
from harvester.oai.parsing import CHECK_ADDRESS, Broken, Parsed, looks_like_html, parse, strict

OAI = "{http://www.openarchives.org/OAI/2.0/}"
_ROOT = OAI + "OAI-PMH"
_MOST_DIGITS = 18

_ARGUMENTS = ("verb", "identifier", "metadataPrefix", "set", "from", "until", "resumptionToken")

_ERRORS: dict[str, type[ProtocolError]] = {
    "badVerb": errors.BadVerb,
    "badArgument": errors.BadArgument,
    "badResumptionToken": errors.BadResumptionToken,
    "cannotDisseminateFormat": errors.CannotDisseminateFormat,
    "idDoesNotExist": errors.IdDoesNotExist,
    "noRecordsMatch": errors.NoRecordsMatch,
    "noMetadataFormats": errors.NoMetadataFormats,
    "noSetHierarchy": errors.NoSetHierarchy,
}

_ADVICE = {
    "badArgument": "`windrow check URL` says what there is; correct the source in config.toml",
    "badResumptionToken": "the repository has lost its place in the list: harvest again",
    "cannotDisseminateFormat": "`windrow check URL` lists its formats; correct its `metadata_prefix`",
    "noSetHierarchy": "take `set` out of the source in config.toml: this repository has no sets",
}


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


class Page(msgspec.Struct, frozen=True):
    """One response to a list request.

    `token` is None where the element is absent, "" where it is empty: both end the list.
    `repaired` counts the items whose XML had to be repaired. `request` has the arguments that the
    repository says it answers, as far as it says. `error` came beside the items (FAULTS P06): they are
    good, the list is not.
    """

    items: Sequence[Item]
    repaired: int = 0
    response_date: str = ""
    token: str | None = None
    list_size: int | None = None
    request: Mapping[str, str] = {}
    error: ProtocolError | None = None
    more: bool = False


class Identify(msgspec.Struct, frozen=True):
    """Section 4.2; what is missing is "". `descriptions` are the root tags in its description containers."""

    name: str = ""
    base_url: str = ""
    protocol_version: str = ""
    admin_email: str = ""
    earliest: str = ""
    deleted_record: str = ""
    granularity: str = ""
    response_date: str = ""
    descriptions: tuple[str, ...] = ()


class MetadataFormat(msgspec.Struct, frozen=True):
    prefix: str
    namespace: str = ""


class Set(msgspec.Struct, frozen=True):
    spec: str
    name: str = ""


def read(body: bytes) -> Parsed:
    """An OAI-PMH response without errors. ResponseError or ProtocolError otherwise."""
    parsed = _envelope(body)
    error = _worst_error(parsed.root)
    if error is not None:
        raise error
    return parsed


def read_page(body: bytes, verb: str) -> Page:
    """`verb` is ListRecords, ListIdentifiers or GetRecord. Errors as `read`, but `Page.error`."""
    parsed = _envelope(body)
    root = parsed.root
    error = _worst_error(root)
    parent = root.find(OAI + verb)
    items = () if parent is None else _items(parent, verb, parsed)
    if error is not None and not items:
        raise error
    if parent is None:
        raise _neither(root, verb)
    token = _token(parent, verb)
    return Page(
        items=items,
        repaired=len(parsed.sent),
        response_date=_text(root.find(OAI + "responseDate")),
        token=None if token is None else _text(token),
        list_size=None if token is None else _count(token.get("completeListSize", "")),
        request=_request(root.find(OAI + "request")),
        error=error,
    )


def _items(parent: etree._Element, verb: str, parsed: Parsed) -> Items:
    if verb == "ListIdentifiers":
        return Items(parent.findall(OAI + "header"), _identifier_item, parsed)
    return Items(parent.findall(OAI + "record"), _item, parsed)


def _token(parent: etree._Element, verb: str) -> etree._Element | None:
    tokens = parent.findall(OAI + "resumptionToken")
    if len(tokens) > 1:
        raise ResponseError(f"the answer to {verb} has {len(tokens)} resumption tokens, one is allowed")
    return tokens[0] if tokens else None


def _request(element: etree._Element | None) -> dict[str, str]:
    if element is None:
        return {}
    said = {str(name).lower(): str(value).strip() for name, value in element.items()}
    return {name: said[name.lower()] for name in _ARGUMENTS if name.lower() in said}


def read_identify(body: bytes) -> Identify:
    root = read(body).root
    parent = _verb_element(root, "Identify")

    def text(name: str) -> str:
        return _text(parent.find(OAI + name))

    described = parent.iterfind(f"{OAI}description/*")
    return Identify(
        name=text("repositoryName"),
        base_url=text("baseURL"),
        protocol_version=text("protocolVersion"),
        admin_email=text("adminEmail"),
        earliest=text("earliestDatestamp"),
        deleted_record=text("deletedRecord"),
        granularity=text("granularity"),
        response_date=_text(root.find(OAI + "responseDate")),
        descriptions=tuple(child.tag for child in described if isinstance(child.tag, str)),
    )


def read_formats(body: bytes) -> tuple[MetadataFormat, ...]:
    parent = _verb_element(read(body).root, "ListMetadataFormats")
    return tuple(
        MetadataFormat(
            _text(child.find(OAI + "metadataPrefix")), _text(child.find(OAI + "metadataNamespace"))
        )
        for child in parent.iterfind(OAI + "metadataFormat")
    )


def read_sets(body: bytes) -> tuple[tuple[Set, ...], str | None]:
    """The sets of one page, and its token."""
    parent = _verb_element(read(body).root, "ListSets")
    sets = tuple(
        Set(_text(child.find(OAI + "setSpec")), _text(child.find(OAI + "setName")))
        for child in parent.iterfind(OAI + "set")
    )
    token = parent.find(OAI + "resumptionToken")
    return sets, None if token is None else _text(token)


def _envelope(body: bytes) -> Parsed:
    parsed = parse(body)
    if parsed.root.tag != _ROOT:
        described = _described(parsed.root, body)
        raise NotOaiPmh(f"the answer is no OAI-PMH response but {described}", CHECK_ADDRESS)
    return parsed


def _described(root: etree._Element, body: bytes) -> str:
    name = etree.QName(root.tag)
    if name.localname.lower() == "html" or looks_like_html(body):
        return "an HTML page"
    if name.localname == "OAI-PMH":
        return f"an OAI-PMH response of another version ({name.namespace or 'no namespace'})"
    return f"an XML document <{name.localname}> ({name.namespace or 'no namespace'})"


def _error(element: etree._Element) -> ProtocolError:
    code = element.get("code", "")
    said = _text(element)[:300]
    kind = _ERRORS.get(code, errors.UnknownErrorCode)
    return kind(
        f"the repository answers {code or 'an error without a code'}" + (f": {said}" if said else ""),
        code,
        _ADVICE.get(code, "try again later, or tell the repository"),
    )


def _worst_error(root: etree._Element) -> ProtocolError | None:
    """Several errors may come together; "nothing matches" is the only harmless one."""
    found = [_error(element) for element in root.findall(OAI + "error")]
    harmful = (error for error in found if not isinstance(error, errors.NoRecordsMatch))
    return next(harmful, found[0] if found else None)


def _verb_element(root: etree._Element, verb: str) -> etree._Element:
    parent = root.find(OAI + verb)
    if parent is None:
        raise _neither(root, verb)
    return parent


def _neither(root: etree._Element, verb: str) -> ResponseError:
    others = [etree.QName(child.tag).localname for child in root if isinstance(child.tag, str)]
    return ResponseError(
        f"the answer to {verb} has neither records nor an error, only {', '.join(others) or 'nothing'}",
        "the repository answers wrongly: try again later, or tell it",
    )


def _item(record: etree._Element) -> Item:
    header = record.find(OAI + "header")
    facts = Header("", "") if header is None else _header(header)
    metadata = record.find(OAI + "metadata")
    documents = () if metadata is None else tuple(_elements(metadata))
    if facts.deleted:
        return Item(facts)
    raw = _standalone(child for child in record if child is not header)
    return Item(facts, documents[0] if documents else None, raw)


def _broken_item(broken: Broken) -> Item:
    return Item(Header(broken.identifier, broken.datestamp), raw=broken.body, fault=broken.reason)


def _identifier_item(header: etree._Element) -> Item:
    return Item(_header(header))


def _header(element: etree._Element) -> Header:
    identifier = datestamp = ""
    sets = []
    for child in element:
        if child.tag == _IDENTIFIER:
            identifier = _text(child)
        elif child.tag == _DATESTAMP:
            datestamp = _text(child)
        elif child.tag == _SET_SPEC:
            sets.append(_text(child))
    deleted = element.get("status", "").strip().lower() == "deleted"
    return Header(identifier, datestamp, tuple(sets), deleted)


_IDENTIFIER, _DATESTAMP, _SET_SPEC = OAI + "identifier", OAI + "datestamp", OAI + "setSpec"


def _standalone(children: Iterator[etree._Element]) -> bytes:
    parts = b"".join(etree.tostring(child, encoding="utf-8", with_tail=False) for child in children)
    return b'<record xmlns="http://www.openarchives.org/OAI/2.0/">' + parts + b"</record>"


def read_raw(raw: bytes) -> etree._Element | None:
    """The metadata document of an `Item.raw`."""
    record = strict(raw)
    metadata = record.find(OAI + "metadata")
    return None if metadata is None else next(_elements(metadata), None)


def _elements(parent: etree._Element) -> Iterator[etree._Element]:
    return (child for child in parent if isinstance(child.tag, str))


def _text(element: etree._Element | None) -> str:
    """The whole string value: `.text` stops at a comment or a CDATA border."""
    if element is None:
        return ""
    text = element.text if len(element) == 0 else "".join(map(str, element.itertext()))
    return (text or "").strip(" \t\r\n")


def _count(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
