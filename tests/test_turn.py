"""sync and rebuild while another process writes the index: in the end all is there; no lock is spoken of."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from harvester.errors import IndexBusy
from harvester.store import Store
from index.generations import Generations
from index.sync import Follower, Synced, sync, unseen
from index.turn import rebuild_in_turn, sync_in_turn
from tests.commands import numbered, put
from tests.fakes.clock import FakeClock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{tmp_path}/windrow.db")) as opened:
        yield opened


@pytest.fixture
def generations(tmp_path: Path, store: Store) -> Generations:
    """One change behind."""
    put(store, *numbered(range(5)))
    generations = Generations(tmp_path / "index")
    sync(store, generations, "tantivy")
    put(store, *numbered([5]))
    return generations


class Waiting(FakeClock):
    """`then` has what happens at each glance, in turn; `told` counts what a person hears."""

    def __init__(self, *then: Callable[[], object]) -> None:
        super().__init__()
        self.told = 0
        self._then = list(then)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self._then:
            self._then.pop(0)()

    def tell(self) -> None:
        self.told += 1


def nothing() -> None:
    pass


def sync_waiting(store: Store, generations: Generations, clock: Waiting) -> Synced:
    return sync_in_turn(store, generations, "tantivy", clock, on_wait=clock.tell)


def test_nobody_is_told_where_nobody_waits(store: Store, generations: Generations) -> None:
    clock = Waiting()
    assert sync_waiting(store, generations, clock) == Synced(6, indexed=1)
    assert (clock.slept, clock.told) == ([], 0)


def test_a_turn_comes(store: Store, generations: Generations) -> None:
    with ExitStack() as other:
        other.enter_context(generations.current().locked())
        clock = Waiting(nothing, other.close)
        assert sync_waiting(store, generations, clock) == Synced(6, indexed=1)
    assert clock.told == 1


def test_another_takes_in_what_was_there(store: Store, generations: Generations) -> None:
    """And goes on writing: what came since is no matter."""
    with Follower(store, generations.current()) as other:
        other.step()
        clock = Waiting(lambda: put(store, *numbered([6])), other.commit)
        assert sync_waiting(store, generations, clock) == Synced(6)
    assert unseen(store, generations) == 1


def test_another_makes_the_first_index(store: Store, tmp_path: Path) -> None:
    generations = Generations(tmp_path / "index")
    put(store, *numbered(range(3)))
    with ExitStack() as other:
        other.enter_context(generations.rebuilding())
        assert sync_waiting(store, generations, Waiting(nothing, other.close)).indexed == 3


def test_who_comes_no_further_is_not_waited_for_for_ever(store: Store, generations: Generations) -> None:
    clock = Waiting()
    with generations.current().locked(), pytest.raises(IndexBusy):
        sync_waiting(store, generations, clock)
    assert 120 < clock.monotonic() < 125


def test_who_comes_further_is_waited_for(store: Store, generations: Generations) -> None:
    """A rebuild of an hour is one."""
    with ExitStack() as other:
        other.enter_context(generations.rebuilding())
        built = generations.new("tantivy", store.id)

        def come_further() -> None:
            clock.advance(100)
            built.save(built.position.__class__(store.id, "tantivy", built.position.position + 1))

        clock = Waiting(*[come_further] * 10, other.close)
        found = rebuild_in_turn(store, generations, "tantivy", clock, on_wait=clock.tell)
    assert (found.indexed, clock.told, unseen(store, generations)) == (6, 1, 0)
    assert clock.monotonic() > 1000
