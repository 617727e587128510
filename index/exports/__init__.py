"""A record in the formats that other systems read. A format's module is imported when it is asked for."""

from collections.abc import Callable
from importlib import import_module

import msgspec

from harvester.record import Record

FORMATS = {
    "jsonl": "the record as Windrow has it, one a line",
    "csv": "a table with a heading, for a spreadsheet",
    "ris": "for EndNote, Zotero, Mendeley",
    "bibtex": "for LaTeX and JabRef",
}


class Exporter(msgspec.Struct, frozen=True):
    """`head` comes before the first record; `write` gives one record's text, line end included."""

    head: str
    write: Callable[[Record], str]


def exporter(format_name: str) -> Exporter:
    module = import_module(f"index.exports.{format_name}")
    return Exporter(getattr(module, "HEAD", ""), module.write)


__all__ = ["FORMATS", "Exporter", "exporter"]
