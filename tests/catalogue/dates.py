"""D: datestamps, clocks and windows."""

import re

from harvester.datestamp import format_datestamp
from harvester.report import Report
from tests.catalogue.arranging import (
    Expect,
    in_bytes,
    in_identify,
    in_record,
    proven,
    strikes,
    swapped,
    together,
    work,
)
from tests.catalogue.http import too_many
from tests.catalogue.providers import Exclusive
from tests.catalogue.trial import Row, Trial, works
from tests.fakes.faults import oai_error, offset, replaced
from tests.fakes.repository import Answer, Asked, Fault

_WATERMARK = "2026-05-28T10:00:27Z"


def stamped(number: int, stamp: str) -> Fault:
    said = f"<datestamp>{stamp}</datestamp>".encode()
    found = re.compile(rb"<datestamp>[^<]*</datestamp>")
    return in_record(number, lambda record: found.sub(lambda _: said, record))


def _no_seconds(asked: Asked, answer: Answer) -> Answer:
    has_time = "T" in asked.arguments.get("from", "") + asked.arguments.get("until", "")
    return oai_error("badArgument", "days only")(asked, answer) if has_time else answer


def _asks_from(moment: str) -> Expect:
    def expect(trial: Trial, report: Report) -> None:
        proven()(trial, report)
        assert trial.rig.repository.asked("ListRecords")[-1].arguments.get("from") == moment

    return expect


def _asks_by_day_from_then_on(trial: Trial, report: Report) -> None:
    _asks_from("2026-05-28")(trial, report)
    trial.rig.later()
    proven(requests=2)(trial, trial.harvest())


def _goes_on(moment: str) -> object:
    """The first list is whole, without from; the next begins there, and finds what is new."""

    def expect(trial: Trial, report: Report) -> None:
        proven()(trial, report)
        assert not any("from" in asked.arguments for asked in trial.rig.repository.log)
        trial.rig.later()
        trial.rig.works.put(51)
        report = trial.harvest()
        assert trial.rig.repository.asked("ListRecords")[0].arguments["from"] == moment
        proven(created=1)(trial, report)

    return expect


def _in_local_time(trial: Trial) -> None:
    """Two hours ahead of what it filters by, its own clock too."""

    def ahead(found: re.Match[bytes]) -> bytes:
        return b"%s%02d:" % (found[1], (int(found[2]) + 2) % 24)

    stamps = re.compile(rb"(<(?:datestamp|responseDate)>[0-9-]+T)([0-9]{2}):")
    trial.strike(in_bytes(lambda body: stamps.sub(ahead, body)))


def _overlaps_by_a_day(trial: Trial, report: Report) -> None:
    assert proven()(trial, report) is None
    trial.rig.clock.advance(1800)
    trial.rig.works.put(51)
    proven(created=1)(trial, trial.harvest())
    trial.rig.clock.advance(1800)
    trial.rig.works.put(52)
    proven(created=1)(trial, trial.harvest())


def _undated(trial: Trial) -> None:
    trial.strike(stamped(3, ""))
    trial.strike(in_record(4, lambda record: re.sub(rb"<datestamp>.*?</datestamp>", b"", record)))


def _unordered(trial: Trial) -> None:
    trial.strike(in_bytes(_turned))


def _turned(body: bytes) -> bytes:
    """The records of a page, last to first."""
    found = re.findall(rb"<record>.*?</record>", body, re.S)
    if not found:
        return body
    start, end = body.index(b"<record>"), body.rindex(b"</record>") + len(b"</record>")
    return body[:start] + b"".join(reversed(found)) + body[end:]


def _moves_only_at_the_end(trial: Trial, report: Report) -> None:
    proven(watermark=_WATERMARK)(trial, report)
    trial.rig.change_source(metadata_prefix="eprints")  # another list: its watermark begins anew
    trial.watermark = None
    report = trial.harvest(limit=20)
    assert (report.verdict, report.watermark) == ("partial", None)


def _late(trial: Trial) -> None:
    """Stamped before what the last run saw, and visible only now."""
    trial.rig.works.put(52)
    trial.harvest()
    trial.rig.later()
    trial.rig.works.put(51, lastmod="2026-06-01 04:00:00")
    trial.rig.works.put(7, title="Corrected", lastmod="2026-05-08 10:00:07")
    trial.blind = {work(51)}


def _the_audit_finds_it(trial: Trial, report: Report) -> None:
    assert work(51) not in trial.rig.live
    trial.rig.clock.advance(days=31)
    trial.blind.clear()
    proven("the audit found 1 record that")(trial, trial.harvest())
    trial.proved(work(51) in trial.rig.live)


def _not_restamped(trial: Trial) -> None:
    trial.rig.works.put(7, title="Corrected", lastmod="2026-05-08 10:00:07")


def _the_whole_list_finds_it(trial: Trial, report: Report) -> None:
    proven(updated=0)(trial, report)
    trial.proved(trial.rig.record(work(7)).title == "Work 7")
    trial.rig.clock.advance(days=181)
    proven(updated=1)(trial, trial.harvest())
    assert trial.rig.record(work(7)).title == "Corrected"


def _restamped(trial: Trial) -> None:
    before = trial.rig.head
    for number in range(1, 51):
        trial.rig.works.put(number)
    trial.harvest()
    trial.proved(trial.rig.head == before)


def _is_no_news(trial: Trial, report: Report) -> None:
    proven(received=50, unchanged=50)(trial, report)


def _until_is_never_sent(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    assert not any("until" in asked.arguments for asked in trial.rig.repository.log)
    trial.rig.clock.advance(days=-3)
    proven()(trial, trial.harvest())


def _not_after_now(trial: Trial) -> None:
    def fault(asked: Asked, answer: Answer) -> Answer:
        now = format_datestamp(trial.rig.clock.now())
        late = max(asked.arguments.get("until", ""), asked.arguments.get("from", "")) > now
        if late or "until" in asked.arguments:
            return oai_error("badArgument")(asked, answer)
        return answer if asked.verb != "Identify" else swapped(b"2.0<", b"2.0 <")(asked, answer)

    trial.strike(fault)


def _changes_while_it_is_read(trial: Trial) -> None:
    def change(_asked: Asked, answer: Answer) -> Answer:
        trial.rig.clock.advance(7200)
        trial.rig.works.put(5, title="Corrected")
        trial.rig.clock.advance(7200)
        trial.rig.works.put(45, title="Corrected too")
        trial.rig.clock.advance(7200)
        return swapped(b"OAI-PMH xmlns", b"OAI-PMH  xmlns")(_asked, answer)

    trial.strike(change, offset(20), times=1)


def _is_found_next_time(trial: Trial, report: Report) -> None:
    proven(watermark="2026-06-01T12:00:00Z")(trial, report)
    assert trial.rig.record(work(5)).title == "Work 5"
    report = trial.harvest()
    proven()(trial, report)
    assert trial.rig.record(work(5)).title == "Corrected"


def _of_yesterday(trial: Trial) -> None:
    trial.rig.works.put(51, lastmod="2026-05-28 09:30:00")


def _all_at_once(trial: Trial) -> None:
    for number in range(1, 51):
        trial.rig.works.put(number, lastmod="2026-05-20 12:00:00")


def _costs_no_writing(trial: Trial, report: Report) -> None:
    proven(created=50)(trial, report)
    before = trial.rig.head
    for _ in range(2):
        trial.rig.later()
        proven(received=50, unchanged=50)(trial, trial.harvest())
    trial.proved(trial.rig.head == before)


_FUTURE = ("2099-01-01T00:00:00Z", "9999-12-31T23:59:59Z")

ROWS = (
    Row("D01", "refuses seconds", strikes(_no_seconds), _asks_by_day_from_then_on, harvested=True),
    Row(
        "D02",
        "writes its granularity as it likes",
        strikes(in_identify("granularity", "yyyy-mm-dd")),
        _goes_on("2026-05-27"),
    ),
    Row(
        "D03",
        "has no day for its earliest record",
        strikes(in_identify("earliestDatestamp", "0000-00-00")),
        _goes_on("2026-05-28T09:00:27Z"),
    ),
    Row(
        "D04",
        "says that all of it is of today",
        strikes(in_identify("earliestDatestamp", "2026-06-01T12:00:00Z")),
        _goes_on("2026-05-28T09:00:27Z"),
    ),
    Row(
        "D05",
        "has records before its earliest",
        strikes(in_identify("earliestDatestamp", "2026-05-20T00:00:00Z")),
        _goes_on("2026-05-28T09:00:27Z"),
    ),
    Row("D06", "stamps in local time, labelled UTC", _in_local_time, _overlaps_by_a_day),
    Row(
        "D07",
        "stamps with fractions and offsets",
        together(
            strikes(stamped(27, "2026-05-28T12:00:27.067+02:00")),
            strikes(replaced("<responseDate>[^<]*", "<responseDate>2026-06-01T05:00:00.5-07:00")),
        ),
        _goes_on("2026-05-27T08:00:27Z"),
    ),
    Row("D08", "leaves stamps out", _undated, proven(watermark=_WATERMARK)),
    Row(
        "D09",
        "stamps in the future",
        together(strikes(stamped(3, _FUTURE[0])), strikes(stamped(4, _FUTURE[1]))),
        proven(watermark=_WATERMARK),
    ),
    Row("D10", "lists in no order", _unordered, _moves_only_at_the_end, recovers=False),
    Row("D11", "shows records long after their stamp", _late, _the_audit_finds_it, harvested=True),
    Row(
        "D12", "changes records and not their stamp", _not_restamped, _the_whole_list_finds_it, harvested=True
    ),
    Row("D13", "stamps everything anew", _restamped, _is_no_news, harvested=True),
    Row(
        "D14",
        "does not know what time it is",
        strikes(replaced("<responseDate>[^<]*", "<responseDate>noon")),
        proven(watermark=_WATERMARK),
    ),
    Row("D15", "ends before its until", strikes(too_many(20)), proven("413"), stand=works(kind=Exclusive)),
    Row(
        "D16", "refuses a from or until that is to come", _not_after_now, _until_is_never_sent, harvested=True
    ),
    Row(
        "D17",
        "has moments that never were",
        together(strikes(stamped(3, "2016-12-31T23:59:60Z")), strikes(stamped(4, "2023-02-29T24:00:00Z"))),
        proven(watermark=_WATERMARK),
    ),
    Row("D18", "changes while it is read", _changes_while_it_is_read, _is_found_next_time),
    Row(
        "D19",
        "adds to yesterday",
        lambda trial: trial.proved(_of_yesterday(trial) is None),
        proven(created=1),
        harvested=True,
    ),
    Row("D20", "has one stamp for everything", _all_at_once, _costs_no_writing),
)
