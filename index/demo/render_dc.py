"""A work as `oai_dc`, in the order and with the gaps of stock EPrints 3.4: no keywords, no ORCID."""

from collections.abc import Iterator

from lxml import etree

from index.demo.citation import citation
from index.demo.envelope import XSI, locate, new
from index.demo.item import Item, person
from index.demo.vocabulary import TYPES, subject_label

NAMESPACE = "http://www.openarchives.org/OAI/2.0/oai_dc/"
SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
_DC = "http://purl.org/dc/elements/1.1/"


def render(item: Item) -> etree._Element:
    root = new(NAMESPACE, "dc", "oai_dc", dc=_DC, xsi=XSI)
    locate(root, NAMESPACE, SCHEMA)
    for name, value in _elements(item):
        if value:
            etree.SubElement(root, etree.QName(_DC, name)).text = value
    return root


def _elements(item: Item) -> Iterator[tuple[str, str]]:
    yield "relation", f"{item.uri}/"
    yield "title", item.text("title")
    yield from _people(item)
    yield from (("subject", subject_label(code)) for code in item.several("subjects"))
    yield from ((name, item.text(field)) for name, field in _PLAIN)
    yield "type", TYPES.get(item.text("type"), item.text("type"))
    yield "type", "PeerReviewed" if item.text("refereed") == "TRUE" else "NonPeerReviewed"
    yield from _files(item)
    yield "identifier", citation(item)
    yield "relation", item.text("official_url")
    yield "relation", item.text("id_number")
    yield "identifier", item.text("id_number")
    yield "language", item.text("language")


_PLAIN = (("description", "abstract"), ("publisher", "publisher"), ("date", "date"))


def _people(item: Item) -> Iterator[tuple[str, str]]:
    for name, field in (("creator", "creators"), ("contributor", "editors")):
        yield from ((name, person(entry["name"])) for entry in item.several(field))


def _files(item: Item) -> Iterator[tuple[str, str]]:
    for entry in item.several("documents"):
        yield "format", entry.get("format", "")
        yield "language", entry.get("language", "")
        yield "rights", entry.get("license", "")
        yield "identifier", item.file_url(entry)
