"""Since when a record is here: positions and the time at which they were given out."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from harvester.datestamp import format_datestamp, parse_datestamp
from harvester.record import Record
from harvester.store import Store, moments, schema
from index.generations import Generation, Generations
from index.nodes import Range
from index.sync import Follower, rebuild, sync
from tests.commands import demo_folder, numbered, program_in, put
from tests.fakes.clock import NOON

STAMP = "2020-01-01T00:00:00Z"  # of every record that `put` stores
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{tmp_path}/windrow.db")) as opened:
        yield opened


@pytest.fixture
def generations(tmp_path: Path) -> Generations:
    return Generations(tmp_path / "index")


def noted(store: Store, *after: float, records: int = 1, first: int = 0) -> None:
    """Pages, so many seconds after noon."""
    for at, seconds in enumerate(after):
        with store.write() as connection:
            moments.note(connection, NOON + timedelta(seconds=seconds))
        put(store, *numbered(range(first + at * records, first + (at + 1) * records)))


def known(store: Store) -> list[moments.Moment]:
    with store.read() as connection:
        return moments.since(connection, 0)


def arrivals(generations: Generations, low: int, high: int | None = None) -> set[str]:
    hits = generations.searcher().search(Range("first_position", low, high), limit=100).hits
    return {hit.id.rpartition(":")[2] for hit, _ in hits}


class TestMoments:
    def test_at_most_one_a_minute(self, store: Store) -> None:
        noted(store, 0, 30, 60, 61, 100, 122, records=2)
        assert known(store) == [
            (0, "2026-06-01T12:00:00Z"),
            (6, "2026-06-01T12:01:01Z"),
            (10, "2026-06-01T12:02:02Z"),
        ]

    def test_pages_without_a_change_put_it_off(self, store: Store) -> None:
        for minutes in (0, 2, 4):
            with store.write() as connection:
                moments.note(connection, NOON + timedelta(minutes=minutes))
        assert known(store) == [(0, "2026-06-01T12:04:00Z")]

    def test_a_clock_that_is_put_back(self, store: Store) -> None:
        noted(store, 600, 0, 601)
        assert known(store) == [(0, "2026-06-01T12:10:00Z")]

    @given(st.lists(st.integers(0, 300), min_size=1, max_size=20))
    def test_each_position_is_dated_to_the_minute(self, gaps: list[int]) -> None:
        times, at = [], NOON
        with TemporaryDirectory() as folder, closing(Store(f"sqlite:///{folder}/windrow.db")) as store:
            for gap in gaps:
                at += timedelta(seconds=gap)
                times.append(at)
                with store.write() as connection:
                    moments.note(connection, at)
                    connection.execute(sa.update(schema.feed).values(position=schema.feed.c.position + 1))
            found = known(store)
        for position, given_out in enumerate(times, 1):
            came = parse_datestamp(moments.came(found, position, ""))
            assert came is not None
            assert timedelta(0) <= given_out - came <= MINUTE

    def test_before_any_is_known_the_datestamp_stands_in(self) -> None:
        assert moments.came([], 5, STAMP) == STAMP
        assert moments.came([(7, "2026-06-01T12:00:00Z")], 7, STAMP) == STAMP
        assert (
            moments.came([(7, "2026-06-01T12:00:00Z")], 7, "2999-01-01T00:00:00Z") == "2026-06-01T12:00:00Z"
        )
        assert moments.came([(7, "2026-06-01T12:00:00Z")], 8, STAMP) == "2026-06-01T12:00:00Z"


class TestInTheIndex:
    def test_a_change_does_not_make_a_record_new(self, store: Store, generations: Generations) -> None:
        noted(store, 0, 3600)
        sync(store, generations, "tantivy")
        put(store, *numbered([0], "Changed"))
        sync(store, generations, "tantivy")
        assert list(generations.searcher().positions()) == [("demo/oai:x:1", 2), ("demo/oai:x:0", 3)]
        assert arrivals(generations, 1, 1) == {"0"}
        assert arrivals(generations, 2) == {"1"}

    @pytest.mark.parametrize("again", [sync, rebuild])
    def test_when_it_came(self, store: Store, generations: Generations, again: object) -> None:
        noted(store, 0)
        sync(store, generations, "tantivy")
        noted(store, 3600, first=1)
        again(store, generations, "tantivy")  # type: ignore[operator]
        hour = int(NOON.timestamp()) + 3600
        for low, wanted in ((hour - 3600, 2), (hour - 3599, 1), (hour, 1), (hour + 1, 0)):
            hits = generations.searcher().search(Range("first_stored", low, None), limit=9).hits
            assert len(hits) == wanted, low

    def test_a_record_of_an_old_store_has_its_datestamp(self, store: Store, generations: Generations) -> None:
        put(store, *numbered([1]))
        sync(store, generations, "tantivy")
        stamp = parse_datestamp(STAMP)
        assert stamp is not None
        at = int(stamp.timestamp())
        assert generations.searcher().search(Range("first_stored", at, at), limit=9).total == 1


class TestLevel:
    """Below it nothing is still to come, so the mark of a saved search may stand there."""

    def level(self, generations: Generations) -> int:
        return generations.current().position.level

    def test_is_where_the_index_had_everything(self, store: Store, generations: Generations) -> None:
        put(store, *numbered(range(1, 6)))
        sync(store, generations, "tantivy")
        assert self.level(generations) == 5
        put(store, Record(identifier="oai:x:2", deleted=True))
        sync(store, generations, "tantivy")
        assert self.level(generations) == 6

    def test_stays_while_the_index_is_behind(
        self, store: Store, generations: Generations, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A record that moved on before it was read is still to come, whatever the position."""
        put(store, *numbered(range(1, 4)))
        sync(store, generations, "tantivy")
        put(store, *numbered([4, 5, 6]))
        put(store, *numbered([4], "Changed"))
        monkeypatch.setattr("index.sync._READ", 1)
        with Follower(store, generations.current()) as follower:
            follower.step()
            follower.commit()
            assert generations.current().position.position == 5
            assert arrivals(generations, 4) == {"5"}
            assert self.level(generations) == 3
            while follower.step():
                pass
            follower.commit()
        assert self.level(generations) == 7
        assert arrivals(generations, 4) == {"4", "5", "6"}

    def test_is_caught_up_where_a_crash_came_before_it(self, store: Store, generations: Generations) -> None:
        put(store, *numbered([1, 2]))
        sync(store, generations, "tantivy")
        current = generations.current()
        current.save(Generation(current.folder).position.__class__(store.id, "tantivy", 2))
        assert self.level(generations) == 0
        sync(store, generations, "tantivy")
        assert self.level(generations) == 2


def test_a_datestamp_is_read_again() -> None:
    assert parse_datestamp(format_datestamp(NOON)) == NOON


def test_a_harvest_notes_when_its_pages_came(tmp_path: Path) -> None:
    with program_in(demo_folder(tmp_path)) as program:
        (first, *_) = known(program.store)
        harvested = parse_datestamp(first[1])
        assert first[0] == 0
        assert harvested is not None
        assert timedelta(0) <= program.clock.now() - harvested < timedelta(hours=1)
        since = int(harvested.timestamp())
        for low, wanted in ((since, 224), (since + 3600, 0)):
            assert program.searcher().search(Range("first_stored", low, None), limit=1).total == wanted
