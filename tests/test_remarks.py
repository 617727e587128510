"""Why a hit was found, records like one, and what is said where nothing is found."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import KHAN, Ran, demo_folder, inside

Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    folder = demo_folder(tmp_path)
    with (folder / "config.toml").open("a") as file:
        file.write('[searches.none]\nquery = "coproducton"\n')
    return lambda *arguments: inside(folder, capsys, "search", *arguments)


class TestExplain:
    def test_says_how_the_query_was_understood(self, run: Run) -> None:
        told = run("author:khan AND recovery", "--explain").out.splitlines()
        assert re.fullmatch(r"understood as  .*khan.* AND .*recovery.*", told[1])

    def test_the_parts_are_below_their_score(self, run: Run) -> None:
        told = run("health coproduction", "--explain", "--limit", "1").out.splitlines()
        at = next(at for at, line in enumerate(told) if line.startswith("     score "))
        (whole,) = re.findall(r"[\d.]+", told[at])
        parts = [re.fullmatch(r" +([\d.]+)  (\S+)", line) for line in told[at + 1 : at + 3]]
        assert [part[2] for part in parts if part] == ["health", "coproduction"]
        assert sum(float(part[1]) for part in parts if part) == pytest.approx(float(whole), abs=0.001)

    def test_json(self, run: Run) -> None:
        (found,) = run("health", "--explain", "--json").lines
        assert found["parsed"] == "health"
        assert all(hit["parts"] for hit in found["hits"])
        assert "parts" in run("health", "--explain", "--format", "jsonl").lines[0]
        assert "parts" not in run("health", "--format", "jsonl").lines[0]

    @pytest.mark.parametrize("name", ["ids", "csv", "ris", "bibtex"])
    def test_has_no_place_in_the_others(self, run: Run, name: str) -> None:
        ran = run("health", "--explain", "--format", name)
        assert (ran.code, ran.out) == (2, "")


class TestLike:
    def test_finds_others(self, run: Run) -> None:
        ids = run("--like", KHAN, "--format", "ids").out.splitlines()
        assert len(ids) == 10
        assert KHAN not in ids

    def test_narrowed(self, run: Run) -> None:
        (found,) = run("--like", KHAN, "--filter", "type=thesis", "--json").lines
        assert {hit["type"] for hit in found["hits"]} == {"thesis"}

    def test_of_nobody(self, run: Run) -> None:
        ran = run("--like", "demo/nobody")
        assert (ran.code, ran.out) == (1, "")
        assert "no record demo/nobody" in ran.err


class TestNothingFound:
    def test_what_was_probably_meant(self, run: Run) -> None:
        ran = run("coproducton")
        assert ran.out.startswith("Nothing found (")
        assert ran.err.splitlines() == [
            "Records that have each of the words:",
            "         0  coproducton",
            "Did you mean  coproduction",
        ]

    def test_a_looser_query(self, run: Run) -> None:
        told = run("title:recovery AND type:image health").err.splitlines()
        assert told[0] == "Records that have each of the words:"
        assert told[-1] == "A looser query finds 26 records:  health"
        assert run("health").out.startswith("26 records")

    def test_without_the_filters(self, run: Run) -> None:
        told = run("health", "--filter", "type=patent").err
        assert told.endswith("Without the filters it finds 26 records.\n")

    @pytest.mark.parametrize("name", ["jsonl", "ids", "csv", "ris", "bibtex"])
    def test_told_beside_every_format(self, run: Run, name: str) -> None:
        ran = run("coproducton", "--format", name)
        assert ran.code == 0
        assert "Did you mean  coproduction" in ran.err

    def test_json_has_it_inside(self, run: Run) -> None:
        ran = run("coproducton", "--json")
        assert ran.err == ""
        assert ran.lines[0]["suggestion"] == "coproduction"

    @pytest.mark.parametrize("name", ["table", "jsonl", "json"])
    def test_no_news_is_no_fault_of_the_query(self, run: Run, name: str) -> None:
        ran = run("@none", "--new", "--format", name)
        assert (ran.code, ran.err) == (0, "")
        assert "coproduction" not in ran.out

    def test_whatever_was_asked_is_one_line_each(self, run: Run) -> None:
        told = run("zz\x1b[31mzz\u202ezz").err
        assert "\x1b" not in told
        assert "\u202e" not in told
