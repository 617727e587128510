"""A process is told from a later one with its number."""

import subprocess
import sys

import psutil
import pytest

from harvester.processes import began, is_alive


def test_it_is_itself_whatever_becomes_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux tells when the machine began by the clock of now: NTP at boot, a resumed machine."""
    me, since = psutil.Process().pid, began()
    assert is_alive(me, since)
    true = psutil.boot_time()
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: true + 3600)  # type: ignore[attr-defined]  # no stub has it
    assert is_alive(me, since)
    assert not is_alive(me, since - 3600)
    assert not is_alive(me, since + 1)


def test_one_that_has_ended_is_not() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    since = began(process.pid)
    assert is_alive(process.pid, since)
    process.communicate()
    assert not is_alive(process.pid, since)
