"""Turns at a host: one at a time, in order, each host for itself."""

import threading
from collections.abc import Callable

import pytest

from harvester.transport import Turns
from harvester.transport.words import host_of
from tests.fakes.clock import FakeClock


@pytest.fixture
def turns() -> Turns:
    return Turns(FakeClock(), 60)


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def waiting(turns: Turns, host: str) -> int:
    return len(turns._lines[host]._waiting)


def test_who_asked_first_is_first(turns: Turns) -> None:
    order: list[int] = []

    def take(number: int) -> None:
        with turns.turn("host"):
            order.append(number)

    threads = []
    with turns.turn("host"):
        for number in range(20):
            threads.append(in_thread(lambda number=number: take(number)))  # type: ignore[misc]
            while waiting(turns, "host") < number + 2:
                pass
    for thread in threads:
        thread.join()
    assert order == list(range(20))


def test_hosts_do_not_wait_for_each_other(turns: Turns) -> None:
    with turns.turn("slow"):
        done = in_thread(lambda: turns.turn("other").__enter__() and None)
        done.join(60)
        assert not done.is_alive()


def test_who_need_not_wait_any_more_leaves_the_line(turns: Turns) -> None:
    class Enough(Exception):
        pass

    def enough() -> None:
        if waiting(turns, "host") > 1:
            raise Enough

    with turns.turn("host"):
        with pytest.raises(Enough), turns.turn("host", check=enough):
            pass
        assert waiting(turns, "host") == 1
    assert waiting(turns, "host") == 0


def test_a_host_is_one_however_its_addresses_are_written() -> None:
    same = ("http://Repo.example/a", "https://repo.example:443/b", "http://repo.example:80/c")
    assert {host_of(url) for url in same} == {"repo.example"}
    assert host_of("http://repo.example:443/") == "repo.example:443"
    assert host_of("https://[2001:db8::1]:8443/") == "[2001:db8::1]:8443"


def test_a_gap_of_one_run_is_not_another_s() -> None:
    clock = FakeClock()
    turns = Turns(clock, 60)
    for least in (0, 1, 1, 0):
        with turns.turn("host", least):
            pass
    assert clock.slept == [1, 1]


def test_a_host_that_was_busy_may_have_recovered(turns: Turns) -> None:
    for _ in range(4):
        turns.widen("host")
    assert turns.gap("host") == 8
    turns.start("host", 8)
    assert turns.gap("host") == 4
    turns.start("host", 1)
    assert turns.gap("host") == 0


def test_a_gap_that_others_have_just_found_stays(turns: Turns) -> None:
    turns.widen("host")
    with turns.turn("host"):
        turns.start("host", 0)
    assert turns.gap("host") == 1


def test_who_answers_for_a_host_has_its_turn_with_it(turns: Turns) -> None:
    turns.answered("vanity", by="shared")
    with turns.turn("vanity"):
        assert (waiting(turns, "vanity"), waiting(turns, "shared")) == (1, 1)
    turns.answered("vanity", by="vanity")
    with turns.turn("vanity"):
        assert (waiting(turns, "vanity"), waiting(turns, "shared")) == (1, 0)


@pytest.mark.parametrize(("host", "by"), [("b", "a"), ("a", "b")])
def test_of_two_hosts_all_wait_for_the_same_one_first(turns: Turns, host: str, by: str) -> None:
    """Or two that answer for each other could wait for each other."""

    class Enough(Exception):
        pass

    def enough() -> None:
        assert waiting(turns, "b") == 0
        if waiting(turns, "a") > 1:
            raise Enough

    with turns.turn("a"):
        turns.answered(host, by)
        with pytest.raises(Enough), turns.turn(host, check=enough):
            pass


def test_the_gap_is_that_of_who_answers() -> None:
    clock = FakeClock()
    turns = Turns(clock, 60)
    for host in ("one", "other"):
        turns.answered(host, by="shared")
        with turns.turn(host, 3):
            pass
    assert clock.slept == [3]
