"""A window that a person asks for is no harvest of its source: not for its schedule, failures or age."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harvester import config
from harvester.runner import Runner
from harvester.scheduler import Scheduler
from harvester.store import Store, harvests, schedules, sources
from harvester.store.harvests import Request
from tests.fakes import faults
from tests.fakes.rig import NAME, Rig

A_DAY = {"from_": "2026-05-10", "until": "2026-05-10"}


class Planned:
    """The scheduler of a source that is due each month."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig = rig
        self._file = folder / "config.toml"
        self.point_to(rig.source.url)
        settings = config.load(self._file, {})
        self._runner = Runner(settings, rig.store, rig.clock, lambda _ended: None)
        self._scheduler = Scheduler(settings, rig.store, rig.clock, self._runner)

    def point_to(self, url: str) -> None:
        self._file.write_text(f'[sources.{NAME}]\nurl = "{url}"\nschedule = "every 30 days"\n')

    def reload(self) -> None:
        self._scheduler.reload(config.load(self._file, {}))

    @property
    def due(self) -> str:
        self._scheduler.refresh()
        with self.rig.store.read() as connection:
            return schedules.every(connection)[NAME].due

    def close(self) -> None:
        self._runner.close("the test is over", 30)


@pytest.fixture
def planned(rig: Rig, tmp_path: Path) -> Iterator[Planned]:
    with closing(Planned(rig, tmp_path)) as planned:
        yield planned


def test_it_puts_off_nothing(rig: Rig, planned: Planned) -> None:
    rig.harvest()
    due = planned.due
    rig.clock.advance(days=19)
    assert rig.harvest(**A_DAY).verdict == "complete"
    assert planned.due == due


@pytest.mark.parametrize("answered", ["", "Identify"])
def test_nor_does_it_hasten_anything_where_it_fails(rig: Rig, planned: Planned, answered: str) -> None:
    rig.harvest()
    due = planned.due
    rig.repository.misbehave(faults.status(404), lambda asked: asked.verb != answered)
    rig.clock.advance(days=19)
    assert rig.harvest(**A_DAY).verdict == "failed"
    assert planned.due == due


def test_a_repository_that_bids_it_wait_is_not_asked_before(rig: Rig, planned: Planned) -> None:
    rig.harvest()
    rig.clock.advance(days=29.9)
    rig.repository.misbehave(faults.status(403))
    assert rig.harvest(**A_DAY).verdict == "failed"
    assert planned.due == rig.last_run.checkpoint.not_before


def test_a_corrected_address_is_due_at_once_though_it_was_tried_by_hand(rig: Rig, planned: Planned) -> None:
    rig.harvest()
    due = planned.due
    rig.change_source(url=f"{rig.source.url}?new")
    rig.harvest(**A_DAY)
    planned.point_to(rig.source.url)
    planned.reload()
    assert planned.due < due


def test_it_ends_no_row_of_failures_and_adds_none(rig: Rig) -> None:
    rig.repository.misbehave(faults.status(404))
    rig.harvest()
    failing = rig.state.failures, rig.state.failing_since
    assert failing[0] == 1
    rig.later()
    rig.harvest(**A_DAY)
    assert (rig.state.failures, rig.state.failing_since) == failing
    rig.repository.behave()
    assert rig.harvest(**A_DAY).verdict == "complete"
    assert (rig.state.failures, rig.state.failing_since) == failing
    rig.harvest()
    assert rig.state.failures == 0


def test_it_proves_nothing_of_its_source(rig: Rig) -> None:
    rig.harvest()
    whole = proven(rig.store)
    rig.later()
    assert rig.harvest(**A_DAY).verdict == "complete"
    assert proven(rig.store) == whole


def test_the_last_proven_run_stays_however_many_came_to_nothing_since(rig: Rig) -> None:
    with rig.store.write() as connection:
        for name in ("a", "b"):
            state = sources.ensure(connection, name, "")
            for number, verdict in enumerate(("complete", "verified", "unproven", "failed", "failed")):
                run = harvests.begin(connection, state.id, "", Request("oai_dc"), "2026-06-01T00:00:00Z")
                told = {"verdict": verdict, "reason": "", "error": "", "watermark": None}
                harvests.end(connection, run, finished=f"2026-06-0{number + 1}T00:00:00Z", **told)
        assert harvests.prune(connection, 2) == 4
        verdicts = [run.verdict for run in harvests.past(connection, 9, "a")]
    assert verdicts == ["failed", "failed", "verified"]
    assert proven(rig.store) == dict.fromkeys("ab", "2026-06-02T00:00:00Z")


def proven(store: Store) -> dict[str, str]:
    with store.read() as connection:
        return harvests.last_proven(connection)
