"""How many files the process may have open: each harvest has a few, and macOS gives a program 256."""

from contextlib import suppress

_ENOUGH = 4096


def allow_many_files() -> None:
    """As many as we may give ourselves; Windows counts none."""
    with suppress(ImportError, OSError, ValueError):  # then the harvests that find none are tried again
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        enough = _ENOUGH if hard == resource.RLIM_INFINITY else min(_ENOUGH, hard)
        if soft != resource.RLIM_INFINITY and soft < enough:
            resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
