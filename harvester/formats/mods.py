"""MODS 3, the Library of Congress's: of EPrints, the ACL Anthology, and America's digital libraries."""

from collections.abc import Iterator

from lxml.etree import _Element
from msgspec.structs import replace

from harvester.clean import names, roles, text, types
from harvester.errors import FormatError
from harvester.formats._facts import Facts, Table, typed
from harvester.formats._reading import Reading, find, first, language, local, prose, value
from harvester.identifiers import orcid, recognise
from harvester.record import Name, Record

_TABLE: Table = {
    "tableOfContents": "note", "note": "note", "typeOfResource": "type",
    "genre": "type", "language/languageTerm": "language", "classification": "subject",
    "originInfo/publisher": "publisher", "accessCondition": "rights",
    "physicalDescription/internetMediaType": "format",
}  # fmt: skip
# The work's own date before those of its copies.
_DATES = ("dateIssued", "copyrightDate", "dateCreated", "dateOther", "dateCaptured", "dateModified")
_PAGE = "object in context"
_PARTS = ("titleInfo/title", "topic", "geographic", "temporal", "genre", "occupation")
# When and by whom the description was written: it is about the record, not about the work.
_MACHINE = (
    "recordInfo/recordCreationDate", "recordInfo/recordChangeDate", "recordInfo/recordOrigin",
    "recordInfo/descriptionStandard", "recordInfo/languageOfCataloging", "extension",
)  # fmt: skip


def accepts(element: _Element) -> bool:
    """EPrints and DSpace put its elements into METS without their root."""
    return local(element.tag) in ("mods", "modsCollection") or bool(find(element, "titleInfo"))


def normalise(element: _Element) -> Record:
    facts, reading = Facts(), Reading(_work(element))
    _read_people(facts, reading)
    _read_titles(facts, reading)
    facts.fill(reading, _TABLE)
    _read_abstracts(facts, reading)
    _read_dates(facts, reading)
    _read_subjects(facts, reading)
    _read_addresses(facts, reading)
    _read_numbers(facts, reading, reading.root)
    _read_host(facts, reading)
    _read_part(facts, reading, reading.root)
    reading.drop(*_MACHINE)
    return facts.record("mods", reading.rest())


def _work(element: _Element) -> _Element:
    if local(element.tag) != "modsCollection":
        return element
    works = find(element, "mods")
    if len(works) != 1:
        raise FormatError("empty metadata" if not works else f"{len(works)} works in one MODS document")
    return works[0]


def _read_people(facts: Facts, reading: Reading) -> None:
    """Without a role it is an author; so it is where the genre says nothing else (EPrints)."""
    for element in find(reading.root, "name"):
        said = [roles.role(one) for one in reading.texts("role/roleTerm", element)]  # a code and its word
        person = _person(facts, reading, element, next(iter(said), ""))
        if person is None:
            continue
        if "degree grantor" in said:
            facts.say("institution", person.name)
        elif not said or roles.CREATORS & set(said):
            facts.creators.append(replace(person, role=""))
        else:
            facts.contributors.append(person)


def _person(facts: Facts, reading: Reading, element: _Element, role: str) -> Name | None:
    parts: dict[str, list[str]] = {}
    for part in reading.take("namePart", element):
        parts.setdefault(part.get("type", ""), []).append(value(part))
    number = next(filter(None, map(orcid, _numbers(reading, element))), "")
    if family := " ".join(parts.get("family", ())):
        lineage = " ".join(parts.get("termsOfAddress", ()))
        return names.from_parts(family, " ".join(parts.get("given", ())), number, role, lineage)
    for kind in ("affiliation", "displayForm"):
        facts.keep(kind, *parts.get(kind, ()))
    said = ", ".join(parts.get("", ()))
    found = names.person(said, role) if element.get("type") != "corporate" else names.body(said, role)
    return replace(found, orcid=number or found.orcid) if found else None


def _numbers(reading: Reading, element: _Element) -> Iterator[str]:
    for found in find(element, "nameIdentifier"):
        if orcid(value(found)):
            reading.mark(found)
            yield value(found)


def _read_titles(facts: Facts, reading: Reading) -> None:
    for element in reading.take("titleInfo"):
        named = first(element, "title") if len(element) else value(element)  # DSpace leaves out <title>
        main = " ".join(filter(None, (first(element, "nonSort"), named)))
        title = ": ".join(filter(None, (main, first(element, "subTitle"))))
        parts = (title, first(element, "partNumber"), first(element, "partName"))
        facts.say("title", ". ".join(filter(None, parts)), language(element))


def _read_abstracts(facts: Facts, reading: Reading) -> None:
    """MIT's long ones go on in the next element, behind `(cont.)`."""
    found: list[tuple[str, str]] = []
    for element in reading.take("abstract"):
        said = prose(element) if len(element) else value(element)
        if found and said.startswith("(cont.)"):
            found[-1] = (f"{found[-1][0]} {said.removeprefix('(cont.)').strip()}", found[-1][1])
        else:
            found.append((said, language(element)))
    for said, tongue in found:
        facts.say("abstract", said, tongue)


def _read_dates(facts: Facts, reading: Reading) -> None:
    """Start and end of a span come in two elements."""
    for kind in _DATES:
        found = [one for one in reading.take(f"originInfo/{kind}") if one.get("point") != "end"]
        for element in found:
            facts.say("date", value(element))
        ends = (one for one in find(reading.root, f"originInfo/{kind}") if one.get("point") == "end")
        facts.keep(kind, *map(value, ends))


def _read_subjects(facts: Facts, reading: Reading) -> None:
    """A heading of several parts is one subject, its parts between dashes."""
    for element in find(reading.root, "subject"):
        parts = [said for path in _PARTS for said in reading.texts(path, element)]
        parts += [", ".join(reading.texts("namePart", name)) for name in find(element, "name")]
        facts.say("subject", text.without_full_stop(" -- ".join(text.unique(parts))))


def _read_addresses(facts: Facts, reading: Reading) -> None:
    """The work's page before others, and no thumbnail (Harvard, Oklahoma)."""
    found = reading.take("location/url")
    previews = [one for one in found if one.get("access") == "preview"]
    for element in sorted(found, key=lambda one: (not one.get("usage"), one.get("access") != _PAGE)):
        if element in previews:
            facts.keep("preview", value(element))
        else:
            facts.say("identifier", value(element))


def _read_numbers(facts: Facts, reading: Reading, within: _Element) -> None:
    for element in reading.take("identifier", within):
        facts.say("identifier", typed(element.get("type", ""), value(element)))


def _read_host(facts: Facts, reading: Reading) -> None:
    """What it appeared in; all other related items are relations."""
    for item in find(reading.root, "relatedItem"):
        title = reading.text("titleInfo/title", item)
        if item.get("type") != "host":
            facts.say("relation", title)
            continue
        facts.say("container", title)
        _read_kind(facts, reading, item)
        facts.say("publisher", reading.text("originInfo/publisher", item))
        for date in reading.take("originInfo/dateIssued", item):
            facts.say("date", value(date))
        _read_host_numbers(facts, reading, item)
        _read_part(facts, reading, item)


def _read_kind(facts: Facts, reading: Reading, item: _Element) -> None:
    """The Anthology says what its papers are by what the volume is (`conference publication`)."""
    genre = reading.text("genre", item)
    facts.kind = types.read((genre,)).type
    facts.keep("host genre", genre)


def _read_host_numbers(facts: Facts, reading: Reading, item: _Element) -> None:
    """ISSN and ISBN; of type `uri` in the Netherlands (`URN:ISSN:1662-5153`)."""
    for element in find(item, "identifier"):
        number = typed(element.get("type", ""), value(element))
        known = recognise(number)
        if known and known[0] in ("issn", "isbn"):
            reading.mark(element)
            facts.say("identifier", number)


def _read_part(facts: Facts, reading: Reading, within: _Element) -> None:
    for detail in find(within, "part/detail"):
        kind = detail.get("type", "")
        if kind in ("volume", "issue"):
            facts.say("volume" if kind == "volume" else "issue", reading.text("number", detail))
    for extent in find(within, "part/extent"):
        ends = (reading.text("start", extent), reading.text("end", extent))
        facts.say("pages", "-".join(filter(None, ends)))
    for date in reading.take("part/date", within):
        facts.say("date", value(date))
