"""Bytes → XML: strictly; else repaired and strictly again; else without the records at fault. Pure.

A record is the smallest thing to be repaired or given up: its neighbours on the page are never touched.
Recovery mode is not used at all: it takes half a page for a whole one.
"""

import re
from collections.abc import Mapping

import msgspec
from lxml import etree

from harvester.errors import MalformedXml, NotOaiPmh
from harvester.oai.repair import Repaired, repair, unwrapped

CHECK_ADDRESS = "check the address: it must be the OAI-PMH base URL, not the repository's home page"

_RECORD = re.compile(rb"<((?:[\w.-]+:)?)record(?:\s[^>]*)?>.*?</\1record\s*>", re.DOTALL)
_IDENTIFIER = re.compile(rb"<(?:[\w.-]+:)?identifier(?:\s[^>]*)?>([^<]*)<")
_DATESTAMP = re.compile(rb"<(?:[\w.-]+:)?datestamp(?:\s[^>]*)?>([^<]*)<")
_PROLOG = re.compile(
    rb"\A\s*(?:\xef\xbb\xbf)?\s*(?:<\?[^>]*\?>\s*|<!--(?:(?!-->).)*-->\s*)*<!DOCTYPE\s+(\w*)", re.I | re.S
)
_LOOKED_AT = 65536


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
    if not body.strip():
        raise NotOaiPmh("the answer is empty", "check the address in a browser, or try again later")
    if _has_doctype(body):
        raise NotOaiPmh(f"the answer is no OAI-PMH response but {_named_doctype(body)}", CHECK_ADDRESS)
    try:
        return Parsed(strict(body))
    except etree.XMLSyntaxError as error:
        mended = None if looks_like_html(body) else _mended(body)
        if mended is None:
            raise _refusal(body, error) from error
        return mended


def strict(body: bytes) -> etree._Element:
    """XMLSyntaxError where it is not well-formed to its end; NotOaiPmh where a DTD hides in it."""
    root = etree.fromstring(body, _parser())
    if root.getroottree().docinfo.internalDTD is not None:
        # In UTF-16, or far down: no look at the bytes finds it.
        raise NotOaiPmh("the answer is a document with a DOCTYPE, which is refused", CHECK_ADDRESS)
    return root


def looks_like_html(body: bytes) -> bool:
    start = body[:2000].lower()
    return b"<html" in start or b"<body" in start


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )


def _mended(body: bytes) -> Parsed | None:
    """Record by record, between the page's own head and tail. None where that does not make it whole."""
    document = unwrapped(body)
    spans = [match.span() for match in _RECORD.finditer(document.body)]
    first, last = (spans[0][0], spans[-1][1]) if spans else (len(document.body),) * 2
    head, tail = repair(document.body[:first]), repair(document.body[last:])
    notes = [*document.done, *head.done, *tail.done]
    kept: list[bytes] = []
    sent: dict[int, bytes] = {}
    broken: list[Broken] = []
    for start, end in spans:
        record = document.body[start:end]
        mended = _fitting(head.body, record, tail.body)
        if mended is None:
            broken.append(_broken(record))
            continue
        if mended.done:
            sent[len(kept)] = record
            notes += mended.done
        kept.append(mended.body)
    whole = head.body + b"".join(kept) + tail.body
    return Parsed(strict(whole), sent, tuple(broken), tuple(dict.fromkeys(notes))) if _parses(whole) else None


def _fitting(head: bytes, record: bytes, tail: bytes) -> Repaired | None:
    for attempt in (Repaired(record), repair(record)):
        if _parses(head + attempt.body + tail):
            return attempt
    return None


def _parses(document: bytes) -> bool:
    try:
        strict(document)
    except etree.XMLSyntaxError:
        return False
    return True


def _broken(record: bytes) -> Broken:
    try:
        etree.fromstring(record, _parser())
        reason = "its XML does not fit into the page"
    except etree.XMLSyntaxError as error:
        reason = f"its XML is broken: {error.msg}"
    return Broken(_read(_IDENTIFIER, record), _read(_DATESTAMP, record), record, reason)


def _read(pattern: re.Pattern[bytes], record: bytes) -> str:
    match = pattern.search(record)
    return match[1].decode("utf-8", "replace").strip() if match else ""


def _refusal(body: bytes, error: etree.XMLSyntaxError) -> NotOaiPmh | MalformedXml:
    if looks_like_html(body):
        return NotOaiPmh("the answer is an HTML page, no OAI-PMH response", CHECK_ADDRESS)
    if b"<" not in body[:_LOOKED_AT]:
        return NotOaiPmh("the answer is plain text, no OAI-PMH response", CHECK_ADDRESS)
    if b"OAI-PMH" not in body[:_LOOKED_AT]:
        return NotOaiPmh(
            f"the answer is no OAI-PMH response, and not well-formed XML: {error.msg}", CHECK_ADDRESS
        )
    return MalformedXml(
        f"the answer is not well-formed XML: {error.msg}",
        "the page was cut or is broken: try again later, or tell the repository",
    )


def _has_doctype(body: bytes) -> bool:
    """A DTD can hold entities that unpack without end, or name files: none is ever needed here."""
    return b"<!" in body[:_LOOKED_AT] and _PROLOG.match(body[:_LOOKED_AT]) is not None


def _named_doctype(body: bytes) -> str:
    match = _PROLOG.match(body[:_LOOKED_AT])
    kind = match.group(1).decode("ascii", "replace").lower() if match else ""
    return "an HTML page" if kind == "html" else "a document with a DOCTYPE, which is refused unread"
