"""A document of no format that is known (DDI, ISO 19139, RDF, somebody's own).

Elements that are called like a title, a name or a description are taken for that, wherever they stand; all
else is kept under its own name; and `extra["warning"]` says that nothing of it was understood.
"""

import msgspec
from lxml.etree import QName, _Element

from harvester.errors import FormatError
from harvester.formats._facts import Facts, Kind
from harvester.formats._reading import Reading, language, local, value
from harvester.record import Record

# Local names in lower case, as Dublin Core, DDI, ISO 19139, FGDC, Schema.org and bibo call them.
_NAMES: dict[str, Kind] = {
    "title": "title", "titl": "title", "alternative": "title", "alttitl": "title", "partitl": "title",
    "subtitle": "title", "creator": "creator", "author": "creator", "authenty": "creator",
    "origin": "creator", "contributor": "contributor", "abstract": "abstract", "description": "description",
    "summary": "description", "purpose": "note", "note": "note", "subject": "subject",
    "keyword": "keyword", "keywords": "keyword", "themekey": "keyword", "topcclas": "subject",
    "publisher": "publisher", "publish": "publisher", "producer": "contributor", "language": "language",
    "date": "date", "issued": "date", "pubdate": "date", "distdate": "date", "year": "date",
    "identifier": "identifier", "doi": "identifier", "url": "identifier", "uri": "identifier",
    "idno": "identifier", "onlink": "identifier", "type": "type", "rights": "rights", "license": "rights",
    "copyright": "rights", "source": "source", "relation": "relation",
}  # fmt: skip
_PAGES = {"html", "body", "p", "error"}


def accepts(element: _Element) -> bool:
    """A web page is no metadata."""
    return local(element.tag).lower() not in _PAGES


def normalise(element: _Element) -> Record:
    facts, reading = Facts(), Reading(element)
    for child in element.iter("*"):
        kind = _kind(child)
        if kind and not len(child) and value(child):
            reading.mark(child)
            facts.say(kind, value(child), language(child))
    record = facts.record("unknown", reading.rest())
    if record == Record(formats=("unknown",)):
        raise FormatError("empty metadata")
    warning = f"unknown format <{QName(element).localname}> ({QName(element).namespace or 'no namespace'})"
    return _with_warning(record, warning)


def _kind(element: _Element) -> Kind | None:
    """ISO 19139 wraps each text once more: `<title><CharacterString>`."""
    parent = element.getparent()
    known = _NAMES.get(local(element.tag).lower())
    if known or parent is None or len(parent) > 1:
        return known
    return _NAMES.get(local(parent.tag).lower())


def _with_warning(record: Record, warning: str) -> Record:
    return msgspec.structs.replace(record, extra={**record.extra, "warning": (warning,)})
