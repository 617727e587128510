"""A harvest from end to end, over HTTP: what it asks for and stores, what stops it, where it goes on."""

import threading
from pathlib import Path

import pytest

from harvester.datestamp import parse_datestamp
from harvester.errors import SourceBusy
from harvester.report import Progress
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.faults import BY_ROW, offset, verb
from tests.fakes.repository import Answer, Asked, Fault
from tests.fakes.rig import Rig, counts, rigged
from tests.fakes.works import ARTICLES, THESES, Works, identifier

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
    rig.later()
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
    rig.later()
    report = rig.harvest()
    assert (report.verdict, counts(report)) == ("complete", {"received": 1, "unchanged": 1})
    assert (rig.feed, rig.head) == (before, head)


def test_no_records_match_is_success_with_nothing_new(rig: Rig) -> None:
    first = rig.harvest()
    rig.later()
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
    rig.later()
    for number in range(1, 51):
        rig.works.put(number)
    report = rig.harvest()
    assert counts(report) == {"received": 50, "unchanged": 50}
    assert [change.position for change in rig.feed] == positions
    assert {change.record.datestamp for change in rig.feed} == {"2026-06-02T12:00:00Z"}


def test_a_deletion_and_a_return(rig: Rig) -> None:
    rig.harvest()
    rig.later()
    rig.works.delete(7)
    report = rig.harvest()
    assert report.deleted == 1
    assert rig.tombstones == {identifier(7)}
    assert rig.is_exact()
    rig.later()
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
    rig.later()
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
    rig.repository.misbehave(
        HTML_500, lambda asked: asked.verb.startswith("List") and "set" in asked.arguments
    )
    rig.change_source(set=ARTICLES)
    report = rig.harvest()
    assert (report.verdict, report.received) == ("failed", 0)
    assert "500" in report.reason


def test_a_web_page_in_place_of_a_repository(rig: Rig) -> None:
    rig.repository.misbehave(faults.body(b"<!DOCTYPE html><html><body>Welcome<br></body></html>"))
    report = rig.harvest()
    assert (report.verdict, report.exit_code) == ("failed", 1)
    assert "HTML page" in report.reason
    assert "base URL" in report.error


def test_version_1_is_refused(rig: Rig) -> None:
    """FAULTS P11."""
    rig.repository.misbehave(faults.replaced("<protocolVersion>[^<]*", "<protocolVersion>1.1"))
    report = rig.harvest()
    assert (report.verdict, report.requests) == ("failed", 1)
    assert "OAI-PMH 1.1" in report.reason


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
    rule = rig.repository.misbehave(faults.half_a_page, lambda asked: asked.nth > 2)
    report = rig.harvest()
    assert (report.verdict, report.exit_code, rule.fired) == ("partial", 3, 6)
    assert "not well-formed" in report.reason
    assert report.watermark is None
    assert len(rig.live) == 20
    rig.repository.behave()
    _goes_on(rig, [20, 30, 40])


def _goes_on(rig: Rig, asked: list[int]) -> None:
    """The next run is the same run: it asks for what is left, and counts all of it."""
    for thread in threading.enumerate():
        if thread.name == "read-ahead":  # of the run that was stopped: its last request counts as that run's
            thread.join()
    report = rig.harvest()
    assert rig.repository.asked("Identify") == []
    assert rig.offsets() == asked
    assert report.verdict == "complete"
    assert counts(report) == {"received": 50, "created": 50}
    assert report.pages == 5
    came = asked[0] if asked else 50
    at_page, of = (came // 10 + 1, 5) if asked else (None, None)
    assert (report.resumed_after, report.resumed_at_page, report.expected_pages) == (came, at_page, of)
    assert rig.is_exact()
    assert rig.state.watermark == "2026-05-28T10:00:27Z"


def test_of_a_list_of_unstated_length_the_pages_are_known_at_its_end(rig: Rig) -> None:
    rig.repository.misbehave(faults.unstated_size())
    ran = [rig.harvest(limit=20), rig.harvest(limit=30), rig.harvest()]
    assert [(one.resumed_at_page, one.expected_pages) for one in ran] == [(None, None), (3, None), (4, 5)]


def test_a_list_that_begins_again_has_not_gone_on(rig: Rig) -> None:
    rig.harvest(limit=20)
    rig.repository.misbehave(faults.oai_error("badResumptionToken"), offset(20), times=2)
    report = rig.harvest()
    assert (report.verdict, rig.offsets()) == ("complete", [20, 20, 0, 10, 20, 30, 40])
    assert (report.resumed_after, report.resumed_at_page) == (None, None)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_harvest_goes_on(rig: Rig, kind: type[BaseException]) -> None:
    def stop(progress: Progress) -> None:
        if progress.received == 30:
            raise kind

    with pytest.raises(kind):
        rig.harvest(stop)
    assert (rig.last_run.verdict, rig.last_run.reason) == ("partial", "it was interrupted")
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
    assert rig.last_run.verdict == "partial"
    _goes_on(rig, [10, 20, 30, 40])


def test_a_fault_of_our_own_is_told_and_gone_on_from(rig: Rig) -> None:
    def fail(progress: Progress) -> None:
        if progress.received == 50:
            raise ZeroDivisionError("of ours")

    with pytest.raises(ZeroDivisionError):
        rig.harvest(fail)
    assert "report it" in rig.last_run.reason
    assert "of ours" in rig.last_run.error
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
    assert rig.clock.slept == [30, 30, 2, 2]  # what it asked for, then the gap for the rest of the run


def test_a_busy_host_is_remembered(rig: Rig) -> None:
    rig.repository.misbehave(faults.status(429, Retry_After="30"), offset(20), times=3)
    for gap in (4, 2, 1, 0):
        rig.harvest(full=True)
        assert rig.state.gap == gap


def test_an_expired_token_starts_the_list_again(rig: Rig) -> None:
    rig.repository.misbehave(faults.oai_error("badResumptionToken"), offset(20), times=1)
    report = rig.harvest()
    assert rig.offsets() == [0, 10, 20, 0, 10, 20, 30, 40]
    assert report.verdict == "complete"
    assert counts(report) == {"received": 70, "created": 50, "unchanged": 20}
    assert rig.is_exact()


def test_where_no_token_works_the_list_is_read_in_windows(rig: Rig) -> None:
    rule = rig.repository.misbehave(faults.oai_error("badResumptionToken"), _is_with_token)
    report = rig.harvest()
    assert (report.verdict, report.quarantined) == ("complete", 0)
    assert "badResumptionToken" in report.reason
    assert 4 < rule.fired < report.requests < 100
    assert rig.is_exact()


def _is_with_token(asked: Asked) -> bool:
    return bool(asked.token)


def test_k16_a_run_that_goes_on_takes_no_page_of_another_list(rig: Rig) -> None:
    rig.harvest(limit=20)
    rig.repository.misbehave(faults.replaced("<request[^>]*>", '<request metadataPrefix="mods">'))
    assert rig.harvest().verdict == "partial"
    assert len(rig.live) == 20
    assert "metadataPrefix mods, where oai_dc was asked for" in rig.last_run.error


def test_a_run_that_is_over_is_not_gone_on_from(rig: Rig) -> None:
    rig.harvest()
    rig.harvest()
    assert len(rig.repository.asked("Identify")) == 1


def test_a_full_harvest_does_not_go_on_from_a_partial_one(rig: Rig) -> None:
    rig.harvest()
    rig.later()
    for number in range(1, 31):
        rig.works.put(number, title=f"Corrected {number}")
    rig.harvest(limit=10)
    assert rig.harvest(full=True).verdict == "verified"
    assert "from" not in rig.repository.asked("ListRecords")[0].arguments
    assert rig.is_exact()


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
