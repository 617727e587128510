"""What systemd is told, and the unit that it reads: by its own checks where it is there."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from getpass import getuser
from pathlib import Path

import pytest

from index.cli import serve
from index.serve import systemd
from tests.commands import inside

DATA = Path("/var/lib/windrow")
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="needs systemd-analyze")
needs_abstract_names = pytest.mark.skipif(not Path("/proc").is_dir(), reason="abstract names are Linux's")


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(60)
        yield listening


def test_systemd_hears(manager, socket_path, monkeypatch):
    manager.bind(socket_path)
    monkeypatch.setenv("NOTIFY_SOCKET", socket_path)
    systemd.notify("READY=1", "STATUS=12 sources, Köln too")
    assert manager.recv(4096).decode() == "READY=1\nSTATUS=12 sources, Köln too"


@needs_abstract_names
def test_systemd_hears_at_an_abstract_name(manager, monkeypatch):
    name = f"windrow-test-{os.getpid()}@a"
    manager.bind(f"\0{name}")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    systemd.notify("WATCHDOG=1")
    assert manager.recv(4096) == b"WATCHDOG=1"


def test_without_systemd_nothing_is_told(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.notify("READY=1")


@pytest.mark.parametrize("address", ["/nowhere/at/all", "vsock:2:1234", "", "/" + "x" * 200])
def test_a_manager_that_cannot_be_told_ends_nothing(address, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    systemd.notify("READY=1")


def test_a_manager_that_does_not_listen_holds_nothing_up(manager, socket_path, monkeypatch):
    manager.bind(socket_path)
    monkeypatch.setenv("NOTIFY_SOCKET", socket_path)
    monkeypatch.setattr(systemd, "_TAKES", 0.01)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filling, suppress(BlockingIOError):
        filling.setblocking(False)
        while True:
            filling.sendto(b"full?", socket_path)
    telling = threading.Thread(target=systemd.notify, args=["WATCHDOG=1"], daemon=True)
    telling.start()
    telling.join(20)
    assert not telling.is_alive()
    assert manager.recv(4096) == b"full?"


@pytest.mark.parametrize(
    ("microseconds", "pid", "seconds"),
    [
        pytest.param("30000000", str(os.getpid()), 30.0, id="ours"),
        ("1500000", "", 1.5),
        ("30000000", "1", None),  # it watches our parent
        ("", "", None),
        ("soon", "", None),
    ],
)
def test_the_watchdogs_time(microseconds, pid, seconds, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", microseconds)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    assert systemd.watchdog_seconds() == seconds


def test_the_unit_says_what_is_run_and_where_it_may_write():
    lines = _unit(writable=(DATA, Path("/srv/store"))).splitlines()
    assert 'ExecStart="/opt/windrow/bin/windrow" --config "/etc/windrow/config.toml" serve' in lines
    assert 'ReadWritePaths="/var/lib/windrow" "/srv/store"' in lines
    assert "User=windrow" in lines
    assert "ProtectHome=yes" in lines
    assert "PrivateTmp=yes" in lines


def test_percent_signs_are_no_specifiers():
    lines = _unit(config=Path("/etc/100%n/config.toml")).splitlines()
    assert "EnvironmentFile=-/etc/100%%n/windrow.env" in lines
    assert any('--config "/etc/100%%n/config.toml"' in line for line in lines)


def test_what_lies_in_a_home_or_in_tmp_can_be_seen():
    assert "ProtectHome=read-only" in _unit(executable=Path("/home/me/.venv/bin/windrow")).splitlines()
    assert "ProtectHome=read-only" in _unit(writable=(DATA, Path("/root/data"))).splitlines()
    assert "ProtectHome=read-only" in _unit(read=[Path("/home/me/python")]).splitlines()
    assert "ProtectHome=yes" in _unit(writable=[Path("/homes/data")]).splitlines()
    assert "PrivateTmp=no" in _unit(writable=[Path("/tmp/data")]).splitlines()


@needs_systemd
@pytest.mark.parametrize("folder", ["plain", "two words", "100 %n $HOME", "Köln"])
def test_systemd_reads_the_unit(folder, tmp_path):
    """`verify` looks for the program, so a path that was read otherwise is one that is not there."""
    program = tmp_path / folder / "windrow"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    odd = tmp_path / 'a "b" c\'s \\n 100 %n $HOME'
    assert (
        _analyze(tmp_path, "verify", _unit(program, odd / "config.toml", (DATA, odd / "data"), "root")) == ""
    )


@needs_systemd
def test_systemd_sees_what_is_wrong(tmp_path):
    assert "not executable" in _analyze(
        tmp_path, "verify", _unit(executable=tmp_path / "nothing", user="root")
    )


@needs_systemd
def test_the_unit_is_well_protected(tmp_path):
    """Of 10, the least exposed being 0; what reaches the Internet hardly gets below 1."""
    said = _analyze(
        tmp_path, "security", _unit(executable=Path("/bin/sh")), "--offline=yes", "--threshold=20"
    )
    assert "OK" in said.splitlines()[-1]


def _unit(
    executable: Path = Path("/opt/windrow/bin/windrow"),
    config: Path = Path("/etc/windrow/config.toml"),
    writable: Sequence[Path] = (DATA,),
    user: str = "windrow",
    read: Sequence[Path] = (),
) -> str:
    return systemd.unit(executable, config, writable, user, read)


def _analyze(folder: Path, check: str, unit: str, *options: str) -> str:
    assert ANALYZE
    path = folder / "windrow.service"
    path.write_text(unit, encoding="utf-8")
    done = subprocess.run(
        [ANALYZE, check, "--no-pager", *options, path], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_the_unit_of_a_configuration(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    (tmp_path / "config.toml").write_text('[store]\nurl = "sqlite:///elsewhere/store.db"\n')
    ran = inside(tmp_path, capsys, "serve", "--print-systemd-unit")
    lines = ran.out.splitlines()
    assert f'ReadWritePaths="{tmp_path / "data"}" "{tmp_path / "elsewhere"}"' in lines
    assert f"User={getuser()}" in lines
    assert (
        ran.err
        == f"{tmp_path / 'elsewhere'} is not there yet: make it, as {getuser()}, before the service starts.\n"
    )
    (tmp_path / "config.toml").write_text("")
    ran = inside(tmp_path, capsys, "serve", "--print-systemd-unit")
    assert f'ReadWritePaths="{tmp_path / "data"}"' in ran.out.splitlines()
    assert ran.err == ""
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize(
    ("python", "ca"), [("/home/me/python", "/etc/ours.pem"), ("/usr", "/home/me/ours.pem")]
)
def test_the_service_can_read_what_lies_in_a_home(python, ca, tmp_path, capsys, monkeypatch):
    """The Python behind a venv that is elsewhere; a certificate."""
    monkeypatch.setattr(serve, "__file__", "/opt/windrow/index/cli/serve.py")
    monkeypatch.setattr(sys, "executable", "/opt/windrow/bin/python")
    monkeypatch.setattr(sys, "base_prefix", python)
    (tmp_path / "config.toml").write_text(f'[sources.one]\nurl = "https://example.org/oai"\nca = "{ca}"\n')
    lines = inside(tmp_path, capsys, "serve", "--print-systemd-unit").out.splitlines()
    assert "ProtectHome=read-only" in lines
