"""After a change of config.toml, whoever serves is told."""

from pathlib import Path

from index.cli.talk import tell


def reload_server(data: Path) -> bool:
    """Whether somebody serves it, and was told."""
    from index.serving import ask_to_reload, server_of

    if ask_to_reload(data):
        tell("`windrow serve`, which is running, takes it up at once.")
        return True
    if server := server_of(data):
        tell(f"`windrow serve` ({server}) could not be told: send it SIGHUP, or start it anew.")
    return False
