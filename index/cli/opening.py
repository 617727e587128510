"""config.toml → a Program, for the length of one command."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from harvester import config
from index.program import Program

LARGEST = 2**63 - 1  # that a database takes


def config_path(ctx: click.Context) -> Path:
    return config.find(ctx.find_root().obj, os.environ, Path.cwd())


def with_program(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the opened program as its first argument, and closes it behind it."""

    @wraps(command)
    def opened(*arguments: Any, **options: Any) -> Any:
        path = config_path(click.get_current_context())
        program = Program(config.load(path, os.environ))
        try:
            return command(program, *arguments, **options)
        finally:
            program.close()

    return opened


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
