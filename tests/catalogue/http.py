"""H: what HTTP says."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise

from harvester.report import Report
from tests.catalogue.arranging import (
    Arrange,
    answered,
    ends,
    from_request,
    has,
    once_and_for_ever,
    proven,
    redirected,
    refuses,
    strikes,
    titled,
    titles,
    together,
    work,
)
from tests.catalogue.providers import Addressed, Retokened
from tests.catalogue.trial import PROVEN, Row, Trial, works
from tests.fakes.faults import BY_ROW, body, oai_error, offset, replaced, status
from tests.fakes.repository import PATH, Answer, Asked, Fault, When

_HTML = b"<html><head><title>One moment</title></head><body>maintenance<br></body></html>"


# Busy


def _waits_as_told(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    assert trial.rig.clock.slept.count(7) == 2


def _odd_waits(trial: Trial) -> None:
    soon = format_datetime(trial.rig.clock.now() + timedelta(seconds=40), usegmt=True)
    for place, said in zip((0, 10, 20, 30), (soon, "-5", "soon", "2.5"), strict=True):
        trial.strike(status(503, Retry_After=said), offset(place), times=1)


def _waits_all_the_same(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    assert 38 <= max(trial.rig.clock.slept) <= 40
    _never_within_a_second(trial)


def _never_within_a_second(trial: Trial) -> None:
    moments = sorted(moment for blow in trial.blows for moment in blow.moments)
    assert all(after - before >= 1 for before, after in pairwise(moments))


def _busy_for_ever(trial: Trial) -> None:
    trial.strike(status(503, Retry_After="0"), from_request(trial, 3))


def _is_given_up_slowly(trial: Trial, report: Report) -> None:
    ends("partial", "503")(trial, report)
    assert len(trial.rig.repository.log) <= 2 + 4 * 6
    _never_within_a_second(trial)


def _is_not_waited_for(trial: Trial, report: Report) -> None:
    ends("deferred", "hours")(trial, report)
    assert (trial.rig.clock.slept, trial.blows[0].landed) == ([], 1)


def _too_many(trial: Trial) -> None:
    trial.strike(status(429), lambda _asked: len(trial.rig.repository.log) % 4 == 0)


def _goes_slower(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    assert trial.rig.state.gap >= 1
    assert len(trial.rig.clock.slept) > trial.blows[0].landed


def _worse_with_depth(trial: Trial) -> None:
    trial.strike(status(504), lambda asked: asked.verb.startswith("List") and asked.offset >= 30)


# Refused


def _stops_at_once(trial: Trial, report: Report) -> None:
    ends("failed", "blocks us", requests=1)(trial, report)
    trial.rig.repository.behave()
    trial.strike(status(403, _HTML, cf_mitigated="challenge"), offset(20))
    ends("partial", "Cloudflare", requests=4)(trial, trial.harvest())
    agent = trial.rig.repository.log[0].headers["User-Agent"]
    assert agent.startswith("Windrow/")
    assert "mailto:me@uni.example" in agent


def _wants_a_password(trial: Trial) -> None:
    trial.strike(status(401, WWW_Authenticate='Basic realm="staff"'), offset(20))


def _no_python(asked: Asked, answer: Answer) -> Answer:
    if "python" in asked.headers["User-Agent"].lower():
        return Answer(b"", 403, {})
    return replace(answer, headers=answer.headers | {"X-Known": "yes"})


# Errors in a wrapping, pages that are none


def poisoned(number: int, *, verbs: Iterable[str] = ("ListRecords", "GetRecord")) -> Fault:
    """Whatever would hold this record is a status 500."""
    sign = b"example:%d<" % number

    def fault(asked: Asked, answer: Answer) -> Answer:
        return Answer(b"", 500, {}) if asked.verb in verbs and sign in answer.body else answer

    return fault


def _isolates(trial: Trial, report: Report) -> None:
    refuses(23, says="cannot be fetched")(trial, report)
    assert report.watermark
    trial.strike(poisoned(23, verbs=("ListIdentifiers", "ListRecords", "GetRecord")))
    trial.rig.later()
    trial.rig.works.put(23)
    trial.rig.clock.advance(3600)
    trial.rig.works.put(24, title="Corrected")
    report = trial.harvest()
    assert trial.rig.record(work(24)).title == "Corrected"
    assert report.verdict not in PROVEN


def _wrapped(trial: Trial) -> None:
    trial.strike(answered(422, oai_error("noRecordsMatch")), has("from"))


def _means_what_it_says(trial: Trial, report: Report) -> None:
    proven(received=0)(trial, report)
    for code in (400, 404, 500):
        trial.rig.repository.behave()
        trial.strike(answered(code, oai_error("noRecordsMatch")), has("from"))
        proven(received=0)(trial, trial.harvest())
    trial.rig.repository.behave()
    trial.strike(status(422, _HTML), has("from"))
    ends("failed", "422")(trial, trial.harvest())


def too_many(most: int, code: int = 413) -> Fault:
    """No list of more than so many records."""
    stated = re.compile(rb'completeListSize="(\d+)"')

    def fault(_asked: Asked, answer: Answer) -> Answer:
        found = stated.search(answer.body)
        return Answer(_HTML, code, {}) if found and int(found[1]) > most else answer

    return fault


# Elsewhere


def _elsewhere(asked: Asked) -> str:
    return asked.path.replace(PATH, "/oai")


def _moved(when: When) -> Arrange:
    return strikes(redirected(_elsewhere, 301), when)


def _at_old_path(asked: Asked) -> bool:
    return asked.path.startswith(PATH)


def _is_followed(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    assert trial.rig.source.url == trial.rig.repository.url
    assert trial.rig.state.watermark


def _follows_no_circle(trial: Trial, report: Report) -> None:
    ends("failed", "redirects")(trial, report)
    assert len(trial.rig.repository.log) <= 18
    for place in ("file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/"):
        trial.rig.repository.behave()
        trial.strike(redirected(lambda _asked, place=place: place))
        ends("failed", "redirect")(trial, trial.harvest())


def _at_its_own_query(trial: Trial) -> None:
    trial.rig.change_source(url=trial.rig.repository.url + "?mode=oai")


def _keeps_the_query(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    trial.proved(all("mode=oai" in asked.path for asked in trial.rig.repository.log))


def _stale(trial: Trial) -> None:
    trial.rig.works.put(51)
    trial.strike(replaced(r"<record>(?:(?!</record>).)*:51</identifier>.*?</record>", ""))
    trial.strike(replaced("<responseDate>[^<]*", "<responseDate>2020-01-01T00:00:00Z"))
    trial.blind.add(work(51))


def _stays_where_it_was(trial: Trial, report: Report) -> None:
    assert report.watermark == "2026-05-28T10:00:27Z"
    assert trial.rig.repository.log[0].headers["Cache-Control"] == "no-cache"
    trial.rig.repository.behave()
    trial.blind.clear()
    proven(created=1)(trial, trial.harvest())


def _latin(trial: Trial) -> None:
    trial.strike(titled(3, "Café".encode()))
    trial.strike(
        lambda _asked, answer: replace(answer, headers={"Content-Type": "text/plain; charset=latin-1"})
    )


ROWS = (
    Row(
        "H01",
        "is busy, and says how long",
        strikes(status(503, Retry_After="7"), offset(20), 2),
        _waits_as_told,
    ),
    Row("H02", "says so as a date, negative, in words", _odd_waits, _waits_all_the_same),
    Row("H03", "is busy for ever, and says no time", _busy_for_ever, _is_given_up_slowly),
    Row(
        "H04",
        "is busy for years",
        strikes(status(503, Retry_After="86400000"), offset(20)),
        _is_not_waited_for,
    ),
    Row("H05", "has had too many requests", _too_many, _goes_slower),
    Row("H06", "blocks us, or wants a browser", strikes(status(403, _HTML)), _stops_at_once),
    Row("H07", "sends a web page with status 200", once_and_for_ever(body(_HTML)), proven("HTML page")),
    Row(
        "H08",
        "sends nothing, with status 200 or 204",
        together(once_and_for_ever(body(b"")), strikes(status(204), offset(20), 1)),
        proven("empty"),
    ),
    Row("H09", "fails whatever holds one record", strikes(poisoned(23)), _isolates),
    Row("H10", "fails deep in a list", _worse_with_depth, proven("504")),
    Row("H11", "wraps an error in a status", _wrapped, _means_what_it_says, harvested=True),
    Row("H12", "has no list so long", strikes(too_many(20)), proven("413")),
    Row("H13", "has moved", _moved(_at_old_path), _is_followed),
    Row(
        "H14",
        "drops the query where it redirects",
        strikes(redirected(lambda _asked: "/oai"), _at_old_path),
        _is_followed,
    ),
    Row(
        "H15",
        "redirects in a circle, or off the web",
        strikes(redirected(lambda asked: asked.path)),
        _follows_no_circle,
    ),
    Row(
        "H16", "has a query in its address", _at_its_own_query, _keeps_the_query, stand=works(kind=Addressed)
    ),
    Row(
        "H17",
        "refuses what is percent-encoded",
        strikes(BY_ROW["H17"]),
        proven(received=50),
        stand=works(kind=Retokened.by(lambda place: f"a=b/c:{place}")),
    ),
    Row("H18", "names another encoding in its header than in its XML", _latin, titles(3, "Café")),
    Row("H19", "lets no script in", strikes(_no_python), proven()),
    Row("H20", "wants POST", strikes(BY_ROW["H20"]), proven()),
    Row("H21", "answers from an old cache", _stale, _stays_where_it_was, harvested=True),
    Row(
        "H22",
        "takes no long address",
        strikes(BY_ROW["H22"]),
        proven(),
        stand=works(kind=Retokened.by(lambda place: f"{place:04}" + "x" * 3000)),
    ),
    Row(
        "H23",
        "wants a password in mid-list",
        _wants_a_password,
        ends("partial", "name and a password", requests=4),
    ),
)
