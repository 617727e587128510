"""What a person named: a record, or a source; and what to say where nobody has that name."""

import difflib
from collections.abc import Collection, Sequence

from harvester.errors import Ambiguous, ConfigError, IndexFault, NotFound
from index.cli.talk import tell
from index.program import Program

_MOST_LISTED = 10


def unknown_source(name: str, known: Collection[str]) -> ConfigError:
    near = difflib.get_close_matches(name, known, n=1)
    advice = (
        f"did you mean {near[0]}?"
        if near
        else f"sources are {listed(sorted(known))}"
        if known
        else "there are no sources yet"
    )
    return ConfigError(f"there is no source {name}", advice=advice)


def listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_LISTED]) + (" …" if len(names) > _MOST_LISTED else "")


def insist_on_source(program: Program, name: str) -> None:
    """It is in the store or in config.toml; else ConfigError."""
    from harvester.store import sources

    with program.store.read() as connection:
        known = {state.name for state in sources.every(connection)} | set(program.settings.sources)
        removed = sources.removed_since(connection, name)
    if name not in known and removed:
        raise ConfigError(
            f"{name} was removed here on {removed[:10]}", advice="`windrow status` lists what is"
        )
    if name not in known:
        raise unknown_source(name, known)


def full_id(program: Program, id: str) -> str:
    """The id of the only record that answers to `id`."""
    from harvester.store import records

    with program.store.read() as connection:
        if records.get(connection, id) is not None:
            return id
        found = records.ids_of(connection, id)
    found = found or _by_identifier(program, id)
    if not found:
        raise NotFound(f"no record answers to {id}", f"try `windrow search {id}`")
    if len(found) > 1:
        named = ", ".join(found[:5]) + (" …" if len(found) > 5 else "")
        raise Ambiguous(f"{len(found)} records answer to {id}: {named}", "give one of these ids")
    return found[0]


def _by_identifier(program: Program, id: str) -> list[str]:
    from index.identifiers import identifier_key
    from index.nodes import Exact

    try:
        found = program.searcher().search(Exact("identifier", identifier_key(id)), limit=20)
    except IndexFault as error:
        tell(f"{error.message}: only full ids and OAI identifiers are known")
        return []
    return [hit.id for hit, _ in found.hits]
