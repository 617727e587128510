"""What is written for people agrees with what is there."""

import tomllib
from pathlib import Path

import click
import pytest

from harvester.config.keys import KEYS
from index.cli import windrow

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONFIG = (ROOT / "config.toml").read_text(encoding="utf-8")
COMMANDS = windrow.list_commands(click.Context(windrow))


@pytest.mark.parametrize("name", COMMANDS)
def test_readme_shows_each_command(name: str) -> None:
    assert f"windrow {name}" in README


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    context = click.Context(windrow)
    command = windrow.get_command(context, name)
    assert command is not None
    assert command.help
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            assert option.help, f"windrow {name} {option.opts[0]}"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_config_toml_explains_each_key(key: object) -> None:
    """On the lines just above the key: a comment, and, where it has one, the default."""
    name = key.path.rpartition(".")[2]  # type: ignore[attr-defined]
    lines = CONFIG.splitlines()
    at = next(at for at, line in enumerate(lines) if line.lstrip("# ").startswith(f"{name} ="))
    assert lines[at - 1].startswith("# ")
    assert len(lines[at - 1]) > 20


def test_config_toml_is_read() -> None:
    assert "sources" in tomllib.loads(CONFIG)
