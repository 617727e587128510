"""The command line. Data goes to stdout, talk to stderr.

Exit codes: 0 done · 1 failed · 2 usage, query or configuration · 3 done in part ·
130 interrupted · 143 terminated.
A command's module is imported when the command runs: a search must not wait for a harvester's libraries.
"""

import os
import signal
import sys
from difflib import get_close_matches
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

from harvester.errors import WindrowError, machine_fault
from index.cli.talk import tell_error

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_INTERRUPTED = 130
_TERMINATED = 143

# section → command → (module, what `windrow --help` says)
_COMMANDS = {
    "Look": {
        "search": ("look", "Search what was harvested."),
        "show": ("show", "Show one record."),
        "quality": ("quality", "How good the records of a source are, and what could be better."),
        "status": ("status", "What is harvested, how well, and when next."),
        "history": ("history", "Past harvests, and those that run now."),
    },
    "Fetch": {
        "demo": ("tour", "Harvest and search a bundled sample repository."),
        "add": ("fetch", "Check an address and write it into config.toml."),
        "check": ("fetch", "Try an OAI-PMH address and say what is there."),
        "source": ("source", "List sources, leave some alone, remove one."),
        "harvest": ("harvesting", "Harvest now; the index follows."),
        "serve": ("serve", "Harvest by schedule, until told to stop."),
    },
    "Mend": {
        "quarantine": ("quarantine", "What was received and could not be kept; try it again."),
        "forget": ("forget", "Clear a record here, and keep it from coming back."),
        "renormalise": ("renormalise", "What is stored, through today's formats; no network."),
        "verify": ("mend", "Check every invariant of the store and the index."),
        "sync": ("mend", "Bring the index up to the store."),
        "rebuild": ("mend", "Build the index anew beside the old one, then switch."),
    },
    "Give": {
        "changes": ("give", "The change feed, as JSON lines."),
        "export": ("give", "Records in an exchange format."),
    },
    "Set up": {
        "notify": ("notify", "Try whether news of your sources reaches you."),
        "completion": ("completion", "The script that makes a shell complete our words."),
    },
}
_MODULES = {name: module for section in _COMMANDS.values() for name, (module, _) in section.items()}


class _EnoughRead(Exception):
    """Whoever reads our output has closed it, as `windrow changes | head` does."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MODULES:
            return None
        command: click.Command = getattr(import_module(f"index.cli.{_MODULES[cmd_name]}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _MODULES and not args[0].startswith("-"):
            near = get_close_matches(args[0], _MODULES, n=1)
            ctx.fail(f"There is no command {args[0]}." + (f" Did you mean {near[0]}?" if near else ""))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:  # click would make a failure of it
            raise _EnoughRead from error

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Without the commands' modules, which need a second to import."""
        from click.shell_completion import CompletionItem

        offered = [
            CompletionItem(name, help=text)
            for commands in _COMMANDS.values()
            for name, (_, text) in commands.items()
            if name.startswith(incomplete)
        ]
        return offered + (click.Command.shell_complete(self, ctx, incomplete) if incomplete else [])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section, commands in _COMMANDS.items():
            with formatter.section(section):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()], col_max=12)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config", type=click.Path(), help="config.toml to use; else WINDROW_CONFIG, else ./config.toml."
)
@click.version_option(package_name="windrow", prog_name="windrow")
@click.pass_context
def windrow(ctx: click.Context, config: str | None) -> None:
    """A searchable local copy of what repositories publish.

    \b
    From an address to a search:
      windrow add https://kar.kent.ac.uk/cgi/oai2 --harvest
      windrow search mental health --facet year
    """
    ctx.obj = config
    ctx.color = False if os.environ.get("NO_COLOR") else None  # no-color.org


def main() -> NoReturn:
    if sys.stdout.isatty():
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a TextIO may be another
    else:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a TextIO may be another
    sys.stderr.reconfigure(errors="replace")  # type: ignore[union-attr]  # a TextIO may be another
    # An argument that is not UTF-8 carries half characters, which no library takes.
    sys.exit(run([argument.encode(errors="replace").decode() for argument in sys.argv[1:]]))


def run(arguments: list[str]) -> int:
    """The exit code; every known error has been told by then."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = windrow.main(arguments, prog_name="windrow", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return 2
    except WindrowError as error:
        tell_error(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _INTERRUPTED
    except (_EnoughRead, BrokenPipeError):
        # Python would complain at its end about what it could not write.
        _close_output()
        return 0
    except (OSError, MemoryError) as error:
        _close_output()
        tell_error(machine_fault(error))
        return 1


def _close_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(_TERMINATED)
