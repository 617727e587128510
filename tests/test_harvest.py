"""A harvest from end to end, over HTTP: what it stores, what it calls itself, where it goes on."""

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harvester.datestamp import parse_datestamp
from harvester.errors import SourceBusy
from harvester.harvest import Progress, Report
from harvester.store import harvests
from harvester.store.harvests import Harvest
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.faults import BY_ROW, offset, verb
from tests.fakes.repository import Answer, Asked, Fault
from tests.fakes.rig import NAME, Rig, rigged
from tests.fakes.works import ARTICLES, THESES, Works, identifier

COUNTS = ("received", "created", "updated", "unchanged", "deleted", "quarantined")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def rig(tmp_path: Path, clock: FakeClock) -> Iterator[Rig]:
    """50 works, 10 a page."""
    with rigged(tmp_path, Works(50, clock.now), clock) as rig:
        yield rig


def counts(report: Report) -> dict[str, int]:
    return {name: getattr(report, name) for name in COUNTS if getattr(report, name)}


def offsets(rig: Rig, of: str = "ListRecords") -> list[int]:
    return [asked.offset for asked in rig.repository.asked(of)]


def last_run(rig: Rig) -> Harvest:
    with rig.store.read() as connection:
        last = harvests.last(connection, NAME)
    assert last is not None
    return last


def later(rig: Rig) -> None:
    rig.clock.advance(days=1)


# A harvest as it should be


def test_a_first_harvest_is_complete(rig: Rig) -> None:
    report = rig.harvest()
    assert (report.verdict, report.reason, report.error, report.exit_code) == ("complete", "", "", 0)
    assert counts(report) == {"received": 50, "created": 50}
    assert (report.pages, report.requests) == (5, 6)
    assert rig.is_exact()
    assert rig.record(identifier(7)).title == "Work 7"


def test_it_is_polite(rig: Rig) -> None:
    rig.harvest(full=True)
    assert rig.repository.most_at_once == 1
    assert rig.repository.connections == 1
    for asked in rig.repository.log:
        assert asked.headers["Accept-Encoding"] == "gzip"
        assert asked.headers["From"] == "me@uni.example"


def test_a_token_goes_alone(rig: Rig) -> None:
    rig.harvest()
    for asked in rig.repository.asked("ListRecords")[1:]:
        assert set(asked.arguments) == {"verb", "resumptionToken"}


def test_the_next_page_is_fetched_while_this_one_is_stored(rig: Rig) -> None:
    second_asked = threading.Event()

    def tell(_asked: Asked, answer: Answer) -> Answer:
        second_asked.set()
        return answer

    rule = rig.repository.misbehave(tell, offset(10))
    ahead: list[int] = []

    def on_page(_progress: Progress) -> None:
        assert second_asked.wait(60), "the second page is not asked for before the first is done with"
        ahead.append(len(rig.repository.asked("ListRecords")))

    assert rig.harvest(on_page).verdict == "complete"
    assert rule.fired == 1
    assert all(read <= done + 2 for done, read in enumerate(ahead))


def test_progress_counts_the_records_of_the_list(rig: Rig) -> None:
    seen: list[tuple[str, int, int | None]] = []
    rig.harvest(lambda progress: seen.append((progress.stage, progress.received, progress.expected)))
    assert seen == [("list", received, 50) for received in (10, 20, 30, 40, 50)]


def test_the_second_harvest_asks_only_for_what_changed(rig: Rig) -> None:
    rig.harvest()
    later(rig)
    rig.works.put(7, title="Work 7, corrected")
    rig.works.put(51)
    report = rig.harvest()
    assert rig.repository.asked("ListRecords")[0].arguments["from"] == "2026-05-28T09:00:27Z"
    assert counts(report) == {"received": 3, "created": 1, "updated": 1, "unchanged": 1}
    assert report.verdict == "complete"
    assert report.watermark == "2026-06-02T12:00:00Z"
    assert rig.record(identifier(7)).title == "Work 7, corrected"
    assert rig.is_exact()


def test_nothing_new_writes_nothing(rig: Rig) -> None:
    rig.harvest()
    before, head = rig.feed, rig.head
    later(rig)
    report = rig.harvest()
    assert (report.verdict, counts(report)) == ("complete", {"received": 1, "unchanged": 1})
    assert (rig.feed, rig.head) == (before, head)


def test_no_records_match_is_success_with_nothing_new(rig: Rig) -> None:
    first = rig.harvest()
    later(rig)
    rig.works.destroy(27)  # the newest: the overlap would find it again
    report = rig.harvest()
    assert (report.verdict, counts(report), report.pages) == ("complete", {}, 0)
    assert report.watermark == first.watermark


def test_what_is_sent_again_unchanged_moves_nothing(rig: Rig) -> None:
    rig.harvest()
    before = rig.feed
    report = rig.harvest(full=True)
    assert (report.verdict, counts(report)) == ("verified", {"received": 50, "unchanged": 50})
    assert rig.feed == before


def test_what_is_only_dated_anew_moves_nothing(rig: Rig) -> None:
    rig.harvest()
    positions = [change.position for change in rig.feed]
    later(rig)
    for number in range(1, 51):
        rig.works.put(number)
    report = rig.harvest()
    assert counts(report) == {"received": 50, "unchanged": 50}
    assert [change.position for change in rig.feed] == positions
    assert {change.record.datestamp for change in rig.feed} == {"2026-06-02T12:00:00Z"}


def test_a_deletion_and_a_return(rig: Rig) -> None:
    rig.harvest()
    later(rig)
    rig.works.delete(7)
    report = rig.harvest()
    assert report.deleted == 1
    assert rig.tombstones == {identifier(7)}
    assert rig.is_exact()
    later(rig)
    rig.works.put(7, eprint_status="archive")
    report = rig.harvest()
    assert counts(report)["created"] == 1
    assert rig.tombstones == set()
    assert rig.is_exact()


def test_a_deletion_of_what_we_never_held_is_no_change_of_ours(rig: Rig) -> None:
    rig.works.delete(7)
    report = rig.harvest()
    assert counts(report) == {"received": 50, "created": 49, "unchanged": 1}
    assert rig.tombstones == {identifier(7)}
    assert rig.is_exact()


def test_a_set(rig: Rig) -> None:
    rig.change_source(set=THESES)
    report = rig.harvest()
    assert (report.verdict, report.received) == ("complete", 25)
    assert rig.live == {identifier(number) for number in range(2, 51, 2)}
    assert rig.repository.asked("ListSets") == []


def test_day_granularity(rig: Rig) -> None:
    rule = rig.repository.misbehave(BY_ROW["D01"])
    assert rig.harvest().verdict == "complete"
    later(rig)
    rig.works.put(7, title="Corrected")
    report = rig.harvest()
    assert rig.repository.asked("ListRecords")[0].arguments["from"] == "2026-05-27"
    assert (report.verdict, report.updated) == ("complete", 1)
    assert rig.record(identifier(7)).datestamp == "2026-06-02"
    assert rig.harvest(from_="2026-06-01T10:00:00Z").verdict == "complete"
    assert rule.fired > 0


# What the repository refuses


def test_an_unknown_prefix(rig: Rig) -> None:
    rig.change_source(metadata_prefix="marcxml")
    report = rig.harvest()
    assert (report.verdict, report.exit_code) == ("failed", 1)
    assert "cannotDisseminateFormat" in report.reason
    assert "metadata_prefix" in report.error


HTML_500 = faults.status(500, b"<html><body><h1>Internal Server Error</h1></body></html>")


@pytest.mark.parametrize(
    "fault", [None, faults.oai_error("badArgument", "no such set"), HTML_500], ids=["empty", "bad", "EPrints"]
)
def test_an_unknown_set(rig: Rig, fault: Fault | None) -> None:
    if fault:
        rig.repository.misbehave(fault, verb("ListRecords"))
    rig.change_source(set="nosuchset")
    report = rig.harvest()
    assert (report.verdict, report.exit_code) == ("failed", 1)
    assert report.reason == "the repository has no set nosuchset"
    assert "windrow check" in report.error


def test_a_known_set_that_fails_is_told_as_what_it_is(rig: Rig) -> None:
    rig.repository.misbehave(HTML_500, verb("ListRecords"))
    rig.change_source(set=ARTICLES)
    assert "500" in rig.harvest().reason


def test_a_web_page_in_place_of_a_repository(rig: Rig) -> None:
    rig.repository.misbehave(faults.body(b"<!DOCTYPE html><html><body>Welcome<br></body></html>"))
    report = rig.harvest()
    assert (report.verdict, report.exit_code) == ("failed", 1)
    assert "HTML page" in report.reason
    assert "base URL" in report.error


def test_nobody_there(rig: Rig) -> None:
    rig.change_source(url=f"http://127.0.0.1:{faults.free_port()}/oai")
    report = rig.harvest()
    assert (report.verdict, report.requests) == ("failed", 3)
    assert "refused" in report.reason


def test_a_repository_without_records_is_asked_twice(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, Works(0, clock.now), clock) as rig:
        report = rig.harvest()
        assert (report.verdict, report.received, report.watermark) == ("verified", 0, None)
        assert len(rig.repository.asked("ListIdentifiers")) == 1


# Interruption


def test_half_a_page_is_no_end(rig: Rig) -> None:
    rule = rig.repository.misbehave(faults.half_a_page, offset(20))
    report = rig.harvest()
    assert (report.verdict, report.exit_code, rule.fired) == ("partial", 3, 1)
    assert "not well-formed" in report.reason
    assert report.watermark is None
    assert len(rig.live) == 20
    rig.repository.behave()
    _goes_on(rig, [20, 30, 40])


def _goes_on(rig: Rig, asked: list[int]) -> None:
    """The next run is the same run: it asks for what is left, and counts all of it."""
    report = rig.harvest()
    assert rig.repository.asked("Identify") == []
    assert offsets(rig) == asked
    assert report.verdict == "complete"
    assert counts(report) == {"received": 50, "created": 50}
    assert report.pages == 5
    assert rig.is_exact()
    assert rig.state.watermark == "2026-05-28T10:00:27Z"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_harvest_goes_on(rig: Rig, kind: type[BaseException]) -> None:
    def stop(progress: Progress) -> None:
        if progress.received == 30:
            raise kind

    with pytest.raises(kind):
        rig.harvest(stop)
    assert (last_run(rig).verdict, last_run(rig).reason) == ("partial", "it was interrupted")
    assert len(rig.live) == 30
    _goes_on(rig, [30, 40])


def test_an_interrupt_in_a_transaction_ends_it(rig: Rig) -> None:
    """It can strike on the way out of one, where nothing is left that would close it."""

    def strike(_progress: Progress) -> None:
        transaction = rig.store.write()
        transaction.__enter__()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rig.harvest(strike)
    assert last_run(rig).verdict == "partial"
    _goes_on(rig, [10, 20, 30, 40])


def test_a_fault_of_our_own_is_told_and_gone_on_from(rig: Rig) -> None:
    def fail(progress: Progress) -> None:
        if progress.received == 50:
            raise ZeroDivisionError("of ours")

    with pytest.raises(ZeroDivisionError):
        rig.harvest(fail)
    assert "report it" in last_run(rig).reason
    assert "of ours" in last_run(rig).error
    _goes_on(rig, [])


def test_a_limit_stops_and_the_next_run_goes_on(rig: Rig) -> None:
    report = rig.harvest(limit=15)
    assert (report.verdict, report.received, report.exit_code) == ("partial", 20, 3)
    assert report.reason == "stopped after 20 records, as asked"
    _goes_on(rig, [20, 30, 40])


def test_a_limit_that_is_not_reached_changes_nothing(rig: Rig) -> None:
    assert rig.harvest(limit=50).verdict == "complete"


def test_told_to_come_later(rig: Rig) -> None:
    rig.repository.misbehave(faults.status(503, Retry_After="86400"), offset(20))
    report = rig.harvest()
    assert (report.verdict, report.exit_code) == ("deferred", 3)
    assert "24 hours" in report.reason
    rig.repository.behave()
    _goes_on(rig, [20, 30, 40])


def test_a_busy_moment_is_waited_out(rig: Rig) -> None:
    rig.repository.misbehave(faults.status(503, Retry_After="30"), offset(20), times=2)
    assert rig.harvest().verdict == "complete"
    assert rig.clock.slept == [30, 30]


def test_an_expired_token_starts_the_list_again(rig: Rig) -> None:
    rig.repository.misbehave(faults.oai_error("badResumptionToken"), offset(20), times=1)
    report = rig.harvest()
    assert offsets(rig) == [0, 10, 20, 0, 10, 20, 30, 40]
    assert report.verdict == "complete"
    assert counts(report) == {"received": 70, "created": 50, "unchanged": 20}
    assert rig.is_exact()


def test_a_token_that_always_expires_is_given_up(rig: Rig) -> None:
    rule = rig.repository.misbehave(faults.oai_error("badResumptionToken"), offset(20))
    report = rig.harvest()
    assert (report.verdict, rule.fired) == ("partial", 4)
    assert "badResumptionToken" in report.reason
    assert len(rig.live) == 20


def test_a_run_that_is_over_is_not_gone_on_from(rig: Rig) -> None:
    rig.harvest()
    rig.harvest()
    assert len(rig.repository.asked("Identify")) == 1


def test_a_full_harvest_does_not_go_on_from_a_partial_one(rig: Rig) -> None:
    rig.harvest()
    later(rig)
    for number in range(1, 31):
        rig.works.put(number, title=f"Corrected {number}")
    rig.harvest(limit=10)
    assert rig.harvest(full=True).verdict == "verified"
    assert "from" not in rig.repository.asked("ListRecords")[0].arguments
    assert rig.is_exact()


# Windows and watermark


@pytest.mark.parametrize(
    ("window", "asked"),
    [
        ({"from_": "2026-05-10"}, {"from": "2026-05-10T00:00:00Z"}),
        ({"until": "2026-05-10"}, {"until": "2026-05-10T23:59:59Z"}),
        ({"from_": "2026-05-03T10:00:02Z", "until": "2026-05-10"},
         {"from": "2026-05-03T10:00:02Z", "until": "2026-05-10T23:59:59Z"}),
    ],
)  # fmt: skip
def test_a_window_of_ones_own_moves_no_watermark(
    rig: Rig, window: dict[str, str], asked: dict[str, str]
) -> None:
    report = rig.harvest(**window)
    sent = rig.repository.asked("ListRecords")[0].arguments
    assert {name: value for name, value in sent.items() if name in ("from", "until")} == asked
    assert (report.verdict, report.watermark) == ("complete", None)
    assert 0 < len(rig.live) < 50
    assert rig.harvest().verdict == "complete"
    assert "from" not in rig.repository.asked("ListRecords")[0].arguments
    assert rig.is_exact()


def test_a_stamp_from_the_future_moves_no_watermark(rig: Rig) -> None:
    rig.works.put(51, lastmod="2099-01-01 00:00:00")
    assert rig.harvest().watermark == "2026-05-28T10:00:27Z"


@pytest.mark.parametrize("said", ["", "soon", "9999-12-31T23:59:59Z"])
def test_a_repository_that_does_not_know_the_time_moves_no_watermark_beyond_ours(rig: Rig, said: str) -> None:
    rig.works.put(51, lastmod="2099-01-01 00:00:00")
    rig.repository.misbehave(faults.replaced("<responseDate>[^<]*", f"<responseDate>{said}"))
    report = rig.harvest()
    assert (report.verdict, report.watermark) == ("complete", "2026-05-28T10:00:27Z")


def test_years_before_all_overlap(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, Works(1, clock.now), clock) as rig:
        rig.works.put(1, lastmod="0001-01-01 00:00:00")
        assert rig.harvest().watermark == "0001-01-01T00:00:00Z"
        assert rig.harvest().verdict == "complete"


def test_a_clock_that_differs_widens_the_overlap(rig: Rig) -> None:
    rig.harvest()
    rig.repository.misbehave(faults.replaced("<responseDate>2026-06-01T12", "<responseDate>2026-06-01T13"))
    rig.harvest()
    assert rig.repository.asked("ListRecords")[0].arguments["from"] == "2026-05-27T08:00:27Z"


def test_another_address_is_read_from_the_beginning(rig: Rig) -> None:
    rig.harvest()
    rig.change_source(url=rig.source.url + "/")
    report = rig.harvest()
    assert "from" not in rig.repository.asked("ListRecords")[0].arguments
    assert counts(report) == {"received": 50, "unchanged": 50}


def test_another_address_does_not_go_on_with_the_old_token(rig: Rig) -> None:
    rig.harvest(limit=10)
    rig.change_source(set=ARTICLES)
    rig.harvest()
    assert rig.repository.asked("ListRecords")[0].arguments["set"] == ARTICLES


# Doubts, verification, sweeps


def test_a_list_shorter_than_stated_is_doubted_then_verified(rig: Rig) -> None:
    rig.repository.misbehave(faults.replaced('completeListSize="50"', 'completeListSize="80"'))
    report = rig.harvest()
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    assert report.reason == "the list stopped after 50 of 80"
    assert report.watermark is None
    report = rig.harvest()
    assert (report.verdict, counts(report)) == ("verified", {"received": 50, "unchanged": 50})
    assert report.watermark == "2026-05-28T10:00:27Z"
    assert offsets(rig, "ListIdentifiers") == [0, 10, 20, 30, 40]


def test_a_cheap_check_is_made_at_once(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, Works(100, clock.now), clock) as rig:
        rig.works.identifiers_a_page = 100
        rig.repository.misbehave(faults.replaced('completeListSize="100"', 'completeListSize="200"'))
        assert rig.harvest().verdict == "verified"


def test_a_list_that_ends_too_early_is_caught_by_the_check(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, Works(130, clock.now), clock) as rig:
        rig.works.identifiers_a_page = 200
        rig.repository.misbehave(faults.replaced("<resumptionToken.*</resumptionToken>", ""), offset(100))
        report = rig.harvest()
        assert report.verdict == "unproven"
        assert report.reason == "the list left out 20 records, oai:windrow.example:111 among them"
        assert report.watermark is None


def test_a_full_last_page_without_a_token_is_doubted(rig: Rig) -> None:
    rig.repository.misbehave(faults.unstated_size())
    rig.repository.misbehave(faults.no_last_token())
    report = rig.harvest()
    assert report.verdict == "unproven"
    assert "full page of 10" in report.reason
    assert rig.harvest().verdict == "verified"


def test_a_short_last_page_needs_no_token(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, Works(45, clock.now), clock) as rig:
        rig.repository.misbehave(faults.unstated_size())
        rule = rig.repository.misbehave(faults.no_last_token())
        assert rig.harvest().verdict == "complete"
        assert rule.fired


def test_nothing_matches_in_mid_list_is_no_end(rig: Rig) -> None:
    rig.repository.misbehave(faults.unstated_size())
    rig.repository.misbehave(faults.oai_error("noRecordsMatch"), offset(30))
    report = rig.harvest()
    assert (report.verdict, report.received) == ("unproven", 30)
    assert "broke off after 30" in report.reason


def test_a_verified_full_harvest_sweeps(rig: Rig) -> None:
    rig.harvest()
    rig.works.destroy(3, 4, 5)
    report = rig.harvest(full=True)
    assert (report.verdict, report.vanished, report.held, report.exit_code) == ("verified", 3, 0, 0)
    assert rig.tombstones == {identifier(3), identifier(4), identifier(5)}
    assert rig.is_exact()


def test_a_first_full_harvest_is_verified(rig: Rig) -> None:
    report = rig.harvest(full=True)
    assert (report.verdict, report.vanished, report.created) == ("verified", 0, 50)


def test_the_guard_holds_until_it_is_told(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, Works(300, clock.now, page_size=50), clock) as rig:
        rig.harvest()
        rig.works.destroy(*range(1, 57))
        report = rig.harvest(full=True)
        assert (report.verdict, report.vanished, report.held, report.exit_code) == ("verified", 0, 56, 3)
        assert "--allow-deletions" in report.reason
        assert len(rig.live) == 300
        report = rig.harvest(full=True, allow_deletions=True)
        assert (report.vanished, report.held, report.exit_code) == (56, 0, 0)
        assert rig.is_exact()


def test_asking_twice_does_not_wear_the_guard_down(rig: Rig) -> None:
    rig.harvest()
    rig.works.destroy(*range(1, 41))
    for _ in range(3):
        report = rig.harvest(full=True)
        assert (report.vanished, report.held) == (0, 40)
    assert len(rig.live) == 50


def test_a_repository_wiped_clean_deletes_nothing(rig: Rig) -> None:
    rig.harvest()
    rig.works.destroy(*range(1, 51))
    for _ in range(2):
        assert rig.harvest(full=True).held == 50
    rig.change_source(url=rig.source.url + "/")
    assert rig.harvest().held == 50
    assert len(rig.live) == 50


@pytest.mark.parametrize(
    "fault",
    [
        faults.replaced("<resumptionToken.*</resumptionToken>", "<resumptionToken/>"),
        faults.oai_error("noRecordsMatch"),
        faults.oai_error("badResumptionToken"),
        faults.oai_error("badVerb"),
        faults.half_a_page,
    ],
    ids=["ends", "nothing matches", "token expired", "refused", "cut"],
)
@pytest.mark.parametrize("at", [0, 20])
def test_a_broken_check_deletes_nothing(rig: Rig, fault: Fault, at: int) -> None:
    rig.harvest()
    rig.repository.misbehave(fault, offset(at, "ListIdentifiers"))
    report = rig.harvest(full=True)
    assert (report.verdict, report.vanished, report.held) == ("unproven", 0, 0)
    assert len(rig.live) == 50


def test_a_check_that_goes_in_a_circle_ends(rig: Rig) -> None:
    rig.repository.misbehave(_turned_back(20, to=10), verb("ListIdentifiers"))
    report = rig.harvest(full=True)
    assert report.verdict == "unproven"
    assert "does not end" in report.reason


# Lists without end


def _turned_back(at: int, to: int) -> Fault:
    """From record `at` the list goes on at record `to` again."""
    pattern = re.compile(rb"offset=%d\b" % at)
    return lambda _asked, answer: replace(answer, body=pattern.sub(b"offset=%d" % to, answer.body))


def test_the_same_page_for_ever_ends(rig: Rig) -> None:
    bodies: list[bytes] = []

    def frozen(_asked: Asked, answer: Answer) -> Answer:
        bodies.append(answer.body)
        return replace(answer, body=bodies[0])

    rig.repository.misbehave(frozen, verb("ListRecords"))
    report = rig.harvest()
    assert (report.verdict, report.received) == ("partial", 10)
    assert "same page" in report.reason
    assert len(rig.repository.asked("ListRecords")) <= 3


def test_a_circle_of_pages_ends(rig: Rig) -> None:
    rig.repository.misbehave(_turned_back(30, to=10), verb("ListRecords"))
    report = rig.harvest()
    assert report.verdict == "partial"
    assert "does not end" in report.reason
    assert len(rig.repository.log) <= 3 * 5 + 30 + 3
    assert len(rig.live) == 30


class OneToken(Works):
    """Remembers where each list is, and has one token for all of its pages."""

    _next = ""

    def respond(self, arguments: Sequence[tuple[str, str]]) -> bytes:
        told = [(name, self._next if name == "resumptionToken" else value) for name, value in arguments]
        body = super().respond(told)
        found = re.search(rb"<resumptionToken[^>]*>([^<]+)", body)
        if found:
            self._next = found[1].decode().replace("&amp;", "&")
        return body.replace(found[1], b"same") if found else body


def test_one_token_for_all_pages_is_no_circle(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, OneToken(50, clock.now), clock) as rig:
        for _ in range(2):
            assert rig.harvest(full=True).verdict == "verified"
        assert rig.is_exact()


# Quarantine


WITHOUT_METADATA = faults.replaced(
    r"(example:3</identifier>((?!</record>).)*)<metadata>.*?</metadata>", r"\1"
)


def test_a_refused_record_is_counted_and_cleared_when_it_comes_good(rig: Rig) -> None:
    rig.repository.misbehave(WITHOUT_METADATA)
    report = rig.harvest()
    assert counts(report) == {"received": 50, "created": 49, "quarantined": 1}
    assert (report.verdict, rig.state.quarantined) == ("complete", 1)
    rig.repository.behave()
    later(rig)
    rig.works.put(3)
    assert counts(rig.harvest()) == {"received": 2, "created": 1, "unchanged": 1}
    assert rig.state.quarantined == 0
    assert rig.is_exact()


def test_a_good_record_is_not_lost_to_a_bad_one(rig: Rig) -> None:
    rig.harvest()
    rig.repository.misbehave(WITHOUT_METADATA)
    assert rig.harvest(full=True).quarantined == 1
    assert rig.record(identifier(3)).title == "Work 3"


def test_records_without_identifier_are_all_kept_each_once(rig: Rig) -> None:
    rule = rig.repository.misbehave(faults.replaced(r"<identifier>oai:[^<]*:(3|4|13)</identifier>", ""))
    for _ in range(2):
        report = rig.harvest(full=True)
        assert report.quarantined == 3
        assert rig.state.quarantined == 3
    assert rule.fired


# One at a time


def test_a_second_harvest_at_the_same_time_is_told(rig: Rig) -> None:
    refused: list[SourceBusy] = []

    def try_too(_progress: Progress) -> None:
        with pytest.raises(SourceBusy, match="is being harvested by process") as caught:
            Rig(rig.repository, rig.store, rig.clock).harvest()
        refused.append(caught.value)

    assert rig.harvest(try_too).verdict == "complete"
    assert len(refused) == 5
    assert (refused[0].exit_code, bool(refused[0].advice)) == (3, True)
    assert rig.is_exact()


def test_the_clock_of_the_verdict_is_ours(rig: Rig) -> None:
    report = rig.harvest()
    assert report.finished is not None
    assert parse_datestamp(report.finished) == rig.clock.now()
