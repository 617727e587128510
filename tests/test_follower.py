"""The index's own process, from the side of whoever has started it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harvester.record import Record
from index.follower import Following
from index.sync import unseen
from tests.commands import demo_folder, in_the_way_of_a_rebuild, of_another_version, program_in, put
from tests.fakes.clock import FakeClock
from tests.served import await_fact

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Its index is one record behind."""
    demo_folder(tmp_path)
    with program_in(tmp_path) as program:
        put(program.store, Record(identifier="oai:new", title="New", formats=("oai_dc",)))
    return tmp_path


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def following(folder: Path, clock: FakeClock, said: list[str]) -> Iterator[Following]:
    following = Following(folder / "config.toml", clock, said.append, overheard=True)
    following.start()
    yield following
    following.close()


def kill(following: Following) -> None:
    assert following.pid
    os.kill(following.pid, signal.SIGKILL)
    os.waitid(os.P_PID, following.pid, os.WEXITED | os.WNOWAIT)


def behind(folder: Path) -> int:
    with program_in(folder) as program:
        return unseen(program.store, program.generations)


def test_takes_in_what_is_there_and_ends(folder: Path, following: Following, said: list[str]) -> None:
    assert following.is_alive
    following.restart()  # nothing to do
    assert following.close()
    assert (following.is_alive, behind(folder), said) == (False, 0, [])


def test_starts_again_after_a_pause_that_grows(
    folder: Path, clock: FakeClock, following: Following, said: list[str]
) -> None:
    for pause in (1, 2, 4):
        kill(following)
        for _ in range(3):
            following.restart()
        assert not following.is_alive
        assert said == [f"The index's process has died (signal 9); it starts again in {pause} s."]
        said.clear()
        clock.advance(pause)
        following.restart()
        assert following.is_alive
    assert following.close()
    assert (behind(folder), said) == (0, [])


def test_a_death_after_a_long_life_is_a_new_matter(
    clock: FakeClock, following: Following, said: list[str]
) -> None:
    for _ in range(2):
        kill(following)
        following.restart()
        clock.advance(2)
        following.restart()
        clock.advance(601)
    assert [sentence[-4:] for sentence in said] == ["1 s.", "1 s."]


def test_one_that_cannot_be_started_is_tried_again(
    clock: FakeClock, following: Following, said: list[str]
) -> None:
    command, following._command = following._command, ["/nowhere/python"]
    kill(following)
    following.restart()
    clock.advance(1)
    following.restart()
    assert said[-1] == "The index's process cannot be started: No such file or directory."
    following._command = command
    following.restart()
    clock.advance(2)
    following.restart()
    assert following.is_alive


def test_one_that_cannot_end_is_killed(following: Following) -> None:
    assert following.pid
    os.kill(following.pid, signal.SIGSTOP)
    assert not following.close(within=0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(following.pid, 0)


def test_what_it_says_is_overheard(folder: Path, clock: FakeClock, said: list[str]) -> None:
    (folder / "config.toml").write_text("data = 7")
    following = Following(folder / "config.toml", clock, said.append, overheard=True)
    following.start()
    assert not following.close()
    assert "data" in "\n".join(said)


def test_why_it_stands_still_is_forgotten_with_the_process(
    folder: Path, clock: FakeClock, said: list[str]
) -> None:
    of_another_version(folder)
    in_the_way = in_the_way_of_a_rebuild(folder)
    following = Following(folder / "config.toml", clock, said.append, overheard=True)
    following.start()
    await_fact(lambda: following.trouble.startswith("The index stands still"), "that it cannot go on")
    kill(following)
    following.restart()
    assert following.trouble == "the index's follower has ended, and is to be started again"
    in_the_way.rmdir()
    clock.advance(1)
    following.restart()
    assert (following.trouble, following.close()) == ("", True)


def test_what_ends_our_group_does_not_end_it(following: Following) -> None:
    assert following.pid
    assert os.getpgid(following.pid) != os.getpgid(0)


def test_closed_before_it_was_started(folder: Path, clock: FakeClock, said: list[str]) -> None:
    assert Following(folder / "config.toml", clock, said.append).close()
