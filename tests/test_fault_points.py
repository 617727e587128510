"""kill -9 at each named place, the first, the second and the last time it is passed; then one clean run.

The places are those of FAULTS section 5 (1 to 23). Left out: (22) the rename of an export, since
`windrow export` writes to its standard output; (23) a checkpoint of the WAL, which is inside SQLite.
"""

import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from harvester.fault_point import PLACES
from harvester.store import migrations
from tests.commands import Ran, inside, numbered, program_in, put, windrow
from tests.fakes.clock import FakeClock
from tests.fakes.faults import replaced
from tests.fakes.repository import FakeRepository, serving
from tests.fakes.works import Works, identifier
from tests.whole import Stored, assert_holds, assert_sound, stored

pytestmark = pytest.mark.slow

PAGES, A_PAGE = 6, 10
RECORDS = PAGES * A_PAGE
DELETED = (5, 25, 60)
REFUSED = (7, 27, 47)
DESTROYED = (11, 31, 51)
MANY = 2500  # changes: three batches of the index

WITHOUT_METADATA = replaced(
    rf"(:(?:{'|'.join(map(str, REFUSED))})</identifier>(?:(?!</record>).)*?)<metadata>.*?</metadata>", r"\1"
)


class Stage:
    """A repository, and the folder from which each case begins; `passed` counts the places of a whole run."""

    def __init__(self, scenario: "Scenario", folder: Path, repository: FakeRepository) -> None:
        self.repository = repository
        self.folder = folder / "before"
        self.folder.mkdir()
        repository.misbehave(WITHOUT_METADATA)
        source = f'[sources.test]\nurl = "{repository.url}"\n'
        (self.folder / "config.toml").write_text(f'{source}[index]\nengine = "{scenario.engine}"\n')
        scenario.prepare(self)
        note = folder / "passed"
        _done(self.at(folder / "dry"), *scenario.command, fault=f"any:0:{note}")
        self.passed = Counter(note.read_text().splitlines())

    @property
    def works(self) -> Works:
        assert isinstance(self.repository.responder, Works)
        return self.repository.responder

    def at(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.folder, folder))

    def harvest(self) -> None:
        _done(self.folder, "harvest")


def _done(folder: Path, *command: str, fault: str = "") -> None:
    ran = windrow(folder, *command, env={"WINDROW_FAULT": fault})
    assert ran.code == 0, ran.err


# What lies there before the command


def nothing(_stage: Stage) -> None:
    pass


def all_harvested(stage: Stage) -> None:
    stage.harvest()


def some_destroyed(stage: Stage) -> None:
    stage.harvest()
    stage.works.destroy(*DESTROYED)


def a_store_of_the_first_version(stage: Stage) -> None:
    """All that was harvested, in the tables as the first migration made them."""
    stage.harvest()
    data = stage.folder / "data"
    with closing(sqlite3.connect(data / "windrow.db")) as today:
        today.execute("VACUUM INTO ?", [str(data / "today.db")])
    for path in data.glob("windrow.db*"):
        path.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harvester.store.database.MIGRATIONS", migrations.MIGRATIONS[:1])
        with program_in(stage.folder) as program:
            assert program.store.id
    _fill(data / "windrow.db", data / "today.db")
    (data / "today.db").unlink()


def _fill(old: Path, today: Path) -> None:
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("ATTACH ? AS today", [str(today)])
        tables = [
            name for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")
        ]
        for table in tables:
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"DELETE FROM main.{table}")
            connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM today.{table}")
        connection.execute("UPDATE main.meta SET value = '1' WHERE key = 'schema_version'")


def an_index_that_is_behind(stage: Stage) -> None:
    """2,500 changes, of them 100 deletions."""
    with program_in(stage.folder) as program:
        put(program.store, *numbered(range(100)), source="test")
    _done(stage.folder, "sync")
    with program_in(stage.folder) as program:
        gone = [msgspec.structs.replace(one, deleted=True) for one in numbered(range(100))]
        put(program.store, *numbered(range(100, MANY)), *gone, source="test")


# What must lie there in the end


def what_was_sent(stage: Stage) -> Stored:
    refused = {identifier(number) for number in REFUSED}
    return Stored(stage.works.live - refused, stage.works.deleted, refused)


def what_was_sent_and_swept(stage: Stage) -> Stored:
    sent = what_was_sent(stage)
    return sent._replace(deleted=sent.deleted | {identifier(number) for number in DESTROYED})


def tombstones(stage: Stage) -> Stored:
    sent = what_was_sent(stage)
    return Stored(set(), sent.live | sent.deleted, set())


def many(_stage: Stage) -> Stored:
    return Stored({f"oai:x:{at}" for at in range(100, MANY)}, {f"oai:x:{at}" for at in range(100)}, set())


@dataclass(frozen=True)
class Scenario:
    """`passes` are the places to strike, by how often at least a whole run passes them: 3, 2 or 1."""

    command: tuple[str, ...]
    prepare: Callable[[Stage], None]
    outcome: Callable[[Stage], Stored]
    passes: Mapping[int, Sequence[str]]
    engine: str = "tantivy"


EXCHANGE = ("connected", "headers read", "half the body read", "body decoded", "page parsed")
PAGE = (
    "transaction begun",
    "lease renewed",
    "half a page written",
    "records written",
    "checkpoint written",
)
VERDICT = ("watermark about to be written", "watermark written", "verdict about to be written")
BATCH = ("index batch begun", "index batch half added")
COMMIT = ("index committed", "index position written")
SWITCH = ("generation built", "generation switched")

SCENARIOS = {
    "harvest": Scenario(
        ("harvest", "--json"),
        nothing,
        what_was_sent,
        {
            3: (*EXCHANGE, *PAGE, "store half migrated", "quarantine written", "page committed"),
            1: ("lease taken", *VERDICT),
        },
    ),
    "follower": Scenario(("harvest", "--json"), nothing, what_was_sent, {1: (*BATCH, *COMMIT, *SWITCH)}),
    "full harvest": Scenario(
        ("harvest", "--full", "--json"),
        some_destroyed,
        what_was_sent_and_swept,
        {3: (*PAGE, "listed identifiers written"), 2: ("sweep half done",), 1: ("lease taken", *VERDICT)},
    ),
    "old store": Scenario(
        ("harvest", "--json"), a_store_of_the_first_version, what_was_sent, {3: ("store half migrated",)}
    ),
    "source remove": Scenario(
        ("source", "remove", "test", "--yes"),
        all_harvested,
        tombstones,
        {
            3: ("transaction begun", "lease renewed"),
            2: ("removal half done", "half a page written", "records written"),
            1: ("lease taken", *BATCH, *COMMIT),
        },
    ),
    **{
        f"{command}, {engine}": Scenario(
            (command,), an_index_that_is_behind, many, {3: BATCH, 1: more}, engine
        )
        for command, more in (("sync", COMMIT), ("rebuild", (*COMMIT, *SWITCH)))
        for engine in ("tantivy", "whoosh")
    },
}

NTHS = {3: ("first", "second", "last"), 2: ("first", "last"), 1: ("first",)}
KILLS = [
    (name, place, nth)
    for name, scenario in SCENARIOS.items()
    for times, places in scenario.passes.items()
    for place in places
    for nth in NTHS[times]
]


@pytest.fixture(scope="module")
def stage() -> Iterator[Callable[[str], Stage]]:
    """By the name of its scenario; each is set once."""
    stages: dict[str, Stage] = {}
    with ExitStack() as stack:

        def of(name: str) -> Stage:
            if name not in stages:
                folder = Path(stack.enter_context(TemporaryDirectory(prefix="windrow-kills-")))
                works = Works(RECORDS, FakeClock().now, page_size=A_PAGE)
                for number in DELETED:
                    works.delete(number)
                repository = stack.enter_context(serving(works))
                stages[name] = Stage(SCENARIOS[name], folder, repository)
            return stages[name]

        yield of


@pytest.mark.parametrize(("name", "place", "nth"), KILLS, ids=[", ".join(kill) for kill in KILLS])
def test_kill_9(
    stage: Callable[[str], Stage], tmp_path: Path, capsys: object, name: str, place: str, nth: str
) -> None:
    stood = stage(name)
    scenario, folder = SCENARIOS[name], stood.at(tmp_path / "killed")
    number = {"first": 1, "second": 2, "last": stood.passed[place]}[nth]

    ran = windrow(folder, *scenario.command, env={"WINDROW_FAULT": f"{place}:{number}:kill"})
    if name == "follower":
        assert (ran.code, "windrow sync" in ran.err) == (0, True)
    else:
        assert ran.code == -signal.SIGKILL
    assert_sound(folder)
    if name == "harvest":
        assert_no_page_is_skipped(folder)

    again = inside(folder, capsys, *scenario.command)
    assert (again.code, "Traceback" in again.err) == (0, False), again.err
    if name == "harvest":
        assert_counted_once(again)
    assert_holds(folder, scenario.outcome(stood))


def assert_no_page_is_skipped(folder: Path) -> None:
    """The checkpoint and its records are one commit (FAULTS section 4, 7)."""
    with closing(sqlite3.connect(folder / "data/windrow.db")) as store:
        begun = store.execute("SELECT name FROM sqlite_master WHERE name = 'harvests'").fetchall()
        runs = store.execute("SELECT checkpoint FROM harvests").fetchall() if begun else []
    listed = [msgspec.json.decode(checkpoint)["listed"] for (checkpoint,) in runs]
    if begun:
        assert sum(listed) == sum(map(len, stored(folder)))


def assert_counted_once(ran: Ran) -> None:
    """Across the kill: the run that goes on counts what came before it."""
    (report,) = ran.lines
    assert report["verdict"] == "complete"
    assert (report["pages"], report["received"]) == (PAGES, RECORDS)
    assert report["created"] == RECORDS - len(DELETED) - len(REFUSED)
    assert (report["unchanged"], report["quarantined"]) == (len(DELETED), len(REFUSED))


LACKS = [
    (name, place, lack)
    for name, scenario in SCENARIOS.items()
    if name not in ("follower", "old store")
    for places in scenario.passes.values()
    for place in places
    if place not in EXCHANGE or place == "page parsed"
    for lack in ("full", "memory")
]


@pytest.mark.parametrize(("name", "place", "lack"), LACKS, ids=[", ".join(lack) for lack in LACKS])
def test_what_the_machine_lacks(
    stage: Callable[[str], Stage], tmp_path: Path, capsys: object, name: str, place: str, lack: str
) -> None:
    """No space, no memory: told as what it is, and one clean run puts it right as after a kill."""
    stood = stage(name)
    scenario, folder = SCENARIOS[name], stood.at(tmp_path / "failed")
    nth = min(2, stood.passed[place])
    ran = windrow(folder, *scenario.command, env={"WINDROW_FAULT": f"{place}:{nth}:{lack}"})
    assert ran.code in (1, 3)
    assert "Traceback" not in ran.err
    told = ran.out + ran.err
    assert "then run" in told
    assert ("space" in told or "disk" in told) if lack == "full" else "no memory left" in told
    assert_sound(folder)
    again = inside(folder, capsys, *scenario.command)
    assert again.code == 0, again.err
    assert_holds(folder, scenario.outcome(stood))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_place_is_passed_as_often_as_the_table_says(stage: Callable[[str], Stage], name: str) -> None:
    passed = stage(name).passed
    for times, places in SCENARIOS[name].passes.items():
        assert {place: passed[place] for place in places if passed[place] < times} == {}


def test_each_place_is_struck() -> None:
    elsewhere = {
        "batch renormalised",  # tests/test_renormalise.py
        "detail written",  # tests/test_details.py, as the next
        "detail kept",
    }
    assert {place for _, place, _ in KILLS} | elsewhere == set(PLACES)
