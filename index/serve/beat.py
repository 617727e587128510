"""When APScheduler wakes our jobs: again and again, whatever is done to the machine's clock meanwhile."""

from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.base import BaseTrigger


class Beat(BaseTrigger):  # type: ignore[misc]  # it has no types
    """So many seconds after each waking.

    APScheduler's own interval counts each second that a clock was put forward by: a minute of work, and
    gigabytes, where a machine begins in 1970 and learns the time later.
    """

    def __init__(self, seconds: float) -> None:
        self.every = timedelta(seconds=seconds)

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        return now + self.every


def keep_up(wakings: BaseScheduler, now: datetime | None = None) -> None:
    """Call it now and then: what would wait until a clock that was put back is there again is woken now."""
    now = now or datetime.now(UTC)
    for job in wakings.get_jobs():
        if isinstance(job.trigger, Beat) and job.next_run_time - now > 2 * job.trigger.every:
            job.modify(next_run_time=now)
