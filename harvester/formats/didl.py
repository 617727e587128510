"""DIDL (MPEG-21), a container: EPrints' oai_dc or a Dutch repository's MODS, and the addresses of files."""

from collections.abc import Iterator

from lxml.etree import _Element

from harvester.clean import text
from harvester.formats._reading import find, local, value
from harvester.formats._wrapped import Wrapped
from harvester.record import File

_OF_FILES = ("accessRights", "description", "dateSubmitted", "available")
# Statements about the parts of the container itself.
_OWN = {"ObjectType", "type", "Identifier", "modified", "created", "issued", "accessRights", "rights"}


def accepts(element: _Element) -> bool:
    return local(element.tag) == "DIDL"


def unwrap(element: _Element) -> Wrapped:
    holders = [*find(element, ".//Resource"), *find(element, ".//Statement")]
    inside = (child for holder in holders for child in holder.iterchildren("*"))
    found = [child for child in inside if local(child.tag) not in _OWN and len(child)]
    return Wrapped("didl", tuple(found), tuple(_files(element)), _said(element))


def _said(element: _Element) -> dict[str, tuple[str, ...]]:
    """Of the files, without saying of which (Dutch repositories: access, and the version in words)."""
    said = {field: map(value, find(element, f".//Statement/{field}")) for field in _OF_FILES}
    return {field: found for field, values in said.items() if (found := text.unique(values))}


def _files(element: _Element) -> Iterator[File]:
    for item in find(element, ".//Item"):
        if not _is_description(item):
            for resource in find(item, "Component/Resource"):
                if resource.get("ref") and "html" not in resource.get("mimeType", ""):
                    yield File(resource.get("ref", ""), resource.get("mimeType", ""))


def _is_description(item: _Element) -> bool:
    """A page for people, or the metadata, says so in text, or in an attribute (the Netherlands)."""
    kinds = [
        kind
        for path in ("ObjectType", "type")
        for one in find(item, f"Descriptor/Statement/{path}")
        for kind in (value(one), *one.attrib.values())
    ]
    return any(str(kind).endswith(("humanStartPage", "descriptiveMetadata")) for kind in kinds)
