"""Z: the repository as an attacker, or as the carrier of one."""

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harvester.report import Report
from tests.catalogue.arranging import (
    as_metadata,
    ends,
    in_bytes,
    in_identify,
    in_record,
    once_and_for_ever,
    proven,
    refuses,
    strikes,
    titled,
    work,
)
from tests.catalogue.metadata import dublin_core
from tests.catalogue.tokens import stated
from tests.catalogue.trial import Row, Trial
from tests.fakes.clock import FakeClock
from tests.fakes.echo import Echo
from tests.fakes.faults import oai_error, offset, replaced, verb
from tests.fakes.repository import Answer, Asked, Fault, serving
from tests.fakes.rig import Rig, rigged
from tests.fakes.works import Works

_LAUGHS = b"<!DOCTYPE x [<!ENTITY a0 'ha'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (level, b"&a%d;" % (level - 1) * 10) for level in range(1, 11)
) + b"]>"  # fmt: skip


def _with_doctype(doctype: bytes, entity: bytes) -> Fault:
    """Before the root, and used in a title."""
    return in_bytes(
        lambda body: re.sub(
            rb"(<OAI-PMH )", lambda _: doctype + b"<OAI-PMH ", body.replace(b"Work 3<", entity + b"<")
        )
    )


def _of_a_file(trial: Trial) -> None:
    secret = Path(__file__).resolve().as_uri().encode()
    trial.strike(
        _with_doctype(b'<!DOCTYPE x [<!ENTITY e SYSTEM "%s">]>' % secret, b"&e;"), offset(0), times=1
    )
    trial.strike(_with_doctype(b'<!DOCTYPE x [<!ENTITY e SYSTEM "%s">]>' % secret, b"&e;"), offset(30))


def _holds_no_file(trial: Trial, report: Report) -> None:
    proven("DOCTYPE")(trial, report)
    assert b"attacker" not in trial.rig.raw_forms(work(3))["list"]


@contextmanager
def _beside_another(folder: Path, clock: FakeClock) -> Iterator[Rig]:
    """A second server, which nobody may be led to."""
    with rigged(folder, Works(50, clock.now), clock) as rig, serving(Echo()) as other:
        rig.other = other  # type: ignore[attr-defined]
        yield rig
        assert other.log == []


def _names_another(trial: Trial) -> None:
    other = trial.rig.other.url.encode()  # type: ignore[attr-defined]
    stylesheet = b'<?xml-stylesheet type="text/xsl" href="%s"?><OAI-PMH ' % other
    included = b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="%s"/></oai_dc:dc>' % other
    trial.strike(in_bytes(lambda body: body.replace(b"<OAI-PMH ", stylesheet)))
    trial.strike(in_record(3, lambda record: record.replace(b"</oai_dc:dc>", included)))
    trial.strike(
        in_bytes(
            lambda body: re.sub(
                rb"http://www.openarchives.org/OAI/2.0/(?:OAI-PMH|oai_dc).xsd", lambda _: other, body
            )
        )
    )
    external = b'<!DOCTYPE x SYSTEM "%s"><OAI-PMH ' % other
    trial.strike(in_bytes(lambda body: body.replace(b"<OAI-PMH ", external)), offset(30))


def _speaks_of_others(trial: Trial) -> None:
    other = trial.rig.other.url  # type: ignore[attr-defined]
    friends = (
        '<description><friends xmlns="http://www.openarchives.org/OAI/2.0/friends/">'
        f"<baseURL>{other}</baseURL></friends></description></Identify>"
    )
    trial.strike(replaced("</Identify>", friends), verb("Identify"))
    trial.strike(in_identify("baseURL", other), verb("Identify"))
    trial.strike(as_metadata(3, dublin_core("title Work 3", f"identifier {other}")))


def _bomb(trial: Trial) -> None:
    """In place of all that holds one of the records."""
    packed = gzip.compress(b"\0" * 2**26, 9)

    def fault(asked: Asked, answer: Answer) -> Answer:
        if b":33<" not in answer.body or b"<metadata>" not in answer.body:
            return answer
        return Answer(packed, 200, answer.headers | {"Content-Encoding": "gzip"})

    trial.strike(fault)


_PATHS = ("../../etc/x", "/etc/passwd", "CON", "a" * 300, "-rf", "oai:x:1;rm")


def _as_paths(trial: Trial) -> None:
    trial.strike(
        in_record(
            3,
            lambda record: (
                record + b"".join(record.replace(work(3).encode(), name.encode()) for name in _PATHS)
            ),
        )
    )
    trial.owed = lambda: trial.rig.works.live | set(_PATHS)


def _are_names_and_no_more(trial: Trial, report: Report) -> None:
    proven(received=56)(trial, report)
    trial.owed = None


_LONG_WORDS = (
    b"a" * 50_000 + b"!",
    b"10." + b"1" * 50_000,
    b"http://" + b"a." * 20_000,
    b"&lt;" * 20_000,
    b"( " * 20_000,
    b"2021-" * 20_000,
    b"$" + b"{" * 20_000,
    b"\xc3\xa9 " * 20_000,
)


def _tiring(trial: Trial) -> None:
    said = b"".join(
        b"<dc:%s>%s</dc:%s>" % (name, word, name)
        for word in _LONG_WORDS
        for name in (b"title", b"date", b"identifier", b"creator", b"description", b"language")
    )
    trial.strike(in_record(3, lambda record: record.replace(b"</oai_dc:dc>", said + b"</oai_dc:dc>")))


def _by_reflection(trial: Trial) -> None:
    trial.strike(in_identify("adminEmail", "a</adminEmail><__class__>x</__class__><adminEmail>b"))
    trial.strike(oai_error("__doc__"), offset(10), times=1)
    trial.strike(oai_error("Exception"), offset(20), times=1)
    trial.strike(oai_error(""), offset(30), times=1)


def _unstorable(trial: Trial) -> None:
    trial.strike(titled(3, b"Work &#0;&#xD800;3"))
    trial.strike(titled(4, "Work \U0001f600".encode()))
    trial.strike(stated(' completeListSize="100000000000000000000" cursor="99999999999999999999999"'))


def _is_stored(trial: Trial, report: Report) -> None:
    proven(repaired=1)(trial, report)
    assert trial.rig.record(work(3)).title == "Work 3"
    assert trial.rig.record(work(4)).title == "Work \U0001f600"


def _forging(trial: Trial) -> None:
    text = "&#10;{&quot;level&quot;: &quot;INFO&quot;}" + "x" * 1_000_000
    trial.strike(oai_error("badArgument", text), verb("ListRecords"))


def _is_cut(trial: Trial, report: Report) -> None:
    ends("failed", "badArgument")(trial, report)
    assert len(report.error) < 1000


def _attributes(trial: Trial) -> None:
    many = b" ".join(b'a%d="1"' % number for number in range(200_000))
    trial.strike(in_record(3, lambda record: record.replace(b"<dc:title>", b"<dc:title " + many + b">")))


ROWS = (
    Row(
        "Z01", "sends an entity bomb", once_and_for_ever(_with_doctype(_LAUGHS, b"&a10;")), proven("DOCTYPE")
    ),
    Row("Z02", "names a file of ours as an entity", _of_a_file, _holds_no_file),
    Row(
        "Z03",
        "names a DTD, a stylesheet, an inclusion elsewhere",
        _names_another,
        proven("DOCTYPE"),
        stand=_beside_another,
    ),
    Row("Z05", "speaks of addresses inside", _speaks_of_others, proven(requests=6), stand=_beside_another),
    Row("Z07", "sends a few bytes that unpack without end", _bomb, refuses(33, says="times its size")),
    Row("Z09", "has names that are paths", _as_paths, _are_names_and_no_more),
    Row("Z15", "has texts that tire a pattern", _tiring, proven()),
    Row("Z16", "has codes and elements named as ours", _by_reflection, proven()),
    Row("Z17", "has letters and numbers that no store takes", _unstorable, _is_stored),
    Row(
        "Z18",
        "counts in other digits",
        strikes(replaced(r'completeListSize="50" cursor="\d+"', 'completeListSize="５_0" cursor="1_0"')),
        proven(received=50),
    ),
    Row("Z19", "forges lines of a log", _forging, _is_cut),
    Row("Z22", "has two hundred thousand attributes", _attributes, proven()),
)
