"""arXiv's own two formats: `arXiv`, with names taken apart, and `arXivRaw`, with its versions."""

import re

from lxml.etree import _Element

from harvester.clean import names
from harvester.formats._facts import Facts, Table
from harvester.formats._reading import Reading, find, first, local
from harvester.record import Name, Record

_TABLE: Table = {
    "title": "title", "abstract": "abstract", "comments": "note", "journal-ref": "citation",
    "license": "rights", "proxy": "note",
}  # fmt: skip
_BETWEEN = re.compile(r",\s*and\s+|,\s*|\s+and\s+")
_IN_BRACKETS = re.compile(r"\s*\(((?:[^()]|\([^()]*\))*)\)")


def accepts(element: _Element) -> bool:
    return local(element.tag) in ("arXiv", "arXivRaw") or "arxiv.org/OAI/arXiv" in element.tag


def normalise(element: _Element) -> Record:
    facts, reading = Facts(), Reading(element)
    facts.kind = "preprint"
    _read_people(facts, reading)
    _read_numbers(facts, reading)
    _read_dates(facts, reading)
    facts.fill(reading, _TABLE)
    for categories in reading.texts("categories"):
        for one in categories.split():
            facts.say("subject", one)
    reading.drop("submitter")  # who clicked; the authors are said elsewhere
    return facts.record("arxiv", reading.rest())


def _read_people(facts: Facts, reading: Reading) -> None:
    for element in find(reading.root, "authors/author"):
        parts = [reading.text(part, element) for part in ("keyname", "forenames", "suffix")]
        found = names.from_parts(parts[0], parts[1], lineage=parts[2]) if parts[1] else names.person(parts[0])
        facts.creators += [found] if found else []
    for element in reading.take("authors"):
        if not len(element):
            facts.creators += _listed(facts, element.text or "")
        else:
            facts.keep("affiliation", *(first(one, "affiliation") for one in find(element, "author")))


def _listed(facts: Facts, authors: str) -> list[Name]:
    """`A. Mower, B. Reaper and C. Barn (University of Hay)`; in brackets stands where they work."""
    facts.keep("affiliation", *(one for one in _IN_BRACKETS.findall(authors) if not one.isdecimal()))
    each = _BETWEEN.split(_IN_BRACKETS.sub("", " ".join(authors.split())))
    return [found for one in each if (found := names.person(one))]


def _read_numbers(facts: Facts, reading: Reading) -> None:
    """The page of a paper is its number's; arXiv does not write it down."""
    if number := reading.text("id"):
        facts.say("identifier", f"https://arxiv.org/abs/{number}")
    for doi in reading.text("doi").split():
        facts.say("identifier", doi)
    for number in reading.texts("report-no"):
        facts.keep("report-no", number)


def _read_dates(facts: Facts, reading: Reading) -> None:
    """First sent, as the work's own date: arXiv says no other."""
    facts.say("date", reading.text("created"))
    versions = reading.take("version")
    said = [first(one, "date") for one in versions]
    for date in said[:1]:
        facts.say("date", _day(date))
    facts.keep("version", *said)


def _day(moment: str) -> str:
    """`Mon, 2 Apr 2007 19:18:42 GMT` → `2 Apr 2007`."""
    return " ".join(moment.partition(",")[2].split()[:3])
