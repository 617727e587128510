"""What several files of tests begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fakes.clock import FakeClock
from tests.fakes.rig import Rig, rigged
from tests.fakes.works import Works

# A busy machine is no fault of a test.
settings.register_profile("windrow", deadline=None)
settings.load_profile("windrow")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def rig(tmp_path: Path, clock: FakeClock) -> Iterator[Rig]:
    """50 works, 10 a page."""
    with rigged(tmp_path, Works(50, clock.now), clock) as rig:
        yield rig
