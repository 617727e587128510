"""What the doors of the program share: settings, store, index, transport and clock, each opened once.

Opened when first asked for: a search needs no database, and its imports would cost more than the search.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from harvester.clock import Clock, this_clock
from index.generations import Generations

if TYPE_CHECKING:
    from harvester.config import Settings
    from harvester.store import Store
    from harvester.transport import Limits, Transport
    from index.engine import Searcher


class Program:
    """Close it when done."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or this_clock()
        self._open: list[Store | Transport] = []

    @cached_property
    def store(self) -> Store:
        from harvester.store import Store

        store = Store(self.settings.store.url)
        self._open.append(store)
        return store

    @cached_property
    def generations(self) -> Generations:
        return Generations(self.settings.index_folder)

    def searcher(self) -> Searcher:
        """A snapshot of the current index. IndexMissing, IndexUnusable."""
        return self.generations.searcher()

    def transport(
        self,
        on_wait: Callable[[float, str], None] = lambda _seconds, _why: None,
        limits: Limits | None = None,
        on_notice: Callable[[str], None] = lambda _sentence: None,
    ) -> Transport:
        from harvester.transport import Limits, Transport, trust_of, turns_on

        transport = Transport(
            self.clock,
            self.settings.harvest.contact,
            limits,
            on_wait,
            on_notice=on_notice,
            trust=trust_of(self.settings.sources),
            turns=turns_on(self.settings.data, self.clock, limits or Limits()),
        )
        self._open.append(transport)
        return transport

    def close(self) -> None:
        while self._open:
            self._open.pop().close()
