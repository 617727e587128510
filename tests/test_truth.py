"""Sixty real records, chosen to be hard and read by hand, become what was read: truth/*.toml, field by field.

A truth says only what is there; what it does not name is empty. Names are `Family|Given|Suffix #orcid @role`,
without a bar as they are; identifiers are `scheme:value`; a long text is its first and last 60 characters and
its length. Order counts among creators, contributors and files. A field that is empty on both sides is not
counted.
`python -m tests.test_truth` prints what is wrong.
"""

import tomllib
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from lxml.etree import _Element

from harvester.formats import normalise
from harvester.record import HEADER, File, Name, Record
from tests.test_real_metadata import DATA, METADATA, parsed

TRUTH = Path(__file__).parent / "truth"
FIELDS = [name for name in Record.__struct_fields__ if name not in (*HEADER, "formats")]
IN_ORDER = ("creators", "contributors", "files")
EMPTY: tuple[object, ...] = (None, "", [], {})

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real metadata is not there: ../shared/data is no part of a clone"
)


class Compared(NamedTuple):
    record: str
    field: str
    expected: Any
    found: Any

    @property
    def is_right(self) -> bool:
        return same(self.field, self.expected, self.found)


def truths() -> list[dict[str, Any]]:
    files = sorted(TRUTH.glob("*.toml"))
    return list(chain.from_iterable(tomllib.loads(file.read_text("utf-8"))["record"] for file in files))


def key(truth: dict[str, Any]) -> str:
    return str(truth.get("identifier") or truth["file"])


def document(truth: dict[str, Any]) -> _Element:
    root, wanted = parsed(DATA / truth["file"]), truth.get("identifier")
    assert root is not None
    if wanted is None:
        return root
    header = f"//*[local-name()='header'][normalize-space(*[local-name()='identifier'])='{wanted}']/.."
    found: Any = root.xpath(f"{header}//*[local-name()='metadata']/*[1] | //*[@id='{wanted}']")
    return next(one for one in found if one.getparent().tag in (METADATA, "metadata") or one.get("id"))


def expected(truth: dict[str, Any], field: str) -> Any:
    said = truth.get(field)
    if field == "year":
        return int(truth["date"][:4]) if "date" in truth else None
    if said is None:
        return None
    if field in ("creators", "contributors"):
        return [msgspec.to_builtins(name(one)) for one in said]
    if field == "identifiers":
        return [dict(zip(("scheme", "value"), one.split(":", 1), strict=True)) for one in said]
    return [msgspec.to_builtins(File(**one)) for one in said] if field == "files" else said


def name(said: str) -> Name:
    said, _, role = said.partition(" @")
    said, _, orcid = said.partition(" #")
    parts = said.split("|")
    family, given = parts[:2] if len(parts) > 1 else ("", "")
    return Name(", ".join(parts), family, given, orcid, role)


def same(field: str, expected: Any, found: Any) -> bool:
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(
            same("", expected[one], found[one]) for one in expected
        )
    if isinstance(expected, dict) and isinstance(found, str):
        length, start, end = len(found), found[:60], found[-60:]
        return expected == {"start": start, "end": end, "length": length}
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all_same(field, expected, found)
    return bool(expected == found)


def all_same(field: str, expected: list[Any], found: list[Any]) -> bool:
    if field in IN_ORDER:
        return expected == found
    return all(any(same("", one, other) for other in found) for one in expected)


@lru_cache(maxsize=1)
def compared() -> tuple[Compared, ...]:
    return tuple(chain.from_iterable(map(fields, truths())))


def fields(truth: dict[str, Any]) -> Iterator[Compared]:
    found = msgspec.json.decode(msgspec.json.encode(normalise(document(truth))))
    for field in FIELDS:
        said = expected(truth, field)
        if said not in EMPTY or found[field] not in EMPTY:
            yield Compared(
                key(truth), field, said if said is not None else type(found[field])(), found[field]
            )


def wrong() -> list[Compared]:
    return [one for one in compared() if not one.is_right]


def table(found: list[Compared]) -> str:
    lines = (f"{one.record} {one.field}\n  expected {one.expected}\n  found    {one.found}" for one in found)
    return "\n".join(lines)


def test_sixty_records_of_which_none_is_said_twice() -> None:
    keys = [key(one) for one in truths()]
    assert len(keys) == len(set(keys)) == 60


def test_98_fields_of_100_are_right() -> None:
    share = 1 - len(wrong()) / len(compared())
    assert share >= 0.98, f"{share:.1%} of {len(compared())} fields:\n{table(wrong())}"


def test_the_wrong_ones_are_those_that_are_known() -> None:
    known = (TRUTH / "wrong.txt").read_text().splitlines()
    assert [f"{one.record} {one.field}" for one in wrong()] == known, table(wrong())


if __name__ == "__main__":
    print(table(wrong()))  # noqa: T201
    print(f"{len(wrong())} of {len(compared())} fields are wrong")  # noqa: T201
