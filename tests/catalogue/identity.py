"""I: what records are called."""

from harvester.report import Report
from harvester.store import records
from tests.catalogue.arranging import in_bytes, in_record, proven, strikes, swapped, work
from tests.catalogue.trial import Row, Trial
from tests.fakes.faults import oai_error, replaced, verb
from tests.fakes.repository import Asked
from tests.fakes.rig import NAME

_MOVED = b":windrow.example:"


def _another_source(trial: Trial) -> None:
    """Of the same identifiers, harvested before; the titles are its own."""
    rig = trial.rig
    mine = rig.source
    rig.source = mine.__class__(name="other", url=mine.url)
    rig.repository.misbehave(replaced("Work ", "Their work "))
    rig.harvest()
    rig.repository.behave()
    rig.source = mine


def _keeps_them_apart(trial: Trial, report: Report) -> None:
    proven(created=50)(trial, report)
    with trial.rig.store.read() as connection:
        theirs, ours = (records.get(connection, f"{name}/{work(3)}") for name in ("other", NAME))
    assert theirs is not None
    assert ours is not None
    trial.proved((theirs.title, ours.title) == ("Their work 3", "Work 3"))


def _renamed(trial: Trial) -> None:
    trial.strike(swapped(_MOVED, b":new.example:"), lambda asked: asked.verb != "GetRecord")
    trial.strike(oai_error("idDoesNotExist"), verb("GetRecord"))
    trial.owed = lambda: {one.replace("windrow.example", "new.example") for one in trial.rig.works.live}


def _is_held(trial: Trial, report: Report) -> None:
    """All is gone and all is new: nothing is deleted unless a person says so."""
    assert (report.verdict, report.vanished, report.held, report.exit_code) == ("verified", 0, 50, 3)
    assert "--allow-deletions" in report.reason
    assert len(trial.rig.live) == 100
    trial.owed = None


def _repeated(trial: Trial) -> None:
    trial.strike(in_record(3, lambda record: record * 3), verb("ListRecords"))
    trial.strike(in_record(4, lambda record: record + record.replace(b":4<", b":33<")), verb("ListRecords"))


def _each_once(trial: Trial, report: Report) -> None:
    proven(received=53, created=50)(trial, report)
    assert len(trial.rig.live) == 50


def _nearly_the_same(trial: Trial) -> None:
    """A blank at its end is none of its own; case, percent signs and composed letters are."""
    trial.strike(swapped(b":3</identifier>", b":3 \n</identifier>"))
    trial.rig.works.destroy(5, 6)
    trial.strike(in_record(7, _variants))
    trial.owed = lambda: trial.rig.works.live | set(_NAMES)


_NAMES = ("oai:x:\u00e9", "oai:x:e\u0301", "oai:x:A", "oai:x:a", "oai:x:%41")


def _variants(record: bytes) -> bytes:
    return record + b"".join(record.replace(work(7).encode(), name.encode()) for name in _NAMES)


def _are_told_apart(trial: Trial, report: Report) -> None:
    proven(received=53)(trial, report)
    assert set(_NAMES) <= trial.rig.live
    trial.owed = None


def _nameless(trial: Trial) -> None:
    trial.strike(replaced(rf"<identifier>{work(3)}</identifier>", "<identifier/>"))
    trial.strike(replaced(rf"<identifier>{work(4)}</identifier>", ""))
    trial.blind = {work(3), work(4)}


def _all_are_kept(trial: Trial, report: Report) -> None:
    assert (report.verdict, report.quarantined, report.created) == ("complete", 2, 48)
    assert trial.rig.state.quarantined == 2


_LONG = b"x" * 70_000


def _is_refused(trial: Trial, report: Report) -> None:
    assert (report.verdict, report.quarantined, report.created) == ("complete", 1, 49)
    (entry,) = trial.rig.refused.values()
    assert len(entry.identifier) == 4096
    assert "70,000 characters" in entry.reason


def _long(trial: Trial) -> None:
    trial.strike(swapped(work(3).encode() + b"<", _LONG + b"<"))
    trial.blind = {work(3)}


_PROVENANCE = (
    b'<about><provenance xmlns="http://www.openarchives.org/OAI/2.0/provenance"><originDescription '
    b'harvestDate="2026-01-01T00:00:00Z" altered="true"><baseURL>http://there.example/</baseURL><identifier>oai:there:9'
    b"</identifier><datestamp>2025-01-01</datestamp></originDescription></provenance></about>"
)


def _keeps_its_origin(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    assert b"oai:there:9" in trial.rig.raw_forms(work(3))["list"]
    assert trial.rig.record(work(3)).identifier == work(3)


def _is_asked_alone(asked: Asked) -> bool:
    return asked.verb == "GetRecord"


def _another(trial: Trial) -> None:
    """The list leaves 3 out; who asks for it is given 4."""
    trial.strike(replaced(r"<record>(?:(?!</record>).)*:3</identifier>.*?</record>", ""), verb("ListRecords"))
    trial.strike(
        in_bytes(lambda body: body.replace(b":3<", b":4<").replace(b"Work 3", b"Wrong")), _is_asked_alone
    )


def _is_not_taken_for_it(trial: Trial, report: Report) -> None:
    assert set(trial.rig.refused) == {work(3)}
    assert trial.rig.record(work(4)).title == "Work 4"


def _with_the_set(trial: Trial) -> None:
    trial.strike(swapped(_MOVED, b":windrow.example:SET:"))
    trial.owed = lambda: {one.replace("example", "example:SET") for one in trial.rig.works.live}


def _under_such_names(trial: Trial, report: Report) -> None:
    proven(received=50)(trial, report)
    trial.owed = None


ROWS = (
    Row("I01", "has the identifiers of another", _another_source, _keeps_them_apart),
    Row("I02", "has given new names to all it has", _renamed, _is_held, harvested=True, full=True),
    Row("I03", "sends a record several times", _repeated, _each_once),
    Row("I04", "has names that are nearly the same", _nearly_the_same, _are_told_apart),
    Row("I05", "leaves names out", _nameless, _all_are_kept),
    Row("I06", "has names of many kilobytes", _long, _is_refused),
    Row(
        "I08",
        "passes on the records of others",
        strikes(in_record(3, lambda record: record.replace(b"</record>", _PROVENANCE + b"</record>"))),
        _keeps_its_origin,
    ),
    Row(
        "I09",
        "puts the set into the name",
        _with_the_set,
        _under_such_names,
        recovers=False,
    ),
    Row("I10", "gives another record than was asked for", _another, _is_not_taken_for_it, full=True),
)
