"""L: records that go, seem to go, and come back."""

import re

from harvester.report import Report
from tests.catalogue.arranging import (
    Arrange,
    Expect,
    as_metadata,
    in_bytes,
    in_identify,
    in_record,
    proven,
    work,
)
from tests.catalogue.dates import stamped
from tests.catalogue.trial import Row, Trial, works
from tests.fakes.faults import oai_error, replaced, verb
from tests.fakes.repository import Asked

_TOMBSTONE = (
    b'<record><header status="deleted"><identifier>%s</identifier><datestamp>%s</datestamp></header></record>'
)


def dead(number: int, stamp: str) -> bytes:
    return _TOMBSTONE % (work(number).encode(), stamp.encode())


def _only_in_lists(asked: Asked) -> bool:
    return asked.verb.startswith("List")


def _gone(policy: str) -> Arrange:
    """Without a trace, whatever the repository says of traces."""

    def arrange(trial: Trial) -> None:
        trial.rig.works.destroy(7)
        trial.strike(in_identify("deletedRecord", policy + " "))

    return arrange


def _is_swept_after(days: int) -> Expect:
    """Not by a harvest of what is new, but by the next whole list, which comes of itself."""

    def expect(trial: Trial, report: Report) -> None:
        proven(vanished=0)(trial, report)
        assert work(7) in trial.rig.live
        trial.rig.clock.advance(days=days)
        report = trial.harvest()
        assert (report.verdict, report.vanished, report.held) == ("verified", 1, 0)
        assert trial.rig.tombstones == {work(7)}

    return expect


def _is_swept(trial: Trial, report: Report) -> None:
    assert (report.verdict, report.vanished, report.held) == ("verified", 1, 0)
    assert trial.rig.tombstones == {work(7)}


def _both_ways(trial: Trial) -> None:
    """Live and deleted at once; asked alone, 3 lives, 4 is gone, and nobody can say of 5."""
    stamps = {3: "2026-05-04T10:00:03Z", 4: "2026-05-05T10:00:04Z", 5: "2026-05-06T10:00:05Z"}
    for number, stamp in stamps.items():
        tombstone = dead(number, stamp)
        first, last = (tombstone, b"") if number == 3 else (b"", tombstone)
        trial.strike(
            in_record(number, lambda record, before=first, after=last: before + record + after),
            _only_in_lists,
        )
    trial.strike(in_record(4, lambda _: dead(4, stamps[4])), verb("GetRecord"))
    trial.strike(oai_error("internalError"), lambda asked: asked.arguments.get("identifier") == work(5))
    trial.disowned = {work(4)}
    trial.owed = lambda: trial.rig.works.live - trial.disowned


def _believes_the_single_answer(trial: Trial, report: Report) -> None:
    proven(received=53)(trial, report)
    assert {work(3), work(5)} <= trial.rig.live
    assert trial.rig.tombstones == {work(4)}
    trial.owed, trial.disowned = None, set()


def _with_metadata_or_without(trial: Trial) -> None:
    trial.rig.works.delete(3)
    metadata = b"<metadata><x/></metadata></record>"
    trial.strike(in_record(3, lambda record: record.replace(b"</record>", metadata)))
    trial.strike(as_metadata(4, b""))
    trial.strike(in_record(5, lambda record: re.sub(rb"<metadata>.*</metadata>", b"", record)))
    for number in (4, 5):
        trial.rig.works.put(number)


def _keeps_the_good_copy(trial: Trial, report: Report) -> None:
    assert report.verdict == "complete"
    assert trial.rig.tombstones == {work(3)}
    assert set(trial.rig.refused) == {work(4), work(5)}
    assert trial.rig.record(work(4)).title == "Work 4"


def _all_deleted(trial: Trial) -> None:
    trial.strike(in_bytes(lambda body: body.replace(b"<header>", b'<header status="deleted">')))
    for number in range(1, 101):
        trial.rig.works.put(number)


def _is_held(trial: Trial, report: Report) -> None:
    assert (report.deleted, report.held, report.exit_code) == (50, 50, 3)
    assert len(trial.rig.live) == 50
    trial.disowned = trial.rig.works.live
    trial.blind = trial.rig.works.live


def _some_deleted(trial: Trial) -> None:
    trial.disowned = trial.rig.works.live
    trial.blind = trial.rig.works.live
    _all_deleted(trial)


def _back_with_an_older_stamp(trial: Trial) -> None:
    rig = trial.rig
    rig.works.delete(7)
    trial.harvest()
    trial.proved(rig.tombstones == {work(7)})
    rig.works.put(7, eprint_status="archive", lastmod="2026-05-27 10:00:00")
    trial.blind = trial.disowned = {work(7)}


def _comes_back(trial: Trial, report: Report) -> None:
    """An update cannot see it; a whole list does."""
    trial.blind = trial.disowned = set()
    proven()(trial, trial.harvest(full=True))
    assert work(7) in trial.rig.live


def _listed_and_not_there(trial: Trial) -> None:
    """Lists a record as new, and when asked for it by name knows none."""
    trial.strike(stamped(7, "2026-06-02T11:00:00Z"), verb("ListIdentifiers"))
    trial.strike(oai_error("idDoesNotExist"), lambda asked: asked.arguments.get("identifier") == work(7))


def _deletes_nothing_by_one_answer(trial: Trial, report: Report) -> None:
    proven(deleted=0, vanished=0)(trial, report)
    assert len(trial.rig.live) == 50


def _status_on_the_record(trial: Trial) -> None:
    trial.rig.works.delete(7)
    trial.strike(replaced('<record><header status="deleted">', '<record status="Deleted"><header>'))


def _is_a_tombstone(trial: Trial, report: Report) -> None:
    proven(deleted=1)(trial, report)
    assert trial.rig.tombstones == {work(7)}


def _shrunk(trial: Trial) -> None:
    trial.proved(trial.rig.works.live)
    trial.rig.works.destroy(*range(11, 51))


def _is_held_back(trial: Trial, report: Report) -> None:
    assert (report.verdict, report.vanished, report.held, report.exit_code) == ("verified", 0, 40, 3)
    assert "--allow-deletions" in report.reason
    assert len(trial.rig.live) == 50


def _tombstone_only_alone(trial: Trial) -> None:
    trial.rig.works.delete(7)
    gone = r'<record><header status="deleted">.*?</record>'
    trial.strike(replaced(gone, ""), verb("ListRecords"))
    trial.strike(replaced(r'<header status="deleted">.*?</header>', ""), verb("ListIdentifiers"))


def _tombstones_first(trial: Trial) -> None:
    for number in range(1, 251):
        trial.rig.works.put(number, eprint_status="deletion")
    trial.proved(len(trial.rig.works.deleted) == 250)


def _is_cheap_and_counted(trial: Trial, report: Report) -> None:
    """What was never held is no change of ours, and its tombstone is kept."""
    proven(received=300, created=50, unchanged=250, deleted=0)(trial, report)
    assert len(trial.rig.tombstones) == 250


ROWS = (
    Row("L01", "tells no deletions", _gone("no"), _is_swept_after(90), harvested=True),
    Row("L02", "forgets its tombstones", _gone("transient"), _is_swept_after(90), harvested=True),
    Row(
        "L03",
        "says that it keeps them, and does not",
        _gone("persistent"),
        _is_swept_after(180),
        harvested=True,
    ),
    Row("L04", "has a record live and deleted", _both_ways, _believes_the_single_answer),
    Row(
        "L05",
        "has metadata where none is, and none where some is",
        _with_metadata_or_without,
        _keeps_the_good_copy,
        harvested=True,
    ),
    Row(
        "L06",
        "calls everything deleted",
        _some_deleted,
        _is_held,
        harvested=True,
        stand=works(100),
        recovers=False,
    ),
    Row(
        "L07",
        "brings a record back with an older stamp",
        _back_with_an_older_stamp,
        _comes_back,
        harvested=True,
    ),
    Row(
        "L08",
        "does not know what it lists",
        _listed_and_not_there,
        _deletes_nothing_by_one_answer,
        harvested=True,
        full=True,
    ),
    Row("L09", "writes the status on the record", _status_on_the_record, _is_a_tombstone, harvested=True),
    Row(
        "L10",
        "withdraws without a word",
        lambda trial: trial.proved(trial.rig.works.destroy(7)),
        _is_swept,
        harvested=True,
        full=True,
    ),
    Row("L11", "has lost most of its index", _shrunk, _is_held_back, harvested=True, full=True),
    Row(
        "L12",
        "has tombstones for who asks by name alone",
        _tombstone_only_alone,
        _is_swept,
        harvested=True,
        full=True,
    ),
    Row(
        "L13",
        "sends hundreds of tombstones first",
        _tombstones_first,
        _is_cheap_and_counted,
        stand=works(300),
    ),
)
