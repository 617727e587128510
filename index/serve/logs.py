"""Log lines on stderr: for people where that is a terminal, else key=value (logfmt); or JSON.

Those of libraries come the same way.

A line is one line, and what a provider wrote into it is neither obeyed by a terminal nor taken for a line
of ours (FAULTS Z10, Z19).
"""

import logging
import os
import sys
import threading
from collections.abc import Sequence
from types import TracebackType

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from harvester.clean.text import printable

LEVELS = ("debug", "info", "warning", "error")

_LONGEST = 2048  # bytes of a value
_OURS = ("harvester", "index")


def set_up(*, json: bool, level: str) -> None:
    """`level` is one of LEVELS. Of libraries only warnings are told, unless all is."""
    lowest = logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler(sys.stderr)
    is_for_people = sys.stderr.isatty() and not json
    common = _PEOPLES if is_for_people else _COMMON
    handler.setFormatter(_formatter(_on_terminal() if is_for_people else _JSON if json else _LOGFMT, common))
    others = lowest if level == "debug" else max(lowest, logging.WARNING)
    logging.basicConfig(handlers=[handler], level=others, force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(lowest)
    if level != "debug":  # or each second in which a disk hangs would be told, of a waking that comes late
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.captureWarnings(True)
    sys.excepthook = _tell_uncaught
    threading.excepthook = lambda uncaught: _tell_uncaught(
        uncaught.exc_type, uncaught.exc_value, uncaught.exc_traceback
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _formatter(render: Processor, common: Sequence[Processor]) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*common, structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _made_safe,
            render,
        ],
    )


_COMMON: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
)
_PEOPLES: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="%d %b %H:%M:%S", utc=False),
)
_LOGFMT = structlog.processors.LogfmtRenderer(key_order=("timestamp", "level", "event"), bool_as_flag=False)
_JSON = structlog.processors.JSONRenderer(lambda line, **_: msgspec.json.encode(line).decode())


def _on_terminal() -> Processor:
    """What it is handed is safe, and one line each."""
    takes_colour = os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")  # no-color.org
    plain = structlog.dev.plain_traceback
    console = structlog.dev.ConsoleRenderer(
        colors=takes_colour, pad_event_to=9, sort_keys=False, exception_formatter=plain
    )
    return lambda logger, method, line: console(logger, method, _that_says_something(line))


def _that_says_something(line: EventDict) -> EventDict:
    """So that a harvest fits on a line or two."""
    return {key: value for key, value in line.items() if value or value is False}


def _made_safe(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    return {key: safe(value, ends=key == "exception") for key, value in line.items()}


def safe(value: object, *, ends: bool = False) -> object:
    """One line of at most 2 KB without a control character. `ends`: of a long one, its end is what tells."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = printable(" | ".join(str(value).splitlines())).replace("\t", " ")
    return _cut(text.encode(errors="replace"), ends=ends)


def _cut(text: bytes, *, ends: bool) -> str:
    if len(text) <= _LONGEST:
        return text.decode()
    kept = text[-_LONGEST + 3 :] if ends else text[: _LONGEST - 3]
    whole = kept.decode(errors="ignore")
    return f"…{whole}" if ends else f"{whole}…"


def _tell_uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    if issubclass(kind, SystemExit):  # a thread may end like this
        return
    told = error if error is not None else kind()
    logging.getLogger(__name__).critical("this is a fault of Windrow", exc_info=(kind, told, trace))
