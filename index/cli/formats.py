"""Hits as other programs read them: a page of them after the other, so that memory stays flat.

Only RIS and BibTeX open the store, for the whole records.
"""

import sys
from collections.abc import Iterable, Iterator

import msgspec

from harvester.clean.text import printable
from index.cli.remarks import remark
from index.cli.talk import escaped, put_json, put_lines, tell
from index.cli.wrapping import one_line
from index.program import Program
from index.results import Results

_IN_PART = 3


def put_hits(program: Program, format_name: str, pages: Iterable[Results]) -> int:
    """The exit code: 3 where the store lacks a record that the index has."""
    match format_name:
        case "json":
            _put_whole(pages)
        case "jsonl":
            for page in _remarked(pages):
                for hit in page.hits:
                    put_json(hit)
        case "ids":
            for page in _remarked(pages):
                put_lines(*(one_line(hit.id) for hit in page.hits))
        case "csv":
            _put_table(pages)
        case _:
            return put_records(program, format_name, (_ids(page) for page in _remarked(pages)))
    return 0


def _put_whole(pages: Iterable[Results]) -> None:
    first, *others = pages
    hits = tuple(hit for page in (first, *others) for hit in page.hits)
    put_json(msgspec.structs.replace(first, hits=hits))


def _put_table(pages: Iterable[Results]) -> None:
    from index.exports.csv import HEAD, row  # which is seldom wanted

    sys.stdout.write(HEAD)
    for page in _remarked(pages):
        for hit in page.hits:
            if hit.stored is not msgspec.UNSET:
                sys.stdout.write(printable(row(hit.stored)))


def put_records(program: Program, format_name: str, pages: Iterable[list[str]]) -> int:
    """Records of the store by their ids. The exit code: 3 where one is not there."""
    from harvester.store import records
    from index.exports import exporter

    wanted, lacks = exporter(format_name), 0
    sys.stdout.write(wanted.head)
    for ids in pages:
        with program.store.read() as connection:
            found = {id: records.get(connection, id) for id in ids}
        for id, record in found.items():
            if record is None or record.deleted:
                lacks += 1
                tell(f"{id} is left out: the index has it, the store does not. `windrow sync` settles it.")
            else:
                sys.stdout.write(safe(format_name, wanted.write(record)))
    return _IN_PART if lacks else 0


def safe(format_name: str, text: str) -> str:
    """For a terminal, too."""
    return escaped(text) if format_name == "jsonl" else printable(text)


def _ids(page: Results) -> list[str]:
    return [hit.id for hit in page.hits]


def _remarked(pages: Iterable[Results]) -> Iterator[Results]:
    """What the format has no place for is told beside it, once."""
    for at, page in enumerate(pages):
        if at == 0:
            if page.loosened:
                tell("Few have all of the words; these have some.")
            remark(page)
        yield page
