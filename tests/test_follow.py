"""The index's own process, as it runs: nothing that happens around it keeps a record out of the index."""

import os
import resource
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harvester.clock import SystemClock
from harvester.errors import IndexFault
from harvester.record import Record
from index.follow import _Pursuit
from index.follower import Following
from index.generations import Generations
from index.sync import Follower, unseen
from index.turn import rebuild_in_turn
from tests.commands import (
    KHAN,
    command,
    demo_folder,
    environment,
    in_the_way_of_a_rebuild,
    inside,
    numbered,
    of_another_version,
    program_in,
    put,
    windrow,
)
from tests.fakes.clock import FakeClock
from tests.fakes.repository import serving
from tests.fakes.works import Works
from tests.held import held
from tests.served import await_fact, await_stopped
from tests.whole import assert_sound

pytestmark = pytest.mark.slow
LIVE = 224
WRITING = "index batch half added:1:stop"  # a fault, after which it stands still with the writer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return demo_folder(tmp_path)


@pytest.fixture
def said() -> list[str]:
    return []


Start = Callable[..., Following]


@pytest.fixture
def start(tmp_path: Path, clock: FakeClock, said: list[str]) -> Iterator[Start]:
    with ExitStack() as stack:

        def started(fault: str = "") -> Following:
            following = Following(tmp_path / "config.toml", clock, said.append, overheard=True)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("WINDROW_FAULT", fault)
                following.start()
            stack.callback(following.close)
            return following

        yield started


def new(folder: Path, *numbers: int) -> None:
    with program_in(folder) as program:
        put(program.store, *numbered(numbers))


def await_found(folder: Path, count: int) -> None:
    """By a search that knows nothing of who writes."""
    await_fact(lambda: found(folder) == count, f"{count} records in the index")


def found(folder: Path) -> int:
    try:
        return Generations(folder / "data/index").searcher().count()
    except IndexFault:
        return -1


def is_free(folder: Path) -> bool:
    """Could another process write now?"""
    try:
        with Generations(folder / "data/index").current().locked():
            return True
    except IndexFault:
        return False


def generations_in(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "data/index").iterdir() if path.is_dir())


def test_what_is_stored_is_found_while_nobody_has_ended(folder: Path, start: Start) -> None:
    start()
    for number in range(3):
        new(folder, number)
        await_found(folder, LIVE + number + 1)


def test_during_a_harvest(tmp_path: Path) -> None:
    """Other processes find the pages of a list that has not ended."""
    with serving(Works(60, FakeClock().now, page_size=10)) as repository:
        (tmp_path / "config.toml").write_text(f'[sources.test]\nurl = "{repository.url}"\n')
        with held(repository, tmp_path, 30) as harvest:
            await_found(tmp_path, 30)
            assert windrow(tmp_path, "search", "work", "--json").lines[0]["total"] == 30
            harvest.gate.opened.set()
            assert harvest.ended().code == 0
    assert found(tmp_path) == 60


def test_others_may_write_when_nothing_comes(folder: Path, start: Start) -> None:
    start()
    new(folder, 1)
    await_found(folder, LIVE + 1)
    await_fact(lambda: is_free(folder), "the writer is given back")
    new(folder, 2)
    await_found(folder, LIVE + 2)


@pytest.mark.parametrize("name", ["sync", "rebuild"])
def test_beside_a_command(folder: Path, start: Start, name: str) -> None:
    """No lock is spoken of, while it is writing all the time."""
    following = start()
    for number in range(5):
        new(folder, number)
        ran = windrow(folder, name, "--json")
        assert (ran.code, ran.lines[0]["position"] >= 231 + number) == (0, True), ran.err
        assert found(folder) == LIVE + number + 1
    assert following.close()
    assert_sound(folder)


def test_a_rebuild_beside_it_leaves_one_generation(folder: Path, start: Start, said: list[str]) -> None:
    following = start(WRITING)
    assert following.pid
    new(folder, 1)
    await_stopped(following.pid)
    assert windrow(folder, "rebuild").code == 0
    assert len(generations_in(folder)) == 2  # the rebuild could not remove what has a writer
    os.kill(following.pid, signal.SIGCONT)
    await_fact(lambda: len(generations_in(folder)) == 1, "the old generation is removed")
    new(folder, 2)
    await_found(folder, LIVE + 2)
    assert following.close()
    assert (generations_in(folder), said) == (["tantivy-v2-2"], [])


def test_another_engine_that_somebody_builds_is_followed(folder: Path, start: Start) -> None:
    following = start()
    new(folder, 1)
    await_found(folder, LIVE + 1)
    with program_in(folder) as program:
        rebuild_in_turn(program.store, program.generations, "whoosh", SystemClock())
        new(folder, 2)
        await_found(folder, LIVE + 2)
        assert following.close()
        assert program.generations.current().position.engine == "whoosh"


def test_two_of_them(folder: Path, start: Start, said: list[str]) -> None:
    both = [start(), start()]
    for number in range(10):
        new(folder, number)
    await_found(folder, LIVE + 10)
    for following in both:
        new(folder, 10 + both.index(following))
        assert following.close()
    assert (found(folder), said) == (LIVE + 12, [])
    assert_sound(folder)


def test_killed_again_and_again(
    folder: Path, clock: FakeClock, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = start(WRITING)
    for number, fault in enumerate([WRITING, WRITING, ""]):
        new(folder, number)
        assert following.pid
        await_stopped(following.pid)
        os.kill(following.pid, signal.SIGKILL)
        os.waitid(os.P_PID, following.pid, os.WEXITED | os.WNOWAIT)
        following.restart()
        clock.advance(10)
        monkeypatch.setenv("WINDROW_FAULT", fault)
        following.restart()
    await_found(folder, LIVE + 3)
    assert following.close()
    assert_sound(folder)


def test_who_stands_still_with_the_writer_keeps_no_search_waiting(folder: Path, start: Start) -> None:
    following = start(WRITING)
    assert following.pid
    new(folder, 1)
    await_stopped(following.pid)
    assert windrow(folder, "search", "khan").code == 0
    new(folder, 2)
    sync = subprocess.Popen(
        command("sync"), cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert sync.stderr is not None
    assert b"Another process writes the index" in sync.stderr.readline()
    os.kill(following.pid, signal.SIGCONT)
    _, err = sync.communicate()
    assert (sync.returncode, err) == (0, b"")
    assert found(folder) == LIVE + 2


def test_before_there_is_a_store(tmp_path: Path, start: Start, said: list[str]) -> None:
    (tmp_path / "config.toml").write_text("")
    following = start()
    await_found(tmp_path, 0)
    new(tmp_path, 1)
    await_found(tmp_path, 1)
    assert (following.close(), said) == (True, [])


def test_a_store_that_cannot_be_opened_is_tried_again(folder: Path, start: Start, said: list[str]) -> None:
    store = folder / "data/windrow.db"
    store.rename(folder / "elsewhere")
    store.write_text("This is no database. " * 100)
    following = start()
    await_fact(lambda: said, "that is said")
    assert "The index stands still, and is tried again: the store" in said[0]
    (folder / "elsewhere").replace(store)
    new(folder, 1)
    await_found(folder, LIVE + 1)
    assert following.close()


def test_a_disk_that_is_full_for_a_while(folder: Path, start: Start, said: list[str]) -> None:
    following = start()
    new(folder, 0)
    await_found(folder, LIVE + 1)
    assert following.pid
    resource.prlimit(following.pid, resource.RLIMIT_FSIZE, (33_000, resource.RLIM_INFINITY))
    new(folder, *range(1, 3000))
    await_fact(lambda: said, "that is said")
    assert "The index stands still, and is tried again: the index cannot be written" in said[0]
    assert "free some space" in said[0]
    resource.prlimit(following.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    await_found(folder, LIVE + 3000)
    await_fact(lambda: said[-1] == "The index follows again.", "that is said, too")
    assert following.is_alive
    assert following.close()
    assert_sound(folder)


@pytest.mark.parametrize("kind", ["pos", "term"])
def test_damage_while_it_runs(folder: Path, start: Start, said: list[str], kind: str) -> None:
    """Whether it is seen at a commit or when the index is opened: it is built anew."""
    following = start()
    new(folder, 1)
    await_found(folder, LIVE + 1)
    for file in (Generations(folder / "data/index").current().folder / "files").glob(f"*.{kind}"):
        file.unlink()
    with program_in(folder) as program:
        anew = Record(identifier=KHAN.partition("/")[2], title="Anew", formats=("oai_dc",))
        put(program.store, anew, *numbered([2]))
    await_fact(lambda: generations_in(folder) == ["tantivy-v2-2"], "it is built anew")
    await_fact(lambda: any("built anew" in one for one in said), "that is said")
    assert found(folder) == LIVE + 2
    assert following.close()
    assert_sound(folder)


def test_what_keeps_it_from_being_built_anew_is_said_once(folder: Path, said: list[str]) -> None:
    of_another_version(folder)
    in_the_way = in_the_way_of_a_rebuild(folder)
    ended = threading.Event()
    happens = iter([lambda: None, lambda: None, in_the_way.rmdir, ended.set])

    class Eventful(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            next(happens)()

    with program_in(folder) as program:
        _Pursuit(program, Eventful(), ended, said.append).run()
    anew, still, again = said
    assert anew == "The index is built anew: the index was of another version."
    assert still.startswith("The index stands still, and is tried again: the index cannot be written")
    assert again == "The index follows again."
    assert_sound(folder)


def test_verify_beside_it(folder: Path, start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """What changes between its looks at store and index is no violation; nor is a rebuild."""
    start()
    for number in range(20):
        new(folder, *range(number, number + 5))
        if number % 5 == 4:
            with program_in(folder) as program:
                rebuild_in_turn(program.store, program.generations, "tantivy", SystemClock())
        ran = inside(folder, capsys, "verify")
        assert ran.code == 0, ran.out


def test_the_level_is_saved_with_the_last_change(folder: Path, start: Start) -> None:
    """What `search --new` goes by: all up to there is in the index."""
    start()
    new(folder, 1)
    current = Generations(folder / "data/index").current()
    await_fact(lambda: current.position.level == 231, "it has all that is stored")
    with program_in(folder) as program, Follower(program.store, current) as another:
        assert (another.step(), unseen(program.store, program.generations)) == (0, 0)
