"""config.toml → a Program, for the length of one command."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from harvester import config
from harvester.errors import ConfigError
from index.program import Program

LARGEST = 2**63 - 1  # that a database takes


def config_path(ctx: click.Context) -> Path:
    return config.find(ctx.find_root().obj, os.environ, Path.cwd())


def load(path: Path) -> config.Settings:
    """ConfigError; it says so where a `windrow serve` goes on without minding the fault."""
    try:
        return config.load(path, os.environ)
    except ConfigError as error:
        from index.serving import server_beside

        if (server := server_beside(path)) is None:
            raise
        goes_on = f"windrow serve goes on with the settings that it has ({server})."
        raise ConfigError(error.message, error.problems, f"{error.advice} {goes_on}".lstrip()) from error


def with_program(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the opened program as its first argument, and closes it behind it."""

    @wraps(command)
    def opened(*arguments: Any, **options: Any) -> Any:
        path = config_path(click.get_current_context())
        program = Program(load(path))
        try:
            return command(program, *arguments, **options)
        finally:
            program.close()

    return opened


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
