"""S: sets."""

from xml.sax.saxutils import escape

from harvester.report import Report
from harvester.store import records
from tests.catalogue.arranging import ends, has, in_bytes, in_record, proven, work
from tests.catalogue.trial import Row, Trial
from tests.fakes.faults import oai_error, replaced, verb
from tests.fakes.works import ARTICLES, THESES, identifier

_EVEN = {identifier(number) for number in range(2, 51, 2)}
_ODD_SETS = ("../../etc/passwd", "a b", "<b>x</b>", "50%", "caf\u00e9:th\u00e8se", "'; drop table records;--")


def _of_theses(trial: Trial) -> None:
    trial.rig.change_source(set=THESES)
    trial.owed = lambda: _EVEN & trial.rig.works.live


def _named_oddly(trial: Trial) -> None:
    specs = "".join(f"<setSpec>{escape(spec)}</setSpec>" for spec in _ODD_SETS).encode()
    trial.strike(in_record(3, lambda record: record.replace(b"</header>", specs + b"</header>")))


def _are_kept_as_sent(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    assert trial.rig.record(work(3)).sets[1:] == _ODD_SETS


def _leaves(trial: Trial) -> None:
    """And is stamped for it; the list of the set does not show it."""
    _of_theses(trial)
    trial.watermark = None
    trial.harvest()
    trial.rig.later()
    trial.rig.works.put(4, type="article")
    trial.owed = lambda: (_EVEN - {work(4)}) & trial.rig.works.live


def _is_swept_by_a_whole_list(trial: Trial, report: Report) -> None:
    """Asked by name the repository still has it, in another set."""
    trial.proved(work(4) in trial.rig.live)
    report = trial.harvest(full=True)
    assert (report.verdict, report.vanished) == ("verified", 1), report.reason
    assert trial.rig.tombstones == {work(4)}


def _dead_in_one(trial: Trial) -> None:
    _of_theses(trial)
    trial.strike(
        in_record(4, lambda record: record.replace(b"<header>", b'<header status="deleted">')), has("set")
    )
    trial.disowned = {work(4)}
    trial.owed = lambda: (_EVEN - {work(4)}) & trial.rig.works.live


def _lives_in_the_other(trial: Trial, report: Report) -> None:
    """Two sets are two sources: what one calls deleted is the other's own."""
    proven()(trial, report)
    first, other = trial.rig.source, "other"
    trial.rig.source = first.__class__(name=other, url=first.url)
    trial.watermark, trial.owed, trial.disowned = None, None, set()
    report = trial.rig.harvest()
    assert (report.verdict, report.created) == ("complete", 50)
    with trial.rig.store.read() as connection:
        held = records.get(connection, f"{other}/{work(4)}")
    assert held is not None
    assert not held.deleted
    trial.rig.source = first


def _unnamed(trial: Trial) -> None:
    _of_theses(trial)
    trial.strike(replaced("<setSpec>[^<]*</setSpec>", ""))


def _knows_its_set(trial: Trial, report: Report) -> None:
    proven(received=25)(trial, report)
    assert trial.rig.record(work(4)).sets == (THESES,)


def _leaf_alone(trial: Trial) -> None:
    _of_theses(trial)
    trial.strike(replaced(f"<setSpec>{THESES}", f"<setSpec>{THESES}:leaf"), verb("ListRecords"))


def _stores_what_came(trial: Trial, report: Report) -> None:
    proven(received=25)(trial, report)
    assert trial.rig.record(work(4)).sets == (f"{THESES}:leaf", THESES)


def _no_sets(trial: Trial) -> None:
    trial.strike(oai_error("noSetHierarchy"), has("set"))
    trial.owed = set
    trial.rig.change_source(set="x")


def _says_so(trial: Trial, report: Report) -> None:
    ends("failed", "noSetHierarchy")(trial, report)
    assert "has no sets" in report.error
    trial.rig.change_source(set="")
    trial.owed = None
    proven(received=50)(trial, trial.harvest())
    assert trial.rig.repository.asked("ListSets") == []


def _twice(trial: Trial) -> None:
    trial.rig.change_source(set="gone")
    trial.owed = set
    again = rf"<set><setSpec>{ARTICLES}</setSpec><setName>Other name</setName></set></ListSets>"
    trial.strike(replaced("</ListSets>", again), verb("ListSets"))


def _is_gone(trial: Trial, report: Report) -> None:
    ends("failed", "no set gone")(trial, report)
    trial.rig.change_source(set="")
    trial.owed = None


def _renamed(trial: Trial) -> None:
    _of_theses(trial)
    trial.watermark = None
    trial.harvest()
    trial.strike(oai_error("noRecordsMatch"), verb("ListRecords"))
    trial.strike(replaced(THESES, "new"), verb("ListSets"))


def _set_is_missing(trial: Trial, report: Report) -> None:
    """An update finds nothing new, as always; the whole list tells."""
    ends("failed", f"no set {THESES}")(trial, trial.harvest(full=True))
    assert trial.rig.live >= _EVEN


def _many_sets(trial: Trial) -> None:
    many = "".join(f"<set><setSpec>{number}</setSpec></set>" for number in range(50_000)) + "</ListSets>"
    trial.strike(replaced("</ListSets>", many), verb("ListSets"))
    trial.rig.change_source(set="gone")
    trial.owed = set


def _asks_once(trial: Trial, report: Report) -> None:
    ends("failed", "no set gone")(trial, report)
    assert len(trial.rig.repository.asked("ListSets")) == 1
    _is_gone(trial, report)
    proven(requests=6)(trial, trial.harvest())


def _empty_means_another(trial: Trial) -> None:
    all_deleted = in_bytes(lambda body: body.replace(b"<header>", b"<header status='deleted'>"))
    trial.bait(all_deleted, lambda asked: asked.arguments.get("set") == "")


def _leaves_it_out(trial: Trial, report: Report) -> None:
    proven(received=50)(trial, report)
    trial.proved(not any("set" in asked.arguments for asked in trial.rig.repository.log))


ROWS = (
    Row("S01", "names its sets as nobody would", _named_oddly, _are_kept_as_sent),
    Row("S02", "takes a record out of a set", _leaves, _is_swept_by_a_whole_list, recovers=False),
    Row(
        "S03",
        "has a record deleted in one set, live in another",
        _dead_in_one,
        _lives_in_the_other,
        recovers=False,
    ),
    Row("S04", "leaves sets out of its headers", _unnamed, _knows_its_set),
    Row("S05", "names the leaf of a set alone", _leaf_alone, _stores_what_came),
    Row("S06", "has no sets", _no_sets, _says_so),
    Row("S07", "lists a set twice", _twice, _is_gone),
    Row("S08", "has renamed a set", _renamed, _set_is_missing),
    Row("S09", "has a set for everyone", _many_sets, _asks_once),
    Row("S10", "means another list by an empty set", _empty_means_another, _leaves_it_out),
)
