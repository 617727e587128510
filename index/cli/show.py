"""show."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from harvester.clean.text import printable
from harvester.errors import NotFound
from index.cli.naming import full_id
from index.cli.opening import json_option, with_program
from index.cli.pager import paged, pager_option
from index.cli.talk import counted, put_json, put_lines, put_xml, tell, width
from index.program import Program

if TYPE_CHECKING:
    from harvester.record import Record

_FORMS = {
    "list": "as the list had it",
    "sent": "as it came, before it was repaired",
    "detail": "what was fetched beside the list",
}


@click.command()
@click.argument("id")
@click.option("--raw", is_flag=True, help="What it was made from, each form headed by its name on stderr.")
@click.option("--form", default="", metavar="NAME", help="Of --raw only this form: list, sent, detail.")
@json_option
@pager_option
@with_program
def show(program: Program, id: str, raw: bool, form: str, as_json: bool, no_pager: bool) -> None:
    """Show one record, by its id, OAI identifier, eprint number, DOI or URL."""
    full = full_id(program, id)
    with paged(no_pager=no_pager):
        _put(program, full, raw, form, as_json)


def _put(program: Program, full: str, raw: bool, form: str, as_json: bool) -> None:
    record = _stored(program, full)
    if raw or form:
        _put_raw(full, _forms(program, full, form), _nothing_kept(program, record), as_json)
    elif as_json:
        put_json(record)
    elif nothing := _nothing_kept(program, record):
        put_lines(nothing)
    else:
        from index.cli.sheet import lines

        put_lines(*lines(record, width()))


def _stored(program: Program, full: str) -> "Record":
    from harvester.store import records

    with program.store.read() as connection:
        record = records.get(connection, full)
    if record is None:
        raise NotFound(f"the index names {full}, the store does not have it", "run `windrow sync`")
    return record


def _nothing_kept(program: Program, record: "Record") -> str:
    """Since when, and why, for a tombstone; "" for a record."""
    from harvester.store import forgetting, sources

    if not record.deleted:
        return ""
    with program.store.read() as connection:
        forgotten = forgetting.since(connection, record.id)
        removed = sources.removed_since(connection, record.source)
    if forgotten:
        how = f"was forgotten here on {forgotten[:10]}"
    elif removed:
        how = f"went with its source, which was removed here on {removed[:10]}"
    else:
        how = f"was deleted by its repository ({record.datestamp or 'it does not say when'})"
    return printable(f"{record.id} {how}. Nothing of it is kept but its identifier.")


def _forms(program: Program, full: str, wanted: str) -> dict[str, bytes]:
    from harvester.store import records

    with program.store.read() as connection:
        forms = records.raw_forms(connection, full)
    if wanted and wanted not in forms:
        advice = f"it has {', '.join(sorted(forms))}" if forms else ""
        raise NotFound(f"{full} has no form {wanted}", advice)
    return {wanted: forms[wanted]} if wanted else forms


def _put_raw(full: str, forms: Mapping[str, bytes], nothing: str, as_json: bool) -> None:
    if as_json:
        put_json(
            {"id": full, "forms": {name: body.decode("utf-8", "replace") for name, body in forms.items()}}
        )
        return
    if nothing:
        tell(nothing)
    for name, body in forms.items():
        about = f": {_FORMS[name]}" if name in _FORMS else ""
        tell(f"{name}{about} ({counted(len(body), 'byte')})")
        put_xml(body)
