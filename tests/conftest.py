"""What several files of tests begin with."""

import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from harvester.transport import Transport
from tests.fakes.clock import FakeClock
from tests.fakes.echo import Echo, Make, transports
from tests.fakes.repository import FakeRepository, serving
from tests.fakes.rig import Rig, rigged
from tests.fakes.works import Works

# A shell that runs us in the background has us ignore Ctrl-C, and so would all programs that we start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no fault of a test. And the same examples each time: a change is judged by what it
# changed, not by what chance brings that day; `make explore` is for chance.
settings.register_profile("windrow", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("windrow")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def socket_path() -> Iterator[str]:
    """A socket's path has a hundred letters at most, and `tmp_path` may have more."""
    with TemporaryDirectory(prefix="w") as folder:
        yield f"{folder}/socket"


@pytest.fixture
def transport_with(clock: FakeClock) -> Iterator[Make]:
    """Names of `Limits` are limits, all else is the transport's own."""
    yield from transports(clock)


@pytest.fixture
def transport(transport_with: Make) -> Transport:
    return transport_with()


@pytest.fixture
def server() -> Iterator[FakeRepository]:
    """Always says the same."""
    with serving(Echo()) as repository:
        yield repository


@pytest.fixture
def other() -> Iterator[FakeRepository]:
    """Another host."""
    with serving(Echo(), host="127.0.0.2") as repository:
        yield repository


@pytest.fixture
def rig(tmp_path: Path, clock: FakeClock) -> Iterator[Rig]:
    """50 works, 10 a page."""
    with rigged(tmp_path, Works(50, clock.now), clock) as rig:
        yield rig
