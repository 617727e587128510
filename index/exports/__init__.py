"""A record in the formats that other systems read."""

from collections.abc import Callable

from harvester.record import Record
from index.exports import jsonl

_WRITERS: dict[str, Callable[[Record], str]] = {"jsonl": jsonl.write}


def exporter(format_name: str) -> Callable[[Record], str]:
    """One record → its text, line end included."""
    return _WRITERS[format_name]
