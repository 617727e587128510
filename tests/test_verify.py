"""Each invariant is seen to break: data damaged on purpose, and that line, no other, says so."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harvester.record import Record
from harvester.store import Store
from index.document import document
from index.generations import Generation, Generations
from index.sync import rebuild
from index.verify import verify as verify_all
from tests.commands import KHAN, Ran, demo_folder, inside, program_in, put

FILE = "the database file is sound"
ROWS = "each identifier of a source has one row"
POSITIONS = "positions rise, none is beyond the feed's last"
READABLE = "each live record can be read"
RAW = "each live record has the XML it was made from"
TOMBSTONES = "tombstones hold no content"
FORGOTTEN = "forgotten records hold no content"
COUNTS = "each source counts its records rightly"
REMOVED = "removed sources hold nothing but tombstones"
CHECKPOINTS = "what is to be gone on with leads on from what is stored"
GUARD = "no harvest deleted more than the guard lets it"
SUMS = "each received record is counted once"
WATERMARK = "no watermark lies beyond what the repository said"
QUARANTINE = "what is in quarantine has a reason"
INDEX_POSITION = "the index follows this store and does not lead it"
INDEX_DOCUMENTS = "the index holds each live record as it is, and nothing else"
ALL = (
    FILE, ROWS, POSITIONS, READABLE, RAW, TOMBSTONES, FORGOTTEN, COUNTS, REMOVED, CHECKPOINTS, SUMS,
    GUARD, WATERMARK, QUARANTINE, INDEX_POSITION, INDEX_DOCUMENTS,
)  # fmt: skip
LIVE, DELETED = 224, 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return demo_folder(tmp_path)


Verify = Callable[[], Ran]


@pytest.fixture
def verify(folder: Path, capsys: pytest.CaptureFixture[str]) -> Verify:
    return lambda: inside(folder, capsys, "verify", "--json")


@pytest.fixture
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "data/windrow.db", isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def generation(folder: Path) -> Generation:
    return Generations(folder / "data/index").current()


def broken(ran: Ran) -> dict[str, list[str]]:
    """invariant → examples, of those that do not hold; the exit code says whether there are any."""
    assert [line["invariant"] for line in ran.lines] == list(ALL)
    wrong = {line["invariant"]: line["examples"] for line in ran.lines if not line["holds"]}
    assert ran.code == (1 if wrong else 0)
    return wrong


class TestAGoodFolder:
    def test_is_clean(self, verify: Verify) -> None:
        ran = verify()
        assert broken(ran) == {}
        assert [set(line) for line in ran.lines] == [{"invariant", "holds", "checked", "examples"}] * len(ALL)
        checked = {line["invariant"]: line["checked"] for line in ran.lines}
        assert checked == {
            FILE: 1, ROWS: 1, POSITIONS: LIVE + DELETED, READABLE: LIVE, RAW: LIVE, TOMBSTONES: DELETED,
            FORGOTTEN: 0, COUNTS: 1, REMOVED: 0, CHECKPOINTS: 1, SUMS: 1, GUARD: 1, WATERMARK: 1,
            QUARANTINE: 0, INDEX_POSITION: 1, INDEX_DOCUMENTS: LIVE,
        }  # fmt: skip

    def test_also_where_the_index_is_behind(self, folder: Path, verify: Verify) -> None:
        with program_in(folder) as program:
            put(
                program.store,
                Record(identifier="oai:new", title="New", formats=("oai_dc",)),
                Record(identifier="oai:windrow.example:111396", title="Anew", formats=("oai_dc",)),
                Record(identifier="oai:windrow.example:1350", deleted=True),
            )
        assert broken(verify()) == {}

    def test_and_where_there_is_no_index_yet(self, folder: Path, verify: Verify) -> None:
        (folder / "data/index/current").unlink()
        assert broken(verify()) == {}

    def test_is_left_as_it_was(self, folder: Path, verify: Verify, database: sqlite3.Connection) -> None:
        def state() -> tuple[list[str], dict[Path, bytes]]:
            index = (folder / "data/index").rglob("*")
            return list(database.iterdump()), {path: path.read_bytes() for path in index if path.is_file()}

        before = state()
        verify()
        assert state() == before

    def test_a_person_reads_it(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        ran = inside(folder, capsys, "verify")
        assert ran.out.count("holds     ") == len(ALL)
        assert f"{RAW} ({LIVE} checked)" in ran.out
        assert ran.code == 0


_TWO_ROWS = """
    CREATE TABLE copied AS SELECT * FROM records;
    DROP TABLE records;
    ALTER TABLE copied RENAME TO records;
    UPDATE feed SET position = 231;
    UPDATE sources SET tombstones = tombstones + 1;
    INSERT INTO records
        SELECT 231, source_id, identifier, 231, datestamp, deleted, sets, NULL, NULL, NULL, NULL, 0
        FROM records WHERE deleted LIMIT 1;
"""
_QUARANTINED = """
    INSERT INTO quarantine (source_id, identifier, datestamp, since, reason, body)
    VALUES (1, 'oai:odd', '', '', '', x'00')
"""
_FORGOTTEN_IN_QUARANTINE = """
    UPDATE records SET forgotten = '2026' WHERE deleted;
    INSERT INTO quarantine (source_id, identifier, datestamp, since, reason, body)
    SELECT source_id, identifier, '', '', 'why', x'00' FROM records WHERE deleted
"""


class TestTheStore:
    @pytest.mark.parametrize(
        ("damage", "invariant", "said"),
        [
            (_TWO_ROWS, ROWS, "has 2 rows"),
            ("UPDATE records SET position = 999 WHERE id = 1", POSITIONS, "row 1 stands at position 999"),
            ("UPDATE records SET record = x'00' WHERE id = 1", READABLE, "cannot be read"),
            ("UPDATE records SET record = NULL WHERE id = 1", READABLE, "is live and has no record"),
            ("DELETE FROM raw WHERE record_id = 1", RAW, "has lost the XML"),
            ("UPDATE raw SET body = x'00' WHERE record_id = 1", RAW, "cannot be read"),
            (
                "UPDATE records SET record = (SELECT record FROM records WHERE id = 1) WHERE deleted",
                TOMBSTONES,
                "its content is still there",
            ),
            (
                "INSERT INTO raw SELECT min(id), 'list', x'00' FROM records WHERE deleted",
                TOMBSTONES,
                "its content is still there",
            ),
            ("UPDATE sources SET removed = '2026'", REMOVED, "demo was removed, but"),
            ("UPDATE records SET forgotten = '2026' WHERE id = 1", FORGOTTEN, "was forgotten here, but"),
            (
                "UPDATE records SET forgotten = '2026', content_hash = x'00' WHERE deleted",
                FORGOTTEN,
                "its content is still there",
            ),
            (_FORGOTTEN_IN_QUARANTINE, FORGOTTEN, "its content is still there"),
            ("UPDATE sources SET live = live + 1", COUNTS, "demo counts 225 records and 6 deleted"),
            ("UPDATE sources SET tombstones = 0", COUNTS, "there are 224 and 6"),
            (
                "UPDATE harvests SET checkpoint = json_set(checkpoint, '$.counts.created', 1)",
                SUMS,
                "harvest 1 received 230 records and counts 7",
            ),
            (
                "UPDATE harvests SET checkpoint = json_set(checkpoint, '$.token', 'x', '$.pages', 0)",
                CHECKPOINTS,
                "go on from a page that it never had",
            ),
            (
                "UPDATE harvests SET checkpoint = json_set(checkpoint, '$.live_before', 300,"
                " '$.counts.created', 0, '$.counts.unchanged', 230, '$.counts.vanished', 51)",
                GUARD,
                "harvest 1 deleted 51 of 300 records",
            ),
            ("UPDATE sources SET watermark = '2999-01-01T00:00:00Z'", WATERMARK, "lies beyond 2026-06-01"),
            ("UPDATE sources SET watermark = 'soon'", WATERMARK, "the watermark of demo, soon"),
            ("UPDATE harvests SET verdict = 'partial'", WATERMARK, "beyond any complete harvest"),
            (_QUARANTINED, QUARANTINE, "oai:odd is in quarantine without a reason"),
        ],
    )
    def test_damaged(
        self, verify: Verify, database: sqlite3.Connection, damage: str, invariant: str, said: str
    ) -> None:
        database.execute("PRAGMA foreign_keys = OFF")
        database.executescript(damage)
        wrong = broken(verify())
        assert list(wrong) == [invariant]
        assert said in wrong[invariant][0]

    def test_examples_are_few(self, verify: Verify, database: sqlite3.Connection) -> None:
        database.execute("DELETE FROM raw")
        (line,) = [line for line in verify().lines if not line["holds"]]
        assert (line["invariant"], line["checked"], len(line["examples"])) == (RAW, LIVE, 5)

    def test_a_file_that_is_no_longer_whole(
        self, folder: Path, capsys: pytest.CaptureFixture[str], database: sqlite3.Connection
    ) -> None:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'raw'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
        database.close()
        with (folder / "data/windrow.db").open("r+b") as file:
            file.seek((root - 1) * size)
            file.write(b"\xa5" * size)
        ran = inside(folder, capsys, "verify")
        assert ran.code == 1
        assert f"VIOLATED  {FILE}" in ran.out
        assert "restore the store from a backup" in ran.err

    def test_what_is_shown_of_harvested_text_is_printable(
        self, folder: Path, capsys: pytest.CaptureFixture[str], database: sqlite3.Connection
    ) -> None:
        database.execute(
            "UPDATE records SET identifier = 'oai:\x1b[31m\x9b\u202e', record = NULL WHERE id = 1"
        )
        ran = inside(folder, capsys, "verify")
        assert "oai:�[31m�� is live and has no record" in ran.out
        assert not {"\x1b", "\x9b", "\u202e"} & set(ran.out)


class Overtaken(Generations):
    """At the nth time that one has asked which generation is the current one, a rebuild takes it away."""

    def __init__(self, folder: Path, store: Store, nth: int) -> None:
        super().__init__(folder)
        self._store = store
        self._left = nth

    def current(self) -> Generation:
        generation = super().current()
        self._left -= 1
        if self._left == 0:
            rebuild(self._store, Generations(self.folder), "tantivy")
        return generation


class TestTheIndex:
    @pytest.mark.parametrize("times", [1, 2])
    def test_that_is_rebuilt_while_it_is_looked_at(self, folder: Path, times: int) -> None:
        with program_in(folder) as program:
            overtaken = Overtaken(program.generations.folder, program.store, times)
            checked = {one.invariant: one for one in verify_all(program.store, overtaken)}
        assert (checked[INDEX_POSITION].holds, checked[INDEX_POSITION].checked) == (True, 1)
        assert (checked[INDEX_DOCUMENTS].holds, checked[INDEX_DOCUMENTS].checked) == (True, LIVE)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"position": 231}, "the index stands at 231, the store at 230"),
            ({"store_id": "another"}, "belongs to another store"),
            ({"schema_version": 0}, "built by another version"),
        ],
    )
    def test_a_position_of_something_else(
        self, verify: Verify, generation: Generation, changes: dict[str, Any], said: str
    ) -> None:
        generation.save(msgspec.structs.replace(generation.position, **changes))
        wrong = broken(verify())
        assert list(wrong) == [INDEX_POSITION]
        assert said in wrong[INDEX_POSITION][0]

    def test_a_position_that_cannot_be_read(self, verify: Verify, generation: Generation) -> None:
        (generation.folder / "position.json").write_text("{")
        assert list(broken(verify())) == [INDEX_POSITION, INDEX_DOCUMENTS]

    def test_a_document_that_is_missing(self, verify: Verify, generation: Generation) -> None:
        with generation.engine().session() as session:
            session.delete([KHAN])
            session.commit()
        assert broken(verify()) == {INDEX_DOCUMENTS: [f"{KHAN} is not in the index"]}

    def test_a_document_too_many(self, verify: Verify, generation: Generation) -> None:
        with generation.engine().session() as session:
            session.put([document(Record(id="demo/none", title="None"), 5)])
            session.commit()
        wrong = broken(verify())
        assert list(wrong) == [INDEX_DOCUMENTS]
        assert "demo/none is in the index and should not be" in wrong[INDEX_DOCUMENTS][0]

    def test_a_document_of_a_record_that_was_deleted(
        self, folder: Path, verify: Verify, generation: Generation, database: sqlite3.Connection
    ) -> None:
        sql = "SELECT identifier, position FROM records WHERE deleted"
        identifier, position = database.execute(sql).fetchone()
        with generation.engine().session() as session:
            session.put([document(Record(id=f"demo/{identifier}", title="Gone"), position)])
            session.commit()
        assert list(broken(verify())) == [INDEX_DOCUMENTS]

    def test_a_document_as_it_was_before(self, verify: Verify, generation: Generation) -> None:
        with generation.engine().session() as session:
            session.put([document(Record(id=KHAN, title="Old"), 5)])
            session.commit()
        wrong = broken(verify())
        assert list(wrong) == [INDEX_DOCUMENTS]
        assert all(KHAN in example for example in wrong[INDEX_DOCUMENTS])

    def test_an_engine_that_cannot_be_opened(self, verify: Verify, generation: Generation) -> None:
        next((generation.folder / "files").glob("*.store")).unlink()
        assert list(broken(verify())) == [INDEX_DOCUMENTS]

    def test_a_position_that_leads(self, folder: Path, verify: Verify, generation: Generation) -> None:
        """A position that was saved although its documents were not: the one thing that must not be."""
        with program_in(folder) as program:
            put(program.store, Record(identifier="oai:new", title="New", formats=("oai_dc",)))
        generation.save(msgspec.structs.replace(generation.position, position=231))
        assert broken(verify()) == {INDEX_DOCUMENTS: ["demo/oai:new is not in the index"]}
