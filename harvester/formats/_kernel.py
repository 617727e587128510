"""DataCite's kernel, which its own format and OpenAIRE's share: names, titles, dates, subjects, funding."""

from lxml.etree import _Element
from msgspec.structs import replace

from harvester.clean import names, types
from harvester.formats._facts import Facts, typed
from harvester.formats._reading import Reading, find, first, language, local, prose, value
from harvester.identifiers import doi, orcid, recognise
from harvester.record import Name

_DATES = ("issued", "publicationyear", "available", "created", "submitted", "")


def fill(facts: Facts, reading: Reading) -> None:
    _read_people(facts, reading)
    _read_titles(facts, reading)
    _read_subjects(facts, reading)
    _read_dates(facts, reading)
    _read_identifiers(facts, reading)
    _read_descriptions(facts, reading)
    _read_funding(facts, reading)
    _read_rights(facts, reading)
    for element in reading.take("language"):
        facts.say("language", value(element))
    for path in ("publisher", "publishers/publisher"):
        for element in reading.take(path):
            facts.say("publisher", value(element))


def _each(reading: Reading, group: str, name: str) -> list[_Element]:
    """In their group, or without it (EPrints' OpenAIRE plug-in repeats bare dates)."""
    return [*reading.take(f"{group}/{name}"), *reading.take(name)]


def _read_people(facts: Facts, reading: Reading) -> None:
    for element in _each(reading, "creators", "creator"):
        if name := _person(facts, element, "creatorName"):
            facts.creators.append(name)
    for element in _each(reading, "contributors", "contributor"):
        kind = element.get("contributorType") or _kind_on_name(element)
        if kind == "Funder":  # kernel 3
            facts.say("funder", first(element, "contributorName") or value(element))
        elif name := _person(facts, element, "contributorName", _role(kind)):
            facts.contributors.append(name)


def _kind_on_name(element: _Element) -> str:
    """Where EPrints' OpenAIRE plug-in puts it."""
    return next(
        (kind for one in find(element, "contributorName") if (kind := one.get("contributorType"))), ""
    )


def _person(facts: Facts, element: _Element, name: str, role: str = "") -> Name | None:
    """A name that has its parts is written from them where it is not written `Family, Given` itself."""
    numbers = [value(one) for one in find(element, "nameIdentifier")]
    number = next(filter(None, map(orcid, numbers)), "")
    facts.keep("nameIdentifier", *(one for one in numbers if not orcid(one)))
    facts.keep("affiliation", *map(value, find(element, "affiliation")))
    said = first(element, name) or (value(element) if not len(element) else "")
    if family := first(element, "familyName"):
        return names.from_parts(family, first(element, "givenName"), number, role)
    body = any(one.get("nameType") == "Organizational" for one in find(element, name))
    found = names.body(said, role) if body else names.person(said, role)
    return replace(found, orcid=number or found.orcid) if found else None


def _role(kind: str) -> str:
    """`DataCollector` → data collector."""
    if kind == "Other":
        return ""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()


def _read_titles(facts: Facts, reading: Reading) -> None:
    for element in _each(reading, "titles", "title"):
        facts.say("title", value(element), language(element))


def _read_subjects(facts: Facts, reading: Reading) -> None:
    """A scheme makes it controlled. Of several, each is one, commas and all (INRAE: "Medicine, Health")."""
    elements = _each(reading, "subjects", "subject")
    for element in elements:
        controlled = element.get("subjectScheme") or element.get("subjectURI") or element.get("valueURI")
        is_one = len(elements) > 1 and "," in value(element)
        said = f"{value(element)};" if is_one and not controlled else value(element)  # a list of one
        facts.say("subject" if controlled else "keyword", said, language(element))


def _read_dates(facts: Facts, reading: Reading) -> None:
    """Issued says more than the year of publication beside it; the others are of other moments."""
    said: dict[str, list[str]] = {}
    for element in _each(reading, "dates", "date"):
        said.setdefault(element.get("dateType", "").lower(), []).append(value(element))
    for element in reading.take("publicationYear"):
        said.setdefault("publicationyear", []).append(value(element))
    for kind in _DATES:
        for date in said.pop(kind, ()):
            facts.say("date", date)
    for kind, dates in said.items():
        facts.keep(f"date {kind}", *dates)


def _read_identifiers(facts: Facts, reading: Reading) -> None:
    """A DataCite DOI is the address of the work's page."""
    for element in reading.take("identifier"):
        said = value(element)
        facts.say("identifier", f"https://doi.org/{doi(said)}" if doi(said) else typed(_kind(element), said))
    for element in _each(reading, "alternateIdentifiers", "alternateIdentifier"):
        kind = element.get("alternateIdentifierType", "")
        facts.say("identifier", typed(kind, value(element)))
    for element in _each(reading, "relatedIdentifiers", "relatedIdentifier"):
        _read_related(facts, element)


def _kind(element: _Element) -> str:
    return element.get("identifierType", "")


def _read_related(facts: Facts, element: _Element) -> None:
    """The ISSN of a related work is its journal's."""
    said = typed(element.get("relatedIdentifierType", ""), value(element))
    known = recognise(said)
    facts.say(
        "identifier" if known and known[0] in ("issn", "isbn") and _is_host(element) else "relation", said
    )


def _is_host(element: _Element) -> bool:
    return element.get("relationType", "") in ("IsPartOf", "IsPublishedIn")


def _read_descriptions(facts: Facts, reading: Reading) -> None:
    for element in _each(reading, "descriptions", "description"):
        kind = element.get("descriptionType", "")
        if kind in ("Abstract", ""):
            facts.say("abstract" if kind else "description", prose(element), language(element))
        else:
            facts.say("note", prose(element))


def _read_funding(facts: Facts, reading: Reading) -> None:
    for element in _each(reading, "fundingReferences", "fundingReference"):
        facts.say("funder", first(element, "funderName"))
        for part in element.iterchildren("*"):
            if local(part.tag) != "funderName":
                facts.keep(local(part.tag), value(part))


def _read_rights(facts: Facts, reading: Reading) -> None:
    for element in _each(reading, "rightsList", "rights"):
        for said in (element.get("rightsURI", ""), value(element)):
            facts.say("rights", said)


def say_type(facts: Facts, element: _Element, general: str) -> None:
    """The general word counts where the other is none of ours, or is missing."""
    said = value(element)
    for one in (said, general):
        facts.say("type", one)
    if said and not types.read((said,)).type:
        facts.kind = types.read((general,)).type
