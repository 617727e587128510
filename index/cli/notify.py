"""notify."""

from typing import TYPE_CHECKING

import click

from harvester.errors import ConfigError, NotTold
from index.cli.opening import with_program
from index.cli.talk import put_lines, tell, tell_error
from index.program import Program

if TYPE_CHECKING:
    from harvester.config import Settings
    from harvester.store.notices import Way


@click.command()
@click.option("--test", is_flag=True, help="Send a message now, by each way that [notify] names.")
@with_program
def notify(program: Program, test: bool) -> int:
    """Try whether news reaches whom [notify] in config.toml names.

    `windrow serve` tells them which sources fail or work again, what deletions are held back, and whose
    quarantine grows: at most one message in the time that `digest` gives, by each way.
    """
    from harvester.sending import warning, ways

    if not test:
        raise click.UsageError("News is told by `windrow serve`; --test sends a message now.")
    refuse_missing(program.settings)
    found = ways(program.settings.notify)
    if not found:
        raise ConfigError(
            f"{program.settings.path} names nobody to be told",
            advice="give `webhook` or `email` in [notify]: the config.toml of Windrow explains them",
        )
    if unwise := warning(program.settings.notify):
        tell(f"Warning: {unwise}")
    failed = [way for way, where in found.items() if not _is_told(program, way, where)]
    return 0 if not failed else 1 if len(failed) == len(found) else 3


def refuse_missing(settings: "Settings") -> None:
    if missing := settings.notify.missing:
        raise ConfigError(
            f"{settings.path} names what is not there",
            missing,
            f"Write it as NAME=VALUE into {settings.path.with_name('windrow.env')}, or into the environment.",
        )


def _is_told(program: Program, way: "Way", where: str) -> bool:
    from harvester.sending import send, trial

    now = program.clock.now()
    try:
        refused = send(way, [trial(now)], program.settings, now)
    except NotTold as error:
        tell_error(error)
        return False
    put_lines(f"Sent to {where}.")
    if refused:
        tell_error(refused)
    return refused is None
