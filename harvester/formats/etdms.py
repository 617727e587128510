"""ETD-MS, the theses of the NDLTD (Virginia Tech, DSpace, OpenETD; 1.0 and 1.1)."""

from lxml.etree import _Element

from harvester.clean import names
from harvester.formats._facts import Facts, Table
from harvester.formats._reading import Reading, find, local, value
from harvester.record import Record

_TABLE: Table = {
    "title": "title", "alternative": "title", "alternative.title": "title", "creator": "creator",
    "subject": "subject", "description": "description", "abstract": "abstract", "publisher": "publisher",
    "date": "date", "type": "type", "format": "format", "identifier": "identifier", "language": "language",
    "rights": "rights", "relation": "relation", "degree/grantor": "institution",
    "degree/department": "division",
}  # fmt: skip
_ROLES = {"advisor": "thesis advisor", "supervisor": "thesis advisor", "chair": "committee chair"}


def accepts(element: _Element) -> bool:
    return local(element.tag) == "thesis" and bool(find(element, "title") or find(element, "degree"))


def normalise(element: _Element) -> Record:
    facts, reading = Facts(), Reading(element)
    facts.kind = "thesis"
    facts.fill(reading, _TABLE)
    for person in reading.take("contributor"):
        role = person.get("role", "").lower()
        facts.contributors += names.people([value(person)], _ROLES.get(role, role))
    for part in ("name", "level", "discipline"):
        facts.keep(f"degree.{part}", *reading.texts(f"degree/{part}"))
    return facts.record("etdms", reading.rest())
