"""Our jobs are woken, whatever is done to the machine's clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.job import Job
from apscheduler.schedulers.background import BackgroundScheduler

from index.serve.beat import Beat, keep_up

SECOND, YEAR = timedelta(seconds=1), timedelta(days=365)


@pytest.fixture
def wakings() -> Iterator[BackgroundScheduler]:
    wakings = BackgroundScheduler(timezone="UTC")
    wakings.start(paused=True)
    yield wakings
    wakings.shutdown()


@pytest.fixture
def job(wakings: BackgroundScheduler) -> Job:
    return wakings.add_job(print, Beat(1), id="look")


def test_a_clock_that_was_put_forward_makes_one_waking(job: Job) -> None:
    now = datetime.now(UTC) + YEAR
    assert len(job._get_run_times(now)) == 1
    assert job.trigger.get_next_fire_time(job.next_run_time, now) == now + SECOND


def test_a_clock_that_was_put_back_holds_nothing_up(wakings: BackgroundScheduler, job: Job) -> None:
    now = datetime.now(UTC) - YEAR
    keep_up(wakings, now)
    assert wakings.get_job("look").next_run_time == now


def test_what_is_on_its_way_is_left_alone(wakings: BackgroundScheduler, job: Job) -> None:
    due = job.next_run_time
    keep_up(wakings)
    assert wakings.get_job("look").next_run_time == due
