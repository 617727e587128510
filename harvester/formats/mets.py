"""METS, a container: the description inside it (MODS, or Dublin Core), and the files with size and type.

EPrints' own says CREATEDATE = now, so that its bodies differ at every request; nothing is read from it.
"""

from collections.abc import Iterator

from lxml.etree import _Element

from harvester.formats._reading import find, local
from harvester.formats._wrapped import Wrapped
from harvester.record import File

HREF = "{http://www.w3.org/1999/xlink}href"


def accepts(element: _Element) -> bool:
    return local(element.tag) == "mets"


def unwrap(element: _Element) -> Wrapped:
    data = find(element, "dmdSec/mdWrap/xmlData")
    found = [document for one in data for document in _documents(one)]
    return Wrapped("mets", tuple(found), tuple(_files(element)))


def _documents(data: _Element) -> list[_Element]:
    """EPrints leaves out the root of its MODS: then the wrapper is the document."""
    children = list(data.iterchildren("*"))
    return children if len(children) == 1 else [data]


def _files(element: _Element) -> Iterator[File]:
    """Thumbnails, extracted text and licences are groups of their own (DSpace)."""
    for group in find(element, "fileSec//fileGrp"):
        if group.get("USE", "").upper() in ("THUMBNAIL", "TEXT", "LICENSE", "CC-LICENSE"):
            continue
        for file in find(group, "file"):
            for place in find(file, "FLocat"):
                yield _file(file, place.get(HREF) or place.get("href") or "")


def _file(file: _Element, address: str) -> File:
    size = file.get("SIZE", "")
    return File(address, file.get("MIMETYPE", ""), int(size) if size.isdecimal() else None)
