"""Past harvests as `windrow history` tells them, and those that run now above them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harvester.report import Report
from harvester.store import harvests, sources
from harvester.store.harvests import Checkpoint, Counts, Request
from tests.commands import Ran, inside, on_terminal, program_in, settings, sql
from tests.fakes.clock import FakeClock
from tests.fakes.repository import FakeRepository, serving
from tests.fakes.works import Works
from tests.held import held

Run = Callable[..., Ran]
COLOUR = re.compile(r"\x1b\[\d{1,2}m")


@pytest.fixture
def repository() -> Iterator[FakeRepository]:
    with serving(Works(60, FakeClock().now, page_size=10)) as repository:
        yield repository


@pytest.fixture
def folder(tmp_path: Path, repository: FakeRepository) -> Path:
    """Two sources of two hosts, where neither waits for the other's turn."""
    other = repository.url.replace("127.0.0.1", "localhost")
    (tmp_path / "config.toml").write_text(
        f'[sources.kar]\nurl = "{repository.url}"\n'
        f'[sources.hull]\nurl = "{other}"\nset = "74797065733D746865736973"\n'
    )
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *arguments: inside(folder, capsys, *arguments)


@pytest.fixture
def past(folder: Path) -> None:
    """Of kar five runs, of hull one between them; the last was cut off."""
    ends = ["complete", "complete", "partial", "hull", "verified", None]
    with program_in(folder) as program, program.store.write() as connection:
        for at, verdict in enumerate(ends):
            name = "hull" if verdict == "hull" else "kar"
            row = sources.ensure(connection, name, "").id
            request = Request("oai_dc", from_="2026-05-31T10:00:00Z" if at else "", full=not at)
            run = harvests.begin(connection, row, "", request, f"2026-06-0{at + 1}T12:00:00Z")
            counts = Counts(
                received=1200 - at, created=1000, updated=150, deleted=40, vanished=2, quarantined=3
            )
            harvests.save_checkpoint(connection, run, Checkpoint(pages=12, seconds=100.0, counts=counts))
            if verdict:
                told = {
                    "verdict": "failed" if name == "hull" else verdict,
                    "reason": f"because of {at}" if at > 1 else "",
                }
                harvests.end(
                    connection, run, finished=f"2026-06-0{at + 1}T12:01:40Z", error="", watermark=None, **told
                )


@pytest.mark.usefixtures("past")
class TestWhatIsPast:
    def test_the_newest_first(self, run: Run, folder: Path) -> None:
        heading, *lines = run("history").out.splitlines()
        assert heading.split() == [
            "began", "source", "verdict", "took", "since", "records", "created", "updated", "deleted",
            "quarantined", "rate",
        ]  # fmt: skip
        assert [" ".join(line.split()[4:7]) for line in lines if line[0] != " "] == [
            "kar cut off", "kar verified 1", "hull failed 1", "kar partial 1", "kar complete 1",
            "kar complete 1",
        ]  # fmt: skip
        assert re.fullmatch(
            r"0\d Jun 2026 \d\d:\d\d  kar     complete  1 min 40 s  2026-05-31    1,199    1,000      150"
            r"       42            3  12/s",
            lines[-2],
        )
        assert "2026-05-31" not in lines[-1], "it read the whole list"
        assert "    because of 3" in lines

    def test_of_one_source(self, run: Run) -> None:
        lines = run("history", "hull").out.splitlines()
        assert len(lines) == 3
        assert "source" not in lines[0]
        assert [line["source"] for line in run("history", "kar", "--json").lines] == ["kar"] * 5

    def test_so_many(self, run: Run) -> None:
        lines = run("history", "--limit", "4").out.splitlines()
        assert lines[-1] == "… and older ones: `--limit 8`"
        assert len([line for line in lines if " Jun 2026" in line]) == 4
        assert "older" not in run("history", "--limit", "6").out
        assert [line["started"][:10] for line in run("history", "--limit", "2", "--json").lines] == [
            "2026-06-06",
            "2026-06-05",
        ]

    def test_json(self, run: Run) -> None:
        newest, *_, oldest = run("history", "--json").lines
        assert list(oldest) == [
            *Report.__struct_fields__, "started", "from", "until", "rate", "progress",
        ]  # fmt: skip
        assert (oldest["verdict"], oldest["received"], oldest["from"], oldest["rate"]) == (
            "complete",
            1200,
            "",
            12,
        )
        assert (oldest["started"], oldest["finished"]) == ("2026-06-01T12:00:00Z", "2026-06-01T12:01:40Z")
        assert (newest["finished"], newest["progress"]) == (None, None)

    @pytest.mark.parametrize("columns", [160, 120, 80, 60, 40])
    def test_fits_terminals_of_any_width(self, folder: Path, columns: int) -> None:
        sent = on_terminal(folder, "history", columns=columns)
        assert max(len(COLOUR.sub("", line)) for line in sent.splitlines()) <= columns
        assert all(word in sent for word in ("hull", "cut off", "1,199", "because of 4"))
        assert "\x1b[32mverified\x1b[0m" in sent
        assert "\x1b" not in on_terminal(folder, "history", columns=columns, NO_COLOR="1")


@pytest.mark.parametrize(("zone", "began"), [("Asia/Tokyo", "21:00"), ("America/St_Johns", "09:30")])
@pytest.mark.usefixtures("past")
def test_began_is_in_the_zone_of_config_toml(run: Run, folder: Path, zone: str, began: str) -> None:
    settings(folder, f'[harvest]\ntimezone = "{zone}"\n')
    assert run("history").out.splitlines()[-1].startswith(f"01 Jun 2026 {began}  kar ")


def test_none_yet(run: Run) -> None:
    assert run("history") == Ran(0, "No harvest yet: windrow harvest\n", "")
    assert run("history", "kar") == Ran(0, "No harvest yet: windrow harvest kar\n", "")
    assert run("history", "--json") == Ran(0, "", "")
    ran = run("history", "kart")
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean kar?" in ran.err


def test_those_that_run_are_above_all_that_came_since(
    repository: FakeRepository, folder: Path, run: Run
) -> None:
    with held(repository, folder, 30, "kar") as harvest:
        run("harvest", "hull")
        first, second = run("history", "--limit", "2", "--json").lines
        assert (first["source"], second["source"], second["verdict"]) == ("kar", "hull", "complete")
        assert first["progress"]["expected"] == 60
        lines = run("history").out.splitlines()
        assert re.search(r" kar +running ", lines[1])
        assert re.match(rf"    \d0 of 60 records \(\d\d %\).*: process {harvest.process.pid} on ", lines[2])
        assert [line["source"] for line in run("history", "hull", "--json").lines] == ["hull"]
        harvest.process.kill()
        harvest.ended()
    assert [line["source"] for line in run("history", "--json").lines] == ["hull", "kar"]
    assert " cut off " in run("history", "kar").out


def test_where_a_harvest_went_on(run: Run) -> None:
    assert "went on" not in run("harvest", "kar", "--limit", "20").out
    ran = run("harvest", "kar", "--limit", "30")
    assert re.search(
        r"  30 records in 3 pages, \d\.\d s, went on at page 3 of about 6: 30 created\n", ran.out
    )
    assert ran.code == 3
    assert "    stopped after 30 records, as asked; went on at page 3 of about 6" in run("history").out
    assert "went on at page 4 of 6: 60 created" in run("harvest", "kar").out
    assert "    went on at page 4 of 6" in run("history").out.splitlines()
    (told,) = run("history", "--json").lines
    assert (told["resumed_after"], told["resumed_at_page"], told["expected_pages"]) == (30, 4, 6)


def test_where_one_that_runs_went_on(repository: FakeRepository, folder: Path, run: Run) -> None:
    run("harvest", "kar", "--limit", "20")
    with held(repository, folder, 40, "kar"):
        assert re.search(r": process \d+ on \S+; went on at page 3 of about 6\n", run("history").out)


def test_what_a_repository_says_drives_no_terminal(run: Run, folder: Path, past: None) -> None:
    sql(folder, "UPDATE harvests SET reason = 'because \x9b31m \u202e'")
    for arguments in ([], ["--json"]):
        assert not re.search(r"[\x1b\x9b\u202e]", run("history", *arguments).out)
