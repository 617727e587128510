"""Bytes → Page, Identify, sets, formats; or the protocol's error. Pure: no network, no clock.

Only a strict parse counts: recovery mode takes half a page for the end of a list.
Elements are found by their exact path, for metadata may hold elements of the same names.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from lxml import etree

from harvester.errors import NotOaiPmh, ProtocolError, ResponseError
from harvester.oai.elements import (
    OAI,
    attribute,
    children,
    first_child,
    number,
    string_value,
)
from harvester.oai.error_codes import worst_error
from harvester.oai.items import Item, items_in
from harvester.oai.parsing import CHECK_ADDRESS, Parsed, looks_like_html, parse, parse_parts

_ROOT = OAI + "OAI-PMH"
_LARGE = 16 * 1024 * 1024  # bytes; a tree takes six times that
_ARGUMENTS = ("verb", "identifier", "metadataPrefix", "set", "from", "until", "resumptionToken")


class Page(msgspec.Struct, frozen=True):
    """One response to a list request.

    `token` is None where the element is absent, "" where it is empty: both end the list.
    `repaired` counts the items whose XML had to be repaired. `request` has the arguments that the
    repository says it answers, as far as it says. `error` came beside the items (FAULTS P06): they are
    good, the list is not. `more` of the same response follows (`read_pages`): the list has not ended.
    `replayed`: an earlier answer to the same request may have been lost on its way.
    """

    items: Sequence[Item]
    repaired: int = 0
    response_date: str = ""
    token: str | None = None
    list_size: int | None = None
    request: Mapping[str, str] = {}
    error: ProtocolError | None = None
    more: bool = False
    replayed: bool = False


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
    parsed = _enveloped(parse(body), body)
    error = worst_error(parsed.root)
    if error is not None:
        raise error
    return parsed


def read_page(body: bytes, verb: str) -> Page:
    """`verb` is ListRecords, ListIdentifiers or GetRecord. Errors as `read`, but `Page.error`."""
    return _page(_enveloped(parse(body), body), verb)


def read_pages(body: bytes, verb: str) -> Iterator[Page]:
    """As `read_page`; a huge response (FAULTS C02, K21) as several pages of at most 1,000 items.

    All but the last have `more`, and no token. What breaks off a huge response is raised where it does:
    the pages before it are good, the list has not ended.
    """
    if len(body) <= _LARGE:
        yield read_page(body, verb)
        return
    for parsed, is_last in parse_parts(body):
        page = _page(_enveloped(parsed, body), verb)
        if not is_last and page.token is not None:
            raise ResponseError(f"the answer to {verb} has its resumption token before its last record")
        yield page if is_last else msgspec.structs.replace(page, more=True)


def _page(parsed: Parsed, verb: str) -> Page:
    root = parsed.root
    error = worst_error(root)
    parents = children(root, verb)
    items = items_in(parents[0], verb, parsed) if parents else ()
    if error is not None and not items:
        raise error
    parent = _only(parents, root, verb)
    token = _token(parent, verb)
    return Page(
        items=items,
        repaired=len(parsed.sent),
        response_date=string_value(first_child(root, "responseDate")),
        token=None if token is None else string_value(token),
        list_size=None if token is None else number(attribute(token, "completeListSize")),
        request=_request(first_child(root, "request")),
        error=error,
    )


def _token(parent: etree._Element, verb: str) -> etree._Element | None:
    tokens = children(parent, "resumptionToken")
    if len(tokens) > 1:
        raise ResponseError(f"the answer to {verb} has {len(tokens)} resumption tokens, one is allowed")
    return tokens[0] if tokens else None


def _request(element: etree._Element | None) -> dict[str, str]:
    if element is None:
        return {}
    said = {name: attribute(element, name) for name in _ARGUMENTS}
    return {name: value for name, value in said.items() if value}


def read_identify(body: bytes) -> Identify:
    parent = _verb_element(body, "Identify")

    def text(name: str) -> str:
        return string_value(first_child(parent, name))

    described = parent.iterfind(f"{OAI}description/*")
    return Identify(
        name=text("repositoryName"),
        base_url=text("baseURL"),
        protocol_version=text("protocolVersion"),
        admin_email=text("adminEmail"),
        earliest=text("earliestDatestamp"),
        deleted_record=text("deletedRecord"),
        granularity=text("granularity"),
        response_date=string_value(first_child(parent.getroottree().getroot(), "responseDate")),
        descriptions=tuple(child.tag for child in described if isinstance(child.tag, str)),
    )


def check_version(said: Identify) -> None:
    """ResponseError where it says that it speaks OAI-PMH 1 (FAULTS P11); to say nothing is no fault."""
    if said.protocol_version.startswith("1."):
        raise ResponseError(
            f"the repository speaks OAI-PMH {said.protocol_version}, Windrow speaks 2.0",
            "look for another address of the repository: 1.x was withdrawn in 2002",
        )


def read_formats(body: bytes) -> tuple[MetadataFormat, ...]:
    return tuple(
        MetadataFormat(
            string_value(first_child(listed, "metadataPrefix")),
            string_value(first_child(listed, "metadataNamespace")),
        )
        for listed in children(_verb_element(body, "ListMetadataFormats"), "metadataFormat")
    )


def read_sets(body: bytes) -> tuple[tuple[Set, ...], str | None]:
    """The sets of one page, and its token."""
    parent = _verb_element(body, "ListSets")
    sets = tuple(
        Set(string_value(first_child(listed, "setSpec")), string_value(first_child(listed, "setName")))
        for listed in children(parent, "set")
    )
    token = first_child(parent, "resumptionToken")
    return sets, None if token is None else string_value(token)


def _verb_element(body: bytes, verb: str) -> etree._Element:
    root = read(body).root
    return _only(children(root, verb), root, verb)


def _enveloped(parsed: Parsed, body: bytes) -> Parsed:
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


def _only(parents: Sequence[etree._Element], root: etree._Element, verb: str) -> etree._Element:
    if not parents:
        raise _neither(root, verb)
    if len(parents) > 1:
        raise ResponseError(f"the answer to {verb} has {len(parents)} lists, one is allowed")
    return parents[0]


def _neither(root: etree._Element, verb: str) -> ResponseError:
    others = [etree.QName(child.tag).localname for child in root if isinstance(child.tag, str)]
    return ResponseError(
        f"the answer to {verb} has neither records nor an error, only {', '.join(others) or 'nothing'}",
        "the repository answers wrongly: try again later, or tell it",
    )
