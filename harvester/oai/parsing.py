"""Bytes → XML: strictly; else repaired and strictly again; else without the records at fault. Pure.

A record is the smallest thing to be repaired or given up: its neighbours on the page are never touched.
Recovery mode is not used at all: it takes half a page for a whole one.
"""

import re
from collections.abc import Iterator, Mapping

import msgspec
from lxml import etree

from harvester.errors import MalformedXml, NotOaiPmh
from harvester.oai import cutting
from harvester.oai.elements import adopt
from harvester.oai.repair import ENVELOPE, Repaired, readable, repair, unwrapped

CHECK_ADDRESS = "check the address: it must be the OAI-PMH base URL, not the repository's home page"

_IDENTIFIER = re.compile(rb"<(?:[\w.-]+:)?identifier(?:\s[^<>]*)?>([^<]*)<")
_DATESTAMP = re.compile(rb"<(?:[\w.-]+:)?datestamp(?:\s[^<>]*)?>([^<]*)<")
_PROLOG = re.compile(
    rb"\A\s*+(?:\xef\xbb\xbf)?\s*+(?:<\?[^>]*\?>\s*+|<!--(?:(?!-->).)*-->\s*+)*+<!DOCTYPE\s+(\w*)",
    re.IGNORECASE | re.DOTALL,
)
_LOOKED_AT = 65536
_MOST_REPARSED = 256 * 1024 * 1024  # bytes of head and tail, once for each record
_MEGABYTE = 1024 * 1024
_GIANT = f"it is larger than {cutting.LARGEST_RECORD // _MEGABYTE} MB: only its beginning is kept"


class Broken(msgspec.Struct, frozen=True):
    """A record that cannot be parsed, as it was sent; `identifier` is "" where even that cannot be read."""

    identifier: str
    datestamp: str
    body: bytes
    reason: str


class Parsed(msgspec.Struct, frozen=True):
    """`sent` has the bytes of repaired records as they came, by their place among the page's records."""

    root: etree._Element
    sent: Mapping[int, bytes] = {}
    broken: tuple[Broken, ...] = ()
    notes: tuple[str, ...] = ()


def parse(body: bytes) -> Parsed:
    """NotOaiPmh for what is another kind of document, MalformedXml for what nothing makes whole."""
    _refuse_unread(body)
    try:
        parsed = Parsed(strict(body))
    except etree.XMLSyntaxError as error:
        mended = None if looks_like_html(body) else _mended(body)
        if mended is None:
            raise _refusal(body, error.msg) from error
        parsed = mended
    adopt(parsed.root)
    return parsed


def parse_parts(body: bytes) -> Iterator[tuple[Parsed, bool]]:
    """A huge page, some records at a time, and whether they are the last: its whole tree is never in memory.

    Each part is parsed as `parse` does; what breaks it off is raised there, after the parts before it.
    """
    _refuse_unread(body)
    body, part = readable(body), None
    for part in cutting.parts(body):
        parsed = parse(part.body)
        if part.giant:
            parsed = msgspec.structs.replace(parsed, broken=(*parsed.broken, _told(part.giant, _GIANT)))
        yield parsed, part.is_last
    if part is None:
        raise _refusal(body, f"no records are found in its {len(body) // _MEGABYTE} MB")


def _refuse_unread(body: bytes) -> None:
    if not body.strip():
        raise NotOaiPmh("the answer is empty", "check the address in a browser, or try again later")
    if _has_doctype(body):
        raise NotOaiPmh(f"the answer is no OAI-PMH response but {_named_doctype(body)}", CHECK_ADDRESS)


def strict(body: bytes, encoding: str | None = None) -> etree._Element:
    """XMLSyntaxError where it is not well-formed to its end; NotOaiPmh where a DTD hides in it.

    `encoding` is believed over what the document declares.
    """
    root = etree.fromstring(body, _parser(encoding))
    if root.getroottree().docinfo.internalDTD is not None:
        # In UTF-16, or far down: no look at the bytes finds it.
        raise NotOaiPmh("the answer is a document with a DOCTYPE, which is refused", CHECK_ADDRESS)
    return root


def looks_like_html(body: bytes) -> bool:
    start = body[:2000].lower()
    return b"<html" in start or b"<body" in start


def _parser(encoding: str | None = None) -> etree.XMLParser:
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )


class _Mending:
    """A broken page, put together again record by record between its own head and tail, both repaired."""

    def __init__(self, page: cutting.Cut) -> None:
        head, tail = repair(page.head), repair(page.tail)
        self._around = (head.body, tail.body)
        self._kept = [head.body]
        self._bare = self._at = _record_count(head.body + tail.body)
        self.notes = [*head.done, *tail.done]
        self.sent: dict[int, bytes] = {}
        self.broken: list[Broken] = []
        self.is_hopeless = self._bare < 0 or len(head.body + tail.body) * len(page.records) > _MOST_REPARSED

    def take(self, record: bytes, gap: bytes) -> None:
        if not self._fits(Repaired(record), record):
            mended = repair(record)
            if not mended.done or not self._fits(mended, record):
                self.broken.append(_broken(record))
        self._kept.append(repair(gap).body if gap.strip() else gap)

    def _fits(self, attempt: Repaired, record: bytes) -> bool:
        count = _record_count(attempt.body.join(self._around))
        if count >= 0:
            self._keep(attempt, record, count - self._bare)
        return count >= 0

    def _keep(self, mended: Repaired, record: bytes, count: int) -> None:
        """`count` is 1, but where a record has no header to be told by: it comes with the one before it."""
        if mended.done:
            self.sent |= dict.fromkeys(range(self._at, self._at + count), record)
            self.notes += mended.done
        self._at += count
        self._kept.append(mended.body)

    def whole(self) -> bytes:
        return b"".join(self._kept) + self._around[1]


def _mended(body: bytes) -> Parsed | None:
    """None where that does not make it whole."""
    document = unwrapped(body)
    page = cutting.cut(document.body)
    mending = _Mending(page)
    if mending.is_hopeless:
        return None
    for record, gap in page.records:
        mending.take(record, gap)
    try:
        root = strict(mending.whole())
    except etree.XMLSyntaxError:
        return None
    notes = tuple(dict.fromkeys([*document.done, *mending.notes]))
    return Parsed(root, mending.sent, tuple(mending.broken), notes)


def _record_count(document: bytes) -> int:
    """Its records, or headers; -1 where it does not parse."""
    try:
        root = strict(document)
    except etree.XMLSyntaxError:
        return -1
    return sum(etree.QName(child).localname in ("record", "header") for child in root.iterfind("*/*"))


def _broken(record: bytes) -> Broken:
    try:
        etree.fromstring(record, _parser())
        return _told(record, "its XML does not fit into the page")
    except etree.XMLSyntaxError as error:
        return _told(record, f"its XML is broken: {error.msg}")


def _told(record: bytes, reason: str) -> Broken:
    return Broken(_read(_IDENTIFIER, record), _read(_DATESTAMP, record), record, reason)


def _read(pattern: re.Pattern[bytes], record: bytes) -> str:
    match = pattern.search(record)
    return match[1].decode("utf-8", "replace").strip() if match else ""


def _refusal(body: bytes, why: str) -> NotOaiPmh | MalformedXml:
    if looks_like_html(body):
        return NotOaiPmh("the answer is an HTML page, no OAI-PMH response", CHECK_ADDRESS)
    if b"<" not in body[:_LOOKED_AT]:
        return NotOaiPmh("the answer is plain text, no OAI-PMH response", CHECK_ADDRESS)
    if not ENVELOPE.search(body[:_LOOKED_AT]):
        return NotOaiPmh(f"the answer is no OAI-PMH response, and not well-formed XML: {why}", CHECK_ADDRESS)
    return MalformedXml(
        f"the answer is not well-formed XML: {why}",
        "the page was cut or is broken: try again later, or tell the repository",
    )


def _has_doctype(body: bytes) -> bool:
    """A DTD can hold entities that unpack without end, or name files: none is ever needed here."""
    return b"<!" in body[:_LOOKED_AT] and _PROLOG.match(body[:_LOOKED_AT]) is not None


def _named_doctype(body: bytes) -> str:
    match = _PROLOG.match(body[:_LOOKED_AT])
    kind = match.group(1).decode("ascii", "replace").lower() if match else ""
    return "an HTML page" if kind == "html" else "a document with a DOCTYPE, which is refused unread"
