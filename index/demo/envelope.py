"""The XML around every answer."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from lxml import etree

from harvester.datestamp import format_datestamp
from harvester.errors import ProtocolError
from index.demo.item import Item

OAI = "http://www.openarchives.org/OAI/2.0/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_DOUBTFUL = ("badVerb", "badArgument")


def new(namespace: str, tag: str, prefix: str | None = None, **nsmap: str) -> etree._Element:
    """An element that declares its own namespace, as the default one unless a prefix is given."""
    declared: dict[str | None, str] = {prefix: namespace}
    declared.update(nsmap)
    return etree.Element(etree.QName(namespace, tag), nsmap=declared)  # type: ignore[arg-type]  # its stubs want no None


def add(parent: etree._Element, tag: str, text: str = "", **attributes: str) -> etree._Element:
    """A child in its parent's namespace."""
    namespace = etree.QName(parent).namespace
    child = etree.SubElement(parent, etree.QName(namespace, tag), attributes)
    child.text = text or None
    return child


def locate(element: etree._Element, namespace: str, schema: str) -> None:
    element.set(etree.QName(XSI, "schemaLocation"), f"{namespace} {schema}")


def envelope(now: datetime, base_url: str, arguments: Mapping[str, str]) -> etree._Element:
    root = new(OAI, "OAI-PMH", xsi=XSI)
    locate(root, OAI, "http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd")
    add(root, "responseDate", format_datestamp(now))
    add(root, "request", base_url, **arguments)
    return root


def fault(now: datetime, base_url: str, arguments: Mapping[str, str], error: ProtocolError) -> etree._Element:
    """Where the request itself is in doubt, its arguments are not repeated."""
    root = envelope(now, base_url, {} if error.code in _DOUBTFUL else arguments)
    add(root, "error", error.message, code=error.code)
    return root


def header(parent: etree._Element, item: Item, set_specs: Iterable[str]) -> etree._Element:
    status = {"status": "deleted"} if item.deleted else {}
    element = add(parent, "header", **status)
    add(element, "identifier", item.identifier)
    add(element, "datestamp", item.datestamp)
    for spec in set_specs:
        add(element, "setSpec", spec)
    return element


def document(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
