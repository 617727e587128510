"""The catalogue of misbehaviour (FAULTS section 2), each row as whole harvests over HTTP.

A row holds when its fault has struck, nothing was lost in silence, and its own demands are met.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.catalogue import (
    dates,
    deletions,
    http,
    identity,
    metadata,
    operations,
    protocol,
    scale,
    security,
    sets,
    tokens,
    transport,
    xml,
)
from tests.catalogue.elsewhere import ELSEWHERE, IDS, LEFT_OUT
from tests.catalogue.trial import Row
from tests.fakes.clock import FakeClock

_SECTIONS = (
    transport, http, xml, protocol, dates, tokens, deletions, sets, identity, metadata, scale, security,
    operations,
)  # fmt: skip
ROWS: tuple[Row, ...] = sum((section.ROWS for section in _SECTIONS), ())


def _named(row: Row) -> Any:
    return pytest.param(row, id=row.id, marks=[pytest.mark.slow] if row.slow else [])


@pytest.mark.parametrize("row", [_named(row) for row in ROWS])
def test_row(row: Row, tmp_path: Path, clock: FakeClock) -> None:
    with row.stand(tmp_path, clock) as rig:
        row.play(rig)


def test_each_row_is_proven_once_or_it_is_said_why_not() -> None:
    named = sorted([*(row.id for row in ROWS), *ELSEWHERE, *LEFT_OUT])
    assert named == sorted(IDS)
    assert all(LEFT_OUT.values())


@pytest.mark.parametrize("id", sorted(ELSEWHERE))
def test_what_is_proven_elsewhere_is_there(id: str) -> None:
    root = Path(__file__).parent.parent
    for node in ELSEWHERE[id]:
        file, _, name = node.partition("::")
        assert f"def {name}(" in (root / file).read_text("utf-8"), f"{id}: there is no {node}"
