"""Names that a person gave and nobody has."""

import difflib
from collections.abc import Collection

from harvester.errors import ConfigError


def unknown_source(name: str, known: Collection[str]) -> ConfigError:
    near = difflib.get_close_matches(name, known, n=1)
    listed = ", ".join(sorted(known)[:10]) + (" …" if len(known) > 10 else "")
    advice = (
        f"did you mean {near[0]}?"
        if near
        else f"sources are {listed}"
        if known
        else "there are no sources yet"
    )
    return ConfigError(f"there is no source {name}", advice=advice)
