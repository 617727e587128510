"""What incremental harvests cannot see is found by audits, and by reading the whole list when it is time."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.faults import verb
from tests.fakes.rig import Rig, rigged
from tests.fakes.works import ARTICLES, Works, identifier

LONG_AGO = "2020-01-01 00:00:00"


def test_a_back_dated_record_is_found_by_the_audit(rig: Rig) -> None:
    """FAULTS D11, D12: what appears behind the watermark."""
    rig.harvest()
    rig.clock.advance(days=29)
    rig.works.put(51, lastmod=LONG_AGO)
    report = rig.harvest()
    assert (report.verdict, identifier(51) in rig.live) == ("complete", False)
    assert rig.repository.asked("ListIdentifiers") == []
    rig.clock.advance(days=1)
    report = rig.harvest()
    assert (report.verdict, report.created) == ("verified", 1)
    assert report.reason == "the audit found 1 record that earlier harvests had missed"
    assert len(rig.repository.asked("GetRecord")) == 1
    assert rig.is_exact()
    rig.harvest()
    assert rig.repository.asked("ListIdentifiers") == []


def test_a_change_behind_the_watermark_is_found_by_its_datestamp(rig: Rig) -> None:
    rig.works.put(7, lastmod="2010-01-01 00:00:00")
    rig.harvest()
    rig.works.put(7, title="Corrected", lastmod=LONG_AGO)
    rig.clock.advance(days=30)
    assert rig.harvest().updated == 1
    assert rig.record(identifier(7)).title == "Corrected"


def test_a_tombstone_behind_the_watermark_is_found(rig: Rig) -> None:
    rig.harvest()
    rig.works.put(7, eprint_status="deletion", lastmod="2026-05-08 11:00:00")
    rig.clock.advance(days=30)
    report = rig.harvest()
    assert (report.verdict, report.deleted) == ("verified", 1)
    assert rig.is_exact()


def test_an_audit_deletes_nothing_that_is_only_absent(rig: Rig) -> None:
    rig.harvest()
    rig.works.destroy(3, 4)
    rig.clock.advance(days=30)
    report = rig.harvest()
    assert (report.verdict, report.vanished, len(rig.live)) == ("verified", 0, 50)
    assert "2 records no longer listed" in report.reason


@pytest.mark.parametrize("deleted_record", ["no", "transient", "persistent"])
def test_the_whole_list_is_read_again_when_it_is_time(rig: Rig, deleted_record: str) -> None:
    """FAULTS L01, L02: only a whole list shows what left no trace."""
    rig.repository.misbehave(faults.replaced("<deletedRecord>[^<]*", f"<deletedRecord>{deleted_record}"))
    rig.harvest()
    rig.works.destroy(3, 4)
    rig.clock.advance(days=90)
    report = rig.harvest()
    assert report.vanished == (0 if deleted_record == "persistent" else 2)
    rig.clock.advance(days=90)
    rig.harvest()
    assert rig.is_exact()


def test_how_often_is_for_the_user_to_say(rig: Rig) -> None:
    rig.harvest()
    rig.clock.advance(days=1000)
    rig.harvest(audit=None, reread=None)
    assert rig.repository.asked("ListIdentifiers") == []
    rig.clock.advance(days=2)
    rig.harvest(audit=timedelta(days=2), reread=None)
    assert rig.repository.asked("ListIdentifiers")


def test_an_audit_that_fails_is_said_and_made_the_next_time(rig: Rig) -> None:
    rig.harvest()
    rig.works.put(51, lastmod=LONG_AGO)
    rig.clock.advance(days=30)
    rig.repository.misbehave(faults.oai_error("badVerb"), verb("ListIdentifiers"))
    report = rig.harvest()
    assert report.verdict == "complete"
    assert "audit could not be made" in report.reason
    rig.repository.behave()
    assert rig.harvest().created == 1
    assert rig.is_exact()


def test_a_clock_put_back_by_years_does_not_end_audits(rig: Rig) -> None:
    rig.clock.advance(days=4000)
    rig.harvest()
    rig.clock.advance(days=-3000)
    rig.works.put(51, lastmod=LONG_AGO)
    assert rig.harvest().created == 1


# Deletions that are not to be believed


def test_a_filtered_list_deletes_nothing(rig: Rig) -> None:
    """EPrints' filter leak: both lists shrink without a word, stated sizes agree, each record is there."""

    class Leaking(Works):
        leaks = False

        def respond(self, arguments):  # type: ignore[no-untyped-def]  # as its parent
            items = self.items
            if self.leaks and ("verb", "GetRecord") not in arguments:
                self.items = [item for item in items if item.number > 3]
            try:
                return super().respond(arguments)
            finally:
                self.items = items

    works = Leaking(50, rig.clock.now)
    works.base_url = rig.repository.url
    rig.repository.responder = works
    rig.harvest()
    works.leaks = True
    for options in ({}, {"allow_deletions": True}):
        report = rig.harvest(full=True, **options)
        assert (report.verdict, report.vanished, len(rig.live)) == ("unproven", 0, 50)
        assert f"the repository still has {identifier(1)}" in report.reason
    works.leaks = False
    works.destroy(1)
    assert rig.harvest(full=True).vanished == 1


@pytest.mark.parametrize("names_sets", [True, False])
def test_a_record_that_left_its_set_is_gone_where_headers_tell(rig: Rig, *, names_sets: bool) -> None:
    """FAULTS S02; EPrints' custom sets are in no header, and its filters leak into their lists, too."""
    rig.change_source(set=ARTICLES)
    if not names_sets:
        rig.repository.misbehave(faults.replaced(f"<setSpec>{ARTICLES}</setSpec>", ""))
    rig.harvest()
    rig.works.put(1, type="thesis")
    report = rig.harvest(full=True)
    assert (report.verdict, report.vanished) == (("verified", 1) if names_sets else ("unproven", 0))


def test_tombstones_en_masse_are_held(tmp_path: Path, clock: FakeClock) -> None:
    """FAULTS L06; asking again does not wear the guard down."""
    with rigged(tmp_path, Works(200, clock.now, page_size=40), clock) as rig:
        rig.harvest()
        watermark = rig.state.watermark
        rig.later()
        for number in range(1, 121):
            rig.works.delete(number)
        report = rig.harvest()
        assert (report.deleted, report.held, report.exit_code, report.watermark) == (50, 70, 3, watermark)
        assert "70 deletions are held back" in report.reason
        for _ in range(2):
            report = rig.harvest()
            assert (report.deleted, report.held, len(rig.live)) == (0, 70, 150)
        report = rig.harvest(allow_deletions=True)
        assert (report.deleted, report.held, report.exit_code) == (70, 0, 0)
        assert rig.is_exact()


def test_a_provider_that_takes_its_tombstones_back_frees_the_guard(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, Works(200, clock.now, page_size=40), clock) as rig:
        rig.harvest()
        rig.later()
        for number in range(1, 121):
            rig.works.delete(number)
        rig.harvest()
        rig.later()
        for number in range(1, 121):
            rig.works.put(number, eprint_status="archive")
        assert (rig.harvest().held, rig.state.held) == (0, 0)
        assert rig.is_exact()
        rig.later()
        rig.works.delete(1)
        assert rig.harvest().deleted == 1


def test_a_whole_list_of_tombstones_is_held(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, Works(200, clock.now, page_size=40), clock) as rig:
        rig.harvest()
        rig.later()
        for number in range(1, 201):
            rig.works.delete(number)
        report = rig.harvest(full=True)
        assert (report.deleted + report.vanished, len(rig.live)) == (50, 150)
        assert report.held


# Deleted and live at once


def dead_and_alive(rig: Rig, *, dead_first: bool, dead_stamp: str, live_stamp: str) -> None:
    """Work 1 on page 1, and again, with the other life, on page 3."""

    def said(status: str, stamp: str, metadata: bytes) -> bytes:
        name = identifier(1)
        head = f"<header{status}><identifier>{name}</identifier><datestamp>{stamp}</datestamp></header>"
        return b"<record>" + head.encode() + metadata + b"</record>"

    body = rig.repository.responder.respond([("verb", "ListRecords"), ("metadataPrefix", "oai_dc")])
    metadata = body[body.index(b"<metadata>") : body.index(b"</metadata>") + len(b"</metadata>")]
    dead = said(' status="deleted"', dead_stamp, b"")
    live = said("", live_stamp, metadata)
    first, second = (dead, live) if dead_first else (live, dead)
    own = rf"<record>((?!</record>).)*{identifier(1)}</identifier>.*?</record>"
    rig.repository.misbehave(faults.replaced(own, first.decode()), faults.offset(0))
    rig.repository.misbehave(
        faults.replaced("<ListRecords>", "<ListRecords>" + second.decode()), faults.offset(20)
    )


@pytest.mark.parametrize("dead_first", [True, False])
@pytest.mark.parametrize(
    ("dead_stamp", "live_stamp", "alone", "lives"),
    [
        ("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z", "live", True),
        ("2026-05-02T00:00:00Z", "2026-05-02T00:00:00Z", "live", True),
        ("2026-05-02T00:00:00Z", "2026-05-02T00:00:00Z", "dead", False),
        ("2026-05-02T00:00:00Z", "2026-05-02T00:00:00Z", "broken", True),
        ("2026-05-03T00:00:00Z", "2026-05-02T00:00:00Z", "dead", False),
    ],
)
def test_one_that_is_both_is_what_it_is_when_asked_for_alone(
    rig: Rig, *, dead_first: bool, dead_stamp: str, live_stamp: str, alone: str, lives: bool
) -> None:
    """FAULTS L04: on different pages, in either order."""
    dead_and_alive(rig, dead_first=dead_first, dead_stamp=dead_stamp, live_stamp=live_stamp)
    if alone == "dead":
        rig.works.put(1, eprint_status="deletion", lastmod="2026-05-02 00:00:00")
    if alone == "broken":
        rig.repository.misbehave(faults.oai_error("badVerb"), verb("GetRecord"))
    rig.harvest()
    assert (identifier(1) in rig.live) is lives
    assert len(rig.repository.asked("GetRecord")) <= 1
