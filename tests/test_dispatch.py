"""What is started first, and what has to wait."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.dispatch import Running, Waiting, to_start
from tests.fakes.clock import NOON

POOL = 3


def due(name: str, minutes_ago: float, host: str = "") -> Waiting:
    return Waiting(name, host or name, NOON - timedelta(minutes=minutes_ago))


def runs(name: str, host: str = "", *, slow: bool = False) -> Running:
    return Running(name, host or name, slow)


def chosen(waiting: list[Waiting], running: list[Running] | None = None, pool: int = POOL) -> list[str]:
    return to_start(waiting, running or [], NOON, pool)


def test_the_newest_due_first() -> None:
    assert chosen([due("old", 30), due("new", 1), due("later", -1), due("older", 40)]) == [
        "new",
        "old",
        "older",
    ]


def test_who_waits_for_an_hour_comes_before_all() -> None:
    assert chosen([due("new", 1), due("starved", 70), due("more", 90)], pool=2) == ["more", "starved"]


def test_the_pool_is_of_repositories_that_answer() -> None:
    busy = [runs("a"), runs("b"), runs("c")]
    assert chosen([due("d", 1)], busy) == []
    assert chosen([due("d", 1)], [*busy[:2], runs("c", slow=True)]) == ["d"]


def test_sources_of_one_host_share_a_place() -> None:
    busy = [runs("a", "host"), runs("b"), runs("c")]
    assert chosen([due(f"more{n}", n, "host") for n in range(9)], busy) == ["more0", "more1", "more2"]


def test_what_waits_for_its_repository_is_not_joined_there() -> None:
    assert chosen([due("b", 1, "host")], [runs("a", "host", slow=True)]) == []


@pytest.mark.parametrize(("pool", "most"), [(1, 256), (8, 256), (100, 800)])
def test_dead_repositories_do_not_delay_the_others_and_do_not_fill_the_machine(pool: int, most: int) -> None:
    dead = [runs(f"dead{n}", slow=True) for n in range(most - 1)]
    assert chosen([due("alive", 1), due("next", 2)], dead, pool) == ["alive"]


def test_one_harvest_of_a_source() -> None:
    assert chosen([due("a", 5)], [runs("a")]) == []


HOSTS = st.sampled_from("abcde")


@given(
    st.lists(st.tuples(st.integers(0, 30), HOSTS, st.integers(-100, 200)), unique_by=lambda one: one[0]),
    st.lists(st.tuples(st.integers(31, 60), HOSTS, st.booleans()), unique_by=lambda one: one[0]),
    st.integers(1, 6),
)
def test_law(waiting: list[tuple[int, str, int]], running: list[tuple[int, str, bool]], pool: int) -> None:
    """Only what is due, on no more hosts than there are places; none is free while one could use it."""
    those = [due(str(name), ago, host) for name, host, ago in waiting]
    busy = [runs(str(name), host, slow=slow) for name, host, slow in running]
    started = chosen(those, busy, pool)
    by_name = {one.source: one for one in those}
    assert all(by_name[name].due <= NOON for name in started)
    lively = {one.host for one in busy if not one.is_slow}
    after = lively | {by_name[name].host for name in started}
    assert len(after) <= max(pool, len(lively))
    left = {one.host for one in those if one.due <= NOON and one.source not in started}
    slow = {one.host for one in busy if one.is_slow}
    if len(after) < pool:
        assert left <= after | slow
