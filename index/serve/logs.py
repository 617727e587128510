"""Log lines on stderr, as key=value (logfmt) or JSON; those of libraries come the same way.

A line is one line, and what a provider wrote into it is neither obeyed by a terminal nor taken for a line
of ours (FAULTS Z10, Z19).
"""

import logging
import sys
import threading
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
    handler.setFormatter(_formatter(json=json))
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
            *_COMMON,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _formatter(*, json: bool) -> logging.Formatter:
    order = ("timestamp", "level", "event")
    render: Processor = structlog.processors.LogfmtRenderer(key_order=order, bool_as_flag=False)
    if json:
        render = structlog.processors.JSONRenderer(lambda line, **_: msgspec.json.encode(line).decode())
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_COMMON, structlog.stdlib.add_logger_name],
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
