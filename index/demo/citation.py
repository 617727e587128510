"""A work as one sentence, with the runs of spaces that EPrints' citation templates leave behind."""

from index.demo.item import Item, person
from index.demo.vocabulary import TYPES

UNKNOWN = "UNSPECIFIED"
_THESES = {"doctoral": "Doctoral", "masters": "Masters", "mphil": "MPhil"}
_MONOGRAPHS = {
    "technical_report": "Technical Report",
    "project_report": "Project Report",
    "working_paper": "Working Paper",
    "discussion_paper": "Discussion Paper",
}
_STATUSES = {"inpress": "(In Press)", "submitted": "(Submitted)", "unpub": "(Unpublished)"}


def citation(item: Item) -> str:
    year = f"({item.text('date')[:4]})" if item.text("date") else ""
    title = item.text("title")
    stop = "" if title.endswith(("?", "!", ".")) else "."
    return f"  {_authors(item)}  {year} {title}{stop}  {_rest(item)}"


def _authors(item: Item) -> str:
    people = [person(creator["name"]) for creator in item.several("creators")]
    return " and ".join(people + item.several("corp_creators")) or UNKNOWN


def _rest(item: Item) -> str:
    write = _REST.get(item.text("type"))
    return write(item) if write else f"[{TYPES.get(item.text('type'), UNKNOWN)}]{_end(item)}"


def _article(item: Item) -> str:
    journal, volume, number = item.text("publication"), item.text("volume"), item.text("number")
    place = f", {volume}" if volume else ""
    place += f" ({number})" if number else ""
    pages = f" pp. {item.text('pagerange')}. " if item.text("pagerange") else " "
    issn = f" ISSN {item.text('issn')}" if item.text("issn") else ""
    return f"{journal or UNKNOWN}{place}. {pages}{issn}{_end(item)}"


def _chapter(item: Item) -> str:
    return f" In:  {item.text('book_title') or UNKNOWN}.    {_published(item)}{_end(item)}"


def _book(item: Item) -> str:
    return f"   {_published(item)} {_end(item)}"


def _published(item: Item) -> str:
    pages = f", pp. {item.text('pagerange')}" if item.text("pagerange") else ""
    isbn = f"  ISBN {item.text('isbn')}" if item.text("isbn") else ""
    return f"{item.text('publisher') or UNKNOWN}{pages}.{isbn}"


def _thesis(item: Item) -> str:
    kind = _THESES.get(item.text("thesis_type"), UNKNOWN)
    return f"{kind} thesis, {item.text('institution') or UNKNOWN}.   "


def _conference(item: Item) -> str:
    parts = [item.text(name) for name in ("event_title", "event_dates", "event_location")]
    return f"In: {', '.join(part for part in parts if part) or UNKNOWN}.{_end(item)}"


def _report(item: Item) -> str:
    kind = _MONOGRAPHS.get(item.text("monograph_type"), UNKNOWN)
    return f"{kind}. {item.text('publisher') or UNKNOWN}.{_end(item)}"


def _patent(item: Item) -> str:
    return f"{item.text('id_number')}.   "


def _other(item: Item) -> str:
    return f"{item.text('publisher') or UNKNOWN}.{_end(item)}"


def _end(item: Item) -> str:
    status = _STATUSES.get(item.text("ispublished"), "")
    return f"   {' ' + status if status else ''}  "


_REST = {
    "article": _article,
    "review": _article,
    "book": _book,
    "book_section": _chapter,
    "thesis": _thesis,
    "conference_item": _conference,
    "monograph": _report,
    "patent": _patent,
    "other": _other,
}
