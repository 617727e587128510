"""DIDL (MPEG-21), a container: EPrints' oai_dc or a Dutch repository's MODS, and the addresses of files."""

from collections.abc import Iterator

from lxml.etree import _Element

from harvester.clean import text
from harvester.formats._reading import find, local, value
from harvester.formats._wrapped import Wrapped
from harvester.record import File

_OF_FILES = ("accessRights", "description", "dateSubmitted", "available")
_ACCESS = {"OpenAccess": "open", "RestrictedAccess": "restricted", "ClosedAccess": "restricted"}
_VERSIONS = {
    "publisher's version": "published", "author's version": "accepted", "publishedversion": "published",
    "acceptedversion": "accepted", "submittedversion": "submitted",
}  # fmt: skip
# Statements about the parts of the container itself.
_OWN = {"ObjectType", "type", "Identifier", "modified", "created", "issued", "accessRights", "rights"}


def accepts(element: _Element) -> bool:
    return local(element.tag) == "DIDL"


def unwrap(element: _Element) -> Wrapped:
    holders = [*find(element, ".//Resource"), *find(element, ".//Statement")]
    inside = (child for holder in holders for child in holder.iterchildren("*"))
    found = [child for child in inside if local(child.tag) not in _OWN and len(child)]
    files = tuple(_files(element))
    return Wrapped("didl", tuple(found), files, _said(element), _number(element), _page(element))


def _number(element: _Element) -> str:
    """The Netherlands' `urn:nbn:nl:ui:22-2066/161841`; EPrints says the address of its page."""
    said = (value(one) for one in find(element, "Item/Descriptor/Statement/Identifier"))
    return next((one for one in said if one.startswith("urn:")), "")


def _page(element: _Element) -> str:
    pages = (
        one for item in find(element, ".//Item") if "humanStartPage" in _kinds(item) for one in _refs(item)
    )
    return next((one.get("ref", "") for one in pages), "")


def _said(element: _Element) -> dict[str, tuple[str, ...]]:
    """Of the files, without saying of which (Dutch repositories: access, and the version in words)."""
    said = {field: map(value, find(element, f".//Statement/{field}")) for field in _OF_FILES}
    return {field: found for field, values in said.items() if (found := text.unique(values))}


def _files(element: _Element) -> Iterator[File]:
    for item in find(element, ".//Item"):
        if not {"humanStartPage", "descriptiveMetadata"} & _kinds(item) and not find(item, "Item"):
            said = [value(one) for field in _OF_FILES for one in find(item, f"Descriptor/Statement/{field}")]
            access = next((found for one in said if (found := _ACCESS.get(one.rsplit("/", 1)[-1]))), "")
            version = next((found for one in said if (found := _VERSIONS.get(one.lower()))), "")
            for resource in _refs(item):
                if "html" not in resource.get("mimeType", ""):
                    media = resource.get("mimeType", "")
                    yield File(resource.get("ref", ""), media, access=access, version=version)


def _refs(item: _Element) -> list[_Element]:
    return [one for one in find(item, "Component/Resource") if one.get("ref")]


def _kinds(item: _Element) -> set[str]:
    """What it is, in text or in an attribute (the Netherlands): the last word of an address."""
    return {
        str(kind).rsplit("/", 1)[-1]
        for path in ("ObjectType", "type")
        for one in find(item, f"Descriptor/Statement/{path}")
        for kind in (value(one), *one.attrib.values())
    }
