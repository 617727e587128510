"""M: what the records say."""

import re
from itertools import count

from harvester.clean.text import printable
from harvester.report import Report
from tests.catalogue.arranging import (
    as_metadata,
    in_record,
    proven,
    refuses,
    strikes,
    titled,
    titles,
    work,
)
from tests.catalogue.trial import Row, Trial
from tests.fakes.faults import replaced, verb
from tests.fakes.repository import Answer, Asked, Fault

_DC = "http://purl.org/dc/elements/1.1/"
_OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"


def dublin_core(*elements: str, namespace: str = _DC) -> bytes:
    inside = "".join(
        f"<dc:{one.partition(' ')[0]}>{one.partition(' ')[2]}</dc:{one.partition(' ')[0]}>"
        for one in elements
    )
    return f'<oai_dc:dc xmlns:oai_dc="{_OAI_DC}" xmlns:dc="{namespace}">{inside}</oai_dc:dc>'.encode()


_PLAIN = dublin_core("title Work 3")
_WORK_4 = dublin_core("title Work 4")


def _around(trial: Trial) -> None:
    trial.strike(as_metadata(3, b"<!-- a comment --><?pi x?>" + _PLAIN))
    trial.strike(as_metadata(4, _WORK_4 + dublin_core("title Another")))
    trial.strike(as_metadata(5, b"<!-- nothing else -->"))


def _first_element(trial: Trial, report: Report) -> None:
    refuses(5)(trial, report)
    assert trial.rig.record(work(3)).title == "Work 3"
    assert trial.rig.record(work(4)).title == "Work 4"
    assert b"Another" in trial.rig.raw_forms(work(4))["list"]


def _other_schema(trial: Trial) -> None:
    trial.strike(as_metadata(3, dublin_core("title Work 3", namespace="http://purl.org/dc/terms/")))
    trial.strike(as_metadata(4, dublin_core("title Work 4", "unheard-of Something")))


def _loses_no_field(trial: Trial, report: Report) -> None:
    titles(3, "Work 3")(trial, report)
    assert "Something" in str(trial.rig.record(work(4)).extra)


def _drifts(body: bytes) -> bytes:
    return body.replace(_DC.encode(), _DC.replace("1.1", "1.0").encode())


def _huge(trial: Trial) -> None:
    subjects = [f"subject Word {number}" for number in range(5000)]
    image = "description data:image/png;base64," + "A" * 200_000
    trial.strike(
        as_metadata(3, dublin_core("title Work 3", "description " + "long text " * 100_000, *subjects))
    )
    trial.strike(as_metadata(4, dublin_core("title Work &lt;i&gt;4&lt;/i&gt; on $x^2$", image)))


def _is_kept(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    assert trial.rig.record(work(4)).title.startswith("Work 4 on x")
    three = trial.rig.record(work(3))
    assert len((*three.keywords, *three.subjects)) == 5000


def _never_the_same() -> Fault:
    """The time of its making in a comment, the attributes in another order."""
    ticks = count()

    def fault(_asked: Asked, answer: Answer) -> Answer:
        body = re.sub(rb"<metadata>", lambda _: b"<metadata><!-- made at %d -->" % next(ticks), answer.body)
        turned = (
            re.sub(rb'(xmlns:oai_dc="[^"]*") (xmlns:dc="[^"]*")', rb"\2 \1", body)
            if next(ticks) % 2
            else body
        )
        return Answer(turned, answer.status, answer.headers)

    return fault


def _moves_nothing(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    head = trial.rig.head
    trial.rig.later()
    proven(unchanged=50)(trial, trial.harvest(full=True))
    assert trial.rig.head == head


_GARBAGE = ("n.d.", "[19--?]", "20024", "1999-2004", "2021-02-30", "soon", "0000")


def _undated(trial: Trial) -> None:
    for number, said in enumerate(_GARBAGE, 1):
        trial.strike(
            in_record(
                number,
                lambda record, said=said: re.sub(rb"<dc:date>[^<]*", f"<dc:date>{said}".encode(), record),
            )
        )


def _invents_no_year(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    years = {said: trial.rig.record(work(number)).year for number, said in enumerate(_GARBAGE, 1)}
    assert years["20024"] is None
    assert years["n.d."] is None
    assert years["soon"] is None


_LINKS = (
    "identifier javascript:alert(1)",
    "identifier /local/path",
    "identifier file:///etc/passwd",
    "identifier https://there.example/1",
    "relation data:text/html,x",
)


def _only_links_of_the_web(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    record = trial.rig.record(work(3))
    links = [record.landing_url, record.official_url, *(file.url for file in record.files)]
    assert all(link.startswith(("http://", "https://")) for link in links if link), links


_BATCH = replaced(r"<record>(?:(?!</record>).)*:2\d</identifier>.*?</record>", "")


def _a_batch_is_skipped(trial: Trial) -> None:
    trial.strike(_BATCH, verb("ListRecords"))


def _as_sent(trial: Trial, report: Report) -> None:
    """The raw form keeps it, whatever the record is shown as."""
    proven()(trial, report)
    assert "Ã©tÃ©".encode() in trial.rig.raw_forms(work(3))["list"]


def _steers_nothing(trial: Trial, report: Report) -> None:
    """It is kept; on a screen it is shown."""
    proven()(trial, report)
    assert "\u202e" not in printable(trial.rig.record(work(3)).title)
    assert "\u202e".encode() in trial.rig.raw_forms(work(3))["list"]


ROWS = (
    Row("M01", "puts comments, nothing or several documents into metadata", _around, _first_element),
    Row("M02", "has another schema under the prefix", _other_schema, _loses_no_field),
    Row(
        "M03",
        "changes its schema on the way",
        strikes(
            lambda asked, answer: Answer(_drifts(answer.body), 200, answer.headers),
            lambda asked: asked.offset >= 20,
        ),
        proven(),
    ),
    Row("M04", "has values of any size and kind", _huge, _is_kept),
    Row("M05", "writes the same otherwise each time", strikes(_never_the_same()), _moves_nothing),
    Row(
        "M06",
        "has letters that were read wrongly before",
        strikes(titled(3, "Ã©tÃ© Work 3".encode())),
        _as_sent,
    ),
    Row(
        "M07",
        "has letters that are not seen",
        strikes(titled(3, "Work\u202e \u200b3".encode())),
        _steers_nothing,
    ),
    Row("M08", "has dates that are none", _undated, _invents_no_year),
    Row(
        "M09",
        "has links that lead nowhere",
        strikes(as_metadata(3, dublin_core("title Work 3", *_LINKS))),
        _only_links_of_the_web,
    ),
    Row("M10", "skips a batch", _a_batch_is_skipped, proven(received=50), full=True),
)
