"""UKETD_DC, the theses of the British Library's EThOS, as EPrints and DSpace send it.

EPrints answers for every other kind of work, too, with an empty element: a work that is no thesis.
"""

from lxml.etree import _Element
from msgspec.structs import replace

from harvester.clean import names
from harvester.errors import FormatError
from harvester.formats._facts import Facts, Table
from harvester.formats._reading import Reading, local
from harvester.identifiers import doi, orcid
from harvester.record import File, Record

_TABLE: Table = {
    "title": "title", "alternative": "title", "creator": "creator", "contributor": "contributor",
    "abstract": "abstract", "description": "description", "subject": "subject", "type": "type",
    "issued": "date", "date": "date", "language": "language", "publisher": "publisher",
    "institution": "institution", "department": "division", "sponsor": "funder", "relation": "relation",
    "identifier": "identifier", "source": "source", "rights": "rights",
    "license": "rights", "hasVersion": "relation", "references": "relation", "format": "format",
}  # fmt: skip
_ACCESS = {
    "public": "open", "validuser": "restricted", "staffonly": "restricted", "restricted": "restricted",
}  # fmt: skip


def accepts(element: _Element) -> bool:
    return local(element.tag) in ("uketddc", "uketd_dc")


def normalise(element: _Element) -> Record:
    if not len(element):
        raise FormatError("empty metadata: in uketd_dc, EPrints says nothing of a work that is no thesis")
    facts, reading = Facts(), Reading(element)
    facts.kind = "thesis"
    _read_pages(facts, reading)
    facts.fill(reading, _TABLE)
    facts.contributors += names.people(reading.texts("advisor"), "thesis advisor")
    _read_author(facts, reading)
    record = facts.record("uketd_dc", reading.rest())
    return replace(record, files=tuple(_completed(one, record) for one in record.files))


def _read_pages(facts: Facts, reading: Reading) -> None:
    """EPrints: its own page, then the publisher's, or the DOI."""
    page, *others = reading.texts("isReferencedBy") or ("",)
    facts.say("identifier", page)
    for one in others:
        facts.say("identifier" if doi(one) else "official_url", one)


def _completed(file: File, record: Record) -> File:
    """Of one file, it is clear whose language and access they are."""
    if len(record.files) > 1:
        return file
    access = next((found for one in record.extra.get("accessRights", ()) if (found := _ACCESS.get(one))), "")
    if access == "restricted" and "embargodate" in record.extra:
        access = "embargoed"
    language = record.languages[0] if len(record.languages) == 1 else ""
    return replace(file, language=language, access=access or file.access)


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
