"""Log lines: one each, readable by machines, whatever is in them."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.clean.text import printable
from index.serve import logs
from tests.commands import environment

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def script(code: str, *, as_json: bool = False, level: str = "info") -> str:
    return f"""
import logging, threading, warnings
import structlog
from index.serve import logs
logs.set_up(json={as_json}, level={level!r})
log = structlog.get_logger("index.serve.service")
{code}
"""


def logged(code: str, *, as_json: bool = False, level: str = "info") -> list[str]:
    """What a process writes to stderr that logs like this."""
    done = subprocess.run(
        [sys.executable, "-c", script(code, as_json=as_json, level=level)], capture_output=True, check=False
    )
    assert done.stdout == b""
    return done.stderr.decode().splitlines()


def on_terminal(code: str, **env: str) -> list[str]:
    """The same where stderr is a terminal, and what `logged` reads where it is none."""
    master, slave = pty.openpty()
    with os.fdopen(master, "rb", buffering=0) as screen:
        ran = subprocess.Popen(
            [sys.executable, "-c", script(code)], stderr=slave, env=environment(**{"TERM": "xterm", **env})
        )
        os.close(slave)
        sent = b""
        with suppress(OSError):  # that is how Linux says that nobody writes any more
            while chunk := screen.read(65536):
                sent += chunk
        assert ran.wait() == 0
    return sent.decode().splitlines()


def fields(line: str) -> dict[str, str]:
    """Of a logfmt line."""
    return dict(pair.split("=", 1) for pair in shlex.split(line))


def test_a_line_is_keys_and_values():
    (line,) = logged("log.info('harvested', source='kar', received=12, gap=0.5, ok=True, reason='')")
    stamp, rest = line.split(" ", 1)
    assert re.fullmatch(r"timestamp=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", stamp)
    assert rest == "level=info event=harvested source=kar received=12 gap=0.5 ok=true reason="


def test_a_line_is_json():
    (line,) = logged("log.info('harvested', source='kar', received=12, nothing=None)", as_json=True)
    read = json.loads(line)
    assert read.pop("timestamp").endswith("Z")
    assert read == {"level": "info", "event": "harvested", "source": "kar", "received": 12, "nothing": None}


SAID = "log.info('harvest', source='kar', reason='it is slow', received=12, ok=True)"
COLOUR = re.compile(r"\x1b\[\d{1,2}m")


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_on_a_terminal_people_read_it(env):
    (line,) = on_terminal(SAID, **env)
    time, rest = line[:15], line[15:]
    assert re.fullmatch(r"\d\d \w{3} \d\d:\d\d:\d\d", time)
    assert rest == " [info     ] harvest   source=kar reason='it is slow' received=12 ok=True"


def test_on_a_terminal_what_is_0_or_empty_is_left_out():
    said = "log.info('harvest', source='kar', reason='', held=0, took=0.0, gap=None, received=12, ok=False)"
    (line,) = on_terminal(said, NO_COLOR="1")
    assert line[15:] == " [info     ] harvest   source=kar received=12 ok=False"


def test_colours_are_all_that_a_terminal_obeys():
    (plain,), (coloured,) = on_terminal(SAID, NO_COLOR="1"), on_terminal(SAID)
    assert COLOUR.search(coloured)
    assert COLOUR.sub("", coloured)[15:] == plain[15:]


@pytest.mark.parametrize(
    "evil", ["x\x1b[31m\n01 Jan 00:00:00 [error] owned\r\x85\u2028\x00", "x\x1b[31m\x9b31m\u202e", "x" * 9999]
)
def test_on_a_terminal_what_a_provider_says_is_a_value_and_no_more(evil):
    (line,) = on_terminal(f"log.warning('failed', reason={evil!r}, source='kar')", NO_COLOR="1")
    assert not CONTROL.search(line)
    assert len(line) < 2200
    assert line.endswith(" source=kar")


def test_on_a_terminal_a_fault_of_ours_is_told_below_its_line():
    code = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    log.exception('harvest', source='kar')"
    line, trace = on_terminal(code, NO_COLOR="1")
    assert line.endswith(" [error    ] harvest   source=kar")
    assert trace.endswith(" | ZeroDivisionError: division by zero")


@pytest.mark.parametrize("as_json", [False, True])
def test_what_a_provider_says_is_a_value_and_no_more(as_json):
    evil = 'x" level=error event="owned\\\n{"level":"error"}\x1b[31m\x9b\x85\u202e\u2028\r\x00 \\'
    (line,) = logged(f"log.warning('failed', reason={evil!r}, source='kar')", as_json=as_json)
    read = json.loads(line) if as_json else fields(line)
    assert (read["level"], read["event"], read["source"]) == ("warning", "failed", "kar")
    assert read["reason"].startswith('x" level=error event="owned\\ | {"level":"error"}\ufffd[31m')
    assert not CONTROL.search(line)


def test_libraries_are_heard_when_they_warn():
    lines = logged(
        "logging.getLogger('urllib3.pool').warning('slow: %s', 'a\\nb')\n"
        "logging.getLogger('urllib3.pool').info('a connection')\n"
        "logging.getLogger('apscheduler.scheduler').warning('a job was skipped')\n"
        "warnings.warn('old')"
    )
    first, second = map(fields, lines)
    assert (first["level"], first["event"], first["logger"]) == ("warning", "slow: a | b", "urllib3.pool")
    assert (second["level"], second["logger"]) == ("warning", "py.warnings")


def test_all_is_heard_at_debug():
    lines = logged("logging.getLogger('apscheduler').debug('a job ran'); log.debug('due')", level="debug")
    assert [fields(line)["event"] for line in lines] == ["a job ran", "due"]


def test_less_can_be_asked_for():
    code = "log.info('harvested'); log.warning('failed'); log.error('broken')"
    lines = logged(code + "\nlogging.getLogger('urllib3').warning('slow')", level="error")
    assert [fields(line)["event"] for line in lines] == ["broken"]


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("start", ["{}", "threading.Thread(target=lambda: {}).start()"])
def test_a_fault_of_our_own_is_one_line_too(start, as_json):
    (line,) = logged(start.format("int('1\\n2')"), as_json=as_json)
    read = json.loads(line) if as_json else fields(line)
    assert read["level"] == "critical"
    assert read["exception"].startswith("Traceback")
    assert read["exception"].endswith("ValueError: invalid literal for int() with base 10: '1\\n2'")


def test_a_fault_that_is_logged_has_its_trace():
    (line,) = logged("try: 1 / 0\nexcept ZeroDivisionError: log.exception('could not')")
    assert fields(line)["exception"].endswith("ZeroDivisionError: division by zero")


def test_a_thread_that_ends_itself_is_no_fault():
    assert logged("threading.Thread(target=exit).start()") == []


def test_of_a_long_fault_the_end_is_kept():
    (line,) = logged("try: raise ValueError('a' * 5000 + 'end')\nexcept ValueError: log.exception('no')")
    assert fields(line)["exception"].endswith("aend")
    assert len(line) < 2200


@given(st.text() | st.binary() | st.lists(st.text()))
def test_any_value_is_one_printable_line(value):
    told = logs.safe(value)
    assert isinstance(told, str)
    assert not CONTROL.search(told)
    assert printable(told) == told


@given(st.text(max_size=5), st.integers(1, 3000), st.booleans())
def test_a_value_has_2_kb_at_most(text, times, ends):
    told = logs.safe(text * times, ends=ends)
    assert isinstance(told, str)
    assert len(told.encode()) <= 2048


@pytest.mark.parametrize("value", [None, True, 12, 0.5])
def test_numbers_stay_numbers(value):
    assert logs.safe(value) is value
