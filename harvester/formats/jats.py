"""JATS, the journal articles of PubMed Central, eLife and OJS.

The body and the references stay in the raw form: full text is another index's work, and who is cited is not
what the article is about.
"""

from collections.abc import Iterable

from lxml.etree import _Element

from harvester.clean import names
from harvester.formats._facts import Facts, Table, typed
from harvester.formats._reading import Reading, find, first, language, local, prose, value
from harvester.identifiers import orcid
from harvester.record import File, Name, Record

HREF = "{http://www.w3.org/1999/xlink}href"
_ARTICLE, _JOURNAL = "front/article-meta", "front/journal-meta"

_TABLE: Table = {
    f"{_JOURNAL}/journal-title-group/journal-title": "container", f"{_JOURNAL}/journal-title": "container",
    f"{_JOURNAL}/publisher/publisher-name": "publisher", f"{_ARTICLE}/title-group/alt-title": "title",
    f"{_ARTICLE}/volume": "volume", f"{_ARTICLE}/issue": "issue", f"{_ARTICLE}/conference/conf-name": "event",
    f"{_ARTICLE}/article-categories/subj-group/subject": "subject",
    f"{_ARTICLE}/article-categories/subj-group/subj-group/subject": "subject",
    f"{_ARTICLE}/permissions/copyright-statement": "rights",
    f"{_ARTICLE}/funding-group/award-group/funding-source": "funder",
    f"{_ARTICLE}/funding-group/funding-statement": "note",
}  # fmt: skip
# Of the several dates of publication, the print's and the first online before those of collections.
_DATES = ("ppub", "print", "epub", "electronic", "pub", "epub-ppub", "", "collection")
_ROLES = {"author": "", "editor": "editor", "guest-editor": "editor", "translator": "translator"}
_SUFFIXED = ("research-article", "review-article", "article-commentary", "brief-report", "case-report")


def accepts(element: _Element) -> bool:
    article = _article(element)
    return article is not None and bool(find(article, _ARTICLE))


def _article(element: _Element) -> _Element | None:
    if local(element.tag) == "article":
        return element
    sets = ("pmc-articleset", "articles", "pmc-articlesets")
    found = find(element, "article") if local(element.tag) in sets else []
    return found[0] if len(found) == 1 else None


def normalise(element: _Element) -> Record:
    article = _article(element)
    facts, reading = Facts(), Reading(element if article is None else article)
    _read_kind(facts, reading.root)
    _read_title(facts, reading)
    _read_people(facts, reading)
    facts.fill(reading, _TABLE)
    _read_affiliations(facts, reading)
    _read_dates(facts, reading)
    _read_numbers(facts, reading)
    _read_texts(facts, reading)
    _read_rights(facts, reading)
    reading.drop("body", "back", "sub-article", "response", "floats-group")
    reading.drop(f"{_ARTICLE}/author-notes/corresp", f"{_ARTICLE}/counts")
    return facts.record("jats", reading.rest())


def _read_kind(facts: Facts, article: _Element) -> None:
    kind = article.get("article-type", "")
    facts.say("type", kind)
    facts.kind = "article" if kind in _SUFFIXED or not kind else ""
    facts.say("language", language(article))


def _read_title(facts: Facts, reading: Reading) -> None:
    """With its subtitle; translated ones stand beside it."""
    group = f"{_ARTICLE}/title-group"
    title = reading.text(f"{group}/article-title")
    facts.say("title", ": ".join(filter(None, (title, reading.text(f"{group}/subtitle")))))
    for element in find(reading.root, f"{group}/trans-title-group"):
        facts.say("title", reading.text("trans-title", element), language(element))


def _read_people(facts: Facts, reading: Reading) -> None:
    for element in find(reading.root, f"{_ARTICLE}/contrib-group/contrib"):
        kind = element.get("contrib-type", "author")
        if (person := _person(reading, element, _ROLES.get(kind, kind))) is None:
            continue
        (facts.contributors if person.role else facts.creators).append(person)
    for path in ("xref", "uri", "name-alternatives"):
        reading.drop(f"{_ARTICLE}/contrib-group/contrib/{path}")


def _read_affiliations(facts: Facts, reading: Reading) -> None:
    """One that is no sentence, but elements with nothing between them, becomes one; marks are the page's."""
    for element in find(reading.root, f"{_ARTICLE}/aff"):
        for mark in ("label", "sup"):
            reading.take(mark, element)
        parts = [one for one in element.iterchildren("*") if local(one.tag) not in ("label", "sup")]
        if (
            parts
            and not "".join(piece or "" for piece in (element.text, *(one.tail for one in element))).strip()
        ):
            reading.mark(element)
            facts.keep("aff", ", ".join(map(value, parts)))


def _person(reading: Reading, element: _Element, role: str) -> Name | None:
    number = next(filter(None, map(orcid, reading.texts("contrib-id", element))), "")
    for path in ("name", "name-alternatives/name", "string-name"):
        for name in reading.take(path, element):
            family, given = first(name, "surname"), first(name, "given-names")
            if family:
                return names.from_parts(family, given, number, role, first(name, "suffix"))
            return names.person(value(name), role)
    return names.body(reading.text("collab", element), role)


def _read_dates(facts: Facts, reading: Reading) -> None:
    found = {one.get("pub-type") or one.get("date-type") or "": one for one in _taken_dates(reading)}
    for kind in (*(one for one in _DATES if one in found), *(one for one in found if one not in _DATES)):
        facts.say("date", _date(found[kind]))
    for element in reading.take(f"{_ARTICLE}/history/date"):
        facts.keep(f"date {element.get('date-type', '')}".strip(), _date(element))


def _taken_dates(reading: Reading) -> Iterable[_Element]:
    return reading.take(f"{_ARTICLE}/pub-date")


def _date(element: _Element) -> str:
    """Year, month and day are elements of their own, the month at times a word."""
    if not len(element):
        return value(element)
    year, month, day = (first(element, part) for part in ("year", "month", "day"))
    if month and not month.isdecimal():
        return f"{day} {month} {year}".strip()
    return "-".join(part.zfill(2) for part in (year, month, day if month else "") if part)


def _read_numbers(facts: Facts, reading: Reading) -> None:
    for element in reading.take(f"{_ARTICLE}/article-id"):
        facts.say("identifier", typed(element.get("pub-id-type", ""), value(element).removeprefix("PMC")))
    for element in reading.take(f"{_JOURNAL}/issn"):
        facts.say("identifier", typed("issn", value(element)))
    ends = [reading.text(f"{_ARTICLE}/{end}") for end in ("fpage", "lpage")]
    facts.say("pages", "-".join(filter(None, ends)) or reading.text(f"{_ARTICLE}/elocation-id"))
    for element in find(reading.root, f"{_ARTICLE}/self-uri"):
        _read_address(facts, element)


def _read_address(facts: Facts, element: _Element) -> None:
    address = element.get(HREF, "")
    if address.startswith("http") and element.get("content-type"):
        kind = element.get("content-type", "")
        facts.files.append(File(address, kind if "/" in kind else f"application/{kind}"))
    else:
        facts.say("identifier", address)


def _read_texts(facts: Facts, reading: Reading) -> None:
    """eLife has a digest beside the abstract, others highlights or a graphical one: they are remarks."""
    for element in reading.take(f"{_ARTICLE}/abstract"):
        facts.say("note" if element.get("abstract-type") else "abstract", prose(element), language(element))
    for element in reading.take(f"{_ARTICLE}/trans-abstract"):
        facts.say("abstract", prose(element), language(element) or "other")
    for element in reading.take(f"{_ARTICLE}/kwd-group/kwd"):
        facts.say("keyword", value(element).replace(",", "\n") if "," in value(element) else value(element))


def _read_rights(facts: Facts, reading: Reading) -> None:
    for element in reading.take(f"{_ARTICLE}/permissions/license"):
        facts.say("rights", element.get(HREF, ""))
        facts.say("rights", first(element, "license_ref"))
        facts.say("rights", value(element))
