"""What a shell offers at Tab, asked as the printed scripts ask, and by bash itself."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import demo_folder, environment, windrow
from tests.test_cold_search import HEAVY

SAVED = '\n[sources.kar]\nurl = "https://kar.kent.ac.uk/cgi/oai2"\n[searches.recovery]\nquery = "x"\n'
_LISTED = """
import sys
from index.cli import run
try:
    run([])
finally:
    print("\\n".join(sys.modules), file=sys.stderr)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    demo_folder(tmp_path)
    with (tmp_path / "config.toml").open("a") as file:
        file.write(SAVED)
    return tmp_path


def offered(folder: Path, line: str, shell: str = "zsh") -> list[str]:
    """At the end of `line`; zsh is told (kind, value, help), fish `kind,value`, bash `kind,value`."""
    typed = line.split(" ")
    env = {"_WINDROW_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(typed) - 1)}
    ran = windrow(folder, env=env)
    assert (ran.code, ran.err) == (0, "")
    told = ran.out.splitlines()
    return told[1::3] if shell == "zsh" else [one.partition(",")[2] for one in told]


class TestOffers:
    def test_commands(self, folder: Path) -> None:
        assert offered(folder, "windrow s") == ["search", "show", "status", "source", "serve", "sync"]
        assert {"completion", "harvest", "rebuild"} <= set(offered(folder, "windrow "))

    def test_options(self, folder: Path) -> None:
        assert {"--format", "--facet", "--filter"} <= set(offered(folder, "windrow search --f"))
        assert offered(folder, "windrow --conf") == ["--config"]

    def test_values_of_options(self, folder: Path) -> None:
        assert offered(folder, "windrow search --format j") == ["json", "jsonl"]
        assert offered(folder, "windrow search --sort n") == ["newest"]

    @pytest.mark.parametrize(
        "line",
        [
            "harvest ",
            "quarantine ",
            "quality ",
            "renormalise ",
            "source remove ",
            "source disable ",
            "history ",
            "status ",
            "export --source ",
        ],
    )
    def test_sources(self, folder: Path, line: str) -> None:
        assert offered(folder, f"windrow {line}") == ["demo", "kar"]
        assert offered(folder, f"windrow {line}k") == ["kar"]

    def test_saved_searches(self, folder: Path) -> None:
        assert offered(folder, "windrow search @") == ["@recovery"]
        assert offered(folder, "windrow search heal") == []

    def test_facets(self, folder: Path) -> None:
        assert offered(folder, "windrow search --facet pu") == ["publisher"]

    def test_filters(self, folder: Path) -> None:
        assert "type=" in offered(folder, "windrow search --filter t")
        assert offered(folder, "windrow search --filter type=the") == ["type=thesis"]
        assert offered(folder, "windrow search --filter source=") == ["source=demo", "source=kar"]
        assert offered(folder, "windrow search --filter open_access=") == [
            "open_access=yes",
            "open_access=no",
        ]
        assert offered(folder, "windrow search --filter year=") == []

    def test_filters_in_bash(self, folder: Path) -> None:
        """Which takes `=` for a word of its own, and completes what follows it."""
        assert offered(folder, "windrow search --filter type = the", "bash") == ["thesis"]
        assert offered(folder, "windrow search --filter source =", "bash") == ["demo", "kar"]

    def test_of_another_config(self, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        other = tmp_path_factory.mktemp("other")
        (other / "c.toml").write_text('[sources.xyz]\nurl = "https://x.org/oai"\n')
        assert offered(folder, f"windrow --config {other / 'c.toml'} harvest ") == ["xyz"]

    @pytest.mark.parametrize("config", [None, "nonsense ["])
    def test_nothing_where_the_config_is_none(self, tmp_path: Path, config: str | None) -> None:
        if config:
            (tmp_path / "config.toml").write_text(config)
        for line in ("harvest ", "search @", "search --filter source="):
            assert offered(tmp_path, f"windrow {line}") == []


@pytest.mark.parametrize("line", ["windrow ", "windrow search @", "windrow search --filter source="])
def test_opens_no_database_and_imports_little(folder: Path, line: str) -> None:
    shutil.rmtree(folder / "data")
    words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", _LISTED],
        cwd=folder, env=environment(_WINDROW_COMPLETE="zsh_complete", **words), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.stdout
    imported = {name.partition(".")[0] for name in done.stderr.splitlines()}
    assert not (HEAVY | {"tantivy"}) & imported
    assert not (folder / "data").exists()


class TestScripts:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_are_read_by_their_shell(self, folder: Path, shell: str) -> None:
        script = windrow(folder, "completion", shell)
        assert (script.code, script.err) == (0, "")
        assert f"_WINDROW_COMPLETE={shell}_complete" in script.out
        if shutil.which(shell):
            read = subprocess.run(
                [shell, "-n"], input=script.out, text=True, capture_output=True, check=False
            )
            assert (read.returncode, read.stderr) == (0, "")

    def test_another_shell(self, folder: Path) -> None:
        assert windrow(folder, "completion", "tcsh").code == 2

    @pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash on this machine")
    @pytest.mark.parametrize(
        ("words", "replies"),
        [(["search", "--sort", "new"], "newest"), (["harvest", "k"], "kar"), (["search", "@r"], "@recovery")],
    )
    def test_bash_completes(self, folder: Path, words: list[str], replies: str) -> None:
        script = windrow(folder, "completion", "bash").out
        ours = folder / "bin"
        ours.mkdir()
        (ours / "windrow").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m index.cli "$@"\n')
        (ours / "windrow").chmod(0o755)
        typed = " ".join(f"'{word}'" for word in ("windrow", *words))
        asks = f"COMP_WORDS=({typed}); COMP_CWORD={len(words)}; _windrow_completion windrow"
        env = environment(PATH=f"{ours}:{environment()['PATH']}")
        done = subprocess.run(
            ["bash", "--norc"], input=f"{script}\n{asks}\necho ${{COMPREPLY[@]}}\n", cwd=folder, env=env,
            text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert done.stdout.strip() == replies, done.stderr
