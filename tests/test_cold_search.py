"""A search in a fresh process waits for nothing that it does not use: DESIGN 6."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import demo_folder, environment

HEAVY = {"sqlalchemy", "idutils", "sickle", "requests", "lxml", "whoosh", "rich", "tomlkit", "apscheduler"}
_LISTED = """
import sys
from index.cli import run
code = run(sys.argv[1:])
print("\\n".join(sys.modules), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "coproduction"],
        ["search", "mental health", "--facet", "year", "--filter", "type=article", "--sort", "newest"],
        ["search", "titel:fish", "--json"],
        ["search", "year:[2019 TO"],
    ],
)
def test_imports_only_what_a_search_needs(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LISTED, *arguments],
        cwd=demo_folder(tmp_path),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    imported = {name.partition(".")[0] for name in done.stderr.splitlines()}
    assert done.returncode == (2 if arguments[1].startswith("year") else 0)
    assert "tantivy" in imported or done.returncode == 2
    assert not HEAVY & imported
    assert "harvester.store" not in done.stderr
