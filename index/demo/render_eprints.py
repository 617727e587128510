"""A work as EPrints3 XML: everything the repository knows of it."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

from index.demo.envelope import add, new
from index.demo.item import Item
from index.demo.vocabulary import division_label, subject_label

NAMESPACE = "http://eprints.org/ep2/data/2.0"
SCHEMA = "http://eprints.org/ep2/data/2.0/eprints.xsd"
_LABELS = {"subjects": subject_label, "divisions": division_label}
_OF_THE_FILE = ("main", "mime_type", "hash", "filesize")


def render(item: Item) -> etree._Element:
    root = new(NAMESPACE, "eprints")
    eprint = add(root, "eprint", id=item.uri)
    for name, value in item.fields.items():
        if name == "documents":
            _documents(add(eprint, name), item)
        elif name in _LABELS:
            _labelled(add(eprint, name), name, value)
        elif name != "uri":
            _fill(add(eprint, name), value)
    return root


def _fill(element: etree._Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, part in value.items():
            _fill(add(element, name), part)
    elif isinstance(value, list):
        for part in value:
            _fill(add(element, "item"), part)
    else:
        element.text = str(value)


def _labelled(element: etree._Element, field: str, codes: list[str]) -> None:
    """EPrints gives bare codes; with their labels the sample explains itself."""
    for code in codes:
        add(element, "item", _LABELS[field](code), id=code)


def _documents(element: etree._Element, item: Item) -> None:
    for entry in item.several("documents"):
        number = str(entry.get("docid", entry["pos"]))
        document = add(element, "document", id=f"{_host(item)}/id/document/{number}")
        add(document, "docid", number)
        _file(add(add(document, "files"), "file"), item, entry)
        add(document, "eprintid", str(item.number))
        for name, value in entry.items():
            if name not in ("docid", "hash", "filesize"):
                add(document, name, str(value))


def _file(element: etree._Element, item: Item, entry: Mapping[str, Any]) -> None:
    names = {"main": "filename"}
    for name in _OF_THE_FILE:
        if name in entry:
            add(element, names.get(name, name), str(entry[name]))
    if "hash" in entry:
        add(element, "hash_type", "MD5")
    add(element, "url", item.file_url(entry))


def _host(item: Item) -> str:
    return item.uri.partition("/id/")[0]
