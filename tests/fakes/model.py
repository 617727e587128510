"""A provider that a state machine drives: what it holds, what it has sent, and what no date shows of it.

An event changes the works and raises `serial`. `touched` has the last event of each identifier. `excused`
has the identifiers whose present state a harvest by dates need not see, with the event that made it so: a
full list finds them, if its run began after that.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from lxml import etree

from harvester.clock import Clock
from harvester.errors import ProtocolError
from index.demo import render_dc
from index.demo.envelope import add
from index.demo.item import Item
from index.demo.selection import Selection, bad_token, from_arguments
from tests.fakes import faults
from tests.fakes.repository import Fault
from tests.fakes.works import Works, eprints_stamp, identifier

GONE = b""  # the version that a tombstone is
_DATES_SHOW = timedelta(minutes=59)  # what appears later than this after its stamp may be past the overlap


@dataclass(frozen=True)
class Kind:
    """`keeps_lists`: pages are cut out of the list as it was when it began, not as it is by then."""

    days: bool
    deleted_record: str
    by_datestamp: bool
    states_size: bool
    ends_without_token: bool
    keeps_lists: bool
    tokens_work_once: bool

    def faults(self) -> Iterator[Fault]:
        """What makes the sample repository one of this kind."""
        yield faults.replaced("(<deletedRecord>)persistent", rf"\1{self.deleted_record}")
        if self.days:
            yield faults.day_granularity
        if not self.states_size:
            yield faults.unstated_size()
        if self.ends_without_token:
            yield faults.no_last_token()


@dataclass(frozen=True)
class SentPage:
    """`asked_with` is the token of its request; `records` are (identifier, number of the sending)."""

    asked_with: str
    records: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Answered:
    arguments: Mapping[str, str]
    at: datetime


class Provider(Works):
    """`ahead` is how far its clock is before the world's. `list_is_open`: a harvest stands in mid-list."""

    def __init__(self, count: int, world: Clock, kind: Kind, page_size: int, ahead: timedelta) -> None:
        self.kind = kind
        self.lock = threading.RLock()
        self.serial = 0
        self.touched = {identifier(number): 0 for number in range(1, count + 1)}
        self.excused: dict[str, int] = {}
        self.list_is_open = False
        self.sends: dict[str, dict[bytes, int]] = {}
        self.pages: dict[str, SentPage] = {}
        self.answered: list[Answered] = []
        self._sendings = 0
        self._lists: dict[str, tuple[Selection, tuple[int, ...]]] = {}
        self._late: dict[int, tuple[datetime, dict[str, Any]]] = {}
        self._last_number = count
        super().__init__(count, lambda: world.now() + ahead, page_size)

    @property
    def truth(self) -> dict[str, bytes]:
        """The version of each work: what a perfect reader would hold."""
        with self.lock:
            return {item.identifier: _version(item) for item in self.items}

    @property
    def live_truth(self) -> dict[str, bytes]:
        return {one: version for one, version in self.truth.items() if version != GONE}

    def certain(self, began: int, *, listed_whole: bool) -> set[str]:
        """Which identifiers a run that began at event `began` has to have right, if nothing came since."""
        with self.lock:
            settled = {one for one, last in self.touched.items() if last <= began}
            found = began if listed_whole else -1
            return {one for one in settled if self.excused.get(one, -1) <= found}

    # What happens to it.

    def add(self, count: int) -> None:
        with self._event():
            for _ in range(count):
                self._last_number += 1
                self._put(self._last_number)

    def edit(self, which: Sequence[int]) -> None:
        with self._event(shifts=self.kind.by_datestamp):
            for number in self._of(which):
                self._put(number, title=f"Work {number}, as of event {self.serial}")

    def restamp(self) -> None:
        """All of them anew, nothing changed (FAULTS D13)."""
        with self._event(shifts=self.kind.by_datestamp):
            for number in list(self._works):
                self._put(number)

    def back_date(self, which: int, days: int) -> None:
        """Changed, under a stamp of long ago (FAULTS D12)."""
        with self._event(shifts=True):
            for number in self._of([which]):
                stamp = eprints_stamp(self.now() - timedelta(days=days))
                self._put(number, title=f"Work {number}, of event {self.serial}", lastmod=stamp)
                self._excuse(identifier(number))

    def lag(self, which: int, minutes: int) -> None:
        """Changed and stamped now, seen later (FAULTS D11)."""
        with self._event():
            for number in self._of([which]):
                changes = {"title": f"Work {number}, late", "lastmod": eprints_stamp(self.now())}
                self._late[number] = (self.now() + timedelta(minutes=minutes), changes)

    def remove(self, which: Sequence[int]) -> None:
        """Deleted, in the way of its kind."""
        if self.kind.deleted_record == "no":
            self.vanish(which)
            return
        with self._event(shifts=self.kind.by_datestamp):
            for number in self._of(which):
                self._put(number, eprint_status="deletion")

    def vanish(self, which: Sequence[int]) -> None:
        """Gone without a trace (FAULTS L01, L03, L10)."""
        with self._event(shifts=True):
            self._drop(self._of(which))

    def prune(self) -> None:
        """Tombstones are cleared away (FAULTS L02)."""
        with self._event(shifts=True):
            self._drop([item.number for item in self.items if item.deleted])

    def restore(self) -> None:
        """What is deleted comes back to life (FAULTS L07)."""
        with self._event(shifts=self.kind.by_datestamp):
            for item in [item for item in self.items if item.deleted]:
                self._put(item.number, eprint_status="archive")

    def restart(self) -> None:
        """No token is known any more (FAULTS K06)."""
        with self.lock:
            self._lists.clear()

    def resize(self, page_size: int) -> None:
        with self.lock:
            self.identifiers_a_page = self.records_a_page = page_size

    # What it answers.

    def respond(self, arguments: Sequence[tuple[str, str]]) -> bytes:
        with self.lock:
            self.let_appear()
            self.answered.append(Answered(dict(arguments), self.now()))
            return super().respond(arguments)

    def let_appear(self) -> None:
        """What was hidden, and is due."""
        due = {number: fields for number, (at, fields) in self._late.items() if at <= self.now()}
        for number, fields in due.items():
            with self._event(shifts=self.kind.by_datestamp):
                self._put(number, **fields)
                if self.now() - Item(fields).changed > _DATES_SHOW:
                    self._excuse(identifier(number))

    def _list(self, body: etree._Element, arguments: Mapping[str, str]) -> None:
        token = arguments.get("resumptionToken", "")
        selection, kept = self._taken_up(token) if token else (from_arguments(arguments), ())
        numbers = kept if token and self.kind.keeps_lists else self._selected(selection)
        if not numbers and not token:
            raise ProtocolError("No record is in that window and set", "noRecordsMatch")
        if token and selection.offset >= len(numbers):
            raise bad_token()
        end = selection.offset + self.page_size
        sent = self._send(body, numbers[selection.offset : end], selection)
        if not token and end >= len(numbers):
            return
        following = ""
        if end < len(numbers):
            following = f"{selection.verb}-{len(self.pages)}"
            self._lists[following] = (replace(selection, offset=end), numbers)
            self.pages[following] = SentPage(token, sent)
        counts = {"completeListSize": str(len(numbers)), "cursor": str(selection.offset)}
        add(body, "resumptionToken", following, **counts)

    def _taken_up(self, token: str) -> tuple[Selection, tuple[int, ...]]:
        if token not in self._lists:
            raise bad_token()
        return self._lists.pop(token) if self.kind.tokens_work_once else self._lists[token]

    def _selected(self, selection: Selection) -> tuple[int, ...]:
        return tuple(item.number for item in self.items if selection.takes(item))

    def _send(
        self, body: etree._Element, numbers: Sequence[int], selection: Selection
    ) -> tuple[tuple[str, int], ...]:
        here = {item.number: item for item in self.items}
        sent = []
        for item in (here[number] for number in numbers if number in here):
            if selection.verb == "ListIdentifiers":
                self._header(body, item)
            else:
                self._record(body, item, selection.prefix)
                sent.append((item.identifier, self._sendings))
        return tuple(sent)

    def _record(self, parent: etree._Element, item: Item, prefix: str) -> None:
        super()._record(parent, item, prefix)
        self._sendings += 1
        self.sends.setdefault(item.identifier, {})[_version(item)] = self._sendings

    # How it keeps its books.

    @contextmanager
    def _event(self, *, shifts: bool = False) -> Iterator[None]:
        """`shifts`: works may leave the part of an open list that is still to come, and nobody is told."""
        with self.lock:
            self.serial += 1
            yield
            self._arrange()
            if shifts and self.list_is_open and not self.kind.keeps_lists:
                for one in self.touched:
                    self._excuse(one)

    def _put(self, number: int, **fields: Any) -> None:
        self._late.pop(number, None)
        self._renew(number, fields)
        self.touched[identifier(number)] = self.serial
        self.excused.pop(identifier(number), None)

    def _drop(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._late.pop(number, None)
            del self._works[number]
            self.touched[identifier(number)] = self.serial
            self._excuse(identifier(number))

    def _excuse(self, one: str) -> None:
        self.excused[one] = self.serial

    def _of(self, which: Sequence[int]) -> list[int]:
        """Works that there are, by any numbers."""
        here = sorted(self._works)
        return sorted({here[one % len(here)] for one in which}) if here else []

    def _arrange(self) -> None:
        super()._arrange()
        if self.kind.by_datestamp:
            self.items.sort(key=lambda item: (item.changed, item.number))


def canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


@lru_cache(4096)
def version_of_raw(raw: bytes) -> bytes:
    """Of what the store keeps: the record without its header."""
    metadata = etree.fromstring(raw).find("{*}metadata")
    assert metadata is not None, raw
    return canonical(metadata[0])


def _version(item: Item) -> bytes:
    return GONE if item.deleted else canonical(render_dc.render(item))
