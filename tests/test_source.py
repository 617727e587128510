"""Sources listed, switched off and on: what is printed, what config.toml holds, who is told."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from index.demo.repository import DemoRepository, sample_records
from index.demo.server import serve
from tests.commands import NOW, Ran, demo_folder, environment, inside, on_terminal, program_in, windrow

SOURCES = """
[sources.kar]
url = "https://kar.kent.ac.uk/cgi/oai2"
schedule = "every 6 hours"
details = "eprints"

# Ask Jim.
[sources.hull]
url = "https://hull.example/oai"
set = "7374"
enabled = false
"""

Run = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(SOURCES)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: Any) -> Run:
    return lambda *arguments: inside(folder, capsys, "source", *arguments)


def test_listed(run: Run) -> None:
    assert run("list").out.splitlines() == [
        "source  schedule       asks for          address",
        "kar     every 6 hours  oai_dc, details   https://kar.kent.ac.uk/cgi/oai2",
        "hull    disabled       oai_dc, set 7374  https://hull.example/oai",
    ]


def test_listed_as_json(run: Run) -> None:
    kar, hull = run("list", "--json").lines
    assert kar == {
        "name": "kar", "url": "https://kar.kent.ac.uk/cgi/oai2", "metadata_prefix": "oai_dc", "set": "",
        "details": "eprints", "schedule": "every 6 hours", "ca": "", "insecure": False, "details_gap": "1",
        "enabled": True, "configured": True,
    }  # fmt: skip
    assert (hull["name"], hull["enabled"]) == ("hull", False)


@pytest.mark.parametrize(("columns", "longest"), [(80, 80), (60, 60), (40, 60)])
def test_listed_on_terminals_of_any_width(folder: Path, columns: int, longest: int) -> None:
    """What each asks for goes first; then all stands one under the other. An address is not broken."""
    (folder / "config.toml").write_text(SOURCES.replace("sources.hull", f"sources.{'hull-' * 5}x"))
    lines = on_terminal(folder, "source", "list", columns=columns, NO_COLOR="1").splitlines()
    assert max(map(len, lines)) <= longest
    assert any("https://kar.kent.ac.uk/cgi/oai2" in line for line in lines)
    assert (lines[0].split()[:2] == ["source", "schedule"]) == (columns == 80)


def test_colours_where_they_are_wanted(folder: Path) -> None:
    assert "\x1b[33mdisabled\x1b[0m" in on_terminal(folder, "source", "list")
    assert "\x1b" not in on_terminal(folder, "source", "list", NO_COLOR="1")


def test_what_config_toml_has_no_more(tmp_path: Path, capsys: Any) -> None:
    folder = demo_folder(tmp_path)
    (folder / "config.toml").write_text("")
    (said,) = inside(folder, capsys, "source", "list").out.splitlines()
    assert said.startswith(f"demo is no longer in {folder}/config.toml; ")
    assert said.endswith(" until `windrow source remove demo`: 224 records.")
    assert inside(folder, capsys, "source", "list", "--json").lines == [{"name": "demo", "configured": False}]


def test_none(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "config.toml").write_text("")
    assert "No sources yet" in inside(tmp_path, capsys, "source", "list").out
    assert inside(tmp_path, capsys, "source", "list", "--json") == Ran(0, "", "")


def test_switched_off_and_on(run: Run, folder: Path) -> None:
    assert run("disable", "kar", "hull", "kar") == Ran(0, "kar is disabled.\nhull is disabled already.\n", "")
    with program_in(folder) as program:
        assert [source.enabled for source in program.settings.sources.values()] == [False, False]
    assert run("enable", "kar") == Ran(0, "kar is enabled.\n", "")
    assert (folder / "config.toml").read_text() == SOURCES


def test_a_name_that_is_none_switches_nothing(run: Run, folder: Path) -> None:
    ran = run("disable", "kar", "hul")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no source hul" in ran.err
    assert "did you mean hull?" in ran.err
    assert (folder / "config.toml").read_text() == SOURCES
    assert run("disable").code == 2


SERVES = """
import signal, sys
from pathlib import Path
from index.serving import serving
with serving(Path("data")):
    signal.signal(signal.SIGHUP, lambda *_: print("asked", flush=True))
    print("serving", flush=True)
    sys.stdin.read()
"""


@contextmanager
def served(folder: Path) -> Iterator[list[str]]:
    """A process that holds the data folder; once it has ended, what it was asked to do."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    start = [sys.executable, "-c", SERVES]
    with subprocess.Popen(start, cwd=folder, env=environment(), text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        asked: list[str] = []
        yield asked
        asked += process.communicate()[0].splitlines()


def test_whoever_serves_is_told(folder: Path) -> None:
    with served(folder) as asked:
        for arguments in (["disable", "kar"], ["enable", "hull"], ["remove", "hull", "--yes"]):
            ran = windrow(folder, "source", *arguments)
            assert "`windrow serve`, which is running, takes it up at once." in ran.err
        assert windrow(folder, "source", "disable", "kar") == Ran(0, "kar is disabled already.\n", "")
    assert asked == ["asked"] * 3


def test_whoever_serves_is_told_of_a_new_source_when_its_first_harvest_has_ended(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    with serve(DemoRepository(sample_records(), now=lambda: NOW)) as url, served(tmp_path) as asked:
        ran = windrow(tmp_path, "add", url, "--name", "demo", "--harvest")
    assert asked == ["asked"]
    assert ran.err.index("Next: windrow search") < ran.err.index("takes it up at once")


@pytest.mark.parametrize(("schedule", "next_"), [("every 1 days", "status"), ("", "harvest demo")])
def test_what_whoever_serves_harvests_needs_no_harvest(tmp_path: Path, schedule: str, next_: str) -> None:
    (tmp_path / "config.toml").write_text("")
    with serve(DemoRepository(sample_records(), now=lambda: NOW)) as url, served(tmp_path) as asked:
        ran = windrow(tmp_path, "add", url, "--name", "demo", "--schedule", schedule)
    assert asked == ["asked"]
    assert ran.err.endswith(f"takes it up at once.\nNext: windrow {next_}\n")


def test_one_who_cannot_be_told_is_named(folder: Path, run: Run) -> None:
    (folder / "data").mkdir()
    (folder / "data/serve.json").write_text('{"pid": 7, "started": 1790000000.5, "machine": "elsewhere"}')
    assert "(process 7 on elsewhere)" in run("disable", "kar").err
