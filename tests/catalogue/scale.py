"""C: size."""

from harvester.report import Report
from tests.catalogue.arranging import proven, strikes, swapped
from tests.catalogue.http import too_many
from tests.catalogue.trial import Row, Trial, works
from tests.catalogue.xml import NOISE

_PADDING = b"<!--" + NOISE + b"--></record>"


_padded = swapped(b"</record>", _PADDING)


def _one_a_page(trial: Trial) -> None:
    trial.proved(trial.rig.works.records_a_page == 1)


def _in_as_many_requests(trial: Trial, report: Report) -> None:
    proven(pages=40, received=40, requests=41)(trial, report)


ROWS = (
    Row(
        "C02",
        "has a page of many megabytes",
        strikes(swapped(b"</record>", _PADDING)),
        proven(received=50, requests=2),
        stand=works(50, 50),
        slow=True,
    ),
    Row("C03", "has one record a page", _one_a_page, _in_as_many_requests, stand=works(40, 1)),
    Row("C06", "has more than a list may have", strikes(too_many(10)), proven("413"), stand=works(100)),
)
