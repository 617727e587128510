"""RIS, one reference a record, by rispy; the tags are those of EndNote's and Zotero's tables."""

import re
from typing import Any

import rispy

from harvester.record import Name, Record
from index.exports.plain import distinct, editors, keywords, line, urls

_TYPES = {
    "article": "JOUR", "book": "BOOK", "chapter": "CHAP", "thesis": "THES", "conference": "CPAPER",
    "report": "RPRT", "dataset": "DATA", "software": "COMP", "image": "FIGURE", "audio": "SOUND",
    "video": "VIDEO", "patent": "PAT", "preprint": "UNPB", "review": "JOUR", "web": "ELEC",
}  # fmt: skip
_PAGES = re.compile(r"(\w+)\s*[-–—]+\s*(\w+)")


class _Unnumbered(rispy.RisWriter):  # type: ignore[misc]  # rispy carries no types
    def set_header(self, _count: int) -> str:
        return ""


_format = _Unnumbered().formats


def write(record: Record) -> str:
    """A blank line ends it."""
    return str(_format([reference(record)])) + "\n"


def reference(record: Record) -> dict[str, Any]:
    """By rispy's names of the tags; what is not there is left out."""
    first, last = _pages(record.pages)
    fields = {
        "type_of_reference": _TYPES.get(record.type, "GEN"),
        "id": record.id,
        "title": record.title,
        "authors": [_name(name) for name in record.creators],
        "secondary_authors": [_name(name) for name in editors(record)],
        "year": "" if record.year is None else str(record.year),
        "date": record.date.replace("-", "/") if "-" in record.date else "",
        "secondary_title": record.container or record.event,
        "journal_name": record.container if record.type in ("article", "review") else "",
        "volume": record.volume,
        "number": record.issue,
        "start_page": first,
        "end_page": last,
        "publisher": record.publisher or record.institution,
        "issn": _serial_number(record),
        "doi": record.doi,
        "urls": urls(record),
        "abstract": record.abstract,
        "keywords": keywords(record),
        "language": "; ".join(record.languages),
        "type_of_work": record.raw_types[0] if record.raw_types else "",
        "notes": distinct(record.notes),
        "file_attachments1": record.files[0].url if record.files else "",
    }
    lines = {name: line(value) if isinstance(value, str) else value for name, value in fields.items()}
    return {name: value for name, value in lines.items() if value}


def _serial_number(record: Record) -> str:
    numbers = (record.isbn, record.issn)
    return next(filter(None, numbers if record.type in ("book", "chapter") else numbers[::-1]), "")


def _name(name: Name) -> str:
    return line(f"{name.family}, {name.given}" if name.family and name.given else name.name)


def _pages(pages: str) -> tuple[str, str]:
    between = _PAGES.fullmatch(pages.strip())
    return (between[1], between[2]) if between else (pages, "")
