"""A page that cannot be had, over HTTP: the window is cut, and what is missing is asked for alone."""

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.faults import offset, verb
from tests.fakes.repository import Answer, Asked, FakeRepository, Fault, Rule
from tests.fakes.rig import Rig, rigged
from tests.fakes.works import ARTICLES, Works, identifier

SERVER_ERROR = faults.status(500)


def poison(
    repository: FakeRepository, number: int, fault: Fault = SERVER_ERROR, *, alone: bool = True
) -> Rule:
    """Each answer with the metadata of this work fails; `alone`: GetRecord of it, too."""
    name = re.compile(rb"<identifier>%s</identifier>" % identifier(number).encode())

    def strikes(asked: Asked, answer: Answer) -> Answer:
        is_hit = asked.verb in ("ListRecords", "GetRecord")[: 1 + alone] and name.search(answer.body)
        return fault(asked, answer) if is_hit else answer

    return repository.misbehave(strikes)


@pytest.mark.parametrize(
    "fault",
    [SERVER_ERROR, faults.half_a_page, faults.body(b""), faults.oai_error("oops")],
    ids=["500", "cut", "empty", "unknown error"],
)
@pytest.mark.parametrize("number", [1, 25, 50])
def test_one_poisonous_record_costs_itself_alone(rig: Rig, fault: Fault, number: int) -> None:
    rule = poison(rig.repository, number, fault=fault)
    report = rig.harvest()
    assert (report.verdict, report.quarantined) == ("complete", 1)
    assert rig.live == rig.works.live - {identifier(number)}
    assert "read in parts" in report.reason
    assert rule.fired
    rig.repository.behave()
    assert rig.harvest(full=True).verdict == "verified"
    assert rig.is_exact()
    assert rig.state.quarantined == 0


def test_a_poisonous_page_whose_records_can_be_had_alone(rig: Rig) -> None:
    poison(rig.repository, 25, alone=False)
    assert rig.harvest().verdict == "complete"
    assert rig.is_exact()


def test_a_poisonous_record_among_many_is_found_by_date(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, Works(600, clock.now, page_size=50), clock) as rig:
        poison(rig.repository, 333)
        report = rig.harvest()
        assert (report.verdict, report.quarantined) == ("complete", 1)
        assert rig.live == rig.works.live - {identifier(333)}
        assert len(rig.repository.asked("GetRecord")) <= 100
        assert report.requests < 200


def test_a_record_that_poisons_identifiers_too_is_narrowed_by_time(rig: Rig) -> None:
    def strikes(asked: Asked, answer: Answer) -> Answer:
        return SERVER_ERROR(asked, answer) if identifier(25).encode() + b"<" in answer.body else answer

    rig.repository.misbehave(strikes)
    report = rig.harvest()
    assert (report.verdict, report.exit_code) == ("partial", 3)
    stamp = "2026-05-26T10:00:25Z"  # of work 25, and of no other
    assert rig.live == rig.works.live - {identifier(25)}
    assert rig.last_run.checkpoint.within is not None
    assert rig.last_run.checkpoint.within.from_ <= stamp <= rig.last_run.checkpoint.within.until
    assert report.watermark is None
    rig.repository.behave()
    assert rig.harvest().verdict == "complete"
    assert rig.is_exact()


def test_a_run_cut_off_in_its_windows_goes_on_with_them(tmp_path: Path, clock: FakeClock) -> None:
    with rigged(tmp_path, Works(300, clock.now), clock) as rig:
        poison(rig.repository, 133)
        gone = rig.repository.misbehave(faults.status(403), lambda asked: len(rig.repository.log) > 55)
        assert rig.harvest().verdict == "partial"
        assert gone.fired
        came = rig.last_run.checkpoint
        assert came.todo
        rig.repository.rules.remove(gone)
        report = rig.harvest()
        assert (report.verdict, report.quarantined) == ("complete", 1)
        assert (report.resumed_after, report.resumed_at_page) == (came.total, None), "it is in pieces"
        assert rig.repository.asked("Identify") == []
        assert rig.live == rig.works.live - {identifier(133)}


def test_a_server_in_trouble_is_left_and_the_token_kept(rig: Rig) -> None:
    rig.repository.misbehave(SERVER_ERROR, lambda asked: len(rig.repository.log) > 3)
    report = rig.harvest()
    assert (report.verdict, rig.last_run.checkpoint.todo) == ("partial", ())
    rig.repository.behave()
    assert rig.harvest().verdict == "complete"
    assert rig.offsets() == [20, 30, 40]


def test_lists_of_records_that_never_work_are_done_without(rig: Rig) -> None:
    """FAULTS P15."""
    rig.repository.misbehave(SERVER_ERROR, verb("ListRecords"))
    report = rig.harvest()
    assert (report.verdict, report.created) == ("complete", 50)
    assert rig.is_exact()


def test_without_either_list_nothing_is_tried_for_long(rig: Rig) -> None:
    rig.repository.misbehave(SERVER_ERROR, lambda asked: asked.verb.startswith("List"))
    report = rig.harvest()
    assert (report.verdict, report.exit_code) == ("failed", 1)
    assert report.requests < 40


def test_identifiers_fewer_than_what_came_prove_nothing(tmp_path: Path, clock: FakeClock) -> None:
    """A page fails, and ListIdentifiers ends after its first page without a word."""
    with rigged(tmp_path, Works(130, clock.now), clock) as rig:
        rig.repository.misbehave(faults.unstated_size())
        poison(rig.repository, 105, alone=False)
        rule = rig.repository.misbehave(
            faults.replaced("<resumptionToken.*</resumptionToken>", "<resumptionToken/>"),
            verb("ListIdentifiers"),
        )
        report = rig.harvest()
        assert rule.fired
        assert rig.is_exact() or report.verdict in ("partial", "unproven")


def test_dates_that_mean_nothing_are_not_cut_by(tmp_path: Path, clock: FakeClock) -> None:
    """FAULTS P17: the window would never shrink."""

    class Dateless(Works):
        def respond(self, arguments):  # type: ignore[no-untyped-def]  # as its parent
            return super().respond([pair for pair in arguments if pair[0] not in ("from", "until")])

    with rigged(tmp_path, Dateless(300, clock.now), clock) as rig:
        poison(rig.repository, 1)
        report = rig.harvest()
        assert (report.verdict, report.quarantined) == ("complete", 1)
        assert rig.live == rig.works.live - {identifier(1)}


@pytest.mark.parametrize("until_is_exclusive", [False, True])
def test_windows_leave_no_gap_between_them(
    tmp_path: Path, clock: FakeClock, *, until_is_exclusive: bool
) -> None:
    """FAULTS D15, with no list of identifiers to tell what is missing."""

    class Exclusive(Works):
        def respond(self, arguments):  # type: ignore[no-untyped-def]  # as its parent
            until = dict(arguments).get("until", "")
            body = super().respond(arguments)
            if not (until and until_is_exclusive):
                return body
            own = rb"<record>(?:(?!</record>).)*<datestamp>%s</datestamp>.*?</record>" % until.encode()
            return re.sub(own, b"", body, flags=re.S)

    with rigged(tmp_path, Exclusive(120, clock.now), clock) as rig:
        rig.repository.misbehave(faults.oai_error("badResumptionToken"), lambda asked: bool(asked.token))
        rig.repository.misbehave(SERVER_ERROR, verb("ListIdentifiers"))
        rig.repository.misbehave(faults.unstated_size())
        assert rig.harvest().verdict == "complete"
        assert rig.is_exact()


def test_too_much_for_one_answer_is_asked_for_in_parts(rig: Rig) -> None:
    """FAULTS H12."""

    def restrict(asked: Asked, answer: Answer) -> Answer:
        is_whole = asked.verb.startswith("List") and not asked.token and "until" not in asked.arguments
        return faults.status(413, b"<html>too many")(asked, answer) if is_whole else answer

    rig.repository.misbehave(restrict)
    report = rig.harvest(full=True)
    assert report.received >= 50
    assert rig.live == rig.works.live


def test_an_empty_page_in_mid_list_is_asked_for_again(rig: Rig) -> None:
    """FAULTS K22."""
    empty = faults.replaced("<record>.*</record>|<resumptionToken.*</resumptionToken>", "")
    rule = rig.repository.misbehave(empty, offset(20), times=1)
    assert rig.harvest().verdict == "complete"
    assert rule.fired == 1
    assert rig.is_exact()


def test_pages_without_records_for_ever_come_to_an_end(rig: Rig) -> None:
    """FAULTS K24."""

    class Onwards(Works):
        def respond(self, arguments):  # type: ignore[no-untyped-def]  # as its parent
            body = super().respond([("verb", "ListRecords"), ("metadataPrefix", "oai_dc")])
            next_ = b"<resumptionToken>offset=%d</resumptionToken>" % next(numbers)
            return re.sub(rb"<record>.*</resumptionToken>", next_, body, flags=re.S)

    numbers = itertools.count(30)
    endless = Onwards(50, rig.clock.now)

    def onwards(_asked: Asked, answer: Answer) -> Answer:
        return replace(answer, body=endless.respond([]))

    rule = rig.repository.misbehave(onwards, lambda asked: asked.verb == "ListRecords" and asked.offset >= 20)
    report = rig.harvest()
    assert report.verdict == "complete"
    assert "empty pages" in report.reason
    assert 10 <= rule.fired <= 12
    assert rig.is_exact()


def test_a_token_that_leads_out_of_the_set(rig: Rig) -> None:
    """FAULTS K16."""

    def forgets(asked: Asked, answer: Answer) -> Answer:
        if not asked.token:
            return answer
        told = asked.token.replace(f"set_spec={ARTICLES}", "set_spec=")
        return replace(answer, body=rig.works.respond([("verb", asked.verb), ("resumptionToken", told)]))

    rig.change_source(set=ARTICLES)
    rule = rig.repository.misbehave(forgets, verb("ListRecords"))
    report = rig.harvest()
    assert rule.fired
    assert report.verdict == "complete"
    assert {rig.record(name).type for name in rig.live} == {"article"}
    assert len(rig.live) == 25


def test_a_token_that_died_with_an_earlier_run_keeps_nothing_up(rig: Rig) -> None:
    """What was in the window at hand has changed since, so that its identifiers prove nothing either."""
    invented = r"<resumptionToken>offset=0</resumptionToken></\1>"
    rig.repository.misbehave(faults.replaced(r"(?:<resumptionToken.*)?</(List\w+)>", invented))
    assert rig.harvest().verdict == "partial"
    assert rig.last_run.checkpoint.within
    rig.repository.behave()
    for number in range(1, 51):
        rig.works.put(number, title="Another")
    rig.later()
    for _ in range(2):  # the rest of the old list, and what has changed since
        assert rig.harvest().verdict in ("complete", "verified")
    assert rig.is_exact()


def test_a_list_that_begins_again_and_again_brings_nothing(rig: Rig) -> None:
    rig.repository.misbehave(faults.oai_error("badResumptionToken"), lambda asked: asked.offset >= 20)
    rig.repository.misbehave(SERVER_ERROR, verb("ListIdentifiers"))
    for number in range(1, 51):
        rig.works.put(number)  # of one moment, so that nothing can be cut
    for times in range(4):
        assert rig.harvest().verdict == "partial"
        assert rig.state.failures == times
