"""Qualified Dublin Core (DCMI terms), in the wrapper of CONTENTdm, DSpace or none that is known.

It is told by its children: whatever the root is called, most of them are Dublin Core's.
"""

from lxml.etree import _Element

from harvester.formats._facts import Facts, Table
from harvester.formats._reading import Reading, namespace
from harvester.identifiers import doi
from harvester.record import Record

_NAMESPACES = ("http://purl.org/dc/elements/1.1", "http://purl.org/dc/terms")

_TABLE: Table = {
    "title": "title", "alternative": "title", "creator": "creator", "contributor": "contributor",
    "abstract": "abstract", "description": "description", "tableOfContents": "note", "subject": "subject",
    "type": "type", "issued": "date", "date": "date", "created": "date", "available": "date",
    "language": "language", "publisher": "publisher", "source": "source", "identifier": "identifier",
    "bibliographicCitation": "citation", "rights": "rights", "license": "rights", "accessRights": "rights",
    "relation": "relation", "isPartOf": "relation", "hasVersion": "relation",
    "isReplacedBy": "relation", "replaces": "relation", "isRequiredBy": "relation", "requires": "relation",
    "hasPart": "relation", "isReferencedBy": "relation", "references": "relation",
    "isFormatOf": "relation", "hasFormat": "relation", "conformsTo": "relation",
}  # fmt: skip


def accepts(element: _Element) -> bool:
    children = [child for child in element.iterchildren("*") if isinstance(child.tag, str)]
    ours = sum(namespace(child.tag).rstrip("/") in _NAMESPACES for child in children)
    return bool(ours) and 2 * ours >= len(children)


def normalise(element: _Element) -> Record:
    facts, reading = Facts(), Reading(element)
    facts.fill(reading, _TABLE)
    facts.end_lists("type", "publisher", "language", "source")
    for said in reading.texts("isVersionOf"):  # DSpace: the DOI under which it was published
        facts.say("identifier" if doi(said) else "relation", said)
    rest = {field: [one.rstrip("; ") for one in said] for field, said in reading.rest().items()}
    return facts.record("qdc", rest)
