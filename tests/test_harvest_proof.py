"""What a harvest may call itself, over HTTP: doubts, verification, sweeps; what moves the watermark."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.catalogue.providers import OneToken
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.faults import offset, verb
from tests.fakes.repository import Answer, Asked, Fault
from tests.fakes.rig import Rig, counts, rigged
from tests.fakes.works import ARTICLES, Works, identifier

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


def test_a_quiet_repository_is_not_read_from_its_last_day_for_ever(rig: Rig) -> None:
    """FAULTS D20: all that has the newest datestamp comes each time, until it has come twice the same."""
    rig.works.put(51, lastmod="2026-05-28 10:00:00")
    rig.harvest()
    rig.clock.advance(days=20)
    for number, watermark in enumerate(["2026-05-28T10:00:27Z", "2026-06-14T12:00:00Z"]):
        report = rig.harvest()
        assert (report.verdict, report.watermark) == ("complete", watermark), number
        assert report.unchanged
    assert rig.harvest().received == 0
    rig.works.put(52, lastmod="2026-06-14 11:30:00")
    assert rig.harvest().created == 1


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
    assert rig.offsets("ListIdentifiers") == [0, 10, 20, 30, 40]


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
        assert (report.verdict, report.received) == ("verified", 130)
        assert rig.is_exact()


def test_what_the_list_left_out_and_nothing_gives_is_said(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, Works(130, clock.now), clock) as rig:
        rig.works.identifiers_a_page = 200
        rig.repository.misbehave(faults.replaced("<resumptionToken.*</resumptionToken>", ""), offset(100))
        refused = rig.repository.misbehave(faults.status(500), verb("GetRecord"))
        report = rig.harvest()
        assert (report.verdict, report.received, report.quarantined) == ("verified", 130, 20)
        assert refused.fired == 40
        rig.repository.behave()
        assert rig.harvest(full=True).verdict == "verified"
        assert rig.is_exact()


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
    assert "circle" in report.reason


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
    assert (report.verdict, report.received) == ("complete", 50)
    assert "same page" in report.reason
    assert len(rig.repository.asked("ListRecords")) <= 3
    assert len(rig.repository.asked("GetRecord")) == 40
    assert rig.is_exact()


def test_a_circle_of_pages_ends(rig: Rig) -> None:
    rig.repository.misbehave(_turned_back(30, to=10), verb("ListRecords"))
    report = rig.harvest()
    assert report.verdict == "complete"
    assert "same page" in report.reason
    assert len(rig.repository.log) <= 3 * 5 + 30 + 20
    assert rig.is_exact()


def test_what_is_asked_about_beside_a_list_makes_it_no_longer(rig: Rig) -> None:
    """A repository lost most of its records, and has them again from a backup."""
    rig.harvest()
    gone = rig.works.destroy(*range(1, 49))
    rig.harvest(full=True, allow_deletions=True)
    assert len(rig.tombstones) == 48
    rig.works.bring_back(gone)
    report = rig.harvest(full=True)
    assert (report.verdict, report.reason, report.created) == ("verified", "", 48)
    assert len(rig.repository.asked("GetRecord")) == 48
    assert rig.is_exact()


def test_one_token_for_all_pages_is_no_circle(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, OneToken(50, clock.now), clock) as rig:
        for _ in range(2):
            assert rig.harvest(full=True).verdict == "verified"
        assert rig.is_exact()


def test_one_token_for_all_pages_is_not_asked_with_after_a_lost_answer(
    tmp_path: Path, clock: FakeClock
) -> None:
    """FAULTS K01b: the server has gone on meanwhile, and asking again would pass over a page."""
    with rigged(tmp_path, OneToken(50, clock.now), clock) as rig:
        rig.repository.misbehave(faults.unstated_size())
        lost = rig.repository.misbehave(faults.reset, lambda asked: asked.nth == 3, times=1)
        assert rig.harvest().verdict == "complete"
        assert lost.fired == 1
        assert rig.is_exact()


def test_one_token_is_not_gone_on_with(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, OneToken(50, clock.now), clock) as rig:
        rig.harvest(limit=30)
        assert rig.harvest().verdict == "complete"
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
    rig.later()
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
