"""Where config.toml is, and its plain TOML."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harvester.errors import ConfigError


def find(option: str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """`--config`, else WINDROW_CONFIG, else config.toml here. The file need not exist: `add` makes it."""
    return cwd / (option or environ.get("WINDROW_CONFIG") or "config.toml")


def read_document(path: Path) -> dict[str, Any]:
    """A ConfigError names the line of a fault in the syntax."""
    text = _text(path)
    try:
        return tomllib.loads(text)
    except RecursionError:
        problem = "tables or lists are nested too deep"
    except ValueError as error:  # also what int() says of a number of five thousand digits
        last = text.rstrip().count("\n") + 1
        problem = str(error).replace("(at end of document)", f"(at the end of the file, line {last})")
    raise ConfigError(f"{path} is not valid TOML: {problem}", [problem], "Correct that line, then try again.")


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        advice = "Make one with `windrow add URL`, or name another with `--config PATH`."
        raise ConfigError(f"there is no {path}", advice=advice) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problem = f"line {line} is not in UTF-8"
        raise ConfigError(f"{path} is not valid TOML: {problem}", [problem], "Save it as UTF-8.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        advice = "Name another file with `--config PATH`."
        raise ConfigError(f"{path} cannot be read: {reason}", advice=advice) from error


def beside(path: Path) -> dict[str, str]:
    """Of windrow.env in the folder of `path`, the variables; empty where we may not read it."""
    secrets = path.with_name("windrow.env")
    if not os.access(secrets, os.R_OK):
        return {}
    from dotenv import dotenv_values

    found = dotenv_values(secrets, interpolate=False)
    return {name: value for name, value in found.items() if value is not None}
