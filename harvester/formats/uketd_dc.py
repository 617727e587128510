"""UKETD_DC, the theses of the British Library's EThOS, as EPrints and DSpace send it.

EPrints answers for every other kind of work, too, with an empty element: a work that is no thesis.
"""

from lxml.etree import _Element
from msgspec.structs import replace

from harvester.clean import names
from harvester.errors import FormatError
from harvester.formats._facts import Facts, Table
from harvester.formats._reading import Reading, local
from harvester.identifiers import orcid
from harvester.record import Record

_TABLE: Table = {
    "title": "title", "alternative": "title", "creator": "creator", "contributor": "contributor",
    "abstract": "abstract", "description": "description", "subject": "subject", "type": "type",
    "issued": "date", "date": "date", "language": "language", "publisher": "publisher",
    "institution": "institution", "department": "division", "sponsor": "funder", "relation": "relation",
    "isReferencedBy": "identifier", "identifier": "identifier", "source": "source", "rights": "rights",
    "license": "rights", "hasVersion": "relation", "references": "relation", "format": "format",
}  # fmt: skip


def accepts(element: _Element) -> bool:
    return local(element.tag) in ("uketddc", "uketd_dc")


def normalise(element: _Element) -> Record:
    if not len(element):
        raise FormatError("empty metadata: in uketd_dc, EPrints says nothing of a work that is no thesis")
    facts, reading = Facts(), Reading(element)
    facts.kind = "thesis"
    facts.fill(reading, _TABLE)
    facts.contributors += names.people(reading.texts("advisor"), "thesis advisor")
    _read_author(facts, reading)
    return facts.record("uketd_dc", reading.rest())


def _read_author(facts: Facts, reading: Reading) -> None:
    """DSpace says the ORCID beside the name: of one author, it is clear whose it is."""
    authors, numbers = names.people(facts.texts("creator")), reading.texts("authoridentifier")
    known = [number for one in numbers if (number := orcid(one))]
    facts.keep("authoridentifier", *(one for one in numbers if not orcid(one)))
    if len(known) == len(authors) == 1:
        facts.creators.append(replace(authors[0], orcid=known[0]))
        facts.forget("creator")
    else:
        facts.keep("authoridentifier", *known)
