"""X: what is not XML, or not the XML that was meant."""

import re
from random import Random

from harvester.report import Report
from tests.catalogue.arranging import (
    as_metadata,
    ends,
    in_bytes,
    in_record,
    once_and_for_ever,
    proven,
    refuses,
    strikes,
    swapped,
    titled,
    titles,
    together,
    work,
)
from tests.catalogue.trial import Row, Trial
from tests.fakes.faults import BY_ROW, offset, replaced, verb

# A megabyte that no compression makes much smaller, or it would be taken for a bomb.
NOISE = Random(3).randbytes(500_000).hex().encode()

_OAI = b"http://www.openarchives.org/OAI/2.0/"
_DC = b"http://purl.org/dc/elements/1.1/"
_ENVELOPE = (
    rb"(?:OAI-PMH|responseDate|request|error|Identify|List\w+|GetRecord|record|header|identifier|datestamp"
)
_ENVELOPE += rb"|setSpec|metadata|resumptionToken|set|setName|repositoryName|granularity|earliestDatestamp)"
_DOCTYPE = b'<!DOCTYPE x [<!ENTITY u "University">]>'


def repaired(title: str) -> object:
    """The record is there, counted as repaired, and its bytes are kept as they came."""

    def expect(trial: Trial, report: Report) -> None:
        titles(3, title, repaired=1)(trial, report)
        assert set(trial.rig.raw_forms(work(3))) == {"list", "sent"}
        assert set(trial.rig.raw_forms(work(4))) == {"list"}

    return expect


def _in_windows_1252(body: bytes) -> bytes:
    return body.decode().encode("cp1252")


def _is_stored_as_sent(trial: Trial, report: Report) -> None:
    titles(3, "H<sub>2</sub>O")  # what it may be shown as is the formats' matter
    proven()(trial, report)
    assert b"H&amp;lt;sub&amp;gt;2" in trial.rig.raw_forms(work(3))["list"]


def _bound_above(body: bytes) -> bytes:
    """The metadata's prefixes, on the root alone."""
    bound = rb' xmlns:(?:oai_dc|dc)="[^"]*"'
    body = re.sub(bound, b"", body)
    return body.replace(b"<OAI-PMH ", b'<OAI-PMH xmlns:dc="%s" xmlns:oai_dc="%soai_dc/" ' % (_DC, _OAI))


def _raw_parses_alone(trial: Trial, report: Report) -> None:
    refuses(5)(trial, report)
    assert b'xmlns:dc="%s"' % _DC in trial.rig.raw_forms(work(3))["list"]


def _with_prefix(body: bytes) -> bytes:
    body = re.sub(rb"(</?)(" + _ENVELOPE + rb"(?=[\s/>]))", rb"\1oai:\2", body)
    return body.replace(b'<oai:OAI-PMH xmlns="', b'<oai:OAI-PMH xmlns:oai="')


def _another_version(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    trial.strike(swapped(b"OAI-PMH xmlns", b"OAI-PMH x:y='' xmlns:x='x' xmlns"))
    trial.strike(swapped(_OAI.replace(b"http:", b"https:"), b"http://www.openarchives.org/OAI/1.1/"))
    ends("failed", "another version")(trial, trial.harvest())


def _odd_names(body: bytes) -> bytes:
    body = body.replace(b"datestamp>", b"dateStamp>").replace(b'status="deleted"', b'status="DELETED"')
    return body.replace(b'metadataPrefix="', b'metadataprefix="')


def _misspelt(trial: Trial) -> None:
    trial.rig.works.delete(7)
    trial.strike(in_bytes(_odd_names))


def _is_read_all_the_same(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    assert trial.rig.tombstones == {work(7)}
    assert trial.rig.record(work(8)).datestamp == "2026-05-09T10:00:08Z"


_ENVELOPE_WORDS = (
    b'<x:dc xmlns:x="http://www.openarchives.org/OAI/2.0/oai_dc/"><title xmlns="%s">Work 3</title>'
    b'<error xmlns="%s" code="badVerb"/><header xmlns="%s"><identifier>oai:other:1</identifier></header>'
    b'<resumptionToken xmlns="%s">elsewhere</resumptionToken></x:dc>' % (_DC, _OAI, _OAI, _OAI)
)


def _cut_everywhere(trial: Trial, report: Report) -> None:
    proven("not well-formed")(trial, report)
    trial.strike(BY_ROW["X07"], verb("ListRecords"))
    trial.strike(BY_ROW["X07"], verb("ListIdentifiers"))
    trial.rig.later()
    trial.rig.works.put(7, title="Corrected")
    assert trial.harvest().verdict in ("failed", "partial")


def _two_documents(body: bytes) -> bytes:
    return body + body


def _with_comments(body: bytes) -> bytes:
    body = re.sub(
        rb"<identifier>oai:(\S+?)</identifier>", rb"<identifier>oai:<!-- x -->\1</identifier>", body
    )
    body = re.sub(rb"<datestamp>(....)", rb"<datestamp><![CDATA[\1]]>", body)
    return re.sub(rb"(<resumptionToken[^>]*>verb)", rb"\1<?x y?>", body)


def _as_text(trial: Trial) -> None:
    dc = b'<oai_dc:dc xmlns:oai_dc="%soai_dc/" xmlns:dc="%s"><dc:title>Work 3</dc:title></oai_dc:dc>' % (
        _OAI,
        _DC,
    )
    trial.strike(as_metadata(3, b"<![CDATA[" + dc + b"]]>"))
    trial.strike(as_metadata(4, b"Work 4, as prose"))


def _reads_what_is_xml(trial: Trial, report: Report) -> None:
    refuses(4)(trial, report)
    assert trial.rig.record(work(3)).title == "Work 3"


def _junk_after(trial: Trial) -> None:
    trial.strike(in_bytes(lambda body: body + b"<!-- 0.3 s --><div>debug</div>"), offset(10))
    trial.strike(in_bytes(_two_documents), offset(20))


def _declared_within(trial: Trial) -> None:
    trial.strike(
        in_record(3, lambda record: record.replace(b"<metadata>", b'<metadata><?xml version="1.0"?>'))
    )
    trial.strike(in_record(4, lambda record: record.replace(b"<metadata>", b"<metadata>" + _DOCTYPE)))


def _unbound(trial: Trial) -> None:
    trial.strike(in_record(4, lambda record: re.sub(rb' xmlns:dc="[^"]*"', b"", record)))
    trial.strike(in_record(5, lambda record: record.replace(b"dc:date>", b"zz:date>")))
    trial.strike(in_bytes(_bound_above), offset(10))


ROWS = (
    Row("X01", "has control characters", strikes(titled(3, b"Work \x1a3")), repaired("Work 3")),
    Row(
        "X02",
        "refers to characters that cannot be",
        strikes(titled(3, b"Work&#x1a;&#0;&#xfffe; 3")),
        repaired("Work 3"),
    ),
    Row(
        "X03",
        "has bytes that are no UTF-8",
        strikes(titled(3, b"Caf\xe9 na\xc3\xafve, and more of the same")),
        repaired("Caf\ufffd naïve, and more of the same"),
    ),
    Row(
        "X04",
        "declares UTF-8, and is Windows-1252",
        together(strikes(titled(3, "Café".encode())), strikes(in_bytes(_in_windows_1252))),
        titles(3, "Café"),
    ),
    Row("X05", "has HTML's entities", strikes(titled(3, b"Caf&eacute;&nbsp;noir")), repaired("Café noir")),
    Row(
        "X06",
        "has bare ampersands and less-thans",
        together(strikes(titled(3, b"A & B")), strikes(titled(4, b"p < 0.05"))),
        refuses(4, repaired=1),
    ),
    Row("X07", "cuts the page", once_and_for_ever(BY_ROW["X07"]), _cut_everywhere),
    Row(
        "X08",
        "says something before the document",
        strikes(in_bytes(lambda body: b"\n<b>Warning</b>: x" + body)),
        proven(),
    ),
    Row("X09", "says something after the document, or all of it twice", _junk_after, proven("two OAI-PMH")),
    Row("X10", "declares XML, or a DOCTYPE, within a record", _declared_within, refuses(4, repaired=1)),
    Row("X11", "leaves prefixes unbound, or binds them far above", _unbound, _raw_parses_alone),
    Row("X12", "writes the envelope with a prefix", strikes(in_bytes(_with_prefix)), proven()),
    Row(
        "X13",
        "has another namespace",
        strikes(swapped(b'"' + _OAI + b'"', b'"' + _OAI.replace(b"http:", b"https:") + b'"')),
        _another_version,
    ),
    Row("X14", "nests without end", strikes(as_metadata(3, b"<a>" * 10_000 + b"</a>" * 10_000)), refuses(3)),
    Row(
        "X15",
        "has a text of many megabytes",
        strikes(as_metadata(3, b"<a>" + NOISE * 25 + b"</a>")),
        refuses(3),
        slow=True,
    ),
    Row(
        "X16",
        "has comments and CDATA within ids, dates and tokens",
        strikes(in_bytes(_with_comments)),
        proven(),
    ),
    Row(
        "X17",
        "has entities of its own",
        once_and_for_ever(in_bytes(lambda body: _DOCTYPE + body.replace(b"Work", b"&u;"))),
        proven("DOCTYPE"),
    ),
    Row(
        "X18",
        "escapes twice",
        strikes(titled(3, b"H&amp;lt;sub&amp;gt;2&amp;lt;/sub&amp;gt;O")),
        _is_stored_as_sent,
    ),
    Row("X19", "has metadata as text", _as_text, _reads_what_is_xml),
    Row("X20", "has an attribute twice", strikes(as_metadata(3, b'<r a="1" a="2"/>')), refuses(3)),
    Row(
        "X21",
        "has the envelope's words in metadata",
        strikes(as_metadata(3, _ENVELOPE_WORDS)),
        titles(3, "Work 3"),
    ),
    Row("X22", "writes names in another case", _misspelt, _is_read_all_the_same),
    Row(
        "X23",
        "answers with an envelope alone",
        once_and_for_ever(replaced(r"</request>.*</OAI-PMH>", "</request></OAI-PMH>")),
        proven("neither records"),
    ),
)
