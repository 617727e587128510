"""P: what OAI-PMH says."""

from dataclasses import replace

from harvester.report import Report
from tests.catalogue.arranging import (
    Arrange,
    empty_list,
    ends,
    has,
    in_identify,
    lacks,
    once_and_for_ever,
    proven,
    strikes,
    swapped,
    together,
    work,
)
from tests.catalogue.providers import Dateless, Demanding
from tests.catalogue.trial import Row, Trial, works
from tests.fakes.faults import day_granularity, oai_error, offset, replaced, status, verb
from tests.fakes.repository import Answer, Asked
from tests.fakes.works import THESES, identifier

_DUMP = "too many scroll contexts, " + "at org.elasticsearch.Node " * 2000


def _two_errors(trial: Trial) -> None:
    trial.strike(oai_error("noRecordsMatch"), verb("ListRecords"))
    trial.strike(replaced("<error ", '<error code="badArgument"/><error '))


def _of_set(set_spec: str) -> Arrange:
    def arrange(trial: Trial) -> None:
        trial.rig.change_source(set=set_spec)
        trial.owed = lambda: {identifier(number) for number in range(2, 51, 2)} & trial.rig.works.live
        trial.strike(oai_error("noRecordsMatch"), verb("ListRecords"))

    return arrange


def _looks_for_the_set(trial: Trial, report: Report) -> None:
    ends("failed", "no set gone")(trial, report)
    trial.rig.change_source(set=THESES)
    trial.watermark = None
    proven(received=25)(trial, trial.harvest())


def _nothing_new(trial: Trial, report: Report) -> None:
    proven(received=0, watermark="2026-05-28T10:00:27Z")(trial, report)
    assert report.verdict == "complete"


def _empty_is_no_proof(trial: Trial, report: Report) -> None:
    ends("unproven", "no records", received=0)(trial, report)


def _empty_at_first(trial: Trial) -> None:
    trial.strike(empty_list(), lacks("from"))
    trial.strike(empty_list(), has("from"))


def _error_beside_records(trial: Trial) -> None:
    trial.strike(
        replaced("<ListRecords>", '<error code="internalError">half of it</error><ListRecords>'), offset(30)
    )


def _wrapped_headers(trial: Trial) -> None:
    trial.strike(
        replaced("<header>(.*?)</header>", r"<record><header>\1</header></record>"), verb("ListIdentifiers")
    )


def _headers_alone(trial: Trial, report: Report) -> None:
    proven("in parts")(trial, report)
    trial.rig.repository.behave()
    trial.strike(replaced("<metadata>.*?</metadata>", ""), offset(10))
    proven("headers alone")(trial, trial.harvest(full=True))


def _bare_identify(trial: Trial) -> None:
    for element in ("granularity", "earliestDatestamp", "deletedRecord", "adminEmail"):
        trial.strike(in_identify(element, None))


def _asks_by_the_day(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    assert "from" not in trial.rig.repository.asked("ListRecords")[0].arguments
    trial.rig.later()
    trial.rig.works.put(51)
    proven(created=1)(trial, trial.harvest())
    assert trial.rig.repository.asked("ListRecords")[0].arguments["from"] == "2026-05-27"


def _stays_at_its_address(trial: Trial, report: Report) -> None:
    proven(requests=6)(trial, report)
    assert trial.rig.source.url == trial.rig.repository.url


def _takes_no_other_prefix(trial: Trial, report: Report) -> None:
    ends("failed", "cannotDisseminateFormat", requests=2)(trial, report)
    trial.rig.repository.behave()
    trial.bait(oai_error("noMetadataFormats"), verb("ListMetadataFormats"))
    proven()(trial, trial.harvest())


_TENTHS = replaced(r"<record>(?:(?!</record>).)*:\d*0</identifier>.*?</record>", "")


def _left_out(trial: Trial) -> None:
    trial.strike(_TENTHS, verb("ListRecords"))
    trial.blind = {work(number) for number in (10, 20, 30, 40, 50)}


def _is_found_by_an_audit(trial: Trial, report: Report) -> None:
    """Five of fifty is what may come and go while a list is read: the first run sees no fault."""
    assert (report.verdict, report.received) == ("complete", 45)
    trial.rig.clock.advance(days=31)
    trial.blind.clear()
    proven("the audit found 5 records")(trial, trial.harvest())


def _each_is_asked_for(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    assert len(trial.rig.repository.asked("GetRecord")) == 50
    trial.rig.repository.behave()
    trial.strike(status(500), verb("ListIdentifiers"))
    ends("unproven", "could not be verified")(trial, trial.harvest(full=True))


def _nothing_without_from(trial: Trial) -> None:
    trial.strike(oai_error("noRecordsMatch"), lacks("from"))


def _is_asked_from_the_earliest(trial: Trial, report: Report) -> None:
    proven()(trial, report)


def _sends_all(trial: Trial, report: Report) -> None:
    proven(received=50, unchanged=50)(trial, report)
    trial.proved("from" in trial.rig.repository.asked("ListRecords")[0].arguments)
    trial.rig.works.put(7, title="Corrected")
    proven(received=50, updated=1)(trial, trial.harvest())
    assert trial.rig.state.dates == "ignored"


def _is_not_asked_again_with_dates(trial: Trial, report: Report) -> None:
    proven(received=50)(trial, report)
    trial.rig.later()
    proven(received=50)(trial, trial.harvest())
    assert "from" not in trial.rig.repository.asked("ListRecords")[0].arguments


def _one_at_a_time(trial: Trial) -> None:
    def fault(_asked: Asked, answer: Answer) -> Answer:
        if trial.rig.repository.at_work > 1:
            return Answer(b"", 403, {})
        return replace(answer, headers=answer.headers | {"X-Alone": "yes"})

    trial.strike(fault)


def _verb_first(asked: Asked, answer: Answer) -> Answer:
    if "?verb=" not in asked.path:
        return oai_error("badVerb")(asked, answer)
    return replace(answer, headers=answer.headers | {"X-In-Order": "yes"})


def _static(trial: Trial) -> None:
    trial.strike(day_granularity)


def _finds_the_difference(trial: Trial, report: Report) -> None:
    proven(received=50)(trial, report)
    trial.rig.later()
    trial.rig.works.put(7, title="Corrected")
    trial.rig.works.destroy(8)
    proven(updated=1)(trial, trial.harvest())
    trial.rig.later()
    proven(vanished=1)(trial, trial.harvest(full=True))


ROWS = (
    Row("P01", "sends two errors at once", _two_errors, ends("failed", "badArgument")),
    Row(
        "P02",
        "has error codes of its own",
        together(
            once_and_for_ever(oai_error("InternalException", _DUMP)), strikes(oai_error(""), offset(20), 1)
        ),
        proven("InternalException"),
    ),
    Row(
        "P03", "finds nothing in a set that is not there", _of_set("gone"), _looks_for_the_set, recovers=False
    ),
    Row(
        "P04",
        "finds nothing new",
        strikes(oai_error("noRecordsMatch"), has("from")),
        _nothing_new,
        harvested=True,
    ),
    Row(
        "P05",
        "finds nothing in mid-list",
        strikes(oai_error("noRecordsMatch"), offset(30)),
        proven("noRecordsMatch"),
    ),
    Row("P06", "sends an error beside records", _error_beside_records, proven("internalError")),
    Row("P07", "sends an empty list for nothing", _empty_at_first, _empty_is_no_proof),
    Row("P08", "wraps its headers in records", _wrapped_headers, proven(), full=True),
    Row(
        "P09",
        "answers another request",
        strikes(swapped(b'<request verb="ListRecords"', b'<request verb="ListIdentifiers"'), offset(30)),
        _headers_alone,
    ),
    Row("P10", "says little of itself", _bare_identify, _asks_by_the_day),
    Row(
        "P11",
        "speaks OAI-PMH 1.1",
        strikes(in_identify("protocolVersion", "1.1")),
        ends("failed", "1.1", requests=1),
    ),
    Row(
        "P12",
        "names another address as its own",
        strikes(in_identify("baseURL", "http://169.254.169.254/")),
        _stays_at_its_address,
    ),
    Row(
        "P13",
        "refuses the prefix that it lists",
        strikes(oai_error("cannotDisseminateFormat"), verb("ListRecords")),
        _takes_no_other_prefix,
    ),
    Row("P14", "leaves records out of its lists", _left_out, _is_found_by_an_audit),
    Row(
        "P15",
        "cannot list records, but headers",
        strikes(status(500), verb("ListRecords")),
        _each_is_asked_for,
    ),
    Row("P16", "gives nothing without a date", _nothing_without_from, _is_asked_from_the_earliest),
    Row("P17", "ignores dates", lambda _trial: None, _sends_all, harvested=True, stand=works(kind=Dateless)),
    Row(
        "P18",
        "refuses dates",
        strikes(oai_error("badArgument"), has("from")),
        _is_not_asked_again_with_dates,
        harvested=True,
    ),
    Row(
        "P19",
        "wants the prefix beside the token",
        lambda trial: trial.proved(True),
        proven(received=50),
        stand=works(kind=Demanding),
    ),
    Row("P20", "wants the verb first", strikes(_verb_first), proven()),
    Row("P21", "is one static file", _static, _finds_the_difference, stand=works(kind=Dateless)),
    Row("P22", "bars whoever asks twice at once", _one_at_a_time, proven()),
)
