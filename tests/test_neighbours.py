"""Turns at a host among processes: each `Neighbours` here stands for one, as locks are of open files."""

import errno
import fcntl
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from harvester.transport import Limits, Turns, turns_on
from harvester.transport.neighbours import Neighbours
from tests.commands import command, environment, windrow
from tests.fakes.clock import FakeClock
from tests.fakes.repository import FakeRepository, serving
from tests.fakes.works import ARTICLES, Works
from tests.held import HANGS, held
from tests.served import await_stopped, running_at

PATIENCE = 100.0


class Enough(Exception):
    pass


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def neighbours(tmp_path: Path, clock: FakeClock) -> Callable[[], Neighbours]:
    return lambda: Neighbours(tmp_path / "hosts", clock, PATIENCE)


def nothing() -> None:
    pass


def after(looks: int, then: Callable[[], None]) -> Callable[[], None]:
    """Called at each look of who waits."""
    left = iter(range(looks))

    def look() -> None:
        if next(left, None) is None:
            then()

    return look


def enough() -> None:
    raise Enough


@contextmanager
def suspended(*arguments: str) -> Iterator[None]:
    """Another process has what it prints a line for, and stands still."""
    process = subprocess.Popen([sys.executable, "-c", *arguments], stdout=subprocess.PIPE)
    try:
        assert process.stdout
        assert process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        await_stopped(process.pid)
        yield
    finally:
        process.kill()
        process.communicate()


TURN = """
import sys, signal
from pathlib import Path
from harvester.clock import SystemClock
from harvester.transport.neighbours import Neighbours
def look():
    print("it waits for it", flush=True)
with Neighbours(Path(sys.argv[1]), SystemClock(), 100).turn("host", look, lambda: None):
    print("it has it", flush=True)
    signal.pause()
"""


def take_turns(neighbours: Callable[[], Neighbours]) -> None:
    for _ in range(2):
        with (
            neighbours().turn("host", after(5, enough), nothing),
            pytest.raises(Enough),
            neighbours().turn("host", after(2, enough), nothing),
        ):
            pass


def test_one_at_a_time(neighbours: Callable[[], Neighbours]) -> None:
    with neighbours().turn("host", nothing, nothing):
        with neighbours().turn("other", enough, nothing):
            pass
        with pytest.raises(Enough), neighbours().turn("host", after(2, enough), nothing):
            pass
    with neighbours().turn("host", enough, nothing):
        pass


def test_who_wants_another_turn_is_not_first_again(neighbours: Callable[[], Neighbours]) -> None:
    """Though it is there at once, and the other looks only now and then."""
    looked, has_had_it = threading.Event(), threading.Event()

    def take() -> None:
        with neighbours().turn("host", looked.set, nothing):
            has_had_it.set()

    other = threading.Thread(target=take, daemon=True)
    mine, turns = neighbours(), 0
    while not has_had_it.is_set() and turns < 20:
        with mine.turn("host", nothing, nothing):
            turns += 1
            if turns == 1:
                other.start()
            assert has_had_it.is_set() or looked.wait(60)
            looked.clear()
    other.join(60)
    assert turns <= 3


def test_a_gap_is_kept_after_another_s_request(tmp_path: Path, clock: FakeClock) -> None:
    mine, other = (turns_on(tmp_path, clock, Limits()) for _ in range(2))

    def take(turns: Turns, gap: float) -> list[float]:
        del clock.slept[:]
        with turns.turn("host", gap):
            return list(clock.slept)

    assert take(mine, 8) == []
    clock.advance(3)
    assert take(other, 8) == [5]
    assert take(mine, 0) == []
    assert take(mine, 8) == [8]
    clock.put_back(days=1)
    assert take(other, 8) == [8]


def test_who_waits_long_is_told_once(neighbours: Callable[[], Neighbours], clock: FakeClock) -> None:
    told: list[float] = []
    goes_on = after(10, enough)

    def look() -> None:
        clock.advance(1)
        goes_on()

    with (
        neighbours().turn("host", nothing, nothing),
        pytest.raises(Enough),
        neighbours().turn("host", look, lambda: told.append(clock.monotonic())),
    ):
        pass
    assert told == [5]


def test_nobody_waits_for_ever(tmp_path: Path, clock: FakeClock) -> None:
    with (
        Neighbours(tmp_path / "hosts", clock, PATIENCE).turn("host", nothing, nothing),
        Neighbours(tmp_path / "hosts", clock, 0.1).turn("host", after(1000, enough), nothing),
    ):
        pass


def test_nobody_waits_for_who_is_suspended(neighbours: Callable[[], Neighbours], tmp_path: Path) -> None:
    with suspended(TURN, str(tmp_path / "hosts")):
        take_turns(neighbours)


def test_nor_for_who_is_suspended_and_was_to_be_next(
    neighbours: Callable[[], Neighbours], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        with neighbours().turn("host", nothing, nothing):
            stack.enter_context(suspended(TURN, str(tmp_path / "hosts")))
        take_turns(neighbours)


def test_without_a_folder_there_are_no_turns(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").touch()
    for nowhere in (tmp_path / "not/there", tmp_path / "file"):
        for _ in range(2):
            with Neighbours(nowhere, clock, PATIENCE).turn("host", enough, nothing) as passed:
                assert passed > 1e9
    assert not (tmp_path / "not").exists()


def test_where_nothing_can_be_locked_there_are_no_turns(
    neighbours: Callable[[], Neighbours], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems: a lock that is a file would outlive its process."""

    def refuse(_file: int, _how: int) -> None:
        raise OSError(errno.ENOSYS, "not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    for _ in range(2):
        with neighbours().turn("host", enough, nothing) as passed:
            assert passed > 1e9


@pytest.mark.parametrize("written", [b"\xff\xfe", b"-1", b"9" * 5000, b"4711 on kent"])
def test_what_else_is_in_the_file_is_no_holder(
    neighbours: Callable[[], Neighbours], tmp_path: Path, written: bytes
) -> None:
    (tmp_path / "hosts").mkdir()
    for place in ("host.turn", "host.next"):
        (tmp_path / "hosts" / place).write_bytes(written)
    take_turns(neighbours)


def test_names_of_hosts_are_names_of_files(neighbours: Callable[[], Neighbours], tmp_path: Path) -> None:
    for host in ("[2001:db8::1]:8443", "../../up", "a" * 5000, "", "é"):
        with neighbours().turn(host, enough, nothing):
            pass
    assert len(list((tmp_path / "hosts").glob("*.turn"))) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["hosts"]


# Processes


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[FakeRepository]:
    with serving(Works(40, FakeClock().now, page_size=10)) as repository:
        (tmp_path / "config.toml").write_text(
            f'[sources.one]\nurl = "{repository.url}"\n'
            f'[sources.two]\nurl = "{repository.url}"\nset = "{ARTICLES}"\n'
        )
        yield repository


@contextmanager
def second_one(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """It wants a host that another has; a minute is a second to it."""
    process = subprocess.Popen(
        command("harvest", "two"),
        cwd=folder,
        env=environment(WINDROW_CLOCK=running_at(60.0)[0]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr
        said = iter(process.stderr.readline, b"")
        assert any(b"another windrow is asking 127.0.0.1:" in line for line in said)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_two_commands_ask_one_host_in_turn(repository: FakeRepository, tmp_path: Path) -> None:
    with held(repository, tmp_path, 20, "one") as first:
        asked = len(repository.log)
        with second_one(tmp_path) as second:
            assert len(repository.log) == asked
            first.gate.opened.set()
            second.communicate(timeout=HANGS)
        assert (first.ended().code, second.returncode) == (0, 0)
    assert repository.most_at_once == 1
    assert windrow(tmp_path, "verify").code == 0


def test_who_is_killed_has_no_turn_any_more(repository: FakeRepository, tmp_path: Path) -> None:
    with held(repository, tmp_path, 20, "one") as first, second_one(tmp_path) as second:
        first.process.kill()
        first.ended()
        second.communicate(timeout=HANGS)
        assert second.returncode == 0
