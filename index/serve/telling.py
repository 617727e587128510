"""What harvests and the index have to say, in the log: a line for each harvest, a warning where it lacks."""

import logging

import structlog

from harvester.details import Detailed
from harvester.errors import SourceBusy, WindrowError
from harvester.report import Report
from harvester.runner import Ended, Told

_log = structlog.get_logger(__name__)

_LONG = 60.0  # seconds; a repository that is busy may ask for a shorter wait before each page

_OF_HARVEST = (
    "source verdict reason received created updated unchanged deleted quarantined vanished held"
    " pages requests seconds"
).split()
_OF_DETAILS = "source fetched changed failed waiting reason".split()


def tell(told: Told) -> None:
    if told.wait:
        level = logging.INFO if told.wait >= _LONG else logging.DEBUG
        _log.log(level, "waits", source=told.source, seconds=round(told.wait, 1), why=told.sentence)
    else:
        _log.warning("notice", source=told.source, text=told.sentence)


def tell_of_index(sentence: str) -> None:
    _log.warning("index", text=sentence)


def tell_end(ended: Ended, *, again: bool = False) -> None:
    """`again`: the same was told the last time, a minute ago."""
    if ended.report is not None:
        is_ours = ended.run is not None and ended.run.checkpoint.stopped
        level = logging.WARNING if ended.report.exit_code and not is_ours else logging.INFO
        _log.log(level, "harvest", **_facts(ended.report, _OF_HARVEST), **_resumed(ended.report))
    if ended.details is not None and (ended.details.fetched or ended.details.failed or ended.details.reason):
        _log.info("details", **_facts(ended.details, _OF_DETAILS))
    if isinstance(ended.error, WindrowError):
        _log.log(
            _level(ended.error, again),
            "harvest",
            source=ended.source,
            text=ended.error.message,
            advice=ended.error.advice,
        )
    elif ended.error is not None:
        fault = "this is a fault of Windrow: please report it"
        _log.error("harvest", source=ended.source, text=fault, exc_info=ended.error)


def _level(error: WindrowError, again: bool) -> int:
    """That somebody else is at it is no trouble."""
    usual = logging.INFO if isinstance(error, SourceBusy) else logging.WARNING
    return logging.DEBUG if again else usual


def _resumed(report: Report) -> dict[str, object]:
    """Of most runs there is nothing to say."""
    names = ("resumed_at_page", "resumed_after")
    return {name: value for name in names if (value := getattr(report, name)) is not None}


def _facts(told: Report | Detailed, names: list[str]) -> dict[str, object]:
    return {name: getattr(told, name) for name in names}
