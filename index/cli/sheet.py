"""A record as a person reads it: citation, abstract, facts, files and links, where it came from. Pure.

The order is always the same, and so are the labels; what is not there is left out.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import click

from harvester.oai.sets import decoded
from harvester.record import File, Name, Record
from index.cli.wrapping import wrapped

_MOST_CITED = 6  # names
_MOST_LINES = 50  # of one label: some papers have three thousand authors
_LEAST_BESIDE = 60  # columns from which on labels stand beside their values
_CONTAINERS = ("mets", "didl")
_END = ".?!。？！…"

Facts = Sequence[tuple[str, Sequence[str]]]  # (label, values)


class Section(NamedTuple):
    heading: str
    facts: Facts


def lines(record: Record, width: int) -> Iterator[str]:
    """Styled, and safe on a terminal; none is longer than `width` columns but an address."""
    yield from (click.style(line, bold=True) for line in wrapped(citation(record), width))
    for paragraph in filter(None, map(str.strip, record.abstract.split("\n"))):
        yield ""
        yield from wrapped(paragraph, width)
    sections = [
        section._replace(facts=[fact for fact in section.facts if fact[1]])
        for section in (_facts(record), _links(record), _origin(record))
    ]
    margin = max((len(label) for section in sections for label, _ in section.facts), default=0)
    for section in filter(lambda one: one.facts, sections):
        yield from ["", *([click.style(section.heading, bold=True)] if section.heading else [])]
        for label, values in section.facts:
            yield from _fact(label, values, margin, width)


def citation(record: Record) -> str:
    """Khan, Nagina (2021). What Is 'Really' Required? Recovery in the Bin, 3(2), 1–5."""
    names = "; ".join(name.name for name in record.creators[:_MOST_CITED])
    more = len(record.creators) - _MOST_CITED
    who = f"{names} and {more:,} more" if more > 0 else names
    when = f"({record.year})" if record.year is not None else ""
    title = record.title or "(no title)"
    where = _published_in(record) or record.institution or record.publisher
    parts = [" ".join(filter(None, (who, when))), title, where] if who else [f"{title} {when}".strip(), where]
    return " ".join(part if part.endswith(tuple(_END)) else f"{part}." for part in parts if part)


def _published_in(record: Record) -> str:
    if not record.container:
        return ""
    issue = f"({record.issue})" if record.issue else ""
    return ", ".join(filter(None, (record.container, record.volume + issue, record.pages)))


def _facts(record: Record) -> Section:
    shown = {record.doi, record.issn, record.isbn}
    others = [f"{one.scheme} {one.value}" for one in record.identifiers if one.value not in shown]
    numbers = () if record.container else (record.volume, record.issue, record.pages)
    reviewed = {True: "yes", False: "no", None: ""}[record.peer_reviewed]
    facts: Facts = (
        ("other titles", record.alternative_titles),
        ("creators", [_person(name) for name in record.creators]),
        ("contributors", [_person(name) for name in record.contributors]),
        ("type", _joined(_type(record))),
        ("date", _joined(record.date, "" if record.year is None or record.date else str(record.year))),
        ("language", _joined(*record.languages)),
        ("keywords", _joined(*record.keywords)),
        ("subjects", record.subjects),
        ("published in", _joined(_published_in(record), *numbers)),
        ("publisher", _joined(record.publisher)),
        ("institution", _joined(record.institution)),
        ("divisions", record.divisions),
        ("event", _joined(record.event)),
        ("DOI", _joined(record.doi)),
        ("ISSN", _joined(record.issn)),
        ("ISBN", _joined(record.isbn)),
        ("identifiers", others),
        ("peer reviewed", _joined(reviewed)),
        ("status", _joined(record.status)),
        ("licence", _joined(record.license)),
        ("rights", record.rights),
        ("funders", record.funders),
        ("related", record.relations),
        ("notes", record.notes),
        ("cited as", _joined(record.citation)),
        ("deposited", _joined(" by ".join(filter(None, (record.deposited, record.deposited_by))))),
        ("last modified", _joined(record.modified)),
        ("other", [f"{key}: {value}" for key, values in record.extra.items() for value in values]),
    )
    return Section("", facts)


def _links(record: Record) -> Section:
    facts: Facts = (
        ("page", _joined(record.landing_url)),
        ("official page", _joined(record.official_url)),
        ("files", [line for file in record.files for line in _file(file)]),
    )
    return Section("Files and links", facts)


def _origin(record: Record) -> Section:
    facts: Facts = (
        ("source", _joined(record.source)),
        ("identifier", _joined(record.identifier)),
        ("datestamp", _joined(record.datestamp)),
        ("read as", _joined(_read_as(record.formats))),
        ("sets", [decoded(one) for one in record.sets]),
    )
    return Section("Where it came from", facts)


def _read_as(formats: Sequence[str]) -> str:
    """A container is before what it holds, a list's format before its detail's."""
    told = ""
    for form in reversed(formats):
        told = f"{told} in {form}" if form in _CONTAINERS else " and ".join(filter(None, (form, told)))
    return told


def _person(name: Name) -> str:
    return " · ".join(filter(None, (name.name, name.role, name.orcid)))


def _type(record: Record) -> str:
    """Ours, and in brackets what the repository says, where that is another word."""
    said = "; ".join(raw for raw in record.raw_types if raw != record.type)
    return f"{record.type} ({said})" if record.type and said else record.type or said


def _file(file: File) -> list[str]:
    """What it is on a line of its own: its address may be long."""
    about = (file.media_type, _size(file.size), file.language, file.license, file.access, file.version)
    return [file.url, *filter(None, [" · ".join(filter(None, about))])]


def _size(size: int | None) -> str:
    """As repositories show it: 295 kB."""
    if size is None:
        return ""
    return f"{size:,} bytes" if size < 1024 else f"{size // 1024:,} kB"


def _joined(*values: str) -> list[str]:
    return [text] if (text := "; ".join(filter(None, values))) else []


def _fact(label: str, values: Sequence[str], margin: int, width: int) -> Iterator[str]:
    """The label beside its first line, or on narrow terminals above it."""
    beside = width >= _LEAST_BESIDE
    indent = margin + 2 if beside else 2
    shown = [*values[:_MOST_LINES]]
    if len(values) > _MOST_LINES:
        shown.append(f"… and {len(values) - _MOST_LINES:,} more: --json has all")
    texts = [line for value in shown for line in wrapped(value, width - indent) or [""]]
    if not beside:
        yield click.style(label, dim=True)
    for at, text in enumerate(texts):
        name = label if beside and at == 0 else ""
        yield f"{click.style(f'{name:>{margin}}', dim=True)}  {text}" if beside else f"  {text}"
