"""Work on what a source has in the store: told as it goes, and what came of it at its end."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from harvester.clock import Clock
from harvester.errors import LeaseLost, SourceBusy
from harvester.store import Store
from index.cli.progress import counting
from index.cli.talk import put_json, tell_error
from index.program import Program

Outcome = TypeVar("Outcome", covariant=True)


class Work(Protocol[Outcome]):
    def __call__(
        self, source: str, store: Store, clock: Clock, on_progress: Callable[[int], None], /
    ) -> Outcome: ...


def rework(
    program: Program, source: str, work: Work[Outcome], put: Callable[[Outcome], None], *, as_json: bool
) -> int:
    """The exit code: 3 where another process has the source."""
    try:
        with counting(source, quiet=as_json) as count:
            found = work(source, program.store, program.clock, count)
    except (SourceBusy, LeaseLost) as error:
        tell_error(error)
        return error.exit_code
    if as_json:
        put_json(found)
    else:
        put(found)
    return 0
