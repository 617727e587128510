"""Details of EPrints: fetched beside the list, from the sample repository, merged, and asked for once."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harvester.check import Finding, check
from harvester.renormalise import renormalise
from harvester.requeue import requeue
from harvester.store import details, leases, records
from harvester.transport import Transport
from tests.commands import windrow
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.dying import SharedClock, dies_detailing
from tests.fakes.exports import Exports
from tests.fakes.repository import EXPORT, Asked
from tests.fakes.rig import NAME, Rig, rigged
from tests.fakes.works import Works, identifier

COUNT = 12


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """12 works with keywords, of years of their own; their list has been harvested."""
    clock = FakeClock()
    works = Works(COUNT, clock.now)
    for number in range(1, COUNT + 1):
        works.put(number, keywords=f"tide {number}, ebb", publication="Journal of Tides")
    with rigged(tmp_path, works, clock) as rig:
        rig.repository.exports = Exports(works)
        rig.harvest()
        yield rig


def exported(rig: Rig) -> list[Asked]:
    return [asked for asked in rig.repository.log if asked.path.startswith(EXPORT)]


def waiting(rig: Rig) -> int:
    with rig.store.read() as connection:
        return details.waiting_count(connection, rig.state.id)


def of(number: int) -> faults.When:
    return lambda asked: f"/eprint/{number}/" in asked.path


def test_each_record_gets_what_its_list_leaves_out(rig: Rig) -> None:
    assert rig.record(identifier(3)).keywords == ()
    head = rig.head
    found = rig.fetch_details()
    assert (found.way, found.fetched, found.changed, found.failed, found.waiting) == ("xml", 12, 12, 0, 0)
    assert found.reason == ""
    record = rig.record(identifier(3))
    assert record.keywords == ("tide 3", "ebb")
    assert record.container == "Journal of Tides"
    assert record.formats == ("oai_dc", "eprints")
    assert rig.head == head + COUNT


def test_nothing_is_asked_for_twice(rig: Rig) -> None:
    assert len(exported(rig)) == 0
    rig.fetch_details()
    assert len(exported(rig)) == COUNT
    assert rig.fetch_details().fetched == 0
    assert rig.repository.log == []


def test_politely(rig: Rig) -> None:
    rig.fetch_details()
    assert rig.clock.slept == pytest.approx([1.0] * (COUNT - 1))


def test_as_slowly_as_one_likes(rig: Rig) -> None:
    rig.change_source(details_gap="2.5")
    rig.fetch_details()
    assert rig.clock.slept == pytest.approx([2.5] * (COUNT - 1))


def test_what_changes_gets_its_detail_anew(rig: Rig) -> None:
    """Keywords are not in oai_dc: only the datestamp tells that they changed."""
    rig.fetch_details()
    rig.later()
    rig.works.put(3, keywords="neap")
    assert rig.harvest().updated == 0
    assert rig.record(identifier(3)).keywords == ("tide 3", "ebb")
    assert waiting(rig) == 1
    found = rig.fetch_details()
    assert (found.fetched, found.changed, len(exported(rig))) == (1, 1, 1)
    assert rig.record(identifier(3)).keywords == ("neap",)


def test_a_changed_list_keeps_the_detail_until_another_comes(rig: Rig) -> None:
    rig.fetch_details()
    rig.later()
    rig.works.put(4, creators=[{"name": {"family": "Reaper", "given": "Bo"}}])
    assert rig.harvest().updated == 1
    assert [one.name for one in rig.record(identifier(4)).creators] == ["Reaper, Bo"]
    assert rig.record(identifier(4)).keywords == ("tide 4", "ebb")
    with rig.store.read() as connection:
        assert set(records.raw_forms(connection, f"{NAME}/{identifier(4)}")) == {"list", "detail"}


def test_the_list_sent_again_changes_nothing(rig: Rig) -> None:
    rig.fetch_details()
    head = rig.head
    assert rig.harvest(full=True).unchanged == COUNT
    assert rig.head == head


def test_renormalised_with_its_detail(rig: Rig) -> None:
    rig.fetch_details()
    found = renormalise(NAME, rig.store, rig.clock)
    assert (found.read, found.unchanged) == (COUNT, COUNT)
    assert rig.record(identifier(3)).keywords == ("tide 3", "ebb")


def test_what_left_quarantine_has_its_detail(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.fetch_details()
    rig.later()
    rig.works.put(4, creators=[{"name": {"family": "Reaper", "given": "Bo"}}])
    with monkeypatch.context() as patch:
        patch.setattr("harvester.formats._FORMATS", ())
        patch.setattr("harvester.formats.unknown.accepts", lambda _element: False)
        assert rig.harvest().quarantined == 1
    assert requeue(NAME, rig.store, rig.clock).updated == 1
    assert [one.name for one in rig.record(identifier(4)).creators] == ["Reaper, Bo"]
    assert rig.record(identifier(4)).keywords == ("tide 4", "ebb")


def test_a_deletion_clears_the_detail_and_what_comes_back_wants_another(rig: Rig) -> None:
    """Even where it comes back as old as it was."""
    rig.fetch_details()
    old = rig.works.items[2].text("lastmod")
    rig.works.delete(3)
    rig.later()
    rig.harvest()
    with rig.store.read() as connection:
        assert records.raw_forms(connection, f"{NAME}/{identifier(3)}") == {}
    assert waiting(rig) == 0
    rig.later()
    rig.works.put(3, eprint_status="archive", lastmod=old)
    rig.harvest(full=True)
    assert rig.record(identifier(3)).keywords == ()
    assert waiting(rig) == 1


# Ways


def test_where_xml_is_closed_bibtex_is_asked(rig: Rig) -> None:
    """The sample repository has no oai_openaire."""
    rig.repository.exports = Exports(rig.works, "XML")
    found = rig.fetch_details()
    assert (found.way, found.fetched, found.reason) == ("bibtex", COUNT, "")
    assert rig.record(identifier(3)).keywords == ("tide 3", "ebb")
    assert rig.record(identifier(3)).container == "Journal of Tides"
    assert rig.record(identifier(3)).formats == ("oai_dc", "bibtex")
    assert [asked.path.split("/")[5] for asked in exported(rig)] == ["XML"] + ["BibTeX"] * COUNT


def test_a_way_that_opens_is_taken(rig: Rig) -> None:
    rig.repository.exports = Exports(rig.works, "XML")
    rig.fetch_details()
    rig.later()
    rig.works.put(3, keywords="neap")
    rig.harvest()
    rig.repository.exports = Exports(rig.works)
    assert rig.fetch_details().way == "xml"
    assert rig.record(identifier(3)).formats == ("oai_dc", "eprints")


def test_a_way_that_closes_gives_way_to_another(rig: Rig) -> None:
    rig.fetch_details()
    rig.later()
    rig.works.put(3, keywords="neap")
    rig.harvest()
    rig.repository.exports = Exports(rig.works, "XML")
    assert rig.fetch_details().way == "bibtex"
    assert rig.record(identifier(3)).keywords == ("neap",)


def test_where_all_is_closed_it_is_said(rig: Rig) -> None:
    rig.repository.exports = Exports(rig.works, "XML", "BibTeX")
    found = rig.fetch_details()
    assert (found.way, found.fetched, found.waiting) == ("", 0, COUNT)
    assert found.reason == "neither EPrints3 XML, nor oai_openaire, nor BibTeX is open to the public"
    assert len(rig.repository.log) == 3


# Years


@pytest.fixture
def of_one_year(rig: Rig) -> Rig:
    """75 works of 2019 and 12 of other years."""
    for number in range(COUNT + 1, COUNT + 76):
        rig.works.put(number, date="2019-03", keywords=f"tide {number}")
    rig.later()
    rig.harvest()
    return rig


def test_many_of_one_year_come_at_once(of_one_year: Rig) -> None:
    found = of_one_year.fetch_details()
    assert (found.fetched, found.waiting) == (COUNT + 75, 0)
    paths = [asked.path for asked in exported(of_one_year)]
    assert "/cgi/exportview/year/2019/XML/2019.xml" in paths
    assert len(paths) == 1 + COUNT
    assert of_one_year.record(identifier(80)).keywords == ("tide 80",)
    with of_one_year.store.read() as connection:
        forms = records.raw_forms(connection, f"{NAME}/{identifier(80)}")
    assert b"tide 80<" in forms["detail"]
    assert b"tide 81<" not in forms["detail"]


def test_without_that_view_one_by_one(of_one_year: Rig) -> None:
    of_one_year.repository.exports = Exports(of_one_year.works, has_years=False)
    assert of_one_year.fetch_details().fetched == COUNT + 75
    assert len(exported(of_one_year)) == 1 + COUNT + 75


def test_of_a_year_that_breaks_off_the_rest_comes_one_by_one(of_one_year: Rig) -> None:
    rule = of_one_year.repository.misbehave(faults.half_a_page, lambda asked: "exportview" in asked.path)
    found = of_one_year.fetch_details()
    assert rule.fired == 1
    assert (found.fetched, found.failed, found.waiting) == (COUNT + 75, 0, 0)
    assert 1 + COUNT < len(exported(of_one_year)) < 1 + COUNT + 75


# Refusals


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refusal_ends_the_run_and_the_next_goes_on(rig: Rig, status: int) -> None:
    rig.repository.misbehave(faults.status(status), of(5))
    found = rig.fetch_details()
    assert (found.fetched, found.waiting) == (4, COUNT - 4)
    assert f"{status}" in found.reason
    assert len(exported(rig)) == 5
    rig.repository.behave()
    assert rig.fetch_details().waiting == 0


def test_one_that_is_always_refused_does_not_keep_the_others(rig: Rig) -> None:
    rig.repository.misbehave(faults.status(403), of(5))
    assert rig.fetch_details().waiting == COUNT - 4
    assert rig.fetch_details().waiting == 1
    rig.fetch_details()
    assert waiting(rig) == 0
    assert rig.record(identifier(5)).keywords == ()


def test_one_that_is_not_there_is_passed_by(rig: Rig) -> None:
    rig.repository.misbehave(faults.status(404), of(5))
    found = rig.fetch_details()
    assert (found.fetched, found.failed, found.waiting) == (COUNT - 1, 1, 0)


def test_a_page_of_html_is_no_detail(rig: Rig) -> None:
    rig.repository.misbehave(faults.body(b"<html><body>Sign in</body></html>"), of(5))
    found = rig.fetch_details()
    assert (found.fetched, found.failed) == (COUNT - 1, 1)


def test_the_detail_of_another_is_none(rig: Rig) -> None:
    rig.repository.misbehave(faults.replaced("<eprintid>5<", "<eprintid>6<"), of(5))
    found = rig.fetch_details()
    assert (found.fetched, found.failed) == (COUNT - 1, 1)
    assert rig.record(identifier(5)).keywords == ()


def test_control_characters_are_no_obstacle(rig: Rig) -> None:
    """EPrints exports them as they were typed."""
    rig.repository.misbehave(faults.replaced("tide", "ti\x0cde"), of(5))
    assert rig.fetch_details().fetched == COUNT
    assert rig.record(identifier(5)).keywords == ("tide 5", "ebb")


def test_trouble_with_one_is_for_the_next_run(rig: Rig) -> None:
    rig.repository.misbehave(faults.status(500), of(5))
    found = rig.fetch_details()
    assert (found.fetched, found.waiting, found.reason) == (COUNT - 1, 1, "")


def test_trouble_without_end_ends_the_run(rig: Rig) -> None:
    rig.repository.misbehave(
        faults.status(500), lambda asked: asked.path.startswith(EXPORT) and asked.nth > 3
    )
    found = rig.fetch_details()
    assert found.fetched < COUNT
    assert found.waiting == COUNT - found.fetched
    assert "500" in found.reason
    assert len(exported(rig)) == found.fetched + 5


# Beside a harvest


def test_a_harvest_does_not_wait_and_goes_on_with_them(rig: Rig) -> None:
    def harvest_meanwhile(asked: Asked, answer: faults.Answer) -> faults.Answer:
        with rig.store.write() as connection:
            lease = leases.take(connection, NAME, rig.clock.now())
            leases.give_back(connection, lease)
        return answer

    rig.repository.misbehave(harvest_meanwhile, of(5))
    found = rig.fetch_details()
    assert (found.fetched, found.waiting) == (4, COUNT - 4)
    assert found.reason == "another run of this source has begun, and goes on with its details"
    rig.repository.behave()
    assert rig.fetch_details().waiting == 0


def test_what_changes_while_it_is_queued(rig: Rig) -> None:
    """The detail is newer than the list it was asked for; the next list asks for it again."""
    rig.later()
    rig.works.put(5, keywords="neap", title="Work 5, revised")
    rig.fetch_details()
    assert rig.record(identifier(5)).keywords == ("neap",)
    rig.harvest()
    assert waiting(rig) == 1
    assert rig.fetch_details().fetched == 1
    assert rig.record(identifier(5)).title == "Work 5, revised"


# A process that dies


@pytest.mark.slow
@pytest.mark.parametrize("nth", [1, 5, COUNT])
@pytest.mark.parametrize("place", ["detail written", "detail kept"])
def test_kill_9(rig: Rig, tmp_path: Path, place: str, nth: int) -> None:
    """What was kept is not asked for again; the rest is."""
    clock = SharedClock()
    assert dies_detailing(place, nth, rig.source, rig.store, clock)
    kept = nth if place == "detail kept" else nth - 1
    assert waiting(rig) == COUNT - kept
    found = rig.fetch_details()
    assert (found.fetched, found.waiting) == (COUNT - kept, 0)
    assert all(rig.record(identifier(number)).keywords for number in range(1, COUNT + 1))


# On the command line


def configured(rig: Rig, folder: Path) -> None:
    source = f'[sources.{NAME}]\nurl = "{rig.repository.url}"\ndetails = "eprints"\n'
    (folder / "config.toml").write_text(f'{source}[store]\nurl = "sqlite:///store.db"\n')


@pytest.mark.slow
def test_harvest_fetches_them_after_the_list(rig: Rig, tmp_path: Path) -> None:
    configured(rig, tmp_path)
    rig.repository.misbehave(faults.status(429), lambda asked: "/eprint/3/" in asked.path)
    ran = windrow(tmp_path, "harvest")
    assert ran.code == 0, "the verdict is the list's"
    assert ran.out.startswith(f"{NAME}  verified")
    assert f"{NAME}  details: 2 fetched as EPrints3 XML, 2 changed, 10 waiting" in ran.out
    assert "429" in ran.out
    assert "10 records without details yet" in windrow(tmp_path, "status").out
    (row,) = windrow(tmp_path, "status", "--json").lines[0]["sources"]
    assert row["details_waiting"] == 10
    assert "read as  oai_dc and eprints" in windrow(tmp_path, "show", f"{NAME}/{identifier(1)}").out
    found = windrow(tmp_path, "search", "keywords:ebb", "--json").lines[0]
    assert found["total"] == 2
    report, beside = windrow(tmp_path, "harvest", "--json").lines
    assert report["verdict"] in ("complete", "verified")
    assert (beside["source"], beside["details"]["waiting"]) == (NAME, 10)


def test_check_proposes_them_where_they_are_open(rig: Rig) -> None:
    assert _checked(rig).details == "xml"
    assert _checked(rig).source.details == "eprints"


def test_check_tells_that_less_is_open(rig: Rig) -> None:
    rig.repository.exports = Exports(rig.works, "XML")
    found = _checked(rig)
    assert (found.details, found.source.details) == ("bibtex", "eprints")
    assert any("EPrints3 XML is closed" in note for note in found.notes)


def test_check_tells_that_all_is_closed(rig: Rig) -> None:
    rig.repository.exports = Exports(rig.works, "XML", "BibTeX")
    found = _checked(rig)
    assert (found.details, found.source.details) == ("", "")
    assert any("keeps its exports to itself" in note for note in found.notes)


def _checked(rig: Rig) -> Finding:
    with closing(Transport(rig.clock)) as transport:
        return check(rig.repository.url, transport, rig.clock)
