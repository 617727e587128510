"""Harvesting many sources from a terminal, and leaving alone those that are disabled."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands import Ran, inside, program_in, settings, windrow
from tests.fakes.clock import FakeClock
from tests.fakes.repository import FakeRepository, serving
from tests.fakes.works import Works

Run = Callable[..., Ran]


@pytest.fixture
def repository() -> Iterator[FakeRepository]:
    with serving(Works(3, FakeClock().now)) as repository:
        yield repository


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *arguments: inside(tmp_path, capsys, *arguments)


def write(folder: Path, *urls: str) -> None:
    (folder / "config.toml").write_text("")
    for at, url in enumerate(urls):
        settings(folder, f'[sources.s{at:02}]\nurl = "{url}/{at}"\n')


def names(ran: Ran) -> list[str]:
    return [line["source"] for line in ran.lines]


def test_it_is_said_first_what_will_be_done(tmp_path: Path, repository: FakeRepository, run: Run) -> None:
    write(tmp_path, *[repository.url] * 20, repository.url.replace("127.0.0.1", "localhost"))
    run("harvest", "s03")
    ran = windrow(tmp_path, "harvest", "--json")
    assert ran.code == 0
    assert names(ran) == [f"s{at:02}" for at in range(21)]
    said, *_, tallied = ran.err.splitlines()
    assert said == (
        "21 sources on 2 hosts, 20 of them for the first time, one after the other. Ctrl-C is safe: what "
        "came is kept, and the same command goes on from there. `windrow serve` does this in the background, "
        "several hosts at a time."
    )
    assert tallied == "21 sources: 21 complete. `windrow status` says how each stands."
    assert "on 2 hosts, one after the other" in run("harvest", "--json").err


def test_of_a_few_nothing_is_said(tmp_path: Path, repository: FakeRepository, run: Run) -> None:
    write(tmp_path, *[repository.url] * 20)
    assert run("harvest", "--json").err == ""


def test_disabled_ones_are_left_alone_unless_they_are_named(
    tmp_path: Path, repository: FakeRepository, run: Run
) -> None:
    write(tmp_path, *[repository.url] * 4)
    run("source", "disable", "s01", "s02")
    ran = run("harvest", "--json")
    assert (names(ran), ran.err) == (["s00", "s03"], "Left alone, as they are disabled: s01, s02\n")
    with program_in(tmp_path) as program:
        assert "s01" in program.settings.sources
    assert names(run("harvest", "--json", "s02", "s00")) == ["s02", "s00"]


def test_all_of_them_disabled(tmp_path: Path, repository: FakeRepository, run: Run) -> None:
    write(tmp_path, *[repository.url] * 2)
    run("source", "disable", "s00", "s01")
    ran = run("harvest")
    assert (ran.code, ran.out) == (2, "")
    assert "all sources are disabled" in ran.err
    assert "→ `windrow source enable NAME` changes that" in ran.err
    assert repository.log == []
