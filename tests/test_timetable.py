"""When a source is due. Times are UTC; NOON is when its last run ended."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.config import Source
from harvester.datestamp import format_datestamp
from harvester.store.harvests import Checkpoint, Harvest, Request
from harvester.store.sources import SourceState
from harvester.timetable import WEEKLY_AFTER, next_run, reckoned_from
from tests.fakes.clock import NOON

NO_JITTER = timedelta(0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KAR = Source("kar", "https://kar.example/oai", schedule="every 6 hours")


def run(verdict: str | None = "complete", ended: datetime | None = NOON, **checkpoint: Any) -> Harvest:
    return Harvest(
        id=7,
        source="kar",
        fingerprint="",
        started=format_datestamp(NOON - HOUR),
        request=Request("oai_dc"),
        checkpoint=Checkpoint(**checkpoint),
        finished=format_datestamp(ended) if ended else None,
        verdict=verdict,
    )


def state(failures: int, since: datetime) -> SourceState:
    known = {"watermark": None, "last_full": None, "doubted": False, "live": 0, "tombstones": 0}
    return SourceState(
        1, "kar", **known, quarantined=0, failures=failures, failing_since=format_datestamp(since)
    )


def due(
    last: Harvest | None,
    failing: SourceState | None = None,
    schedule: str = "every 6 hours",
    jitter: timedelta = NO_JITTER,
    name: str = "kar",
) -> datetime | None:
    source = Source(name, "https://kar.example/oai", schedule=schedule)
    return next_run(source, last, failing, UTC, jitter, NOON)


def test_by_its_schedule() -> None:
    assert due(run()) == NOON + 6 * HOUR
    assert due(run("unproven"), schedule="30 3 * * *") == datetime(2026, 6, 2, 3, 30, tzinfo=UTC)
    assert next_run(
        Source("kar", "x", schedule="30 3 * * *"), run(), None, ZoneInfo("Asia/Tokyo"), NO_JITTER, NOON
    ) == datetime(2026, 6, 1, 18, 30, tzinfo=UTC)


def test_never_without_a_schedule_or_where_it_is_disabled() -> None:
    assert due(run(), schedule="") is None
    disabled = Source("kar", "x", schedule="every 6 hours", enabled=False)
    assert next_run(disabled, None, None, UTC, NO_JITTER, NOON) is None


def test_a_new_source_begins_at_once_or_in_the_hours_that_its_cron_line_names() -> None:
    assert due(None) == NOON
    assert due(None, schedule="0 3 * * *") == datetime(2026, 6, 2, 3, tzinfo=UTC)


def test_what_was_cut_off_or_ended_by_us_goes_on() -> None:
    assert due(run(None, None)) == NOON - HOUR
    assert due(run("partial", stopped=True)) == NOON
    at_limit = run("partial", stopped=True, not_before=format_datestamp(NOON + HOUR))
    assert due(at_limit) == NOON + HOUR


@pytest.mark.parametrize("verdict", ["failed", "partial"])
def test_failing_backs_off_to_daily_and_then_weekly(verdict: str) -> None:
    def after(failing: timedelta) -> timedelta:
        moment = due(run(verdict), state(2, NOON - failing))
        assert moment is not None
        return moment - NOON

    assert [after(hours * HOUR) / HOUR for hours in (0, 6, 7, 12, 24, 100)] == [6, 6, 7, 12, 24, 24]
    assert after(WEEKLY_AFTER - HOUR) == DAY
    assert after(WEEKLY_AFTER) == 7 * DAY
    assert due(run("complete"), state(0, NOON)) == NOON + 6 * HOUR


def test_a_rare_schedule_is_tried_again_sooner_at_first() -> None:
    assert due(run("failed"), state(1, NOON), "every 30 days") == NOON + DAY
    assert due(run("partial"), state(0, NOON), "every 30 days") == NOON + HOUR
    assert due(run("failed"), state(9, NOON - WEEKLY_AFTER), "every 30 days") == NOON + 30 * DAY


def test_the_repository_s_own_word_comes_first() -> None:
    def after(allowed: timedelta, failing: timedelta = NO_JITTER, verdict: str = "deferred") -> timedelta:
        moment = due(run(verdict, not_before=format_datestamp(NOON + allowed)), state(2, NOON - failing))
        assert moment is not None
        return moment - NOON

    assert after(20 * HOUR) == 20 * HOUR
    assert after(HOUR) == HOUR
    assert after(HOUR, failing=3 * HOUR) == 3 * HOUR
    assert after(DAY, verdict="failed") == DAY


def test_jitter_is_a_source_s_own_and_the_same_each_time() -> None:
    jitter = timedelta(minutes=10)
    late = {name: due(run(), jitter=jitter, name=name) for name in map(str, range(200))}
    assert late == {name: due(run(), jitter=jitter, name=name) for name in late}
    lags = sorted(moment - NOON - 6 * HOUR for moment in late.values() if moment)
    assert len(set(lags)) > 100
    assert NO_JITTER <= lags[0] < timedelta(minutes=1)
    assert timedelta(minutes=9) < lags[-1] < jitter


def test_jitter_is_at_most_a_tenth_of_the_period() -> None:
    for name in map(str, range(50)):
        moment = due(run(), schedule="*/10 * * * *", jitter=HOUR, name=name)
        assert moment is not None
        assert moment < NOON + timedelta(minutes=11)


SCHEDULES = st.sampled_from(
    ["every 1 minutes", "every 6 hours", "every 30 days", "0 3 * * *", "15 14 1 * *", "0 22 * * 1-5"]
)
RUNS = st.builds(
    run,
    st.sampled_from([None, "failed", "partial", "deferred", "unproven", "complete", "verified"]),
    st.just(NOON),
    stopped=st.booleans(),
    not_before=st.sampled_from(["", format_datestamp(NOON + 3 * DAY), format_datestamp(NOON - DAY)]),
)


@given(RUNS, st.integers(0, 50), st.integers(0, 60), SCHEDULES, st.integers(0, 86_400))
def test_law(last: Harvest, failures: int, days: int, schedule: str, jitter: int) -> None:
    """Never before the run it follows, never sooner than allowed, and in the end it comes."""
    moment = due(last, state(failures, NOON - days * DAY), schedule, timedelta(seconds=jitter))
    assert moment is not None
    assert moment >= NOON - (HOUR if last.finished is None else NO_JITTER)
    assert format_datestamp(moment) >= last.checkpoint.not_before
    assert moment <= NOON + 62 * DAY


def test_a_stored_moment_is_of_one_run() -> None:
    """The same run has another one when it has gone on and ended again."""
    assert len({reckoned_from(one) for one in (None, run(), run(None, None), run(ended=NOON + HOUR))}) == 4
