"""The command line, as people and scripts meet it: output, exit codes, and every bad turn it can take."""

import re
import signal
import socket
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree

from harvester.harvest import harvest
from harvester.record import Name, Record
from index.demo.repository import DemoRepository, sample_records
from index.demo.server import serve
from index.generations import Generation, Generations
from index.sync import sync
from tests.commands import (
    KHAN,
    NOW,
    WITHOUT_PRIVILEGES,
    Gate,
    Ran,
    answering,
    command,
    demo_folder,
    environment,
    files_up_to,
    inside,
    on_terminal,
    point_to,
    program_in,
    put,
    settings,
    sql,
    terminal,
    windrow,
)
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.faults import verb
from tests.fakes.repository import serving
from tests.fakes.works import Works
from tests.whole import assert_sound

HARVEST_KEYS = [
    "source", "verdict", "reason", "pages", "received", "created", "updated", "unchanged", "deleted",
    "quarantined", "vanished", "held", "repaired", "requests", "seconds", "watermark", "finished", "error",
    "resumed_after", "resumed_at_page", "expected_pages",
]  # fmt: skip
SEARCH_KEYS = [
    "query",
    "total",
    "loosened",
    "with_all",
    "suggestion",
    "hits",
    "facets",
    "more_values",
    "words",
    "looser",
    "took_ms",
]
HIT_KEYS = ["id", "score", "title", "creators", "year", "type", "source", "landing_url", "snippet"]

Run = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return demo_folder(tmp_path)


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command in `folder`, in this process."""
    return lambda *arguments: inside(folder, capsys, *arguments)


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command where there is no config.toml yet."""
    return lambda *arguments: inside(tmp_path, capsys, *arguments)


@pytest.fixture(scope="module")
def live() -> Iterator[str]:
    """The address of the sample repository."""
    with serve(DemoRepository(sample_records(), now=lambda: NOW)) as url:
        yield url


@pytest.fixture
def current(folder: Path) -> Generation:
    return Generations(folder / "data/index").current()


def assert_whole(folder: Path) -> None:
    """Nothing is wrong; and after one more harvest nothing is missing."""
    assert_sound(folder)
    with program_in(folder) as program:
        source = program.settings.sources["demo"]
        assert harvest(source, program.store, program.transport(), program.clock).verdict == "complete"
        sync(program.store, program.generations, "tantivy")
        assert program.searcher().count() == 224
    assert_sound(folder)


class TestUsage:
    def test_help_groups_the_commands(self, empty: Run) -> None:
        ran = empty("--help")
        groups = {}
        for line in ran.out.split("Look:")[1].join(["Look:", ""]).splitlines():
            if line.endswith(":"):
                groups[line[:-1]] = []
            elif line.strip():
                groups[list(groups)[-1]].append(line.split()[0])
        assert ran.code == 0
        assert list(groups) == ["Look", "Fetch", "Mend", "Give", "Set up"]
        assert groups["Look"] == ["search", "show", "quality", "status", "history"]
        assert {"add", "check", "harvest", "demo"} <= set(groups["Fetch"])
        assert {"verify", "sync", "rebuild"} <= set(groups["Mend"])
        assert {"changes", "export"} <= set(groups["Give"])

    def test_version(self, empty: Run) -> None:
        assert re.fullmatch(r"windrow, version \d+\.\d+\.\d+\n", empty("--version").out)

    @pytest.mark.parametrize(
        "arguments",
        [
            ["serch"],
            ["--nope"],
            ["search", "--nope"],
            ["search", "x", "--sort", "size"],
            ["search", "x", "--limit", "many"],
            ["search", "x", "--offset", "99999999999999999999"],
            ["changes", "--since", "99999999999999999999"],
            ["changes", "--since", "-1"],
            ["show"],
            ["add"],
            ["check"],
            ["harvest", "--from", "yesterday"],
            ["harvest", "--limit", "0"],
            ["export", "--format", "docx"],
        ],
    )
    def test_wrong_usage(self, run: Run, arguments: list[str]) -> None:
        ran = run(*arguments)
        assert (ran.code, ran.out) == (2, "")
        assert "Error:" in ran.err

    def test_a_command_that_was_probably_meant(self, empty: Run) -> None:
        assert "Did you mean search?" in empty("serch").err

    @pytest.mark.parametrize("name", ["search", "show", "status", "harvest", "verify", "sync", "changes"])
    def test_without_a_config(self, empty: Run, tmp_path: Path, name: str) -> None:
        ran = empty(name, *(["x"] if name == "show" else []))
        assert (ran.code, ran.out) == (2, "")
        assert f"there is no {tmp_path / 'config.toml'}" in ran.err
        assert "`windrow add URL`" in ran.err
        assert list(tmp_path.iterdir()) == []

    def test_the_environment_names_the_config(self, folder: Path, tmp_path_factory: Any) -> None:
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        ran = windrow(elsewhere, "search", "khan", env={"WINDROW_CONFIG": str(folder / "config.toml")})
        assert (ran.code, list(elsewhere.iterdir())) == (0, [])
        assert "Khan, Nagina" in ran.out

    def test_an_argument_that_is_no_text(self, folder: Path) -> None:
        for arguments in (
            ["search", "\udcff", "khan"],
            ["search", "type:\udcff", "--json"],
            ["show", "\udcff"],
        ):
            ran = windrow(folder, *arguments)
            assert "Traceback" not in ran.err

    def test_a_locale_that_lacks_the_letters(self, folder: Path) -> None:
        ran = windrow(folder, "search", "schwa", "--json", env={"PYTHONIOENCODING": "ascii"})
        assert "français" in ran.lines[0]["hits"][0]["title"]


class TestFromAnAddressToASearch:
    def test_in_two_commands(self, tmp_path: Path, live: str) -> None:
        added = windrow(tmp_path, "add", live, "--name", "kar", "--harvest")
        assert added.code == 0
        assert "kar  complete" in added.out
        assert "[sources.kar]" in added.err
        assert "windrow search" in added.err
        found = windrow(tmp_path, "search", "author:khan")
        assert (found.code, found.err) == (0, "")
        assert "What Is 'Really' Required To Incorporate The User Narrative" in found.out
        assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml", "data"]
        assert_sound(tmp_path)

    def test_add_says_what_it_wrote(self, empty: Run, tmp_path: Path, live: str) -> None:
        ran = empty("add", live)
        assert (ran.code, ran.out) == (0, "")
        assert "Windrow's sample repository (EPrints): 230 records." in ran.err
        block = (tmp_path / "config.toml").read_text()
        assert block in ran.err
        assert f'url = "{live}"' in block
        assert "Next: windrow harvest " in ran.err

    @pytest.mark.parametrize(
        ("given", "written"), [(None, "every 6 hours"), ("30 3 * * 1-5", "30 3 * * 1-5"), ("", None)]
    )
    def test_add_writes_a_schedule(
        self, empty: Run, tmp_path: Path, live: str, given: str | None, written: str | None
    ) -> None:
        assert (
            empty("add", live, "--name", "kar", *([] if given is None else ["--schedule", given])).code == 0
        )
        config = tomllib.loads((tmp_path / "config.toml").read_text())
        assert config["sources"]["kar"].get("schedule") == written

    def test_add_refuses_a_schedule_that_is_none(self, empty: Run, tmp_path: Path, live: str) -> None:
        ran = empty("add", live, "--schedule", "daily")
        assert (ran.code, "a cron line of five fields" in ran.err) == (2, True)
        assert not (tmp_path / "config.toml").exists()

    @pytest.mark.parametrize(
        ("option", "given", "told"),
        [("--schedule", "daily", "a cron line of five fields"), ("--name", "A b", "a letter or digit first")],
    )
    def test_add_asks_nobody_where_what_was_given_is_at_fault(
        self, empty: Run, option: str, given: str, told: str
    ) -> None:
        ran = empty("add", "http://127.0.0.1:1/oai", option, given)
        assert (ran.code, told in ran.err, "127.0.0.1:1" in ran.err) == (2, True, False), ran.err

    def test_a_set_and_a_prefix(self, empty: Run, tmp_path: Path, live: str) -> None:
        empty("add", live, "--name", "few", "--prefix", "eprints", "--set", "7375626A656374733D48")
        harvested = empty("harvest", "--json").lines[0]
        assert 0 < harvested["received"] < 100
        assert harvested["verdict"] == "complete"

    def test_the_same_address_twice(self, empty: Run, tmp_path: Path, live: str) -> None:
        empty("add", live, "--name", "kar")
        before = (tmp_path / "config.toml").read_bytes()
        for name in ("kar", "other"):
            ran = empty("add", live, "--name", name)
            assert (ran.code, ran.out) == (2, "")
            assert "already" in ran.err
            assert (tmp_path / "config.toml").read_bytes() == before

    def test_comments_are_kept(self, empty: Run, tmp_path: Path, live: str) -> None:
        mine = '# mine\n[harvest]\ncontact = "me@example.ac.uk"  # to be reached\n'
        (tmp_path / "config.toml").write_text(mine)
        assert empty("add", live, "--name", "kar").code == 0
        assert (tmp_path / "config.toml").read_text().startswith(mine)

    @pytest.mark.parametrize("name", ["Kar", "a b", "../x", ""])
    def test_a_name_that_cannot_be(self, empty: Run, tmp_path: Path, live: str, name: str) -> None:
        ran = empty("add", live, "--name", name or "-")
        assert ran.code == 2
        assert not (tmp_path / "config.toml").exists()


class TestCheck:
    def test_says_what_is_there(self, empty: Run, tmp_path: Path, live: str) -> None:
        ran = empty("check", live)
        assert ran.code == 0
        assert "EPrints" in ran.out
        assert "230, 50 a page" in ran.out
        assert "7375626A656374733D42 (subjects=B)" in ran.out  # EPrints' hexadecimal names
        assert f'url = "{live}"' in ran.out
        assert list(tmp_path.iterdir()) == []

    def test_json(self, empty: Run, live: str) -> None:
        (found,) = empty("check", live, "--json").lines
        assert list(found) == [
            "url", "name", "software", "protocol_version", "earliest", "granularity", "deleted_record",
            "formats", "records", "page_size", "sets", "details", "notes", "source",
        ]  # fmt: skip
        assert {"spec": "7374617475733D707562", "name": "Status = Published", "meaning": "status=pub"} in (
            found["sets"]
        )
        assert (found["records"], found["page_size"], found["formats"]) == (230, 50, ["oai_dc", "eprints"])

    @pytest.mark.parametrize(
        ("status", "media_type", "body"),
        [
            (200, "text/html", b"<!DOCTYPE html><html><head><title>Welcome</title></head><p>Hi</html>"),
            (404, "text/html", b"<html><h1>Not Found</h1></html>"),
            (200, "text/xml", b""),
            (200, "application/rss+xml", b'<rss version="2.0"><channel><title>News</title></channel></rss>'),
        ],
        ids=["html", "404", "empty", "rss"],
    )
    @pytest.mark.parametrize("name", ["check", "add"])
    def test_what_is_no_repository(
        self, empty: Run, tmp_path: Path, name: str, status: int, media_type: str, body: bytes
    ) -> None:
        with answering(status, media_type, body) as url:
            ran = empty(name, url)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith(f"windrow: {url}")
        assert "/cgi/oai2" in ran.err  # where to look instead
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["check", "add"])
    def test_where_nobody_answers(self, empty: Run, tmp_path: Path, name: str) -> None:
        with closing(socket.socket()) as taken:
            taken.bind(("127.0.0.1", 0))  # and nobody listens
            ran = empty(name, f"http://127.0.0.1:{taken.getsockname()[1]}/oai")
        assert (ran.code, ran.out) == (1, "")
        assert "cannot be reached" in ran.err
        assert "  → check the address" in ran.err
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "url", ["ftp://x.org", "http://[::1", "", "http://", "https:///oai", "file:///etc"]
    )
    def test_what_is_no_address(self, empty: Run, tmp_path: Path, url: str) -> None:
        ran = empty("add", url)
        assert (ran.code, ran.out) == (2, "")
        assert "is no address on the web" in ran.err
        assert list(tmp_path.iterdir()) == []


class TestHarvest:
    def test_json(self, folder: Path, live: str) -> None:
        point_to(folder, live)
        ran = windrow(folder, "harvest", "--json")
        assert (ran.code, ran.err) == (0, "")
        (line,) = ran.lines
        assert list(line) == HARVEST_KEYS
        kinds = ("created", "updated", "unchanged", "deleted", "quarantined")
        assert line["received"] == sum(line[kind] for kind in kinds) == 230
        assert (line["verdict"], line["unchanged"], line["error"]) == ("complete", 230, "")

    def test_a_person_reads_it(self, run: Run, folder: Path, live: str) -> None:
        point_to(folder, live)
        assert "demo  complete\n  230 records in 5 pages, " in run("harvest", "demo").out
        assert "  1 record in 1 page, " in run("harvest").out

    def test_the_index_follows(self, tmp_path: Path, empty: Run, live: str) -> None:
        point_to(tmp_path, live)
        assert empty("harvest").code == 0
        assert empty("status", "--json").lines[0]["index"] == {
            "engine": "tantivy", "documents": 224, "position": 230, "lag": 0
        }  # fmt: skip

    def test_only_a_part(self, tmp_path: Path, empty: Run, live: str) -> None:
        point_to(tmp_path, live)
        ran = empty("harvest", "--limit", "60")
        assert ran.code == 3
        assert "demo  partial: stopped after 100 records, as asked" in ran.out
        assert "→ to go on from there: windrow harvest demo" in ran.out
        assert empty("harvest", "--json").lines[0]["received"] == 230
        assert empty("verify").code == 0

    def test_a_window(self, tmp_path: Path, empty: Run, live: str) -> None:
        point_to(tmp_path, live)
        ran = empty("harvest", "--from", "2020-01-01", "--until", "2021-12-31", "--json")
        assert 0 < ran.lines[0]["received"] < 230
        assert ran.lines[0]["watermark"] is None

    def test_one_source_of_two_fails(self, tmp_path: Path, empty: Run, live: str) -> None:
        point_to(tmp_path, live)
        with answering(404, "text/html", b"<html>gone</html>") as gone:
            settings(tmp_path, f'\n[sources.gone]\nurl = "{gone}"\n')
            both = empty("harvest", "--json")
            alone = empty("harvest", "gone")
        assert both.code == 3
        assert [line["verdict"] for line in both.lines] == ["complete", "failed"]
        assert both.lines[1]["error"]
        assert alone.code == 1
        assert "gone  failed" in alone.out

    def test_a_source_that_is_not_there(self, run: Run) -> None:
        ran = run("harvest", "dmo")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == "windrow: there is no source dmo\n  → did you mean demo?\n"

    def test_no_sources(self, tmp_path: Path, empty: Run) -> None:
        (tmp_path / "config.toml").write_text("")
        ran = empty("harvest")
        assert ran.code == 2
        assert "has no sources" in ran.err
        assert "`windrow add URL`" in ran.err

    def test_a_set_that_does_not_exist(self, tmp_path: Path, empty: Run, live: str) -> None:
        point_to(tmp_path, live, set="7375626A656374733D58585858")
        ran = empty("harvest")
        assert ran.code == 1
        assert "set" in ran.out
        assert f"`windrow check {live}`" in ran.out

    def test_a_prefix_that_does_not_exist(self, tmp_path: Path, empty: Run, live: str) -> None:
        point_to(tmp_path, live, metadata_prefix="marc21")
        ran = empty("harvest")
        assert ran.code == 1
        assert "marc21" in ran.out


class TestHarvestsMeeting:
    @pytest.fixture
    def gate(self) -> Iterator[Gate]:
        gate = Gate()
        with serve(gate):
            yield gate
            gate.open.set()

    @pytest.fixture
    def first(self, tmp_path: Path, gate: Gate) -> Iterator[subprocess.Popen[bytes]]:
        """A harvest in the middle of its list."""
        point_to(tmp_path, gate.base_url)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started = subprocess.Popen(command("harvest"), cwd=tmp_path, env=environment(), **pipes)
        with started:
            assert gate.reached.wait(60)
            yield started
            gate.open.set()

    def test_the_second_is_told_who_is_at_it(
        self, tmp_path: Path, gate: Gate, first: subprocess.Popen[bytes]
    ) -> None:
        second = windrow(tmp_path, "harvest")
        assert second.code == 3
        assert f"demo is being harvested by process {first.pid} on {socket.gethostname()}" in second.err
        assert "→ wait for it to end" in second.err
        gate.open.set()
        out, _ = first.communicate()
        assert first.returncode == 0
        assert b"demo  complete" in out
        assert_whole(tmp_path)

    @pytest.mark.parametrize(
        ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
    )
    def test_stopped_in_the_middle(
        self, tmp_path: Path, gate: Gate, first: subprocess.Popen[bytes], sent: signal.Signals, code: int
    ) -> None:
        first.send_signal(sent)
        gate.open.set()
        _, err = first.communicate()  # until the follower has ended, too: it holds the same pipe
        assert first.returncode == code
        assert b"Traceback" not in err
        assert_whole(tmp_path)


class TestSearch:
    def test_json(self, run: Run) -> None:
        ran = run("search", "khan coproduction", "--json", "--facet", "type", "--filter", "year=2021")
        (found,) = ran.lines
        assert ran.err == ""
        assert sorted(found) == sorted(SEARCH_KEYS)
        assert list(found["hits"][0]) == HIT_KEYS
        assert found["hits"][0]["id"] == KHAN
        assert list(found["facets"]["type"][0]) == ["value", "count"]
        assert not {"\x02", "\x03", "\x1b"} & set(ran.out)

    def test_a_person_reads_it(self, run: Run) -> None:
        ran = run("search", "author:khan", "--facet", "type")
        assert ran.out.startswith("1 record, 1 to 1 (")
        assert "     Khan, Nagina · 2021 · web · demo\n" in ran.out
        assert "\ntype\n         1  web\n" in ran.out
        assert (ran.code, ran.err) == (0, "")

    def test_nothing_found(self, run: Run) -> None:
        ran = run("search", "zebraquagga")
        assert ran.code == 0
        assert ran.err == "Records that have each of the words:\n         0  zebraquagga\n"
        assert ran.out.startswith("Nothing found")
        assert run("search", "zebraquagga", "--json").lines[0]["total"] == 0

    def test_suggestions_are_talk(self, run: Run) -> None:
        ran = run("search", "titel:fish")
        assert "title:fish" in ran.err
        assert "title:fish" not in ran.out

    def test_words_need_no_quotes(self, run: Run) -> None:
        assert run("search", "mental", "health", "--json").lines[0]["query"] == "mental health"

    @pytest.mark.parametrize(
        ("query", "caret", "message"),
        [
            ("year:[2019 TO", 5, "the range does not end"),
            ("fish AND", 5, "AND has nothing after it"),
            ("  year:soon", 7, "year cannot be soon"),
        ],
    )
    def test_a_fault_is_pointed_at(self, run: Run, query: str, caret: int, message: str) -> None:
        ran = run("search", query)
        assert (ran.code, ran.out) == (2, "")
        said, shown, pointer, advice = ran.err.splitlines()
        assert said == f"windrow: {message}"
        assert shown == f"  {query}"
        assert pointer.index("^") == caret + 2
        assert advice.startswith("  → ")

    def test_a_long_query_is_cut_around_its_fault(self, run: Run) -> None:
        ran = run("search", "fish " * 200 + "year:[2019 TO")
        _, shown, pointer, _ = ran.err.splitlines()
        assert len(shown) < 100
        assert shown[pointer.index("^")] == "["

    @pytest.mark.parametrize("arguments", [["--facet", "colour"], ["--filter", "colour=red"]])
    def test_unknown_fields(self, run: Run, arguments: list[str]) -> None:
        ran = run("search", "fish", *arguments)
        assert (ran.code, ran.out) == (2, "")
        assert "publisher" in ran.err


class TestShow:
    @pytest.mark.parametrize(
        "name",
        [
            KHAN,
            "oai:windrow.example:111396",
            "111396",
            "https://kar.kent.ac.uk/id/eprint/111396",
            "https://kar.kent.ac.uk/id/eprint/111396/",
            "0000-0003-3870-2609",
        ],
    )
    def test_by_any_name(self, run: Run, name: str) -> None:
        ran = run("show", name)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith("Khan, Nagina (2021). What Is 'Really' Required")
        for fact in ("Khan, Nagina · 0000-0003-3870-2609", "CC-BY-NC-ND-4.0", "295 kB", "Recovery in"):
            assert fact in ran.out

    def test_by_doi(self, run: Run) -> None:
        found = run("search", "type:article", "--json", "--limit", "100").lines[0]["hits"]
        records = [run("show", hit["id"], "--json").lines[0] for hit in found]
        known = next(record for record in records if record["doi"])
        for name in (known["doi"], known["doi"].upper(), f"https://doi.org/{known['doi']}"):
            assert run("show", name, "--json").lines[0]["id"] == known["id"]

    def test_json_is_the_record(self, run: Run) -> None:
        (record,) = run("show", "111396", "--json").lines
        assert list(record) == list(Record.__struct_fields__)
        assert (record["id"], record["year"], record["type"]) == (KHAN, 2021, "web")

    def test_raw_is_the_xml(self, run: Run) -> None:
        ran = run("show", "111396", "--raw")
        assert b"<eprintid>111396</eprintid>" in etree.tostring(etree.fromstring(ran.out.encode()))
        assert ran.err == "list: as the list had it (2,107 bytes)\n"

    def test_unknown(self, run: Run) -> None:
        ran = run("show", "42424242")
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == "windrow: no record answers to 42424242\n  → try `windrow search 42424242`\n"

    def test_ambiguous(self, run: Run, folder: Path) -> None:
        with program_in(folder) as program:
            put(program.store, *(Record(identifier=f"oai:{x}:7", formats=("oai_dc",)) for x in "ab"))
            sync(program.store, program.generations, "tantivy")
        ran = run("show", "7")
        assert (ran.code, ran.out) == (2, "")
        assert "2 records answer to 7: " in ran.err
        assert {"demo/oai:a:7", "demo/oai:b:7"} <= set(re.split(r"[ ,\n]+", ran.err))

    def test_a_tombstone(self, run: Run, folder: Path) -> None:
        (identifier,) = sql(folder, "SELECT identifier FROM records WHERE deleted")
        ran = run("show", identifier)
        assert ran.code == 0
        assert f"demo/{identifier} was deleted by its repository" in ran.out
        assert run("show", identifier, "--json").lines[0]["deleted"] is True

    def test_what_only_the_index_still_has(self, run: Run, folder: Path) -> None:
        sql(folder, "UPDATE records SET identifier = 'oai:moved' WHERE identifier LIKE '%:111396'")
        ran = run("show", "111396")
        assert (ran.code, ran.out) == (1, "")
        assert "→ run `windrow sync`" in ran.err

    def test_without_an_index(self, run: Run, folder: Path) -> None:
        (folder / "data/index/current").unlink()
        assert run("show", "oai:windrow.example:111396").code == 0
        ran = run("show", "111396")
        assert ran.code == 1
        assert "only full ids and OAI identifiers are known" in ran.err


class TestChanges:
    def test_json(self, run: Run) -> None:
        lines = run("changes").lines
        assert [list(line) for line in lines] == [["position", "op", "id", "record"]] * 230
        assert [line["position"] for line in lines] == list(range(1, 231))
        gone = [line for line in lines if line["op"] == "delete"]
        assert [line["record"] for line in gone] == [None] * 6
        assert {line["op"] for line in lines} == {"upsert", "delete"}
        assert list(lines[0]["record"]) == list(Record.__struct_fields__)

    def test_from_a_position(self, run: Run) -> None:
        assert [line["position"] for line in run("changes", "--since", "227").lines] == [228, 229, 230]
        assert [line["position"] for line in run("changes", "--since", "5", "--limit", "2").lines] == [6, 7]
        assert run("changes", "--since", "230") == Ran(0, "", "")

    def test_batches_make_the_whole(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = run("changes").out
        monkeypatch.setattr("index.cli.give._BATCH", 7)
        assert run("changes").out == whole
        assert len(run("changes", "--limit", "15").lines) == 15

    @pytest.mark.parametrize("arguments", [["changes"], ["export"], ["search", "--limit", "300", "--json"]])
    def test_a_reader_who_has_seen_enough(self, folder: Path, arguments: list[str]) -> None:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command(*arguments), cwd=folder, env=environment(), **pipes)
        with process:
            assert process.stdout is not None
            process.stdout.read(10)
            process.stdout.close()
            assert process.stderr is not None
            assert process.stderr.read() == b""
        assert process.returncode == 0


class TestExport:
    def test_all(self, run: Run) -> None:
        lines = run("export").lines
        assert len(lines) == 224
        assert not any(line["deleted"] for line in lines)
        assert [list(line) for line in lines] == [list(Record.__struct_fields__)] * 224

    def test_what_a_search_finds(self, run: Run) -> None:
        assert [line["id"] for line in run("export", "--query", "author:khan").lines] == [KHAN]
        assert [line["id"] for line in run("export", "--query", "111396").lines] == [KHAN]
        total = run("search", "health", "--json").lines[0]["total"]
        assert len(run("export", "--query", "health").lines) == total > 10

    def test_pages_make_the_whole(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = {line["id"] for line in run("export", "--query", "*").lines}
        monkeypatch.setattr("index.cli.give._BATCH", 50)
        assert {line["id"] for line in run("export", "--query", "*").lines} == whole
        assert len(whole) == 224

    def test_one_source(self, run: Run, folder: Path) -> None:
        with program_in(folder) as program:
            put(program.store, Record(identifier="a", title="Khan", formats=("oai_dc",)), source="other")
            sync(program.store, program.generations, "tantivy")
        assert [line["id"] for line in run("export", "--source", "other").lines] == ["other/a"]
        assert [line["id"] for line in run("export", "--source", "other", "--query", "khan").lines] == [
            "other/a"
        ]
        assert len(run("export", "--source", "demo").lines) == 224

    def test_an_unknown_source(self, run: Run) -> None:
        ran = run("export", "--source", "dmo")
        assert (ran.code, ran.out) == (2, "")
        assert "did you mean demo?" in ran.err

    def test_a_query_that_means_nothing(self, run: Run) -> None:
        ran = run("export", "--query", "year:[2019 TO")
        assert (ran.code, ran.out) == (2, "")


class TestSyncAndRebuild:
    def test_json(self, run: Run) -> None:
        ran = run("sync", "--json")
        assert ran.lines == [{"position": 230, "indexed": 0, "removed": 0, "rebuilt": ""}]
        assert run("rebuild", "--json").lines == [
            {"position": 230, "indexed": 224, "removed": 6, "rebuilt": ""}
        ]  # fmt: skip

    def test_people_read_it(self, run: Run) -> None:
        assert run("sync").out == "0 records indexed, 0 removed.\n"
        assert run("rebuild").out == "224 records indexed by tantivy.\n"

    def test_an_index_of_another_version(self, run: Run, folder: Path, current: Generation) -> None:
        current.save(msgspec.structs.replace(current.position, schema_version=0))
        before = (folder / "data/windrow.db").read_bytes()
        ran = run("search", "khan")
        assert (ran.code, ran.out) == (1, "")
        assert "another version" in ran.err
        assert "→ run `windrow rebuild`" in ran.err
        assert (folder / "data/windrow.db").read_bytes() == before
        assert "another version: run `windrow sync`" in run("status").out
        synced = run("sync")
        assert synced.code == 0
        assert "built anew: the index was of another version" in synced.err
        assert run("search", "khan").code == 0
        assert run("verify").code == 0

    def test_another_engine_in_config(self, run: Run, folder: Path) -> None:
        settings(folder, '\n[index]\nengine = "whoosh"\n')
        assert "built by tantivy: run `windrow sync`" in run("status").out
        assert run("sync", "--json").lines[0]["rebuilt"] == "the index was built by tantivy"
        found = run("search", "author:khan", "--json").lines[0]
        assert [hit["id"] for hit in found["hits"]] == [KHAN]
        assert run("status", "--json").lines[0]["index"]["engine"] == "whoosh"
        assert run("verify").code == 0

    def test_no_index(self, run: Run, folder: Path) -> None:
        (folder / "data/index/current").unlink()
        ran = run("search", "khan")
        assert (ran.code, ran.out) == (1, "")
        assert "there is no index yet" in ran.err
        assert "`windrow rebuild`" in ran.err
        assert run("rebuild").code == 0
        assert run("search", "khan").code == 0

    def test_a_damaged_index(self, run: Run, current: Generation) -> None:
        file = next((current.folder / "files").glob("*.term"))
        file.write_bytes(file.read_bytes()[:100])
        ran = run("search", "khan")
        assert (ran.code, ran.out) == (1, "")
        assert "→ run `windrow rebuild`" in ran.err
        assert run("sync").code == 0
        assert run("search", "khan").code == 0
        assert run("verify").code == 0


class TestConfiguration:
    def test_five_faults_are_five_lines(self, run: Run, folder: Path) -> None:
        (folder / "config.toml").write_text(
            """
            dta = "here"
            [index]
            engine = "lucene"
            [harvest]
            timezone = "Europe/Lundon"
            [sources.kar]
            urls = "http://x.org/oai"
            schedule = "now and then"
            """
        )
        for arguments in (["search", "x"], ["status"], ["harvest"], ["verify"]):
            ran = run(*arguments)
            assert (ran.code, ran.out) == (2, "")
        faults = [line for line in ran.err.splitlines() if line.startswith("  - ")]
        for key, hint in {
            "dta": "did you mean data?",
            "index.engine": '"tantivy" or "whoosh"',
            "harvest.timezone": '"Europe/London"',
            "sources.kar.urls": "did you mean sources.kar.url?",
            "sources.kar.url": "missing",
            "sources.kar.schedule": "now and then",
        }.items():
            assert any(line.startswith(f"  - {key}: ") and hint in line for line in faults), key
        assert "6 faults" in ran.err
        assert len(faults) == 6
        assert ran.err.splitlines()[-1].startswith("  → ")

    def test_add_leaves_a_faulty_file_alone(self, run: Run, folder: Path, live: str) -> None:
        (folder / "config.toml").write_text("data = 7\n")
        assert run("add", live).code == 2
        assert (folder / "config.toml").read_text() == "data = 7\n"

    def test_a_line_that_is_no_toml(self, run: Run, folder: Path) -> None:
        (folder / "config.toml").write_text("[index\n")
        ran = run("status")
        assert ran.code == 2
        assert "line 1" in ran.err


class TestTheStore:
    def test_of_a_newer_windrow(self, run: Run, folder: Path) -> None:
        sql(folder, "UPDATE meta SET value = '99' WHERE key = 'schema_version'")
        before = (folder / "data/windrow.db").read_bytes()
        for name in ("status", "harvest", "verify", "changes", "export", "sync", "rebuild"):
            ran = run(name)
            assert (ran.code, ran.out) == (1, ""), name
            assert "of version 99" in ran.err
            assert "→ upgrade Windrow" in ran.err
        assert (folder / "data/windrow.db").read_bytes() == before
        assert run("search", "khan").code == 0  # which opens no database

    def test_that_is_none(self, run: Run, folder: Path) -> None:
        (folder / "data/windrow.db").write_bytes(b"This is a letter to my aunt. " * 100)
        ran = run("status")
        assert (ran.code, ran.out) == (1, "")
        assert "is no store of Windrow" in ran.err

    @pytest.mark.parametrize("size", [20_000, 200_000])
    def test_a_full_disk(self, tmp_path: Path, live: str, size: int) -> None:
        point_to(tmp_path, live)
        ran = windrow(tmp_path, "harvest", before=files_up_to(size))
        assert ran.code in (1, 3), ran.out
        assert "Traceback" not in ran.err
        assert "cannot be used" in ran.err
        assert "space" in ran.err
        assert_whole(tmp_path)

    def test_a_disk_that_fills_under_the_index(self, folder: Path) -> None:
        ran = windrow(folder, "rebuild", before=files_up_to(60_000))
        assert (ran.code, ran.out) == (1, "")
        assert "the index cannot be written" in ran.err
        assert "→ free some space, then run `windrow sync`" in ran.err
        assert_sound(folder)
        assert len(list((folder / "data/index").glob("tantivy-*"))) == 1

    @pytest.fixture
    def read_only(self, folder: Path, live: str) -> Iterator[Path]:
        point_to(folder, live)
        paths = [folder / "data", *(folder / "data").rglob("*")]
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield folder
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)

    @pytest.mark.parametrize("name", ["harvest", "rebuild"])
    def test_a_folder_that_is_read_only(self, read_only: Path, name: str) -> None:
        before = (read_only / "data/windrow.db").read_bytes()
        ran = windrow(read_only, name, before=WITHOUT_PRIVILEGES)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("windrow: the ")
        assert "\n  → " in ran.err
        assert "Traceback" not in ran.err
        assert (read_only / "data/windrow.db").read_bytes() == before

    def test_a_read_only_folder_is_whole_afterwards(self, folder: Path, live: str) -> None:
        data = folder / "data"
        point_to(folder, live)
        data.chmod(0o555)
        assert windrow(folder, "harvest", before=WITHOUT_PRIVILEGES).code == 1
        data.chmod(0o755)
        assert_whole(folder)

    def test_a_data_folder_that_cannot_be_made(self, tmp_path: Path, empty: Run) -> None:
        (tmp_path / "file").write_text("")
        (tmp_path / "config.toml").write_text('data = "file/data"\n')
        ran = empty("status")
        assert (ran.code, ran.out) == (1, "")
        assert "cannot make the data folder" in ran.err
        assert "→ give `data` in config.toml" in ran.err


EVIL = "\x1b[31mred\x07 \x9b2J \u202etxt.exe\u2066 \x85 \u2028"
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
OUR_COLOURS = re.compile(r"\x1b\[\d{1,2}m")


class TestHarvestedControlCharacters:
    """What a repository sends must not drive a terminal: not by a title, a name, a set or an error."""

    @pytest.fixture(scope="class")
    @classmethod
    def evil(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = demo_folder(tmp_path_factory.mktemp("evil"))
        record = Record(
            identifier="oai:evil:\x9b\u202e1",
            title=f"Evil {EVIL}",
            abstract=f"An evil abstract: {EVIL}",
            creators=(Name(f"Evil, {EVIL}", orcid="0000"),),
            keywords=(f"evil {EVIL}",),
            publisher=EVIL,
            landing_url=f"https://x.org/{EVIL}",
            doi=f"10.1/{EVIL}",
            notes=(EVIL,),
            extra={"x": (EVIL,), f"y{EVIL}": ("y",), "warning": (EVIL,), "language": (EVIL,)},
            raw_types=(EVIL,),
            rights=(EVIL,),
            formats=("oai_dc",),
        )
        with program_in(folder) as program:
            put(program.store, record, Record(identifier=f"gone{EVIL}", deleted=True))
            sync(program.store, program.generations, "tantivy")
        sql(folder, "UPDATE records SET sets = '[\"\u202e\x9b\"]', datestamp = '\x9b' WHERE id > 230")
        sql(folder, "UPDATE harvests SET reason = 'because \x9b31m \u202e', verdict = 'partial'")
        return folder

    COMMANDS = [
        ["search", "evil"],
        ["search", "evil", "--json"],
        ["search", "evil", "--facet", "creator", "--facet", "keyword", "--facet", "publisher"],
        ["search", "evil", "--facet", "creator", "--json"],
        ["show", "demo/oai:evil:\x9b\u202e1"],
        ["show", "demo/oai:evil:\x9b\u202e1", "--json"],
        ["show", "demo/oai:evil:\x9b\u202e1", "--raw"],
        ["show", "demo/oai:evil:\x9b\u202e1", "--raw", "--json"],
        ["show", f"demo/gone{EVIL}"],
        ["show", f"nobody {EVIL}"],
        ["status"],
        ["status", "--json"],
        ["changes"],
        ["export"],
        ["export", "--query", "evil"],
        ["verify"],
        ["verify", "--json"],
        ["search", f"year:{EVIL}"],
        ["harvest", f"demo{EVIL}"],
        ["quality", "demo"],
        ["quality", "demo", "--json"],
        ["quality", f"demo{EVIL}"],
    ]

    @pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(arguments)[:20])
    def test_are_not_passed_on(self, evil: Path, capsys: Any, arguments: list[str]) -> None:
        ran = inside(evil, capsys, *arguments)
        assert ran.out or ran.err
        assert UNSEEN.findall(ran.out) == []
        assert UNSEEN.findall(ran.err) == []

    def test_json_keeps_what_it_escapes(self, evil: Path, capsys: Any) -> None:
        (hit,) = inside(evil, capsys, "search", "title:evil", "--json").lines[0]["hits"]
        assert hit["title"] == f"Evil {EVIL}"
        assert inside(evil, capsys, "changes", "--since", "230").lines[0]["record"]["notes"] == [EVIL]

    @pytest.mark.parametrize("arguments", [COMMANDS[0], COMMANDS[4], COMMANDS[10], COMMANDS[12]])
    def test_nor_to_a_terminal(self, evil: Path, arguments: list[str]) -> None:
        sent = on_terminal(evil, *arguments).replace("\r\n", "\n")
        assert sent
        assert UNSEEN.findall(OUR_COLOURS.sub("", sent)) == []

    def test_from_a_repository_that_speaks_of_itself(self, empty: Run, tmp_path: Path) -> None:
        name = "Evil \u202e \u0085 \u009b31m \u2066"
        identify = f"""<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
            <responseDate>2026-01-01T00:00:00Z</responseDate><request verb="Identify">http://x.org/</request>
            <Identify><repositoryName>{name}</repositoryName><baseURL>http://{name}/</baseURL>
            <protocolVersion>2.0{name}</protocolVersion><adminEmail>a@x.org</adminEmail>
            <earliestDatestamp>{name}</earliestDatestamp><deletedRecord>{name}</deletedRecord>
            <granularity>{name}</granularity></Identify></OAI-PMH>"""
        refusal = f"""<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
            <responseDate>2026-01-01T00:00:00Z</responseDate><request>http://x.org/</request>
            <error code="badArgument">{name}</error></OAI-PMH>"""
        for answer in (identify, refusal):
            with answering(200, "text/xml", answer.encode()) as url:
                point_to(tmp_path, url)
                for arguments in (["check", url], ["check", url, "--json"], ["harvest"], ["add", url]):
                    ran = empty(*arguments)
                    assert UNSEEN.findall(ran.out + ran.err) == []


class TestATerminal:
    def test_has_colours(self, folder: Path) -> None:
        sent = on_terminal(folder, "search", "author:khan coproduction")
        assert "\x1b[33m\x1b[1mCoproduction\x1b[0m" in sent

    @pytest.mark.parametrize("arguments", [["search", "khan"], ["status"], ["verify"], ["show", "111396"]])
    def test_a_pipe_has_none(self, folder: Path, arguments: list[str]) -> None:
        ran = windrow(folder, *arguments)
        assert ran.code == 0
        assert "\x1b" not in ran.out + ran.err

    def test_shows_how_far_a_harvest_is(self, tmp_path: Path, live: str) -> None:
        point_to(tmp_path, live)
        sent = on_terminal(tmp_path, "harvest")
        assert "demo list" in sent
        assert "complete" in sent

    def test_says_that_a_repository_is_asked_that_is_silent(self, tmp_path: Path) -> None:
        with serving(Works(10, FakeClock().now)) as repository:
            point_to(tmp_path, repository.url)
            gate = faults.Gate(repository)
            repository.misbehave(gate.before, verb("Identify"), times=1)
            with terminal(tmp_path, "harvest") as harvest:
                gate.await_reached()
                harvest.until("demo asking")
                gate.opened.set()
                harvest.until("complete")


class TestDemo:
    def test_harvests_searches_and_says_what_next(self, tmp_path: Path, capsys: Any) -> None:
        ran = windrow(tmp_path, "demo", env={"TMPDIR": str(tmp_path)})
        assert (ran.code, ran.err) == (0, "")
        assert "demo  complete" in ran.out
        for query in ("'coproduction'", "'\"service user perspectives\"'", "--facet type --facet year"):
            assert query in ran.out
        (made,) = tmp_path.glob("windrow-demo-*")
        assert f"cd {made}\n" in ran.out
        assert_sound(made)
        assert inside(made, capsys, "show", "111396").code == 0
