"""What is due is started: by real harvests in threads, on a clock that the test moves."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from harvester import config
from harvester.config import Settings
from harvester.errors import StoreError, StoreUnusable
from harvester.harvest import harvest
from harvester.report import Report
from harvester.runner import Ended, Runner
from harvester.scheduler import Scheduler
from harvester.store import Store, leases, schedules, sources
from harvester.transport import Transport
from tests.fakes import faults
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.exports import Exports
from tests.fakes.faults import Gate, offset
from tests.fakes.repository import EXPORT, FakeRepository, serving
from tests.fakes.works import Works
from tests.served import await_fact

HOUR = timedelta(hours=1)


class Service:
    """A scheduler and its runner; `ended` has what came of each run, in order."""

    def __init__(self, settings: Settings, clock: FakeClock) -> None:
        self.store = Store(settings.store.url)
        self.clock = clock
        self.ended: list[Ended] = []
        self.runner = Runner(settings, self.store, clock, self._end)
        self.scheduler = Scheduler(settings, self.store, clock, self.runner)
        self.scheduler.refresh()

    def look(self) -> list[Ended]:
        """As long as it starts something, a second apart; what ended meanwhile."""
        before = len(self.ended)
        while True:
            self.clock.advance(1)
            so_far = len(self.ended)
            self.scheduler.look()
            assert self.runner.await_quiet(60)
            if len(self.ended) == so_far:
                return self.ended[before:]

    def at(self, moment: timedelta) -> list[str]:
        """Which sources were harvested, that long after noon."""
        self.clock.advance((NOON + moment - self.clock.now()).total_seconds())
        return [ended.source for ended in self.look() if ended.report]

    def due(self) -> dict[str, str]:
        with self.store.read() as connection:
            return {name: due.due for name, due in schedules.every(connection).items()}

    def close(self) -> None:
        assert self.runner.close("the test is over", 30) == []
        self.store.close()

    def _end(self, ended: Ended) -> None:
        self.scheduler.ended(ended)
        self.ended.append(ended)


class Fleet:
    """Repositories a, b, c and a config.toml that has them all; `clock` is theirs, too."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.clock = FakeClock()
        self.folder = folder
        self.repositories: dict[str, FakeRepository] = {
            name: stack.enter_context(serving(Works(6, self.clock.now, page_size=3))) for name in "abc"
        }
        self.schedules = dict.fromkeys("abc", "every 6 hours")

    def settings(self, **sections: str) -> Settings:
        lines = ['[serve]\njitter = "1 minute"', sections.get("serve", "")]
        for name, schedule in self.schedules.items():
            url = self.repositories[name].url
            own = sections.get(name, "")
            lines.append(f'[sources.{name}]\nurl = "{url}"\nschedule = "{schedule}"\n{own}')
        path = self.folder / "config.toml"
        path.write_text("\n".join(lines))
        return config.load(path, {})

    @contextmanager
    def service(self, **sections: str) -> Iterator[Service]:
        service = Service(self.settings(**sections), self.clock)
        try:
            yield service
        finally:
            service.close()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with ExitStack() as stack:
        yield Fleet(tmp_path, stack)


def test_each_by_its_schedule(fleet: Fleet) -> None:
    fleet.schedules = {"a": "every 2 hours", "b": "every 6 hours", "c": "30 13 * * *"}
    with fleet.service() as service:
        assert sorted(service.at(timedelta())) == ["a", "b"]
        assert service.at(HOUR) == []
        assert service.at(1.6 * HOUR) == ["c"]
        assert service.at(2.1 * HOUR) == ["a"]
        assert sorted(service.at(6.1 * HOUR)) == ["a", "b"]


def test_what_was_missed_is_caught_up_once(fleet: Fleet) -> None:
    with fleet.service() as service:
        assert sorted(service.at(timedelta())) == ["a", "b", "c"]
        due = service.due()
    fleet.clock.advance(days=5)
    with fleet.service() as service:
        assert service.due() == due
        assert sorted(ended.source for ended in service.look()) == ["a", "b", "c"]
        assert service.look() == []


def test_starts_are_staggered(fleet: Fleet) -> None:
    with fleet.service() as service:
        for second in range(3):
            for _ in range(3):
                service.scheduler.look()
                running = {run.source for run in service.runner.running}
                assert len(running | {ended.source for ended in service.ended}) == second
            fleet.clock.advance(1)
        service.look()
        assert len(service.ended) == 3


def test_a_harvest_by_hand_counts(fleet: Fleet) -> None:
    with fleet.service() as service:
        service.look()
        fleet.clock.advance(5 * 3600)
        assert by_hand(fleet, service).verdict == "complete"
        service.scheduler.refresh()
        assert sorted(service.at(6.1 * HOUR)) == ["b", "c"]
        assert service.at(11.1 * HOUR) == ["a"]


def test_failing_backs_off_and_recovers_by_itself(fleet: Fleet) -> None:
    fleet.schedules = {"a": "every 1 hours"}
    fleet.repositories["a"].misbehave(faults.status(404))
    with fleet.service() as service:
        times = 0
        for hour in range(24 * 30):
            times += len(service.at(hour * HOUR + timedelta(minutes=30)))
        assert (
            5 + 12 + 2 <= times <= 7 + 14 + 3
        )  # in the first day ever rarer, daily for two weeks, then weekly
        with service.store.read() as connection:
            state = sources.get(connection, "a")
        assert state is not None
        assert (state.failures, state.failing_since[:13]) == (times, "2026-06-01T12")
        fleet.repositories["a"].behave()
        fleet.clock.advance(days=8)
        (ended,) = service.look()
        assert ended.report is not None
        assert ended.report.verdict == "complete"
        assert service.at(fleet.clock.now() - NOON + 1.1 * HOUR) == ["a"]


def test_a_source_that_another_process_has_waits_a_minute(fleet: Fleet) -> None:
    fleet.schedules = {"a": "every 6 hours"}
    with fleet.service() as service:
        service.look()
        fleet.clock.advance(7 * 3600)
        with leases.holding(service.store, "a", fleet.clock):
            (busy,) = service.look()
            assert busy.is_busy
            assert service.look() == []
        fleet.clock.advance(61)
        assert [ended.source for ended in service.look() if ended.report] == ["a"]


@contextmanager
def ended_at_its_limit(fleet: Fleet, first: int) -> Iterator[tuple[Service, str]]:
    """The verdict on a run that waited so long for the page that begins with work `first`."""
    fleet.schedules = {"a": "every 1 days"}
    gate = Gate(fleet.repositories["a"])
    fleet.repositories["a"].misbehave(gate.before, offset(first), times=1)
    with fleet.service(serve='longest = "2 hours"') as service:
        fleet.clock.advance(1)
        service.scheduler.look()
        gate.await_reached()
        fleet.clock.advance(2 * 3600 + 1)
        (ended,) = service.look()
        gate.opened.set()
        assert ended.report is not None
        assert ended.report.reason == "it was ended at its limit of 2 hours"
        yield service, ended.report.verdict


def test_a_harvest_is_ended_at_its_limit_and_goes_on(fleet: Fleet) -> None:
    with ended_at_its_limit(fleet, 3) as (service, verdict):
        assert verdict == "partial"
        assert service.at(2.9 * HOUR) == []
        assert service.at(3.1 * HOUR) == ["a"]
        assert [asked.offset for asked in fleet.repositories["a"].asked("ListRecords")] == [0, 3, 3]
        assert [one.requests for one in service.ended] == [3, 1], "its own, though the same run goes on"


def test_one_that_brought_nothing_up_to_its_limit_fails(fleet: Fleet) -> None:
    """Else a repository that drips would be tried every hour for ever, and nobody be told."""
    with ended_at_its_limit(fleet, 0) as (service, verdict):
        assert verdict == "failed"
        with service.store.read() as connection:
            state = sources.get(connection, "a")
        assert state is not None
        assert state.failures == 1
        assert service.at(3.1 * HOUR) == []
        assert service.at(26.1 * HOUR) == ["a"]


def test_a_disabled_source_and_one_without_schedule_are_left_alone(fleet: Fleet) -> None:
    with fleet.service(a="enabled = false") as service:
        assert sorted(service.at(timedelta())) == ["b", "c"]
        assert set(service.due()) == {"b", "c"}


def test_a_reload_takes_up_what_is_new_and_forgets_what_is_gone(fleet: Fleet) -> None:
    fleet.schedules = {"a": "every 6 hours", "b": "every 6 hours"}
    with fleet.service() as service:
        service.look()
        fleet.schedules = {"a": "every 2 hours", "c": "every 6 hours"}
        service.scheduler.reload(fleet.settings())
        assert [ended.source for ended in service.look()] == ["c"]
        assert set(service.due()) == {"a", "c"}
        assert service.at(2.1 * HOUR) == ["a"]


def test_a_fault_of_ours_stops_nothing_else(fleet: Fleet) -> None:
    with fleet.service() as service:
        with service.store.write() as connection:
            sources.ensure(connection, "a", "")
            connection.exec_driver_sql(
                "CREATE TRIGGER broken BEFORE INSERT ON harvests WHEN NEW.source_id = 1"
                " BEGIN SELECT RAISE(ABORT, 'no space here'); END"
            )
        ended = service.look()
        assert [one.source for one in ended if one.error] == ["a"]
        fleet.clock.advance(61)
        assert {one.source for one in [*ended, *service.look()] if one.report} == {"b", "c"}


def test_nobody_waits_until_a_clock_that_was_put_back_is_there_again(fleet: Fleet) -> None:
    fleet.schedules = {"a": "every 6 hours"}
    fleet.clock.advance(days=300)
    with fleet.service() as service:
        assert len(service.look()) == 1
        fleet.clock.put_back(days=200)
        service.scheduler.refresh()
        fleet.clock.advance(5 * 3600)
        service.scheduler.refresh()
        assert service.look() == []
        fleet.clock.advance(2 * 3600)
        assert [ended.source for ended in service.look() if ended.report] == ["a"]


def test_a_first_run_does_not_wait_for_a_clock_that_was_put_back(fleet: Fleet) -> None:
    fleet.schedules = {"a": "every 6 hours", "b": "30 13 * * *"}
    fleet.clock.advance(days=300)
    with fleet.service() as service:
        fleet.clock.put_back(days=200)
        service.scheduler.refresh()
        assert service.at(timedelta(days=100)) == ["a"]
        assert service.at(timedelta(days=100) + 1.6 * HOUR) == ["b"]


def test_nobody_rests_for_longer_than_a_minute_where_the_clock_is_put_back(fleet: Fleet) -> None:
    fleet.schedules = {"a": "every 6 hours"}
    with fleet.service() as service:
        service.scheduler.ended(Ended("a", error=StoreUnusable("the disk is full")))
        fleet.clock.put_back(days=1)
        assert service.look() == []
        fleet.clock.advance(61)
        service.scheduler.refresh()
        assert [ended.source for ended in service.look()] == ["a"]


def test_what_somebody_else_has_just_harvested_is_not_harvested_again(fleet: Fleet) -> None:
    """No refresh has come between."""
    fleet.schedules = {"a": "every 6 hours"}
    with fleet.service() as service:
        by_hand(fleet, service)
        assert service.look() == []
        assert service.at(6.1 * HOUR) == ["a"]


def test_a_corrected_address_is_tried_at_once(fleet: Fleet) -> None:
    fleet.schedules = {"a": "every 6 hours"}
    fleet.repositories["a"].misbehave(faults.status(403))
    with fleet.service() as service:
        assert service.at(timedelta()) == ["a"]
        service.scheduler.refresh()
        assert service.at(HOUR) == []
        fleet.repositories["a"] = fleet.repositories["b"]
        service.scheduler.reload(fleet.settings())
        assert [ended.report and ended.report.verdict for ended in service.look()] == ["complete"]
        assert service.look() == []


def test_a_store_that_fails_after_a_harvest_is_left_alone_for_a_minute(fleet: Fleet) -> None:
    fleet.schedules = {"a": "every 6 hours", "b": "every 6 hours"}
    with fleet.service() as service:
        report = by_hand(fleet, service)
        with service.store.write() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER full BEFORE INSERT ON schedules BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
        with pytest.raises(StoreError):
            service.scheduler.ended(Ended("a", report=report))
        assert service.look() == []
        assert "full" in service.scheduler.trouble
        with service.store.write() as connection:
            connection.exec_driver_sql("DROP TRIGGER full")
        fleet.clock.advance(61)
        assert not service.scheduler.trouble
        assert [ended.source for ended in service.look()] == ["b"]


def by_hand(fleet: Fleet, service: Service) -> Report:
    with closing(Transport(fleet.clock)) as transport:
        return harvest(fleet.settings().sources["a"], service.store, transport, fleet.clock)


def test_a_thread_that_cannot_be_had_is_tried_for_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.schedules = {"a": "every 6 hours"}
    with fleet.service() as service:
        fleet.clock.advance(1)
        with monkeypatch.context() as poor:
            poor.setattr("threading.Thread.start", refusing)
            with pytest.raises(RuntimeError):
                service.scheduler.look()
        assert [ended.source for ended in service.look()] == ["a"]


def refusing(_thread: object) -> None:
    raise RuntimeError("can't start new thread")


@contextmanager
def at_details_of_a(fleet: Fleet) -> Iterator[tuple[Service, Gate]]:
    """It has been harvested, and stands at its first detail."""
    repository = fleet.repositories["a"]
    assert isinstance(repository.responder, Works)
    repository.exports = Exports(repository.responder, has_years=False)
    gate = Gate(repository)
    repository.misbehave(gate.before, lambda asked: asked.path.startswith(EXPORT), times=1)
    with fleet.service(a='details = "eprints"') as service:
        fleet.clock.advance(1)
        service.scheduler.look()
        gate.await_reached()
        await_fact(lambda: not service.runner.running, "its list is done with")
        yield service, gate


def test_details_of_a_source_that_is_disabled_end(fleet: Fleet) -> None:
    fleet.schedules = {"a": "every 6 hours"}
    with at_details_of_a(fleet) as (service, gate):
        service.scheduler.reload(fleet.settings(a='details = "eprints"\nenabled = false'))
        assert service.runner.await_quiet(60)
        service.runner.start_details(fleet.settings(a='details = "eprints"').sources["a"])
        assert service.runner.await_quiet(60)
        gate.opened.set()
        assert [ended.details for ended in service.ended] == [None, None]


@pytest.mark.parametrize(
    ("settings", "goes_on"),
    [("", False), ('details = "eprints"\ndetails_gap = "5"', True)],
    ids=["no details", "a wider gap"],
)
def test_details_are_fetched_by_the_settings_of_now(fleet: Fleet, settings: str, goes_on: bool) -> None:
    """A repository that complains is heard at once."""
    fleet.schedules = {"a": "every 6 hours"}
    with at_details_of_a(fleet) as (service, gate):
        before = fleet.clock.monotonic()
        service.scheduler.reload(fleet.settings(a=settings))
        gate.opened.set()
        assert service.runner.await_quiet(60)
        fetched = [ended.details.fetched for ended in service.ended if ended.details]
        assert fetched == ([6] if goes_on else [])
        assert (fleet.clock.monotonic() - before >= 5 * 5) is goes_on


def test_details_come_after_the_list_and_before_the_next(fleet: Fleet) -> None:
    fleet.schedules = {"a": "every 6 hours"}
    repository = fleet.repositories["a"]
    works = repository.responder
    assert isinstance(works, Works)
    repository.exports = Exports(works)
    with fleet.service(a='details = "eprints"') as service:
        service.look()
        (harvested, detailed) = service.ended
        assert harvested.report is not None
        assert detailed.details is not None
        assert (detailed.details.fetched, detailed.details.waiting) == (6, 0)
        assert (harvested.requests, detailed.requests) == (3, len(repository.log) - 3)
        service.scheduler.fetch_waiting_details()
        assert service.runner.await_quiet(60)
        assert len(service.ended) == 2


def test_details_give_way_to_their_list_and_go_on_after_it(fleet: Fleet) -> None:
    fleet.schedules = {"a": "every 1 hours"}
    with at_details_of_a(fleet) as (service, gate):
        fleet.clock.advance(2 * 3600)
        service.scheduler.look()
        gate.opened.set()
        assert service.runner.await_quiet(60)
        lists = [bool(ended.report) for ended in service.ended]  # who gives way may end a little later
        assert lists in ([True, False, True, False], [True, True, False, False])
        last = service.ended[-1].details
        assert last is not None
        assert (last.fetched, last.waiting) == (6, 0)


def test_a_repository_that_keeps_us_waiting_gives_its_place_to_another(fleet: Fleet) -> None:
    gate = Gate(fleet.repositories["a"])
    fleet.repositories["a"].misbehave(gate.before, offset(3), times=1)
    fleet.schedules = {"a": "every 6 hours"}
    with fleet.service(serve="pool = 1") as service:
        fleet.clock.advance(1)
        service.scheduler.look()
        gate.await_reached()
        fleet.schedules = {"a": "every 6 hours", "b": "every 6 hours"}
        service.scheduler.reload(fleet.settings(serve="pool = 1"))
        fleet.clock.advance(2)
        service.scheduler.look()
        assert [run.source for run in service.runner.running] == ["a"]
        fleet.clock.advance(10)
        service.scheduler.look()
        assert "b" in [run.source for run in service.runner.running] + [one.source for one in service.ended]
        gate.opened.set()
        assert service.runner.await_quiet(60)
        assert {ended.source for ended in service.ended if ended.report} == {"a", "b"}
