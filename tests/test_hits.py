"""Results as people read them: on terminals of any width, whatever a repository sends."""

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.clean.text import printable
from harvester.record import Name, Record
from index.cli.wrapping import MARK, wrapped, wrapped_marked
from index.sync import sync
from tests.commands import Ran, demo_folder, inside, on_terminal, program_in, put, windrow

COLOURS = re.compile(r"\x1b\[\d{1,2}m")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
EVIL = [
    "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",  # a link of the terminal's own
    "\x1b]0;title\x07",
    "\x1b[2J\x1b[H",
    "\x1bP+q544e\x1b\\",
    "\x9b31m\x9d0;x\x9c",  # the same in C1
    "a\nb\r\nc\rd\x0b\x0c\x85\u2028\u2029e",
    "\u202etxt.exe\u202c \u2066x\u2069 \u200f\u061c",
    "\x08\x08\x08rm\x7f\x00\x02\x03\x1a",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return demo_folder(tmp_path)


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    return lambda *arguments: inside(folder, capsys, "search", *arguments)


def cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def lines_of(sent: str) -> list[str]:
    return COLOURS.sub("", sent).replace("\r\n", "\n").split("\n")


class TestWrapping:
    TEXTS = st.text(st.sampled_from("ab 日本語é\n\t-") | st.characters(codec="utf-8"))

    @given(st.lists(st.tuples(TEXTS, st.booleans())), st.integers(10, 60))
    def test_marks_change_nothing_but_colour(self, pieces: list[tuple[str, bool]], width: int) -> None:
        pieces = [(text.replace(MARK[0], "").replace(MARK[1], ""), marked) for text, marked in pieces]
        marked = "".join(f"{MARK[0]}{text}{MARK[1]}" if is_marked else text for text, is_marked in pieces)
        lines = list(wrapped_marked(marked, width))
        assert ["".join(text for text, _ in line) for line in lines] == wrapped(
            "".join(text for text, _ in pieces), width
        )
        shown = [letter for line in lines for text, is_marked in line if is_marked for letter in text]
        meant = [letter for text, is_marked in pieces if is_marked for letter in printable(text)]
        assert [one for one in shown if not one.isspace()] == [one for one in meant if not one.isspace()]

    def test_a_mark_goes_over_the_end_of_a_line(self) -> None:
        lines = list(wrapped_marked(f"{MARK[0]}日本語日本語{MARK[1]}", 8))
        assert lines == [[("日本語日", True)], [("本語", True)]]


class TestWidth:
    @pytest.mark.parametrize("columns", [20, 40, 80, 200])
    def test_no_line_is_wider_than_the_terminal(self, folder: Path, columns: int) -> None:
        wide = Record(identifier="oai:x", title="健康 " * 3 + "日本語の長い題名" * 8, formats=("oai_dc",))
        with program_in(folder) as program:
            put(program.store, wide)
            sync(program.store, program.generations, "tantivy")
        for query in ("health", "日本語"):
            sent = on_terminal(
                folder, "search", query, "--facet", "keyword", "--limit", "30", columns=columns
            )
            told = [line for line in lines_of(sent) if "://" not in line and "oai:" not in line]
            assert len(told) > 5
            assert max(map(cells, told)) <= min(columns, 100)

    def test_a_title_goes_on_below_itself(self, folder: Path) -> None:
        told = lines_of(on_terminal(folder, "search", "author:khan", columns=40))
        at = told.index("  1. What Is 'Really' Required To")
        assert told[at + 1 : at + 3] == [
            "     Incorporate The User Narrative In",
            "     The Changing Health Systems?",
        ]

    def test_an_address_is_whole(self, folder: Path) -> None:
        assert "     https://kar.kent.ac.uk/id/eprint/111396" in lines_of(
            on_terminal(folder, "search", "author:khan", columns=20)
        )

    @pytest.mark.parametrize("columns", [30, 40, 60])
    def test_status_says_the_most_important_where_there_is_little_room(
        self, folder: Path, columns: int
    ) -> None:
        told = lines_of(on_terminal(folder, "status", columns=columns))
        assert max(map(len, told)) <= columns
        assert {"demo", "224", "complete"} <= set(" ".join(told).split())

    def test_status_is_a_table_where_there_is_room(self, folder: Path) -> None:
        assert lines_of(on_terminal(folder, "status", columns=120))[1].startswith("demo        224 ")
        assert windrow(folder, "status").out.splitlines()[1].startswith("demo        224 ")


class TestColour:
    def test_matched_words_of_the_title(self, folder: Path) -> None:
        sent = on_terminal(folder, "search", "narrative author:khan")
        assert "\x1b[33m\x1b[1mNarrative\x1b[0m" in sent
        assert "Narrative" in windrow(folder, "search", "narrative author:khan").out

    def test_json_has_no_marks(self, run: Callable[..., Ran]) -> None:
        (hit,) = run("narrative author:khan", "--json").lines[0]["hits"]
        assert hit["title"].startswith("What Is 'Really' Required To Incorporate The User Narrative")


class TestFacets:
    def test_say_how_many_are_not_shown(self, run: Callable[..., Ran]) -> None:
        ten = run("health", "--limit", "0", "--facet", "keyword").out.split("keyword\n")[1].splitlines()
        said = re.fullmatch(r"  … (\d+) more; --facet-values (\d+)", ten[10])
        assert said
        more, whole = map(int, said.groups())
        assert whole == more + 10
        every = run("health", "--limit", "0", "--facet", "keyword", "--facet-values", str(whole))
        assert " more" not in every.out
        assert len(every.out.split("keyword\n")[1].strip("\n").splitlines()) == whole

    def test_json(self, run: Callable[..., Ran]) -> None:
        found = run(
            "health", "--facet", "keyword", "--facet", "source", "--facet-values", "3", "--json"
        ).lines[0]
        assert len(found["facets"]["keyword"]) == 3
        assert found["more_values"] == {"keyword": 89, "source": 0}


class TestWhatProvidersSend:
    @pytest.fixture(scope="class")
    @classmethod
    def evil(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = demo_folder(tmp_path_factory.mktemp("evil"))
        works = [
            Record(
                identifier=f"oai:evil:{at}{text}", title=f"Evil {text}", abstract=f"Evil abstract {text}",
                creators=(Name(f"Evil {text}"),), keywords=(f"evil {text}",), container=f"evil {text}",
                landing_url=f"https://x.org/{text}", type="article", doi=f"10.1/{text}", formats=("oai_dc",),
            )
            for at, text in enumerate(EVIL)
        ]  # fmt: skip
        with program_in(folder) as program:
            put(program.store, *works)
            sync(program.store, program.generations, "tantivy")
        return folder

    @pytest.mark.parametrize("name", ["table", "json", "jsonl", "ids", "csv", "ris", "bibtex"])
    @pytest.mark.parametrize("columns", [40, 100])
    def test_a_terminal_sees_nothing_but_our_colours(self, evil: Path, name: str, columns: int) -> None:
        facets = ["--facet", "creator", "--facet", "keyword"] if name == "table" else []
        sent = on_terminal(evil, "search", "evil", "--format", name, *facets, columns=columns)
        bare = COLOURS.sub("", sent).replace("\r\n", "\n")
        assert "vil" in bare
        assert UNSEEN.findall(bare) == []

    def test_a_line_is_a_line(self, evil: Path, capsys: Any) -> None:
        ids = inside(evil, capsys, "search", "title:evil", "--format", "ids").out.splitlines()
        assert len(ids) == len(EVIL)
        assert all(id.startswith("demo/oai:evil:") for id in ids)
        told = inside(evil, capsys, "search", "title:evil").out.splitlines()
        numbered = [line for line in told if line[3:5] == ". "]
        assert len(numbered) == len(EVIL)
