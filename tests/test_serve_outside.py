"""What `windrow serve` says to the world outside: news to people, its state to a monitor and to systemd."""

import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from harvester.store import notices
from harvester.store.notices import Way
from tests.commands import program_in, terminal
from tests.fakes.clock import FakeClock
from tests.fakes.faults import status
from tests.fakes.hook import Hook, hooked
from tests.fakes.repository import FakeRepository, serving
from tests.fakes.works import Works
from tests.served import HANGS, await_fact, running_at, serve

pytestmark = pytest.mark.slow
FAST = 8_640.0  # a day in ten seconds
IN_TIME = 10.0  # seconds


@pytest.fixture
def repository() -> Iterator[FakeRepository]:
    with serving(Works(20, FakeClock().now)) as repository:
        yield repository


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as hook:
        yield hook


def write_config(folder: Path, repository: FakeRepository, more: str) -> None:
    source = f'[sources.test]\nurl = "{repository.url}"\nschedule = "every 6 hours"\n'
    (folder / "config.toml").write_text(source + more)


def told(hook: Hook) -> list[tuple[str, str]]:
    return [(one["kind"], one["source"]) for posted in hook.posted for one in posted["notices"]]


def test_people_are_told_that_a_source_fails_and_works_again(repository, hook, tmp_path):
    write_config(tmp_path, repository, f'[notify]\nwebhook = "{hook.url}"\n')
    repository.misbehave(status(500))
    clock, _ = running_at(FAST)
    with serve(tmp_path, clock=clock) as served:
        served.heard("told", notices=1)
        served.heard("harvest", times=4, verdict="failed")
        repository.behave()
        await_fact(lambda: told(hook)[-1] == ("recovered", "test"), "people heard that it works again")
        assert set(told(hook)[:-1]) == {("failing", "test")}
        assert served.end()[0] == 0
    assert not served.said("news")


def test_a_webhook_that_never_answers_holds_up_neither_harvests_nor_the_end(repository, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(HANGS)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        write_config(tmp_path, repository, f'[notify]\nwebhook = "{url}"\n')
        repository.misbehave(status(403))
        clock, _ = running_at(FAST)
        with serve(tmp_path, clock=clock) as served:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)
                repository.behave()
                served.heard("harvest", verdict="complete")
                code, seconds = served.end()
    assert (code, seconds < IN_TIME) == (0, True), served.log
    with program_in(tmp_path) as program, program.store.read() as connection:
        assert [one.kind for one in notices.untold(connection, Way.WEBHOOK)] == ["failing", "recovered"]


def test_a_monitor_sees_it(repository, tmp_path):
    idle = f'[sources.idle]\nurl = "{repository.url}"\nset = "never"\n'
    write_config(tmp_path, repository, f'{idle}[serve]\nlisten = "127.0.0.1:0"\n')
    with serve(tmp_path) as served:
        listening = served.heard("listening")
        served.heard("harvest", verdict="complete")

        def metrics() -> str:
            return requests.get(listening["metrics"], timeout=HANGS).text

        await_fact(lambda: "windrow_index_documents 20.0\n" in metrics(), "the index took it in")
        assert 'windrow_source_records{source="test"} 20.0\n' in metrics()
        assert 'windrow_source_harvests_total{source="test"} 1.0\n' in metrics()
        assert 'windrow_source_harvests_total{source="idle"} 0.0\n' in metrics()
        answer = requests.get(listening["healthz"], timeout=HANGS)
        assert (answer.status_code, answer.json()["wrong"]) == (200, [])
        assert served.end()[0] == 0


def test_a_monitor_sees_that_the_index_cannot_be_written(repository, tmp_path):
    write_config(tmp_path, repository, '[serve]\nlisten = "127.0.0.1:0"\n')
    in_the_way = tmp_path / "data/index"
    in_the_way.parent.mkdir()
    in_the_way.touch()
    with serve(tmp_path) as served:
        listening = served.heard("listening")

        def wrong() -> str:
            return " ".join(requests.get(listening["healthz"], timeout=HANGS).json()["wrong"])

        await_fact(lambda: "The index stands still, and is tried again" in wrong(), "that is told")
        in_the_way.unlink()
        await_fact(lambda: not wrong(), "all is well")
        assert served.end()[0] == 0


def test_a_password_in_clear_is_warned_of(repository, tmp_path):
    mail = 'email = ["ann@uni.example"]\nsmtp = "mail.invalid:25"\nsecurity = "none"\n'
    write_config(tmp_path, repository, f'[notify]\n{mail}user = "me"\npassword = "c0rrect-h0rse"\n')
    with serve(tmp_path) as served:
        text = served.heard("config", level="warning")["text"]
        assert text.startswith("the password goes to mail.invalid:25 in clear: ")
        assert served.end()[0] == 0
        assert "c0rrect" not in served.log


def test_on_a_terminal_it_is_read_by_people(repository, tmp_path):
    write_config(tmp_path, repository, "")
    with terminal(tmp_path, "serve", columns=1000, NO_COLOR="1") as served:
        shown = served.until(" seconds=")
        assert re.search(r"\n\d\d \w{3} [\d:]{8} \[info     \] harvest   source=test verdict=complete", shown)
        served.process.send_signal(signal.SIGINT)
        served.until(" ended")
        assert served.process.wait(HANGS) == 0


def test_systemd_is_told(repository, tmp_path, socket_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(socket_path)
        manager.settimeout(HANGS)
        monkeypatch.setenv("NOTIFY_SOCKET", socket_path)
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        heard: list[str] = []

        def listen() -> None:
            while "STOPPING=1" not in heard:
                heard.extend(manager.recv(4096).decode().splitlines())

        listening = threading.Thread(target=listen, daemon=True)
        listening.start()
        write_config(tmp_path, repository, "")
        with serve(tmp_path) as served:
            await_fact(lambda: heard.count("WATCHDOG=1") > 2, "the watchdog was fed")
            served.tell(signal.SIGHUP)
            served.heard("reload")
            await_fact(lambda: heard.count("READY=1") > 1, "it was ready again")
            assert served.end()[0] == 0
        listening.join(HANGS)
    assert [word for word in heard if word in ("READY=1", "RELOADING=1", "STOPPING=1")] == [
        "READY=1",
        "RELOADING=1",
        "READY=1",
        "STOPPING=1",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits are seen there alone")
def test_each_harvest_may_open_its_files(repository: FakeRepository, tmp_path: Path) -> None:
    write_config(tmp_path, repository, "")
    before = psutil.Process().rlimit(psutil.RLIMIT_NOFILE)
    psutil.Process().rlimit(psutil.RLIMIT_NOFILE, (256, before[1]))
    try:
        with serve(tmp_path) as served:
            served.heard("serving")
            soft, hard = psutil.Process(served.process.pid).rlimit(psutil.RLIMIT_NOFILE)
            assert (soft, hard) == (min(4096, before[1]), before[1])
            assert served.end()[0] == 0
    finally:
        psutil.Process().rlimit(psutil.RLIMIT_NOFILE, before)
