"""A provider lives on, a harvester comes and goes, both have their accidents: is anything ever lost?

After each run the invariants 2, 3, 7, 8, 9, 11 and 12 of the design hold, and 1 where it calls itself
complete; when the faults are lifted and all has come to rest, 1, 4, 5, 11 and 13.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from harvester.datestamp import Granularity, format_datestamp
from harvester.fault_point import PLACES
from harvester.store.harvests import Harvest
from index.generations import Generations
from index.sync import sync
from index.verify import verify
from tests.fakes import faults
from tests.fakes.dying import SharedClock, dies_harvesting, dies_indexing
from tests.fakes.faults import BY_ROW
from tests.fakes.model import Kind, Provider
from tests.fakes.repository import Answer, Asked, Fault
from tests.fakes.rig import NAME, Rig, rigged
from tests.fakes.witness import PROVEN, Witness, live, versions

RUNS_UNTIL_QUIET = 6
# What a harvester comes through, or notices.
FAULTS = {row: BY_ROW[row] for row in "T03 T04 T05 T06 T07 T08 T09 T11 H03 X07".split()} | {
    "H01": faults.status(503, Retry_After="20"),
    "H04": faults.status(503, Retry_After="86400000"),
    "H05": faults.status(429),
    "H07": faults.body(b"<html><title>Maintenance</title></html>"),
    "H08": faults.body(b""),
    "H09": faults.status(500),
    "K17": faults.oai_error("badResumptionToken"),
    "P02": faults.oai_error("InternalException"),
}
ELSEWHERE = ("store half migrated", "quarantine written", "removal half done", "batch renormalised")
INDEX_PLACES = [place for place in PLACES if place.startswith(("index", "generation"))]
HARVEST_PLACES = [place for place in PLACES if place not in (*INDEX_PLACES, *ELSEWHERE)]
EVENTS = ("add", "edit", "restamp", "remove", "vanish", "restart")
COMMON = {"verdict: complete", "verdict: verified"}
REACHED: Counter[str] = Counter()

some = st.lists(st.integers(0, 999), min_size=1, max_size=5)
many = st.builds(range, st.integers(0, 5), st.integers(60, 140))
options = st.sampled_from([{}, {"audit": None, "reread": None}, {"full": True}])
kinds = st.builds(
    Kind,
    days=st.booleans(),
    deleted_record=st.sampled_from(["persistent", "transient", "no"]),
    by_datestamp=st.booleans(),
    states_size=st.booleans(),
    ends_without_token=st.booleans(),
    keeps_lists=st.booleans(),
    tokens_work_once=st.booleans(),
)
events = st.sampled_from(EVENTS)


class Windrow(RuleBasedStateMachine):
    @initialize(
        kind=kinds,
        count=st.sampled_from([0, 1, 30, 64, 130, 130]),
        page_size=st.sampled_from([7, 10, 25]),
        ahead=st.sampled_from([0, 0, 2, -26, 26]),
        is_known=st.booleans(),
    )
    def begin(self, kind: Kind, count: int, page_size: int, ahead: int, is_known: bool) -> None:
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(TemporaryDirectory()))
        self.world = SharedClock()
        self.clock = SharedClock(self.world.passed)
        self.ahead = timedelta(hours=ahead)
        self.provider = Provider(count, self.world, kind, page_size, self.ahead)
        self.rig: Rig = self.stack.enter_context(rigged(self.folder, self.provider, self.clock))
        for fault in kind.faults():
            self.rig.repository.misbehave(fault)
        self.natural = list(self.rig.repository.rules)
        self.witness = Witness(self.rig, self.provider)
        self.is_sound = True
        if is_known:
            self.run({}, self.rig.harvest)

    def teardown(self) -> None:
        if not hasattr(self, "stack"):
            return
        with self.stack:
            if self.is_sound:
                self.comes_to_rest()

    # The provider.

    @rule(count=st.integers(1, 15))
    def adds(self, count: int) -> None:
        self.provider.add(count)

    @rule(which=some)
    def edits(self, which: list[int]) -> None:
        self.provider.edit(which)

    @rule(which=some)
    def removes(self, which: list[int]) -> None:
        self.provider.remove(which)

    @rule(which=some)
    def vanish(self, which: list[int]) -> None:
        self.provider.vanish(which)

    @rule(which=many, traceless=st.booleans())
    def loses_most(self, which: range, traceless: bool) -> None:
        """A bug, or an index half rebuilt (FAULTS L06, L11)."""
        if traceless:
            self.provider.vanish(which)
        else:
            self.provider.remove(which)

    @rule(what=st.sampled_from(["prune", "restore", "restamp", "restart"]))
    def turns(self, what: str) -> None:
        getattr(self.provider, what)()

    @rule(which=st.integers(0, 999), days=st.sampled_from([1, 40, 4000]))
    def back_dates(self, which: int, days: int) -> None:
        self.provider.back_date(which, days)

    @rule(late=st.integers(0, 999), other=st.integers(0, 999), minutes=st.sampled_from([10, 55, 300]))
    def lags(self, late: int, other: int, minutes: int) -> None:
        """A change is seen only after a harvest that saw a later one."""
        self.provider.lag(late, minutes)
        self.world.advance(60)
        self.provider.edit([other])
        self.run({}, self.rig.harvest)
        self.world.advance(60 * minutes)

    @rule(page_size=st.sampled_from([3, 7, 10, 25, 100]))
    def resizes(self, page_size: int) -> None:
        self.provider.resize(page_size)

    # The faults, and time.

    @rule(
        row=st.sampled_from(sorted(FAULTS)),
        share=st.sampled_from([0.2, 0.5, 1]),
        times=st.sampled_from([1, 4, 12, 200]),
        seed=st.integers(0, 99),
    )
    def misbehaves(self, row: str, share: float, times: int, seed: int) -> None:
        dice = Random(seed)
        fault = counted(f"fault: {row}", FAULTS[row])
        self.rig.repository.misbehave(fault, lambda _asked: dice.random() < share, times)

    @rule()
    def behaves(self) -> None:
        self.lift_faults()

    @rule(seconds=st.sampled_from([1, 60, 1200, 3600, 86_400, 40 * 86_400]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(hours=st.sampled_from([-1, 1, -24, 40 * 24, 400 * 24]))
    def clock_jumps(self, hours: int) -> None:
        self.clock.jumped += hours * 3600

    # The harvester, and the index.

    @rule(options=options)
    def harvests(self, options: dict[str, Any]) -> None:
        self.run(options, lambda: self.rig.harvest(**options))

    @rule(allowed=st.booleans())
    def harvests_all(self, allowed: bool) -> None:
        options = {"full": True, "allow_deletions": allowed}
        self.run(options, lambda: self.rig.harvest(**options))

    @rule(limit=st.sampled_from([1, 15, 40]))
    def harvests_in_part(self, limit: int) -> None:
        self.run({}, lambda: self.rig.harvest(limit=limit))

    @rule(days=st.integers(1, 40))
    def harvests_a_window(self, days: int) -> None:
        start = format_datestamp(self.provider.now() - timedelta(days=days), Granularity.DAY)
        self.run({}, lambda: self.rig.harvest(from_=start))

    @rule(options=options, place=st.sampled_from(HARVEST_PLACES), nth=st.integers(1, 4))
    def dies(self, options: dict[str, Any], place: str, nth: int) -> None:
        def work() -> None:
            died = dies_harvesting(place, nth, self.rig.source, self.rig.store, self.clock, **options)
            REACHED[f"died: {place}"] += died

        self.run(options, work)

    @rule(options=options, event=events, at=st.integers(1, 9), which=some)
    def harvests_while(self, options: dict[str, Any], event: str, at: int, which: list[int]) -> None:
        """Something happens just after answer `at`."""
        waiting = iter(range(at))
        happens = counted(f"in mid-list: {event}", self.happening(event, which))
        rule = self.rig.repository.misbehave(happens, lambda _asked: next(waiting, None) == at - 1, 1)
        self.run(options, lambda: self.rig.harvest(**options))
        self.rig.repository.rules.remove(rule)

    @rule()
    def indexes(self) -> None:
        sync(self.rig.store, self.generations, "tantivy")

    @rule(place=st.sampled_from(INDEX_PLACES), nth=st.integers(1, 2))
    def dies_indexing(self, place: str, nth: int) -> None:
        REACHED[f"died: {place}"] += dies_indexing(place, nth, self.rig.store, self.folder / "index")

    def happening(self, event: str, which: list[int]) -> Fault:
        happens: dict[str, Callable[[], None]] = {
            "add": lambda: self.provider.add(len(which)),
            "edit": lambda: self.provider.edit(which),
            "restamp": self.provider.restamp,
            "remove": lambda: self.provider.remove(which),
            "vanish": lambda: self.provider.vanish(which),
            "restart": self.provider.restart,
        }

        def happening(_asked: Asked, answer: Answer) -> Answer:
            happens[event]()
            return answer

        return happening

    def run(self, options: dict[str, Any], work: Callable[[], object]) -> None:
        self.is_sound = False  # where a step fails, its own words are wanted, not those of the end
        last = self.witness.watch(work, allowed=bool(options.get("allow_deletions")))
        self.is_sound = True
        if last is not None:
            REACHED[f"verdict: {last.verdict}"] += 1
            REACHED["deletions held"] += bool(last.checkpoint.counts.held)
            REACHED["list begun again"] += bool(last.checkpoint.restarts)

    # The end.

    def comes_to_rest(self) -> None:
        self.lift_faults()
        self.clock.jumped = self.ahead.total_seconds()
        self.world.advance(days=1)
        self.run_until_proven({})
        whole = self.run_until_proven({"full": True})
        if whole.checkpoint.counts.held:
            whole = self.run_until_proven({"full": True, "allow_deletions": True})
        assert (whole.verdict, whole.checkpoint.counts.held) == ("verified", 0)
        held = versions(self.rig.store)
        assert {one: held[one] for one in live(held)} == self.provider.live_truth, "1, 4"
        self.again_changes_nothing(held)
        self.index_is_the_store()

    def run_until_proven(self, options: dict[str, Any]) -> Harvest:
        for _ in range(RUNS_UNTIL_QUIET):
            self.run(options, lambda: self.rig.harvest(**options))
            last = self.rig.last_run
            if last.verdict in PROVEN:
                return last
        raise AssertionError(
            f"no rest after {RUNS_UNTIL_QUIET} runs: {last.verdict}, {last.reason}, {last.error}"
        )

    def again_changes_nothing(self, held: dict[str, bytes]) -> None:
        head = self.rig.head
        again = self.rig.harvest(full=True)
        assert again.verdict == "verified"
        assert (self.rig.head, versions(self.rig.store)) == (head, held), "5"
        sent = sum(1 for one in self.provider.truth)
        assert (again.received, again.unchanged) == (sent, sent), "11"

    def index_is_the_store(self) -> None:
        sync(self.rig.store, self.generations, "tantivy")
        indexed = {id.removeprefix(f"{NAME}/") for id, _ in self.generations.searcher().positions()}
        assert indexed == self.rig.live, "13"
        assert [one for one in verify(self.rig.store, self.generations) if not one.holds] == []

    def lift_faults(self) -> None:
        self.rig.repository.rules[:] = self.natural

    @property
    def generations(self) -> Generations:
        return Generations(self.folder / "index")


def counted(name: str, fault: Fault) -> Fault:
    def fires(asked: Asked, answer: Answer) -> Answer:
        REACHED[name] += 1
        return fault(asked, answer)

    return fires


def machine_settings(examples: int, steps: int) -> settings:
    return settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=list(HealthCheck))


@pytest.fixture
def known() -> Iterator[Windrow]:
    """130 works, all of them harvested."""
    with begun(tokens_work_once=False) as windrow:
        windrow.harvests({})
        yield windrow


@contextmanager
def begun(*, tokens_work_once: bool) -> Iterator[Windrow]:
    kind = Kind(
        days=False,
        deleted_record="persistent",
        by_datestamp=False,
        states_size=True,
        ends_without_token=False,
        keeps_lists=False,
        tokens_work_once=tokens_work_once,
    )
    windrow = Windrow()
    windrow.begin(kind=kind, count=130, page_size=7, ahead=0, is_known=False)
    with windrow.stack:
        yield windrow
        windrow.teardown()


def test_a_change_that_is_seen_late_is_seen(known: Windrow) -> None:
    known.lags(late=3, other=5, minutes=10)
    known.harvests({})


@pytest.mark.parametrize("traceless", [False, True])
def test_a_loss_of_most_is_held_back(known: Windrow, traceless: bool) -> None:
    known.loses_most(range(100), traceless)
    known.harvests_all(allowed=False)
    assert known.rig.last_run.checkpoint.counts.held


def test_a_source_whose_tokens_are_lost_again_and_again_is_not_stuck_for_ever() -> None:
    with begun(tokens_work_once=True) as windrow:
        windrow.misbehaves(row="T03", share=0.5, times=12, seed=21)
        windrow.harvests({})


def test_nothing_is_lost_in_silence() -> None:
    run_state_machine_as_test(Windrow, settings=machine_settings(25, 20))


@pytest.mark.slow
def test_nothing_is_lost_in_the_long_run() -> None:
    """And the net has no great hole: deaths and faults struck, and each of what is common happened."""
    REACHED.clear()
    run_state_machine_as_test(Windrow, settings=machine_settings(100, 30))
    assert [name for name in sorted(COMMON) if not REACHED[name]] == []
    assert any(name.startswith("died: ") for name in REACHED)
    assert any(name.startswith("fault: ") for name in REACHED)
