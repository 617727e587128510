"""A small repository whose works a test changes as it goes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from harvester.datestamp import format_datestamp
from index.demo.item import ARCHIVE, Item
from index.demo.repository import DemoRepository

ARTICLES = "74797065733D61727469636C65"  # types=article, as EPrints writes it
THESES = "74797065733D746865736973"


def identifier(number: int) -> str:
    return f"oai:{ARCHIVE}:{number}"


class Works(DemoRepository):
    """Works 1 … `count`: the odd ones articles, the even ones theses. `put` stamps with the clock's time."""

    def __init__(self, count: int, now: Callable[[], datetime], page_size: int = 10) -> None:
        super().__init__((), page_size=page_size, now=now)
        self.identifiers_a_page = self.records_a_page = page_size
        self._works: dict[int, dict[str, Any]] = {}
        for number in range(1, count + 1):
            self._works[number] = _work(number)
        self._arrange()

    @property
    def live(self) -> set[str]:
        return {item.identifier for item in self.items if not item.deleted}

    @property
    def deleted(self) -> set[str]:
        return {item.identifier for item in self.items if item.deleted}

    def respond(self, arguments: Sequence[tuple[str, str]]) -> bytes:
        headers_only = ("verb", "ListIdentifiers") in arguments
        self.page_size = self.identifiers_a_page if headers_only else self.records_a_page
        return super().respond(arguments)

    def put(self, number: int, **fields: Any) -> None:
        """A new work, or an old one with some fields changed."""
        self._renew(number, fields)
        self._arrange()

    def delete(self, number: int) -> None:
        self.put(number, eprint_status="deletion")

    def destroy(self, *numbers: int) -> Mapping[int, dict[str, Any]]:
        """Gone without a trace."""
        gone = {number: self._works.pop(number) for number in numbers}
        self._arrange()
        return gone

    def bring_back(self, gone: Mapping[int, dict[str, Any]]) -> None:
        """As it was, its datestamp too."""
        self._works |= gone
        self._arrange()

    def _renew(self, number: int, fields: Mapping[str, Any]) -> None:
        old = self._works.get(number, _work(number))
        self._works[number] = old | {"lastmod": eprints_stamp(self.now())} | fields

    def _arrange(self) -> None:
        self.items = sorted(map(Item, self._works.values()), key=lambda item: item.number)


def eprints_stamp(moment: datetime) -> str:
    """As `lastmod` has it."""
    return format_datestamp(moment).replace("T", " ").rstrip("Z")


def _work(number: int) -> dict[str, Any]:
    return {
        "eprintid": number,
        "lastmod": f"2026-05-{1 + number % 28:02} 10:00:{number % 60:02}",
        "title": f"Work {number}",
        "type": "article" if number % 2 else "thesis",
        "date": str(1900 + number % 120),
    }
