"""What a data folder holds, read from its files: the store's records, and whether all of it is sound."""

from pathlib import Path
from typing import NamedTuple

from harvester.store import changes, quarantine
from index.sync import unseen
from index.verify import verify
from tests.commands import program_in


class Stored(NamedTuple):
    """Identifiers."""

    live: set[str]
    deleted: set[str]
    refused: set[str]


def stored(folder: Path) -> Stored:
    """After a look that each identifier is there once."""
    with program_in(folder) as program, program.store.read() as connection:
        feed = [change.record for change in changes.changes(connection, 0, 1_000_000)]
        refused = [entry.identifier for entry in quarantine.entries(connection)]
    assert len(feed) == len({record.id for record in feed})
    assert len(refused) == len(set(refused))
    return Stored(
        {record.identifier for record in feed if not record.deleted},
        {record.identifier for record in feed if record.deleted},
        set(refused),
    )


def assert_sound(folder: Path) -> None:
    with program_in(folder) as program:
        assert [checked for checked in verify(program.store, program.generations) if not checked.holds] == []


def assert_holds(folder: Path, expected: Stored) -> None:
    """Exactly that; nothing is wrong, and the index has followed to the end."""
    assert stored(folder) == expected
    assert_sound(folder)
    with program_in(folder) as program:
        assert unseen(program.store, program.generations) == 0
        assert program.searcher().count() == len(expected.live)
