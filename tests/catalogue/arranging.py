"""The words in which rows are written: faults by place, and what is expected of the run."""

import re
from collections.abc import Callable
from dataclasses import replace

from harvester.report import Report
from tests.catalogue.trial import PROVEN, Trial, always
from tests.fakes.faults import offset
from tests.fakes.repository import Answer, Asked, Fault, When

Arrange = Callable[[Trial], object]
Expect = Callable[[Trial, Report], object]


def strikes(fault: Fault, when: When = always, times: int | None = None) -> Arrange:
    return lambda trial: trial.strike(fault, when, times)


def once_and_for_ever(fault: Fault) -> Arrange:
    """It passes on the second page; the fourth cannot be had."""

    def arrange(trial: Trial) -> None:
        trial.strike(fault, offset(10), times=1)
        trial.strike(fault, offset(30))

    return arrange


def together(*arrangements: Arrange) -> Arrange:
    return lambda trial: [arrange(trial) for arrange in arrangements]


def has(*names: str) -> When:
    """The request has these arguments."""
    return lambda asked: all(name in asked.arguments for name in names)


def lacks(name: str) -> When:
    return lambda asked: (
        asked.verb.startswith("List") and not {name, "resumptionToken"} & set(asked.arguments)
    )


def from_request(trial: Trial, number: int) -> When:
    return lambda _asked: len(trial.rig.repository.log) >= number


def in_bytes(change: Callable[[bytes], bytes]) -> Fault:
    return lambda _asked, answer: replace(answer, body=change(answer.body))


def swapped(old: bytes, new: bytes) -> Fault:
    return in_bytes(lambda body: body.replace(old, new))


def titled(number: int, xml: bytes) -> Fault:
    """In place of the title's text, as it stands in the XML."""
    return swapped(b"<dc:title>Work %d<" % number, b"<dc:title>" + xml + b"<")


def in_record(number: int, change: Callable[[bytes], bytes]) -> Fault:
    """Wherever the record stands, or in a list of identifiers its header."""
    found = re.compile(rb"<(record|header)>(?:(?!</\1>).)*:%d</identifier>.*?</\1>" % number, re.S)
    return in_bytes(lambda body: found.sub(lambda match: change(match[0]), body))


def as_metadata(number: int, xml: bytes) -> Fault:
    whole = re.compile(rb"<metadata>.*?</metadata>", re.S)
    return in_record(number, lambda record: whole.sub(lambda _: b"<metadata>" + xml + b"</metadata>", record))


def in_identify(element: str, value: str | None) -> Fault:
    """`value` None: the element is not there."""
    found = re.compile(rb"<%s>[^<]*</%s>" % (element.encode(), element.encode()))
    said = b"" if value is None else f"<{element}>{value}</{element}>".encode()
    return in_bytes(lambda body: found.sub(lambda _: said, body))


def empty_list(token: str | None = None) -> Fault:
    """A list without records; "" is an empty token, None no element."""
    said = b"" if token is None else b"<resumptionToken>%s</resumptionToken>" % token.encode()
    inside = re.compile(rb"(<List(?:Records|Identifiers)>).*(</List)", re.S)
    return in_bytes(lambda body: inside.sub(lambda match: match[1] + said + match[2], body))


def answered(code: int, fault: Fault) -> Fault:
    """The fault, with another status."""
    return lambda asked, answer: replace(fault(asked, answer), status=code)


def redirected(to: Callable[[Asked], str], code: int = 302) -> Fault:
    return lambda asked, _answer: Answer(b"", code, {"Location": to(asked)})


def proven(says: str = "", **facts: object) -> Expect:
    """All that lives there is here, or in quarantine; and the report's fields are as told."""

    def expect(trial: Trial, report: Report) -> None:
        assert report.verdict in PROVEN, (report.verdict, report.reason)
        assert says in report.reason
        _are(report, facts)
        if "quarantined" not in facts:
            assert not trial.rig.refused

    return expect


def ends(verdict: str, says: str = "", **facts: object) -> Expect:
    def expect(_trial: Trial, report: Report) -> None:
        assert (report.verdict, report.exit_code) == (verdict, 1 if verdict == "failed" else 3), report.reason
        assert says.lower() in report.reason.lower(), report.reason
        _are(report, facts)

    return expect


def titles(number: int, title: str, **facts: object) -> Expect:
    """All is there, and this work has this title."""

    def expect(trial: Trial, report: Report) -> None:
        proven(**facts)(trial, report)
        assert trial.rig.record(work(number)).title == title, trial.rig.record(work(number)).title

    return expect


def refuses(*numbers: int, says: str = "", **facts: object) -> Expect:
    """These are in quarantine, with their bytes, and no other."""

    def expect(trial: Trial, report: Report) -> None:
        assert report.verdict in PROVEN, (report.verdict, report.reason)
        refused = trial.rig.refused
        assert set(refused) == {work(number) for number in numbers}
        assert all(says in entry.reason for entry in refused.values()), refused
        assert report.quarantined == len(numbers)
        assert trial.rig.live == trial.rig.works.live - set(refused)
        _are(report, facts)

    return expect


def work(number: int) -> str:
    return f"oai:windrow.example:{number}"


def _are(report: Report, facts: dict[str, object]) -> None:
    assert {name: getattr(report, name) for name in facts} == facts, report.reason
