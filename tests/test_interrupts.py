"""Ctrl-C between any two lines of a harvest, in a process that lives on: nothing keeps the next one out."""

import sys
from itertools import count
from pathlib import Path
from types import FrameType

import pytest

from harvester import harvest, ledger
from harvester.store import database, leases
from tests.fakes.clock import FakeClock
from tests.fakes.rig import Rig, rigged
from tests.fakes.works import Works

WATCHED = {module.__file__ for module in (harvest, ledger, leases, database)}


class Interrupt:
    """Strikes at the nth line that a harvest passes in the modules above; `struck` says whether it did."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    @property
    def struck(self) -> bool:
        return self.left <= 0

    def __call__(self, frame: FrameType, event: str, _argument: object) -> "Interrupt | None":
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line" and self.left > 0:
            self.left -= 1
            if self.struck:
                raise KeyboardInterrupt
        return self


def interrupted(rig: Rig, nth: int) -> bool:
    interrupt = Interrupt(nth)
    sys.settrace(interrupt)
    try:
        rig.harvest()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    return interrupt.struck


STRIPES = 4


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, STRIPES + 1))
def test_between_any_two_lines(tmp_path: Path, clock: FakeClock, first: int) -> None:
    for nth in count(first, STRIPES):
        folder = tmp_path / str(nth)
        folder.mkdir()
        with rigged(folder, Works(6, clock.now, page_size=3), clock) as rig:
            struck = interrupted(rig, nth)
            assert rig.harvest().verdict == "complete", nth
            assert rig.is_exact(), nth
            assert rig.last_run.checkpoint.counts.created in (0, 6), nth  # a page counts once
        if not struck:
            break
    assert nth > 100 + first
