"""A fleet in a process of its own, so that what it needs is not taken for what a harvester needs."""

import multiprocessing
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from tests.fakes.clock import JumpingClock
from tests.fakes.exports import Exports
from tests.fakes.faults import sent, status
from tests.fakes.fleet import Fleet, fleet
from tests.fakes.works import Works

_SPAWNED = multiprocessing.get_context("spawn")
_HANGS = 120


class Traffic(NamedTuple):
    """Requests since the last time that it was asked, and how many were in flight at once, ever."""

    requests: list[int]
    most_at_once: int


class Harbour:
    """Speaks to it. Numbers are those of `kinds`, in their order."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self.urls: list[str] = self._ask("urls")

    def change(self, times: int) -> None:
        """Works of each repository are added, changed or deleted."""
        self._ask("change", times)

    def traffic(self) -> Traffic:
        return Traffic(*self._ask("traffic"))

    def live(self) -> list[set[str]]:
        return list(self._ask("live"))

    def leave(self) -> None:
        self._line.send(("leave", None))

    def _ask(self, what: str, how: Any = None) -> Any:
        self._line.send((what, how))
        assert self._line.poll(_HANGS), f"no answer to {what}"
        return self._line.recv()


class _Master:
    def __init__(self, ships: Fleet, seed: int) -> None:
        self._ships = ships
        self._chance = random.Random(seed)

    def urls(self, _how: None) -> list[str]:
        return [repository.url for repository in self._ships.repositories]

    def change(self, times: int) -> None:
        for repository in self._ships.repositories:
            for _ in range(times):
                change(repository.responder, self._chance)

    def traffic(self, _how: None) -> Traffic:
        requests = [len(repository.log) for repository in self._ships.repositories]
        for repository in self._ships.repositories:
            repository.log.clear()
        return Traffic(requests, self._ships.most_at_once)

    def live(self, _how: None) -> list[set[str]]:
        return [repository.responder.live for repository in self._ships.repositories]


def change(works: Works, chance: random.Random) -> None:
    """One work is added, changed or deleted."""
    numbers = [item.number for item in works.items]
    match chance.randrange(5):
        case 0:
            works.delete(chance.choice(numbers))
        case 1 | 2:
            works.put(max(numbers) + 1)
        case _:
            works.put(chance.choice(numbers), title=f"Another {chance.random()}", eprint_status="archive")


_FAULTS: Mapping[str, Any] = {
    "busy": (status(503, Retry_After="60"), 0.2),
    "away": (status(503, Retry_After="7200"), 1.0),
    "refusing": (status(403), 1.0),
    "cutting": (sent(share=0.6, coding=""), 0.2),
}


def _serve(line: Connection, kinds: Sequence[str], works: int, passed: Any, seed: int) -> None:
    clock, chance = JumpingClock(passed), random.Random(seed)
    responders = [Works(works, clock.now) for _ in kinds]
    with fleet(responders, dead=kinds.count("dead")) as ships:
        for kind, repository in zip(kinds, ships.repositories, strict=True):
            repository.exports = Exports(repository.responder, has_years=False)
            if kind in _FAULTS:
                fault, share = _FAULTS[kind]
                repository.misbehave(fault, lambda _asked, share=share: chance.random() < share)
        master = _Master(ships, seed)
        while (asked := line.recv())[0] != "leave":
            line.send(getattr(master, asked[0])(asked[1]))


@contextmanager
def harbour(kinds: Sequence[str], works: int, seed: int = 7) -> Iterator[tuple[Harbour, JumpingClock]]:
    """`kinds` are "well", "busy", "away", "refusing", "cutting" and, at the end, "dead"."""
    passed = _SPAWNED.RawValue("d", 0.0)
    ours, theirs = _SPAWNED.Pipe()
    process = _SPAWNED.Process(target=_serve, args=(theirs, kinds, works, passed, seed))
    process.start()
    try:
        opened = Harbour(ours)
        yield opened, JumpingClock(passed)
        opened.leave()
    finally:
        process.join(_HANGS)
        process.kill()
        process.close()
