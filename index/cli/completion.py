"""completion; what a shell offers: sources, saved searches, fields and their values. Opens no database."""

import os
from collections.abc import Iterable, Sequence

import click

from harvester import config
from harvester.config import Settings
from harvester.errors import WindrowError
from harvester.record import TYPES
from index.cli.opening import config_path
from index.cli.talk import put_lines

SHELLS = ("bash", "zsh", "fish")
_YES_NO = ("yes", "no")
_VALUES = {"type": TYPES, "peer_reviewed": _YES_NO, "open_access": _YES_NO}


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """The script that makes a shell complete commands, options, sources, fields and saved searches.

    \b
    bash    eval "$(windrow completion bash)"        in ~/.bashrc
    zsh     eval "$(windrow completion zsh)"         in ~/.zshrc, after compinit
    fish    windrow completion fish > ~/.config/fish/completions/windrow.fish
    """
    from click.shell_completion import ShellComplete, get_completion_class  # no search needs it

    offering = get_completion_class(shell)
    assert offering is not None
    root = click.get_current_context().find_root().command
    script = ShellComplete.source(offering(root, {}, "windrow", "_WINDROW_COMPLETE"))
    put_lines(*_BEFORE.get(shell, ()), script)


# Bash takes @ for the beginning of a host's name, and gives only what follows it.
_BEFORE = {"bash": ("COMP_WORDBREAKS=${COMP_WORDBREAKS//@}",)}


def source_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    settings = _settings(ctx)
    return _beginning(incomplete, settings.sources if settings else ())


def facets(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from index.fields import SPOKEN_FACETS

    return _beginning(incomplete, SPOKEN_FACETS)


def filters(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """A field, then its value where all values are known."""
    from index.fields import SPOKEN_FACETS

    name, equals, value = incomplete.partition("=")
    if not equals:
        fields = ("id", "set", "date", *SPOKEN_FACETS)
        return _beginning(name, (f"{field}=" for field in fields))
    return _beginning(value, _values(ctx, name), before=f"{name}=")


def words(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """`@NAME`. In bash `=` ends a word: what follows `--filter type` may be the filter's value."""
    begun: Sequence[str] = ctx.params.get("filters") or ()
    if begun and "=" not in begun[-1]:
        return _beginning(incomplete.removeprefix("="), _values(ctx, begun[-1]))
    settings = _settings(ctx)
    names = (f"@{name}" for name in (settings.searches if settings else ()))
    return _beginning(incomplete, names) if incomplete.startswith("@") or not incomplete else []


def _values(ctx: click.Context, field: str) -> Iterable[str]:
    if field == "source":
        settings = _settings(ctx)
        return settings.sources if settings else ()
    return _VALUES.get(field, ())


def _beginning(with_: str, offered: Iterable[str], before: str = "") -> list[str]:
    return [before + one for one in offered if one.startswith(with_)]


def _settings(ctx: click.Context) -> Settings | None:
    """None where config.toml is missing or at fault: completing is no time to say so."""
    root = ctx.find_root()
    root.obj = root.params.get("config")
    try:
        return config.load(config_path(ctx), os.environ)
    except WindrowError:
        return None
