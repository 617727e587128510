"""Long output on a terminal goes through a pager; nothing else does."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.commands import demo_folder, on_terminal, windrow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return demo_folder(tmp_path)


def pager(folder: Path, code: str) -> str:
    """A pager of Python: `lines` is what it is given."""
    script = folder / "pager of mine.py"
    script.write_text(f"import sys\n{code}\n", encoding="utf-8")
    return f"{sys.executable} '{script}'"


NUMBERS = """
for at, line in enumerate(sys.stdin):
    print(f"<{at}>", line, end="")
"""
QUITS = "sys.stdin.readline()"
LONG = ["search", "health", "--limit", "50"]


@pytest.mark.parametrize(
    "arguments",
    [
        LONG,
        ["show", "111396"],
        ["status"],
        ["changes"],
        ["export"],
        ["quality", "demo"],
        [*LONG, "--format", "ris"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_is_longer_than_the_screen(folder: Path, arguments: list[str]) -> None:
    rows = 3 if arguments == ["status"] else 10
    sent = on_terminal(folder, *arguments, rows=rows, PAGER=pager(folder, NUMBERS))
    assert "<0> " in sent
    assert f"<{rows}> " in sent


def test_what_fits_is_printed_at_once(folder: Path) -> None:
    for rows, has_pager in ((10, False), (9, True)):
        sent = on_terminal(folder, "search", "author:khan", rows=rows, PAGER=pager(folder, NUMBERS))
        assert ("<0>" in sent) == has_pager, rows
        assert "Khan, Nagina" in sent


def test_a_long_line_takes_several_rows(folder: Path) -> None:
    for rows, has_pager in ((100, False), (4, True)):
        sent = on_terminal(folder, "show", "111396", "--json", rows=rows, PAGER=pager(folder, NUMBERS))
        assert ("<0>" in sent) == has_pager


def test_colours_go_through(folder: Path) -> None:
    sent = on_terminal(folder, *LONG, rows=10, PAGER=pager(folder, NUMBERS))
    assert "\x1b[33m\x1b[1m" in sent


@pytest.mark.parametrize("env", [{"WINDROW_PAGER": ""}, {"WINDROW_PAGER": "no-such-pager"}, {"PAGER": "'"}])
def test_no_pager_is_no_fault(folder: Path, env: dict[str, str]) -> None:
    sent = on_terminal(folder, *LONG, rows=10, **{"PAGER": pager(folder, NUMBERS), **env})
    assert "<0>" not in sent
    assert sent.startswith("26 records")


def test_windrow_pager_comes_first(folder: Path) -> None:
    sent = on_terminal(folder, *LONG, rows=10, PAGER="false", WINDROW_PAGER=pager(folder, NUMBERS))
    assert sent.startswith("<0> 26 records")


def test_on_request_there_is_none(folder: Path) -> None:
    sent = on_terminal(folder, *LONG, "--no-pager", rows=10, PAGER=pager(folder, NUMBERS))
    assert sent.startswith("26 records")


def test_a_pipe_has_none(folder: Path) -> None:
    ran = windrow(folder, "export", env={"PAGER": pager(folder, NUMBERS), "LINES": "5"})
    assert (ran.code, ran.err) == (0, "")
    assert len(ran.lines) == 224


@pytest.mark.parametrize("arguments", [["export"], ["changes"], ["search", "*", "--limit", "224"]])
def test_quitting_early_is_no_error(folder: Path, arguments: list[str]) -> None:
    assert on_terminal(folder, *arguments, rows=5, PAGER=pager(folder, QUITS)) == ""
    assert on_terminal(folder, *arguments, rows=5, PAGER="false") == ""


def test_remarks_wait_for_its_end(folder: Path) -> None:
    waits = "text = sys.stdin.read(); print('pager begins'); print('pager ends')"
    sent = on_terminal(folder, "search", "titel:health", "health", rows=5, PAGER=pager(folder, waits))
    assert sent.replace("\r", "").startswith("pager begins\npager ends\nDid you mean")


def test_an_error_is_told_after_what_was_printed(folder: Path) -> None:
    assert "windrow: " in on_terminal(folder, "show", "nobody", rows=5, PAGER=pager(folder, NUMBERS))


@pytest.mark.skipif(not shutil.which("less"), reason="there is no less on this machine")
def test_less_by_default(folder: Path) -> None:
    sent = on_terminal(folder, *LONG, typed="q", rows=10, PAGER="less")
    assert "26 records" in sent
    assert "\x1b[33m\x1b[1m" in sent  # -R
    assert " 26. " not in sent
    assert "\x1b[?1049h" not in sent  # -X
