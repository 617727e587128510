"""RIOXX 2 and 3: British open access, one file of a work (2) or each with its rights (3)."""

from typing import Literal

from lxml.etree import _Element
from msgspec.structs import replace

from harvester.clean import licences, names, types
from harvester.formats._facts import Facts, Table
from harvester.formats._reading import Reading, find, first, local, value
from harvester.identifiers import orcid
from harvester.record import File, Name, Record

_TABLE: Table = {
    "title": "title", "description": "description", "abstract": "abstract", "subject": "subject",
    "publication_date": "date", "type": "type", "language": "language", "source": "source",
    "version_of_record": "identifier",
    "license_ref": "rights", "format": "format",
}  # fmt: skip
_VERSIONS = {
    "AM": "accepted", "VoR": "published", "P": "proof", "SMUR": "submitted", "AO": "draft",
    "CVoR": "corrected", "EVoR": "enhanced", "c_970fb48d4fbd8a85": "published",
    "c_ab4af688f83e57aa": "accepted", "c_71e4c1898caa6e32": "submitted", "c_b1a7d7d4d402bcce": "draft",
}  # fmt: skip
_ACCESS = {"c_abf2": "open", "c_16ec": "restricted", "c_f1cf": "embargoed", "c_14cb": "restricted"}


def accepts(element: _Element) -> bool:
    return local(element.tag) == "rioxx"


def normalise(element: _Element) -> Record:
    facts, reading = Facts(), Reading(element)
    for field in ("author", "creator"):
        facts.creators += _people(facts, reading, field)
    facts.contributors += _people(facts, reading, "contributor")
    facts.fill(reading, _TABLE)
    _read_publishers(facts, reading)
    _read_files(facts, reading)
    _read_funders(facts, reading)
    return facts.record("rioxx", reading.rest())


def _people(facts: Facts, reading: Reading, field: str) -> list[Name]:
    """The identifier is an attribute in version 2, an element in version 3."""
    found = []
    for person in reading.take(field):
        numbers = [person.get("id", ""), *map(value, find(person, "id"))]
        facts.keep("id", *(one for one in numbers if one and not orcid(one)))
        number = next(filter(None, map(orcid, numbers)), "")
        said = names.people([first(person, "name") or value(person)])
        found += [replace(name, orcid=number or name.orcid) for name in said]
    return found


def _read_publishers(facts: Facts, reading: Reading) -> None:
    """Text in version 2, a name and its identifiers in version 3."""
    for element in reading.take("publisher"):
        facts.say("publisher", first(element, "name") or value(element))
        facts.keep("id", *map(value, find(element, "id")))


def _read_files(facts: Facts, reading: Reading) -> None:
    """In version 2 the identifier is the file, its format and version beside it; in version 3, the page."""
    version = reading.text("version")
    facts.keep("version", "" if version in _VERSIONS else version)
    said = _said_beside(facts, reading, _VERSIONS.get(version, ""))
    for element in reading.take("identifier"):
        address = value(element)
        if version and address.startswith("http"):
            facts.files.append(replace(said, url=address))
        else:
            facts.say("identifier", address)
    for element in reading.take("relation"):
        if element.get("rel") == "item":
            facts.files.append(_file(element))
        else:
            facts.say("relation", value(element))
    for element in reading.take("ext_relation"):
        facts.say(_relation(facts, element), value(element))


def _said_beside(facts: Facts, reading: Reading, version: str) -> File:
    """Of version 2's one file; it may be free from a day on only."""
    starts = [one.get("start_date", "") for one in reading.take("free_to_read")]
    facts.keep("free_to_read", *starts)
    access = "open" if starts and not any(starts) else ""
    licence = licences.choose(facts.texts("rights"))
    return File("", first(reading.root, "format"), license=licence, access=access, version=version)


def _file(element: _Element) -> File:
    access = element.get("access_rights") or element.get("access_rights_") or ""
    return File(
        value(element),
        media_type=element.get("type", ""),
        license=licences.licence(element.get("license_ref", "")),
        access=_ACCESS.get(_last(access), ""),
        version=_VERSIONS.get(_last(element.get("coar_version", "")), ""),
    )


def _relation(facts: Facts, element: _Element) -> Literal["identifier", "relation"]:
    """The published version of the same work bears its DOI; a dataset or software is another work."""
    kind = types.read((element.get("coar_type", ""),)).type
    same = kind == types.read(tuple(facts.texts("type"))).type
    return "identifier" if same and element.get("rel") == "cite-as" else "relation"


def _last(uri: str) -> str:
    return uri.rstrip("/").rsplit("/", 1)[-1]


def _read_funders(facts: Facts, reading: Reading) -> None:
    for element in (*reading.take("project"), *reading.take("grant")):
        facts.say("funder", element.get("funder_name") or element.get("funder_id") or "")
        facts.keep("project", value(element))
