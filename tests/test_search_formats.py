"""`windrow search --format`: hits as other programs read them."""

import csv
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from io import StringIO
from pathlib import Path

import pybtex.database
import pytest
import rispy

from tests.commands import KHAN, Ran, demo_folder, environment, inside, windrow

Run = Callable[..., Ran]
_GONE = "DELETE FROM records WHERE"
_BURIED = "UPDATE records SET deleted = 1, record = NULL WHERE"
LINES = ["jsonl", "ids", "csv", "ris", "bibtex"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return demo_folder(tmp_path)


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *arguments: inside(folder, capsys, "search", *arguments)


def ids(ran: Ran, format_name: str) -> list[str]:
    match format_name:
        case "json":
            return [hit["id"] for hit in ran.lines[0]["hits"]]
        case "jsonl":
            return [hit["id"] for hit in ran.lines]
        case "csv":
            return [row["id"] for row in csv.DictReader(StringIO(ran.out))]
        case "ris":
            return [one["id"] for one in rispy.loads(ran.out)]
        case "bibtex":
            return list(pybtex.database.parse_string(ran.out, "bibtex").entries)
    return ran.out.splitlines()


def test_the_same_hits_in_every_format(run: Run) -> None:
    wanted = ids(run("health", "--limit", "12", "--offset", "3", "--json"), "json")
    assert len(wanted) == 12
    for name in ["json", *LINES]:
        ran = run("health", "--limit", "12", "--offset", "3", "--format", name)
        assert (ran.code, ran.err) == (0, ""), name
        assert ids(ran, name) == wanted, name


def test_more_hits_than_a_page(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ids(run("*", "--sort", "newest", "--limit", "300", "--json"), "json")
    monkeypatch.setattr("index.cli.look._PAGE", 50)
    assert len(whole) == 224
    for limit in (49, 50, 51, 100, 224, 300):
        ran = run("*", "--sort", "newest", "--limit", str(limit), "--format", "ids")
        assert ran.out.splitlines() == whole[:limit]
    by_pages = run("*", "--sort", "newest", "--limit", "300", "--facet", "source", "--json").lines[0]
    assert [hit["id"] for hit in by_pages["hits"]] == whole
    assert by_pages["facets"]["source"] == [{"value": "demo", "count": 224}]
    told = run("*", "--limit", "300", "--facet", "type").out
    assert told.startswith("224 records, 1 to 224 (")
    assert "\n224. " in told
    assert told.count("\ntype\n") == 1


def test_json_is_format_json(run: Run) -> None:
    first, second = (run("khan", *wanted).lines[0] for wanted in (["--json"], ["--format", "json"]))
    assert first | {"took_ms": 0} == second | {"took_ms": 0}
    assert run("khan", "--json", "--format", "json").code == 0


def test_a_line_of_jsonl_is_a_hit_of_json(run: Run) -> None:
    assert run("health", "--format", "jsonl").lines == run("health", "--json").lines[0]["hits"]


def test_the_rows_have_what_a_librarian_wants(run: Run) -> None:
    (row,) = csv.DictReader(StringIO(run("author:khan", "--format", "csv").out))
    assert row["title"].startswith("What Is 'Really' Required")
    assert (row["creators"], row["year"], row["container"]) == ("Khan, Nagina", "2021", "Recovery in the Bin")
    assert row["keywords"].startswith("Coproduction; Recovery; ")


def test_a_citation_is_of_the_whole_record(run: Run) -> None:
    (reference,) = rispy.loads(run("author:khan", "--format", "ris").out)
    assert reference["keywords"][:2] == ["Coproduction", "Recovery"]
    assert reference["urls"] == ["https://kar.kent.ac.uk/id/eprint/111396"]
    entry = pybtex.database.parse_string(run("author:khan", "--format", "bibtex").out, "bibtex").entries[KHAN]
    assert (entry.type, entry.fields["year"]) == ("misc", "2021")


@pytest.mark.parametrize("name", LINES)
def test_nothing_found(run: Run, name: str) -> None:
    ran = run("zzzz", "--format", name, "--since", "0")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("id,title,") if name == "csv" else ran.out == ""


@pytest.mark.parametrize("name", LINES)
def test_what_has_no_place_in_it_is_told_beside(run: Run, name: str) -> None:
    ran = run("coproduction patagonia", "--format", name)
    assert ran.code == 0
    assert len(ids(ran, name)) > 0
    assert "some" in ran.err
    assert "Did you mean" in run("titel:health", "--format", name).err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--json", "--format", "csv"], "leave one of"),
        (["--format", "csv", "--facet", "type"], "no place for --facet"),
        (["--format", "docx"], "'docx'"),
    ],
)
def test_what_does_not_go_together(run: Run, arguments: list[str], says: str) -> None:
    ran = run("x", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


@pytest.mark.parametrize("name", ["ris", "bibtex"])
@pytest.mark.parametrize("change", [_GONE, _BURIED])
def test_what_the_store_no_longer_has_is_told(run: Run, folder: Path, name: str, change: str) -> None:
    before = ids(run("health", "--format", name), name)
    with closing(sqlite3.connect(folder / "data/windrow.db", isolation_level=None)) as connection:
        connection.execute(f"{change} identifier = ?", (before[0].partition("/")[2],))
    ran = run("health", "--format", name)
    assert ran.code == 3
    assert ids(ran, name) == before[1:]
    assert ran.err.startswith(f"{before[0]} is left out")
    assert "`windrow sync`" in ran.err


_WITHOUT_THE_STORE = """
import sys
from index.cli import run
code = run(sys.argv[1:])
assert not {"sqlalchemy", "rispy", "bibtexparser"} & set(sys.modules)
sys.exit(code)
"""


@pytest.mark.parametrize("name", ["table", "json", "jsonl", "ids", "csv"])
def test_the_others_open_no_store(folder: Path, name: str) -> None:
    (folder / "data/windrow.db").write_bytes(b"no store")
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_THE_STORE, "search", "khan", "--format", name],
        cwd=folder, env=environment(), capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


def test_in_a_process_of_its_own(folder: Path) -> None:
    ran = windrow(folder, "search", "author:khan", "--format", "bibtex")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"@misc{{{KHAN},\n")


class TestExport:
    @pytest.mark.parametrize("name", LINES[2:])
    def test_every_record(self, folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
        ran = inside(folder, capsys, "export", "--format", name)
        assert (ran.code, ran.err) == (0, "")
        assert len(set(ids(ran, name))) == 224

    @pytest.mark.parametrize("name", LINES[2:])
    def test_what_a_search_finds(self, folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
        found = inside(folder, capsys, "export", "--format", name, "--query", "author:khan")
        assert (found.code, ids(found, name)) == (0, [KHAN])

    def test_what_the_store_no_longer_has_is_told(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with closing(sqlite3.connect(folder / "data/windrow.db", isolation_level=None)) as connection:
            connection.execute(f"{_BURIED} identifier LIKE '%:111396'")
        ran = inside(folder, capsys, "export", "--query", "author:khan")
        assert (ran.code, ran.out) == (3, "")
        assert f"{KHAN} is left out" in ran.err
