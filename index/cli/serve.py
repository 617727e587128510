"""serve."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from harvester import config
from index.cli.opening import with_program
from index.cli.talk import put_lines, tell
from index.program import Program


@click.command()
@click.option(
    "--log-json",
    is_flag=True,
    help="Log lines as JSON; else for people on a terminal, key=value elsewhere.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What is logged, on stderr: each harvest is a line of level info.",
)
@click.option("--print-systemd-unit", is_flag=True, help="Print a unit file for systemd, and end.")
@with_program
def serve(program: Program, log_json: bool, log_level: str, print_systemd_unit: bool) -> None:
    """Harvest each source by its `schedule`, the index following, until told to stop.

    SIGTERM and Ctrl-C end it within ten seconds, a second one at once; nothing stored is lost. SIGHUP reads
    config.toml again. Windows has none of these signals but Ctrl-C: start it anew after a change there.
    """
    if print_systemd_unit:
        put_lines(_unit(program))
        return
    from index.serve import logs
    from index.serve.service import Service

    logs.set_up(json=log_json, level=log_level)
    path = program.settings.path
    sys.exit(Service(program, lambda: config.load(path, os.environ)).run())


def _unit(program: Program) -> str:
    from getpass import getuser

    from index.serve.systemd import unit

    executable = Path(sys.executable).with_name("windrow")  # beside the Python that runs us
    settings = program.settings
    folders = list(_written(settings))
    for folder in folders:
        if not folder.is_dir():
            tell(f"{folder} is not there yet: make it, as {getuser()}, before the service starts.")
    return unit(executable, settings.path.absolute(), folders, getuser(), list(_read(settings)))


def _read(settings: config.Settings) -> Iterator[Path]:
    """What serving reads; the Python of a venv that is in no home may yet be in one."""
    yield Path(sys.base_prefix).resolve()
    yield Path(__file__).resolve()
    yield from (Path(source.ca) for source in settings.sources.values() if source.ca)


def _written(settings: config.Settings) -> Iterator[Path]:
    """Folders that serving writes into."""
    from sqlalchemy import make_url

    yield settings.data
    store = make_url(settings.store.url)
    if store.drivername.startswith("sqlite") and store.database:
        folder = Path(store.database).parent
        if not folder.is_relative_to(settings.data):
            yield folder
