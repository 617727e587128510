"""Saved searches, what is new of them, and what came since."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from filelock import FileLock

from harvester.clock import SystemClock
from harvester.config.keys import SORTS
from harvester.record import Record
from harvester.store import moments
from index.engine import Sort
from index.generations import Generations
from index.sync import Follower, rebuild, sync
from tests.commands import (
    KHAN,
    Ran,
    command,
    demo_folder,
    environment,
    inside,
    on_terminal,
    program_in,
    put,
    windrow,
)

SAVED = """
[searches.barnacles]
query = "barnacle OR limpet"
filters = ["type=article"]

[searches.everything]
query = "*"

[searches.old]
query = "health"
sort = "oldest"
"""

Run = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    demo_folder(tmp_path)
    with (tmp_path / "config.toml").open("a") as file:
        file.write(SAVED)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *arguments: inside(folder, capsys, "search", *arguments)


def works(*numbers: int, title: str = "A limpet", kind: str = "article") -> list[Record]:
    return [Record(identifier=f"oai:new:{at}", title=title, type=kind, formats=("oai_dc",)) for at in numbers]


def arrive(folder: Path, *records: Record, after: timedelta = timedelta(0)) -> None:
    """Stored and indexed, so long after now."""
    with program_in(folder) as program:
        with program.store.write() as connection:
            moments.note(connection, SystemClock().now() + after)
        put(program.store, *records)
        sync(program.store, program.generations, "tantivy")


def ids(ran: Ran) -> list[str]:
    assert ran.code == 0, ran.err
    return sorted(ran.out.split())


def new(run: Run, name: str = "@everything") -> list[str]:
    return ids(run(name, "--new", "--format", "ids"))


class TestSaved:
    def test_is_what_it_says(self, run: Run, folder: Path) -> None:
        arrive(folder, *works(1), *works(2, kind="book"), *works(3, title="A barnacle"))
        assert ids(run("@barnacles", "--format", "ids")) == ids(
            run("barnacle OR limpet", "--filter", "type=article", "--format", "ids")
        )
        assert (
            run("@old", "--json").lines[0]["hits"]
            == run("health", "--sort", "oldest", "--json").lines[0]["hits"]
        )
        assert run("@old", "--sort", "newest", "--format", "ids").out != run("@old", "--format", "ids").out

    def test_more_words_narrow_it(self, run: Run, folder: Path) -> None:
        arrive(folder, *works(1), *works(2, title="A limpet of Kent"), *works(3, title="Kent"))
        assert ids(run("@barnacles", "kent", "--format", "ids")) == ["demo/oai:new:2"]
        assert ids(run("@barnacles kent", "--format", "ids")) == ["demo/oai:new:2"]

    def test_more_filters_narrow_it(self, run: Run, folder: Path) -> None:
        """On the same field, too: they are no alternatives to its own."""
        arrive(folder, *works(1), *works(2, kind="book"))
        assert run("@barnacles", "--filter", "type=book", "--format", "ids").out == ""
        assert "demo/oai:new:1" in ids(run("@barnacles", "--filter", "source=demo", "--format", "ids"))

    def test_an_unknown_name(self, run: Run) -> None:
        ran = run("@barnacle")
        assert (ran.code, ran.out) == (2, "")
        assert "there is no saved search @barnacle; did you mean @barnacles?" in ran.err
        assert "leave the @ out" in ran.err

    @pytest.mark.parametrize("words", [["@zzz", "health"], ["@zzz health"], ["@ELIFE: a corpus"]])
    def test_what_begins_with_an_at_is_told_how_to_be_searched(self, run: Run, words: list[str]) -> None:
        ran = run(*words)
        assert ran.code == 2
        assert "leave the @ out" in ran.err
        assert "there are @barnacles, @everything, @old" in ran.err

    def test_an_at_elsewhere_is_a_sign_like_another(self, run: Run) -> None:
        assert run("health @ kent").code == 0
        assert run("@ health").code == 0

    def test_a_fault_of_its_query_points_at_it(self, run: Run, folder: Path) -> None:
        with (folder / "config.toml").open("a") as file:
            file.write('[searches.wrong]\nquery = "year:[2019 TO"\n')
        assert run("@wrong").code == 2
        assert "year:[2019 TO" in run("@wrong").err

    def test_sorts_are_those_of_the_index(self) -> None:
        assert tuple(sort.value for sort in Sort) == SORTS


class TestNew:
    def test_first_everything_then_what_came(self, run: Run, folder: Path) -> None:
        assert len(new(run)) == 224
        assert new(run) == []
        arrive(folder, *works(1, 2))
        assert new(run) == ["demo/oai:new:1", "demo/oai:new:2"]
        assert new(run) == []

    def test_each_search_has_a_mark_of_its_own(self, run: Run, folder: Path) -> None:
        new(run), new(run, "@barnacles")
        arrive(folder, *works(1), *works(2, title="Other"))
        assert new(run, "@barnacles") == ["demo/oai:new:1"]
        assert new(run) == ["demo/oai:new:1", "demo/oai:new:2"]

    def test_a_change_is_not_new(self, run: Run, folder: Path) -> None:
        arrive(folder, *works(1))
        new(run)
        arrive(folder, *works(1, title="Changed"))
        assert new(run) == []

    def test_few_are_not_made_more(self, run: Run, folder: Path) -> None:
        """What has some of the words only would be told as new."""
        with (folder / "config.toml").open("a") as file:
            file.write('[searches.both]\nquery = "limpet quahog"\n')
        new(run, "@both")
        arrive(folder, *works(1), *works(2, title="Limpet and quahog"))
        assert new(run, "@both") == ["demo/oai:new:2"]

    def test_people_read_it(self, run: Run, folder: Path) -> None:
        new(run)
        assert run("@everything", "--new").out.startswith("Nothing new (")
        arrive(folder, *works(1))
        assert run("@everything", "--new").out.startswith("1 record, 1 to 1 (")

    @pytest.mark.parametrize("name", ["table", "json", "jsonl", "csv", "ris", "bibtex"])
    def test_in_every_format(self, run: Run, folder: Path, name: str) -> None:
        new(run)
        arrive(folder, *works(1))
        assert "A limpet" in run("@everything", "--new", "--format", name).out
        assert "A limpet" not in run("@everything", "--new", "--format", name).out

    @pytest.mark.parametrize(
        "arguments",
        [
            ["health", "--new"],
            ["--new"],
            ["@old", "--new", "--limit", "5"],
            ["@old", "--new", "--offset", "5"],
            ["@old", "--new", "--since", "5"],
            ["@old", "more", "--new"],
            ["@old", "--new", "--filter", "type=book"],
            ["@old", "--new", "--like", KHAN],
        ],
    )
    def test_refuses_what_would_skip_records_for_ever(
        self, run: Run, folder: Path, arguments: list[str]
    ) -> None:
        ran = run(*arguments)
        assert (ran.code, ran.out) == (2, "")
        assert not (folder / "data/searches").exists()

    def test_a_fault_moves_no_mark(self, run: Run, folder: Path) -> None:
        with (folder / "config.toml").open("a") as file:
            file.write('[searches.wrong]\nquery = "year:[2019 TO"\n')
        assert run("@wrong", "--new").code == 2
        assert not (folder / "data/searches/wrong.json").exists()

    def test_a_rebuilt_index_has_nothing_new(self, run: Run, folder: Path) -> None:
        new(run)
        with program_in(folder) as program:
            rebuild(program.store, program.generations, "tantivy")
        assert new(run) == []

    def test_another_engine_has_nothing_new(self, run: Run, folder: Path) -> None:
        new(run)
        with program_in(folder) as program:
            sync(program.store, program.generations, "whoosh")
        assert new(run) == []
        arrive_whoosh = works(1)
        with program_in(folder) as program:
            put(program.store, *arrive_whoosh)
            sync(program.store, program.generations, "whoosh")
        assert new(run) == ["demo/oai:new:1"]

    def test_what_the_index_has_still_to_read_is_not_skipped(
        self, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A record that moved on before the index read it comes later, and is new all the same."""
        new(run)
        monkeypatch.setattr("index.sync._READ", 1)
        with program_in(folder) as program:
            put(program.store, *works(1, 2, 3))
            put(program.store, *works(1, title="Changed"))
            with Follower(program.store, program.generations.current()) as follower:
                follower.step()
                follower.commit()
                assert new(run) == []
                while follower.step():
                    pass
                follower.commit()
        assert new(run) == ["demo/oai:new:1", "demo/oai:new:2", "demo/oai:new:3"]


class TestTheMark:
    def mark(self, folder: Path) -> Any:
        return msgspec.json.decode((folder / "data/searches/everything.json").read_bytes())

    def test_is_a_small_file(self, run: Run, folder: Path) -> None:
        new(run)
        at = Generations(folder / "data/index").current().position
        assert self.mark(folder) == {"store_id": at.store_id, "position": 230}

    def test_of_another_store(self, run: Run, folder: Path) -> None:
        new(run)
        (folder / "data/searches/everything.json").write_text('{"store_id": "x", "position": 5}')
        ran = run("@everything", "--new", "--format", "ids")
        assert len(ids(ran)) == 224
        assert "@everything begins anew" in ran.err
        assert "another store" in ran.err
        assert new(run) == []

    def test_of_a_store_that_was_restored(self, run: Run, folder: Path) -> None:
        before = (folder / "data/windrow.db").read_bytes()
        arrive(folder, *works(1))
        assert len(new(run)) == 225
        for path in (folder / "data").glob("windrow.db*"):
            path.unlink()
        (folder / "data/windrow.db").write_bytes(before)
        with program_in(folder) as program:
            sync(program.store, program.generations, "tantivy")
        ran = run("@everything", "--new", "--format", "ids")
        assert len(ids(ran)) == 224
        assert "restored from an older copy" in ran.err
        assert new(run) == []

    def test_that_cannot_be_read(self, run: Run, folder: Path) -> None:
        new(run)
        (folder / "data/searches/everything.json").write_text("{")
        ran = run("@everything", "--new")
        assert (ran.code, ran.out) == (1, "")
        assert "remove it; then @everything begins anew" in ran.err

    def test_stays_where_the_reader_went_away(self, folder: Path, run: Run) -> None:
        """`| head -1` on more than a pipe holds."""
        arrive(folder, *works(*range(300), title="A limpet " * 100))
        process = subprocess.Popen(
            command("search", "@everything", "--new", "--format", "jsonl"),
            cwd=folder, env=environment(), stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 0
        assert not (folder / "data/searches/everything.json").exists()
        assert len(new(run)) == 524

    def test_stays_where_the_disk_is_full(self, folder: Path, run: Run) -> None:
        full = Path("/dev/full")
        if not full.exists():
            pytest.skip("this machine has no /dev/full")
        with full.open("w") as sink:
            done = subprocess.run(
                command("search", "@everything", "--new"), cwd=folder, env=environment(), stdout=sink,
                stderr=subprocess.DEVNULL, check=False,
            )  # fmt: skip
        assert done.returncode == 1
        assert not (folder / "data/searches/everything.json").exists()

    def test_stays_where_the_pager_was_quit(self, folder: Path, run: Run) -> None:
        arrive(folder, *works(*range(300), title="A limpet " * 100))
        on_terminal(folder, "search", "@everything", "--new", rows=5, PAGER="false")
        assert not (folder / "data/searches/everything.json").exists()
        on_terminal(folder, "search", "@everything", "--new", rows=5, PAGER="cat")
        assert new(run) == []

    @pytest.mark.parametrize("stops", [KeyboardInterrupt, SystemExit])
    def test_stays_where_we_were_stopped(
        self, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, stops: type[BaseException]
    ) -> None:
        def stop(*_: object) -> Iterator[None]:
            raise stops

        with monkeypatch.context() as patched:
            patched.setattr("index.cli.look.put_results", stop)
            with suppress(SystemExit):
                run("@everything", "--new")
        assert not (folder / "data/searches/everything.json").exists()

    def test_one_reader_at_a_time(self, folder: Path, run: Run) -> None:
        new(run)
        with FileLock(folder / "data/searches/everything.lock"):
            ran = run("@everything", "--new")
        assert (ran.code, ran.out) == (3, "")
        assert "another process prints what is new of @everything" in ran.err
        assert new(run) == []


class TestSince:
    def test_a_position(self, run: Run, folder: Path) -> None:
        arrive(folder, *works(1, 2))
        assert ids(run("*", "--since", "230", "--format", "ids")) == ["demo/oai:new:1", "demo/oai:new:2"]
        assert ids(run("*", "--since", "231", "--format", "ids")) == ["demo/oai:new:2"]
        assert ids(run("@barnacles", "--since", "231", "--format", "ids")) == ["demo/oai:new:2"]

    def test_few_are_not_made_more(self, run: Run, folder: Path) -> None:
        arrive(folder, *works(1), *works(2, title="Limpet and quahog"))
        assert ids(run("limpet quahog", "--since", "230", "--format", "ids")) == ["demo/oai:new:2"]

    def test_moves_no_mark(self, run: Run, folder: Path) -> None:
        run("@everything", "--since", "0")
        assert not (folder / "data/searches").exists()

    def test_a_date_in_the_time_zone_of_the_config(self, run: Run, folder: Path) -> None:
        tomorrow = (SystemClock().now() + timedelta(days=400)).replace(hour=2, minute=30)
        arrive(folder, *works(1), after=tomorrow - SystemClock().now())
        day = tomorrow.strftime("%Y-%m-%d")
        for zone, found in (("Etc/UTC", True), ("America/New_York", False), ("Asia/Tokyo", True)):
            (folder / "config.toml").write_text(f'[harvest]\ntimezone = "{zone}"\n')
            assert bool(ids(run("*", "--since", day, "--format", "ids"))) == found, zone

    @pytest.mark.parametrize(
        "text", ["2020-01-01", "2020-01-01T10:00", "2020-01-01T10:00:00Z", "20200101T10"]
    )
    def test_forms_of_a_date(self, run: Run, text: str) -> None:
        assert run("*", "--since", text, "--limit", "0").out.startswith("224 records")

    @pytest.mark.parametrize("text", ["yesterday", "2020-13-01", "-1", "1.5", ""])
    def test_what_is_none(self, run: Run, text: str) -> None:
        ran = run("*", f"--since={text}")
        assert (ran.code, ran.out) == (2, "")
        assert "nor a position" in ran.err

    def test_opens_no_store(self, run: Run, folder: Path) -> None:
        for path in (folder / "data").glob("windrow.db*"):
            path.unlink()
        assert windrow(folder, "search", "@everything", "--new", "--format", "ids").out.count("\n") == 224
        assert windrow(folder, "search", "*", "--since", "2020-01-01", "--json").code == 0
        assert not (folder / "data/windrow.db").exists()
