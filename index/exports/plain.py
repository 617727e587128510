"""What the formats of one fact a line share."""

from collections.abc import Iterable

from harvester.record import Name, Record


def line(text: str) -> str:
    """One line: the formats end a value with it."""
    return " ".join(text.split())


def keywords(record: Record) -> list[str]:
    """And subjects: the formats do not tell them apart."""
    return distinct((*record.keywords, *record.subjects))


def editors(record: Record) -> list[Name]:
    return [name for name in record.contributors if name.role in ("editor", "ed", "eds")]


def urls(record: Record) -> list[str]:
    return distinct((record.landing_url, record.official_url))


def distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(line, values))))
