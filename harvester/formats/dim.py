"""DIM, DSpace's internal fields as attributes: `<field mdschema="dc" element="date" qualifier="issued">`."""

from collections.abc import Iterator

from lxml.etree import _Element

from harvester.formats import _dspace
from harvester.formats._reading import find, local, value
from harvester.record import Record


def accepts(element: _Element) -> bool:
    return local(element.tag) in ("dim", "dimList") or any(
        child.get("mdschema") for child in find(element, "field")
    )


def normalise(element: _Element) -> Record:
    return _dspace.record("dim", _fields(element))


def _fields(element: _Element) -> Iterator[_dspace.Field]:
    for field in find(element, ".//field"):
        if said := value(field):
            name = ".".join(filter(None, (field.get("element", ""), field.get("qualifier", ""))))
            language = field.get("lang") or field.get("language") or ""
            yield _dspace.Field(field.get("mdschema", "dc"), name, said, language)
