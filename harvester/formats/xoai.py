"""XOAI, the internal form of DSpace's OAI server: elements named by attributes, nested, and the files.

`<element name="dc"><element name="date"><element name="issued"><element name="en"><field name="value">`.
"""

from collections.abc import Iterator

import msgspec
from lxml.etree import _Element

from harvester.formats import _dspace
from harvester.formats._reading import find, local, value
from harvester.record import File, Record

# What stands beside the schemas of metadata.
_OTHERS = {"bundles", "others", "repository", "license"}


def accepts(element: _Element) -> bool:
    return local(element.tag) == "metadata" and any(
        local(child.tag) == "element" and child.get("name") for child in element.iterchildren("*")
    )


def normalise(element: _Element) -> Record:
    record = _dspace.record("xoai", _fields(element))
    files = tuple(_files(element))
    return msgspec.structs.replace(record, files=files or record.files)


def _fields(element: _Element) -> Iterator[_dspace.Field]:
    for schema in find(element, "element"):
        name = schema.get("name", "")
        if name == "others":
            yield from _own_handle(schema)
        elif name not in _OTHERS:
            for path, said in _values(schema):
                yield _field(name, path, said)


def _own_handle(others: _Element) -> Iterator[_dspace.Field]:
    for field in find(others, "field"):
        if field.get("name") == "handle" and value(field):
            yield _dspace.Field("dc", "identifier.uri", f"https://hdl.handle.net/{value(field)}")


def _values(element: _Element, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for child in find(element, "element"):
        yield from _values(child, (*path, child.get("name", "")))
    for field in find(element, "field"):
        if field.get("name") == "value" and value(field):
            yield path, value(field)


def _field(schema: str, path: tuple[str, ...], said: str) -> _dspace.Field:
    """The innermost name is the language; `none` stands for none."""
    *names, language = path if len(path) > 1 else (*path, "none")
    return _dspace.Field(schema, ".".join(names), said, "" if language == "none" else language)


def _files(element: _Element) -> Iterator[File]:
    """Of the bundle ORIGINAL: the others are thumbnails, extracted text and the deposit licence."""
    for bundle in find(element, "element/element"):
        if bundle.get("name") == "bundle" and _said(bundle).get("name", "ORIGINAL") == "ORIGINAL":
            for stream in find(bundle, ".//element"):
                if stream.get("name") == "bitstream" and (said := _said(stream)).get("url"):
                    size = said.get("size", "")
                    yield File(said["url"], said.get("format", ""), int(size) if size.isdecimal() else None)


def _said(element: _Element) -> dict[str, str]:
    return {field.get("name", ""): value(field) for field in find(element, "field")}
