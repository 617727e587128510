"""K: resumption tokens, and where lists end."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from harvester.report import Report
from tests.catalogue.arranging import (
    Expect,
    empty_list,
    ends,
    proven,
    strikes,
    work,
)
from tests.catalogue.providers import OneToken, Retokened, Unset
from tests.catalogue.trial import Row, Stand, Trial, works
from tests.fakes.faults import (
    BY_ROW,
    oai_error,
    offset,
    replaced,
    reset,
    status,
    unstated_size,
    verb,
)
from tests.fakes.repository import Answer, Asked, Fault
from tests.fakes.works import THESES, identifier

TOKEN = "verb=ListRecords&amp;prefix=oai_dc&amp;start=&amp;until=&amp;set_spec=&amp;offset={}"


def _with_tokens(dress: object) -> Stand:
    return works(kind=Retokened.by(dress))  # type: ignore[arg-type]


def frozen() -> Fault:
    """The first list answer again, whatever is asked."""
    bodies: list[bytes] = []

    def fault(_asked: Asked, answer: Answer) -> Answer:
        bodies.append(answer.body)
        return replace(answer, body=bodies[0])

    return fault


def turned_back(at: int, to: int) -> Fault:
    return replaced(rf"offset={at}\b", f"offset={to}")


def stated(attributes: str) -> Fault:
    """In place of completeListSize and cursor."""
    return replaced(r' completeListSize="\d+" cursor="\d+"', attributes)


def _dressed(dress: Callable[[int], str]) -> Expect:
    """Each token came back as it was given, and none twice."""

    def expect(trial: Trial, report: Report) -> None:
        proven(received=50)(trial, report)
        tokens = [asked.token for asked in trial.rig.repository.asked("ListRecords")][1:]
        trial.proved(tokens == [dress(place) for place in (10, 20, 30, 40)])

    return expect


_ODD = "a+b/c=&d%7Ce|f g#h\u00e9<'\">:{}"


def _odd(place: int) -> str:
    return f"{_ODD}{place}"


def _as_query(place: int) -> str:
    return f"metadataPrefix=oai_dc&verb=Identify&p={place}"


def _zero(place: int) -> str:
    return str(place // 10 - 1)


def _huge(place: int) -> str:
    return "x" * 20_000 + str(place)


def _no_empty_token(trial: Trial, report: Report) -> None:
    proven(received=50)(trial, report)
    assert all(
        asked.token.strip() for asked in trial.rig.repository.log if "resumptionToken" in asked.arguments
    )


def _one_page_more(trial: Trial) -> None:
    more = rf"\1>{TOKEN.format(50)}</resumptionToken>"
    trial.strike(replaced("(<resumptionToken[^>]*)/>", more), offset(40))
    trial.strike(replaced("<error.*</error>", "<ListRecords/>"), offset(50))


def _done_all_the_same(trial: Trial, report: Report) -> None:
    proven(received=50)(trial, report)
    trial.rig.repository.rules.pop()
    report = trial.harvest(full=True)
    proven()(trial, report)


def _ends_early(trial: Trial) -> None:
    trial.strike(
        replaced("<resumptionToken(.*?)>[^<]+</resumptionToken>", r"<resumptionToken\1/>"), offset(10)
    )


def _is_doubted_then_mended(trial: Trial, report: Report) -> None:
    ends("unproven", "20 of 50")(trial, report)
    proven()(trial, trial.harvest())
    trial.rig.repository.behave()
    trial.strike(unstated_size(), verb("ListRecords"))
    trial.strike(replaced("<resumptionToken.*?</resumptionToken>", ""), offset(0))
    proven()(trial, trial.harvest(full=True))


def _short_lived(trial: Trial) -> None:
    """A token lives for as long as three pages take."""
    trial.strike(replaced("<resumptionToken", '<resumptionToken expirationDate="2020-01-01T00:00:00Z"'))
    asked: list[str] = []

    def fault(request: Asked, answer: Answer) -> Answer:
        asked.append(request.token)
        is_first = not request.token
        if is_first:
            asked.clear()
        return oai_error("badResumptionToken")(request, answer) if len(asked) >= 3 else answer

    trial.strike(fault, verb("ListRecords"))


def _used_once(trial: Trial) -> None:
    """And the answer to one of them was lost on its way."""
    used: Counter[str] = Counter()

    def fault(asked: Asked, answer: Answer) -> Answer:
        used[asked.token] += bool(asked.token)
        return oai_error("badResumptionToken")(asked, answer) if used[asked.token] == 2 else answer

    trial.strike(fault, lambda asked: bool(asked.token))
    trial.strike(reset, offset(20), times=1)


def _a_record_goes(trial: Trial) -> None:
    """So that all behind it move up, and one is jumped over."""

    def fault(asked: Asked, answer: Answer) -> Answer:
        trial.rig.works.destroy(5)
        return replace(answer, headers=answer.headers | {"X-Live": "yes"})

    trial.strike(fault, offset(10), times=1)
    trial.blind = {work(21)}


def _the_audit_finds_it(trial: Trial, report: Report) -> None:
    assert report.received == 49
    assert work(21) not in trial.rig.live
    trial.blind.clear()
    trial.rig.clock.advance(days=31)
    proven("the audit found 1")(trial, trial.harvest())


def _sizes(trial: Trial) -> None:
    for place, size in zip(range(0, 50, 10), ("99999999999999999999", "7", "many", "-1", "1e3"), strict=True):
        trial.strike(stated(f' completeListSize="{size}" cursor="{place}"'), offset(place))


def _of_wrong_size(trial: Trial, report: Report) -> None:
    proven(received=50)(trial, report)
    trial.rig.repository.behave()
    trial.strike(stated(' completeListSize="225176"'))
    proven()(trial, trial.harvest(full=True))


def _forgets_the_set(trial: Trial) -> None:
    trial.rig.change_source(set=THESES)
    trial.owed = lambda: {identifier(number) for number in range(2, 51, 2)} & trial.rig.works.live


def _takes_no_foreign_record(trial: Trial, report: Report) -> None:
    """What the first page proves to be a set's list is not gone on with outside of it."""
    trial.proved(len(trial.rig.repository.asked("ListRecords")) > 1)
    foreign = trial.rig.live - trial.owed()
    assert not foreign, (report.verdict, report.reason, foreign)


def _deep(trial: Trial) -> None:
    trial.strike(status(500), lambda asked: asked.verb.startswith("List") and asked.offset >= 20)


def _slower_with_depth(trial: Trial) -> None:
    def fault(asked: Asked, answer: Answer) -> Answer:
        return replace(answer, midway=lambda: trial.rig.clock.advance(2 + asked.offset * 6))

    trial.strike(fault, verb("ListRecords"))


def _endless_sets(trial: Trial) -> None:
    trial.rig.change_source(set="gone")
    trial.owed = set
    trial.strike(replaced("</ListSets>", "<resumptionToken>A</resumptionToken></ListSets>"), verb("ListSets"))
    trial.strike(
        replaced(
            "<error.*</error>",
            "<ListSets><set><setSpec>x</setSpec></set><resumptionToken>A</resumptionToken></ListSets>",
        ),
        lambda asked: asked.verb == "ListSets" and bool(asked.token),
    )


def _sets_have_an_end(trial: Trial, report: Report) -> None:
    ends("failed", "no set gone")(trial, report)
    assert len(trial.rig.repository.asked("ListSets")) <= 3
    trial.rig.change_source(set="")
    trial.owed = None
    trial.watermark = None


def _empty_with_ever_new_tokens(trial: Trial) -> None:
    number = iter(range(50, 10_000))

    def fault(asked: Asked, answer: Answer) -> Answer:
        token = TOKEN.format(next(number))
        body = re.sub(
            rb"</request>.*</OAI-PMH>",
            b"</request><ListRecords><resumptionToken>%s</resumptionToken>"
            b"</ListRecords></OAI-PMH>" % token.encode(),
            answer.body,
            flags=re.S,
        )
        return replace(answer, body=body)

    trial.strike(fault, lambda asked: asked.verb == "ListRecords" and asked.offset >= 20)


def _one_for_all(trial: Trial, report: Report) -> None:
    proven(received=50)(trial, report)
    trial.proved({asked.token for asked in trial.rig.repository.asked("ListRecords")} == {"", "same"})


def _in_one(trial: Trial, report: Report) -> None:
    proven(pages=1, received=1999)(trial, report)
    trial.proved(report.requests == 2)


ROWS = (
    Row("K01", "sends the same page for ever", strikes(frozen(), verb("ListRecords")), proven("same page")),
    Row(
        "K01b",
        "has one token for all pages",
        lambda _trial: None,
        _one_for_all,
        stand=works(kind=OneToken),
    ),
    Row(
        "K02", "leads in a circle", strikes(turned_back(30, to=10), verb("ListRecords")), proven("same page")
    ),
    Row(
        "K03",
        "ends with a token of white space",
        strikes(replaced("(<resumptionToken[^>]*)/>", r"\1>\n  </resumptionToken>")),
        _no_empty_token,
    ),
    Row("K04", "has a token on the last page", _one_page_more, _done_all_the_same),
    Row("K05", "ends too early", _ends_early, _is_doubted_then_mended),
    Row("K06", "lets tokens expire", _short_lived, proven("badResumptionToken")),
    Row("K07", "takes each token once", _used_once, proven()),
    Row("K08", "has tokens of any characters", lambda _trial: None, _dressed(_odd), stand=_with_tokens(_odd)),
    Row("K09", "has a token 0", lambda _trial: None, _dressed(_zero), stand=_with_tokens(_zero)),
    Row(
        "K10", "has tokens of many kilobytes", lambda _trial: None, _dressed(_huge), stand=_with_tokens(_huge)
    ),
    Row("K11", "binds its tokens to a cookie", strikes(BY_ROW["K11"]), proven(received=50)),
    Row("K12", "pages by number over what changes", _a_record_goes, _the_audit_finds_it),
    Row("K13", "states any size", _sizes, _of_wrong_size),
    Row(
        "K14", "counts from anywhere", strikes(replaced(r'cursor="\d+"', 'cursor="-1"')), proven(received=50)
    ),
    Row(
        "K15",
        "says at once that it is at the end",
        strikes(replaced(r'cursor="\d+"', 'cursor="50"')),
        proven(received=50),
    ),
    Row(
        "K16",
        "forgets the set on the second page",
        _forgets_the_set,
        _takes_no_foreign_record,
        stand=works(kind=Unset),
        recovers=False,
    ),
    Row(
        "K17",
        "refuses a token in mid-list",
        strikes(oai_error("badResumptionToken"), offset(30)),
        proven("badResumptionToken"),
    ),
    Row("K18", "has nothing beyond so many", _deep, proven("500")),
    Row("K19", "takes longer for each page", _slower_with_depth, proven()),
    Row("K20", "lists its sets without end", _endless_sets, _sets_have_an_end),
    Row(
        "K21",
        "sends all it has in one page",
        lambda _trial: None,
        _in_one,
        stand=works(1999, 2000),
    ),
    Row("K22", "sends an empty page, once", strikes(empty_list(), offset(20), 1), proven(received=50)),
    Row(
        "K23",
        "sends two tokens",
        strikes(replaced("(<resumptionToken.*</resumptionToken>)", r"\1\1"), offset(20)),
        proven("2 resumption tokens"),
    ),
    Row("K24", "goes on without records", _empty_with_ever_new_tokens, proven("without records")),
)
