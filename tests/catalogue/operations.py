"""O: what years of running bring, as far as a repository brings it."""

from harvester.report import Report
from tests.catalogue.arranging import ends, from_request, proven, strikes
from tests.catalogue.trial import Row, Trial
from tests.fakes.faults import replaced, status


def _our_clock_leaps(trial: Trial) -> None:
    """A year ahead; the repository's does not."""
    trial.rig.works.put(51)
    trial.strike(replaced("<responseDate>2027", "<responseDate>2026"))
    trial.rig.clock.advance(days=365)


def _goes_by_the_repositorys(trial: Trial, report: Report) -> None:
    proven(watermark="2026-06-02T12:00:00Z")(trial, report)
    trial.rig.clock.advance(days=-365)
    trial.rig.repository.behave()
    trial.rig.later()
    trial.rig.works.put(52)
    proven(created=1)(trial, trial.harvest())


def _breaks_on_the_third_page(trial: Trial) -> None:
    trial.strike(status(503), from_request(trial, 4))


def _stays_unmoved(trial: Trial, report: Report) -> None:
    ends("partial", "503", watermark=None)(trial, report)
    assert len(trial.rig.live) == 20


def _keeps_the_old(trial: Trial, report: Report) -> None:
    ends("partial", "503")(trial, report)
    assert len(trial.rig.live) == 50


ROWS = (
    Row("O05", "has another year than we have", _our_clock_leaps, _goes_by_the_repositorys, harvested=True),
    Row("O09", "breaks off on the third page", _breaks_on_the_third_page, _stays_unmoved),
    Row(
        "O10",
        "says 80 and has 50",
        strikes(replaced('completeListSize="50"', 'completeListSize="80"')),
        ends("unproven", "50 of 80", watermark=None),
    ),
    Row(
        "O12",
        "breaks off while all is read again",
        _breaks_on_the_third_page,
        _keeps_the_old,
        harvested=True,
        full=True,
    ),
)
