"""What of a run is told, by real runs; and that nothing is told twice, or not at all, by any run of luck."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.noticing import notices
from harvester.store import notices as stored
from harvester.store import sources
from harvester.store.harvests import Checkpoint, Harvest, Request
from harvester.store.notices import Kind, Notice
from harvester.store.sources import SourceState
from tests.fakes import faults
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.rig import NAME, Rig, rigged
from tests.fakes.works import Works

BROKEN = faults.status(500)
BLOCKED = faults.status(403)


def news(rig: Rig, **options: object) -> list[Notice]:
    """Of one run, kept as a service keeps them."""
    with rig.store.read() as connection:
        before = sources.get(connection, NAME)
    rig.harvest(**options)
    with rig.store.write() as connection:
        told = stored.is_failing(connection, NAME)
        new = notices(before, rig.state, rig.last_run, rig.clock.now(), failing_is_told=told)
        stored.add(connection, new)
    return new


def kinds(rig: Rig, **options: object) -> list[Kind]:
    return [notice.kind for notice in news(rig, **options)]


@pytest.fixture
def large(tmp_path: Path, clock: FakeClock) -> Iterator[Rig]:
    """300 works, harvested."""
    with rigged(tmp_path, Works(300, clock.now, page_size=50), clock) as rig:
        assert news(rig) == []
        rig.later()
        yield rig


# Failing


def test_a_run_in_vain_is_no_news_a_second_is(rig: Rig) -> None:
    rig.repository.misbehave(BROKEN)
    assert news(rig) == []
    rig.later()
    (notice,) = news(rig)
    assert (notice.kind, notice.source, notice.at[:16]) == (Kind.FAILING, NAME, "2026-06-02T12:00")
    assert notice.message.startswith("test brought nothing in 2 runs since 01 Jun 2026 12:00 UTC: ")
    assert "answers 500" in notice.message
    assert notice.advice == "the repository has trouble: try again later; Windrow goes on trying by itself"


def test_it_is_told_once_and_then_that_it_is_over(rig: Rig) -> None:
    rig.repository.misbehave(BROKEN)
    assert [kinds(rig) for _ in range(4)] == [[], [Kind.FAILING], [], []]
    rig.repository.behave()
    (notice,) = news(rig)
    assert notice.kind == Kind.RECOVERED
    assert notice.message == "test works again, after 4 runs in vain since 01 Jun 2026 12:00 UTC"
    assert news(rig) == []


def test_a_single_run_in_vain_is_not_told_when_it_is_over(rig: Rig) -> None:
    rig.repository.misbehave(BROKEN)
    assert news(rig) == []
    rig.repository.behave()
    assert news(rig) == []


def test_who_asks_for_a_little_time_is_no_news_before_an_hour(rig: Rig) -> None:
    rig.repository.misbehave(faults.status(503, Retry_After="7200"))
    assert [kinds(rig) for _ in range(4)] == [[], [], [], []]
    assert "asks us to come back in 2 hours" in rig.last_run.reason
    rig.clock.advance(2 * 3600)
    assert kinds(rig) == [Kind.FAILING]
    rig.repository.behave()
    assert kinds(rig) == [Kind.RECOVERED]


def test_who_asks_for_more_than_a_day_is_told_at_once(rig: Rig) -> None:
    """And is asked again after a week, whatever it says: some send the moment, in seconds since 1970."""
    rig.repository.misbehave(faults.status(503, Retry_After="1790000000"))
    assert kinds(rig) == [Kind.FAILING]
    assert rig.last_run.checkpoint.not_before[:16] == "2026-06-08T12:00"


def test_a_refusal_is_told_at_once(rig: Rig) -> None:
    rig.repository.misbehave(BLOCKED)
    (notice,) = news(rig)
    assert notice.message.startswith("test brought nothing this time: ")
    assert "blocks us" in notice.message
    assert "let us in" in notice.advice
    assert news(rig) == []


def test_a_refusal_in_the_middle_of_a_list_is_told_though_records_came(rig: Rig) -> None:
    rig.repository.misbehave(faults.status(403), faults.offset(20))
    (notice,) = news(rig)
    assert notice.message.startswith("test refuses us in the middle of its list: ")
    assert "after 20 of 50 records" in notice.message
    assert "let us in" in notice.advice
    assert news(rig) == []
    rig.repository.behave()
    assert kinds(rig) == [Kind.RECOVERED]


def test_a_refusal_after_a_fault_is_told(rig: Rig) -> None:
    rig.repository.misbehave(BROKEN)
    assert news(rig) == []
    rig.repository.behave()
    rig.repository.misbehave(BLOCKED)
    assert kinds(rig) == [Kind.FAILING]


def test_after_two_weeks_each_try_is_told(rig: Rig) -> None:
    rig.repository.misbehave(BROKEN)
    told = []
    for _ in range(17):
        told.append(kinds(rig))
        rig.later()
    assert [day for day, those in enumerate(told) if those] == [1, 14, 15, 16]


def test_a_repository_that_breaks_off_later_each_time_does_not_fail(rig: Rig) -> None:
    for start in (20, 40):
        rig.repository.misbehave(faults.status(404), faults.offset(start))
        assert news(rig) == []
        rig.repository.behave()


def test_a_run_that_we_ended_is_no_news() -> None:
    ended = _run(Checkpoint(stopped=True, not_before="2026-06-01T12:00:00Z"))
    for before, after in ((0, 0), (2, 2)):
        for told in (False, True):
            assert notices(_state(before), _state(after), ended, NOON, failing_is_told=told) == []


@given(st.lists(st.sampled_from(["works", "fails", "refuses", "refuses midway", "is stopped"])))
def test_who_reads_the_news_knows_the_state(runs: list[str]) -> None:
    """Failing and recovered take turns; the state that was told last is the state but for one first fault."""
    state, heard = _state(0), [Kind.RECOVERED]
    for outcome in runs:
        failures = {"works": 0, "refuses midway": 0, "is stopped": state.failures}.get(
            outcome, state.failures + 1
        )
        before, state = state, _state(failures)
        is_refused = outcome.startswith("refuses")
        refused = "2026-06-02T12:00:00Z" if is_refused else ""
        run = _run(Checkpoint(stopped=outcome == "is stopped", not_before=refused))
        told = heard[-1] == Kind.FAILING
        heard += [one.kind for one in notices(before, state, run, NOON, failing_is_told=told)]
        if outcome == "works":
            assert heard[-1] == Kind.RECOVERED
        if is_refused or failures > 1:
            assert heard[-1] == Kind.FAILING
    assert all(one != other for one, other in pairwise(heard))


# Deletions held back


def test_held_tombstones_are_told_once(large: Rig) -> None:
    for number in range(1, 121):
        large.works.delete(number)
    (notice,) = news(large)
    assert notice.kind == Kind.HELD
    assert notice.message == "70 deletions of test are held back, too many at once"
    assert notice.advice.endswith("windrow harvest test --full --allow-deletions")
    assert news(large) == []
    large.later()
    for number in range(121, 131):
        large.works.delete(number)
    assert [notice.message[:12] for notice in news(large)] == ["80 deletions"]


def test_records_that_are_no_longer_listed_are_told(large: Rig) -> None:
    large.works.destroy(*range(1, 57))
    (notice,) = news(large, full=True)
    assert notice.kind == Kind.HELD
    assert notice.message == "56 records of test are no longer listed, and are kept"
    assert news(large) == []


def test_few_deletions_are_no_news(large: Rig) -> None:
    for number in range(1, 11):
        large.works.delete(number)
    assert news(large) == []


# Quarantine


def without_metadata(numbers: str) -> faults.Fault:
    return faults.replaced(rf"(:({numbers})</identifier>((?!</record>).)*)<metadata>.*?</metadata>", r"\1")


def test_a_growing_quarantine_is_told(large: Rig) -> None:
    large.repository.misbehave(without_metadata("[1-9]|10"))
    (notice,) = news(large, full=True)
    assert notice.kind == Kind.QUARANTINE
    assert notice.message == "10 more records of test are in quarantine, 10 in all"
    assert notice.advice.startswith("windrow quarantine test")
    assert news(large, full=True) == []  # the same ten again


def test_a_few_refused_records_are_no_news(large: Rig) -> None:
    large.repository.misbehave(without_metadata("[1-9]"))
    assert news(large, full=True) == []
    assert large.state.quarantined == 9


def test_a_quarantine_that_takes_in_all_that_is_new_is_told_each_time_that_it_has_doubled() -> None:
    run = _run(Checkpoint(counts=msgspec.structs.replace(Checkpoint().counts, received=9)))
    sizes = [msgspec.structs.replace(_state(0), quarantined=9 * runs) for runs in range(401)]
    told = [
        (notice.kind, after.quarantined)
        for before, after in pairwise(sizes)
        for notice in notices(before, after, run, NOON, failing_is_told=False)
    ]
    doubled = [18, 27, 45, 81, 162, 324, 648, 1287, 2565]
    assert told == [(Kind.QUARANTINE, size) for size in doubled]


@pytest.mark.parametrize(("received", "is_news"), [(1000, True), (1001, False)])
def test_one_in_a_hundred_is_many(received: int, is_news: bool) -> None:
    run = _run(Checkpoint(counts=msgspec.structs.replace(Checkpoint().counts, received=received)))
    before, after = _state(0), msgspec.structs.replace(_state(0), quarantined=10)
    assert bool(notices(before, after, run, NOON, failing_is_told=False)) is is_news
    assert bool(notices(None, after, run, NOON, failing_is_told=False)) is is_news


def _state(failures: int) -> SourceState:
    since = "2026-06-01T10:00:00Z" if failures else ""
    return SourceState(1, NAME, None, None, False, 0, 0, 0, failures=failures, failing_since=since)


def _run(checkpoint: Checkpoint) -> Harvest:
    request = Request("oai_dc")
    return Harvest(1, NAME, "", "2026-06-01T10:00:00Z", request, checkpoint, verdict="failed", reason="why")
