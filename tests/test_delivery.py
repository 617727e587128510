"""What a page delivers, held against what is known: each record counted once, and only changes written."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from harvester import formats
from harvester.delivery import Delivery, Terms, choose, deliver
from harvester.errors import FormatError
from harvester.oai.items import Header, Item
from harvester.record import Record
from harvester.store.records import Known, Write

STAMP, LATER = "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"


def document(title: str) -> etree._Element:
    return etree.fromstring(
        '<d:dc xmlns:d="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns="http://purl.org/dc/elements/1.1/">'
        f"<title>{title}</title></d:dc>"
    )


def live(identifier: str = "a", title: str = "Tides", stamp: str = STAMP, sets: tuple[str, ...] = ()) -> Item:
    return Item(Header(identifier, stamp, sets), document(title), title.encode())


def dead(identifier: str = "a", stamp: str = STAMP) -> Item:
    return Item(Header(identifier, stamp, deleted=True))


def kept(write: Write, row: int = 7) -> Known:
    """A row as it lies in the store once this is written."""
    return Known(row, write.datestamp, write.deleted, write.sets, write.content_hash)


def held(item: Item) -> tuple[dict[str, Known], Record | None]:
    (write,) = deliver([item], {}, nothing).writes
    return {item.header.identifier: kept(write)}, write.record


def nothing(_row: int) -> Record | None:
    return None


def outcome(found: Delivery) -> dict[str, int]:
    names = ("received", "created", "updated", "unchanged", "deleted", "quarantined")
    return {name: count for name in names if (count := getattr(found.counts, name))}


@pytest.mark.parametrize(
    ("before", "item", "counted", "writes", "moves"),
    [
        (None, live(), "created", 1, True),
        (None, dead(), "unchanged", 1, True),
        (live(), live(), "unchanged", 0, False),
        (live(), live(stamp=LATER), "unchanged", 1, False),
        (live(), live(title="Ebb"), "updated", 1, True),
        (live(), live(sets=("a",)), "updated", 1, True),
        (live(), dead(), "deleted", 1, True),
        (dead(), dead(), "unchanged", 0, False),
        (dead(), dead(stamp=LATER), "unchanged", 1, False),
        (dead(), live(), "created", 1, True),
    ],
)
def test_outcomes(before: Item | None, item: Item, counted: str, writes: int, moves: bool) -> None:
    known, record = held(before) if before else ({}, None)
    found = deliver([item], known, lambda _row: record)
    assert outcome(found) == {"received": 1, counted: 1}
    assert len(found.writes) == writes
    assert [write.moves for write in found.writes] == [moves] * writes
    assert [write.deleted for write in found.writes] == [item.header.deleted] * writes


def test_other_xml_of_the_same_record_is_no_change() -> None:
    known, record = held(live())
    again = Item(Header("a", STAMP), document("Tides"), b"<other>white space</other>")
    found = deliver([again], known, lambda _row: record)
    assert outcome(found) == {"received": 1, "unchanged": 1}
    (write,) = found.writes
    assert (write.moves, write.raw) == (False, b"<other>white space</other>")


def test_what_is_unchanged_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    known, _ = held(live())

    def refuse(_: Any) -> Any:
        raise AssertionError("normalised for nothing")

    monkeypatch.setattr(formats, "normalise", refuse)
    assert outcome(deliver([live(stamp=LATER)], known, refuse)) == {"received": 1, "unchanged": 1}


def test_the_set_asked_for_is_added_where_the_header_lacks_it() -> None:
    items = [live("a"), live("b", sets=("x",)), live("c", sets=("x", "wanted")), dead("d")]
    found = deliver(items, {}, nothing, Terms("wanted"))
    sets = {write.identifier: write.sets for write in found.writes}
    assert sets == {"a": '["wanted"]', "b": '["x","wanted"]', "c": '["x","wanted"]', "d": '["wanted"]'}


# Quarantine


EMPTY = etree.fromstring("<dc xmlns='http://www.openarchives.org/OAI/2.0/oai_dc/'/>")


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (Item(Header("a", STAMP), None, b"raw"), "a live record without metadata"),
        (Item(Header("a", STAMP), EMPTY, b"raw"), "empty metadata"),
        (Item(Header("", STAMP), document("x"), b"raw"), "a record without an identifier"),
        (Item(Header("a" * 5000, STAMP), document("x"), b"raw"), "an identifier of 5,000 characters"),
    ],
)
def test_refusals(item: Item, reason: str) -> None:
    found = deliver([item], {}, nothing)
    assert outcome(found) == {"received": 1, "quarantined": 1}
    (refused,) = found.refused
    assert (refused.reason, refused.body, refused.datestamp) == (reason, b"raw", STAMP)
    assert len(refused.identifier) <= 4096
    assert found.writes == ()


def test_what_no_format_reads_is_refused_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_element: etree._Element) -> Record:
        raise FormatError("nobody reads this")

    monkeypatch.setattr(formats, "normalise", refuse)
    found = deliver([live()], {}, nothing)
    assert outcome(found) == {"received": 1, "quarantined": 1}
    assert [(one.reason, one.body) for one in found.refused] == [("nobody reads this", b"Tides")]


def test_records_without_identifier_are_refused_one_by_one() -> None:
    items = [Item(Header("", STAMP), document(title), title.encode()) for title in ("x", "y", "x")]
    found = deliver([*items, live()], {}, nothing)
    assert outcome(found) == {"received": 4, "created": 1, "quarantined": 3}
    assert [refused.body for refused in found.refused] == [b"x", b"y", b"x"]


def test_a_fault_of_ours_costs_one_record_only(monkeypatch: pytest.MonkeyPatch) -> None:
    real = formats.normalise

    def fragile(element: etree._Element) -> Record:
        record = real(element)
        if record.title == "Ebb":
            raise ZeroDivisionError("of ours")
        return record

    monkeypatch.setattr(formats, "normalise", fragile)
    found = deliver([live("a"), live("b", "Ebb"), live("c")], {}, nothing)
    assert outcome(found) == {"received": 3, "created": 2, "quarantined": 1}
    assert "of ours" in found.refused[0].reason


# One of each


def test_of_two_the_newest_then_the_live_one() -> None:
    assert not choose([live(stamp=LATER), dead(stamp=STAMP)])["a"].header.deleted
    assert choose([live(stamp=STAMP), dead(stamp=LATER)])["a"].header.deleted
    assert not choose([live(), dead()])["a"].header.deleted
    assert not choose([live(stamp="2020-01-01"), dead(stamp="junk")])["a"].header.deleted


ITEMS = st.lists(
    st.builds(
        lambda identifier, title, stamp, gone, sets: (
            dead(identifier, stamp) if gone else live(identifier, title, stamp, sets)
        ),
        st.sampled_from(["a", "b", "c", ""]),
        st.sampled_from(["Tides", "Ebb", "Flow"]),
        st.sampled_from([STAMP, LATER, "2020-01-01", "junk", ""]),
        st.booleans(),
        st.sampled_from([(), ("x",), ("y", "x")]),
    ),
    max_size=5,
)


def facts(items: Sequence[Item]) -> dict[str, tuple[Header, bytes]]:
    return {identifier: (item.header, item.raw) for identifier, item in choose(items).items()}


@given(items=ITEMS)
def test_the_choice_does_not_depend_on_the_order(items: list[Item]) -> None:
    assert all(facts(other) == facts(items) for other in permutations(items))


@given(items=ITEMS, before=ITEMS)
def test_each_received_record_is_counted_once(items: list[Item], before: list[Item]) -> None:
    first = deliver(before, {}, nothing)
    known = {write.identifier: kept(write, row) for row, write in enumerate(first.writes)}
    stored = {row: write.record for row, write in enumerate(first.writes)}
    found = deliver(items, known, stored.get)
    counts = found.counts
    kinds = (counts.created, counts.updated, counts.unchanged, counts.deleted, counts.quarantined)
    assert counts.received == len(items) == sum(kinds)
    assert counts.quarantined == len(found.refused)
    assert len({write.identifier for write in found.writes}) == len(found.writes)


@given(items=ITEMS)
def test_the_same_page_again_changes_nothing(items: list[Item]) -> None:
    first = deliver(items, {}, nothing)
    known = {write.identifier: kept(write, row) for row, write in enumerate(first.writes)}
    stored = {row: write.record for row, write in enumerate(first.writes)}
    again = deliver(items, known, stored.get)
    assert again.writes == ()
    assert again.refused == first.refused
