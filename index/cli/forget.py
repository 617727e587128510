"""forget."""

from typing import TYPE_CHECKING

import click

from harvester.clean.text import printable
from index.cli.catching_up import catch_up
from index.cli.naming import full_id
from index.cli.opening import json_option, with_program
from index.cli.talk import is_agreed, put_json, put_lines, tell
from index.program import Program

if TYPE_CHECKING:
    from harvester.record import Record


@click.command()
@click.argument("id")
@click.option("--undo", is_flag=True, help="Let it come back, the next time that it is delivered.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_program
def forget(program: Program, id: str, undo: bool, yes: bool, as_json: bool) -> int:
    """Clear a record here, the index and all followers included, and keep it from coming back.

    ID is as for `windrow show`, or a record in quarantine. Harvests go on to receive it and count it as
    unchanged; they store nothing of it but its identifier.
    """
    full, record = _named(program, id)
    if undo:
        return _undo(program, full, as_json)
    if not (_since(program, full) or is_agreed(_question(full, record), yes=yes)):
        return 1
    return _forget(program, full, as_json)


def _named(program: Program, id: str) -> "tuple[str, Record | None]":
    from harvester.store import quarantine, records

    source, _, identifier = id.partition("/")
    with program.store.read() as connection:
        refused = quarantine.holds(connection, source, identifier) if source and identifier else False
    full = id if refused else full_id(program, id)
    with program.store.read() as connection:
        return full, records.get(connection, full)


def _question(full: str, record: "Record | None") -> str:
    title = f" ({record.title})" if record and record.title else ""
    return f"Forget {full}{title}? Nothing of it is kept here, and harvests will not bring it back."


def _forget(program: Program, full: str, as_json: bool) -> int:
    from harvester.forget import forget as run

    already = _since(program, full)
    if not already:
        run(full, program.store, program.clock)
        catch_up(program, quiet=as_json)
    if as_json:
        put_json({"id": full, "forgotten": _since(program, full)})
    elif already:
        put_lines(f"{printable(full)} was forgotten here on {already[:10]}.")
    else:
        put_lines(f"{printable(full)} is forgotten here.")
        tell(f"To let it come back: windrow forget --undo {full}")
    return 0


def _undo(program: Program, full: str, as_json: bool) -> int:
    from harvester.forget import undo as run

    was = _since(program, full)
    if was:
        run(full, program.store, program.clock)
    if as_json:
        put_json({"id": full, "forgotten": None})
    elif not was:
        put_lines(f"{printable(full)} is not forgotten.")
    else:
        source = full.partition("/")[0]
        put_lines(f"{printable(full)} may come back, the next time that it is delivered.")
        tell(f"To ask for all that there is: windrow harvest {source} --full")
    return 0


def _since(program: Program, full: str) -> str | None:
    from harvester.store import forgetting

    with program.store.read() as connection:
        return forgetting.since(connection, full)
