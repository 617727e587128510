"""What `windrow serve` says of its harvests, as the fields of a log line."""

import msgspec
import pytest
from structlog.testing import capture_logs

from harvester.errors import LeaseLost, SourceBusy, WindrowError
from harvester.report import Report
from harvester.runner import Ended
from harvester.store import harvests
from harvester.store.harvests import Harvest
from index.serve import telling
from tests.fakes.rig import Rig


def line_of(report: Report, run: Harvest | None = None) -> dict[str, object]:
    with capture_logs() as lines:
        telling.tell_end(Ended(report.source, report=report, run=run))
    (line,) = lines
    return dict(line)


def test_a_run_that_went_on_says_where(rig: Rig) -> None:
    first, second = rig.harvest(limit=20), rig.harvest()
    assert not {"resumed_at_page", "resumed_after"} & set(line_of(first))
    line = line_of(second)
    assert (line["event"], line["resumed_at_page"], line["resumed_after"]) == ("harvest", 3, 20)
    by_records = line_of(msgspec.structs.replace(second, resumed_at_page=None))
    assert "resumed_at_page" not in by_records
    assert by_records["resumed_after"] == 20


def test_who_was_told_to_stop_is_no_warning(rig: Rig) -> None:
    report = rig.harvest(limit=20)
    with rig.store.read() as connection:
        run = harvests.last(connection, report.source)
    assert run is not None
    assert line_of(report, run)["log_level"] == "warning"
    stopped = msgspec.structs.replace(run.checkpoint, stopped=True)
    assert line_of(report, msgspec.structs.replace(run, checkpoint=stopped))["log_level"] == "info"


@pytest.mark.parametrize(
    ("error", "again", "level"),
    [
        (SourceBusy("kar is being harvested"), False, "info"),
        (SourceBusy("kar is being harvested"), True, "debug"),
        (LeaseLost("another process has taken over"), False, "warning"),
    ],
)
def test_that_another_is_at_a_source_is_no_trouble(error: WindrowError, again: bool, level: str) -> None:
    with capture_logs() as lines:
        telling.tell_end(Ended("kar", error=error), again=again)
    (line,) = lines
    assert (line["log_level"], line["source"], line["text"]) == (level, "kar", error.message)
