"""What is counted of a source's records, and what is said of it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.record import File, Name, Record
from harvester.store import Store, records
from harvester.store.records import Refused
from index.cli.quality import lines
from index.quality import Quality, quality, tally
from index.quality.tally import Tally, Valued, repeats
from index.quality.years import histogram
from tests.commands import Ran, demo_folder, inside, put
from tests.test_requeue import STAMP, Desk, desk, record

__all__ = ["desk"]  # a fixture
NOW = datetime(2026, 6, 15, 12, 0, 0, tzinfo=UTC)
GOOD = Record(
    title="Tides",
    creators=(Name("Khan, Nagina", orcid="0000-0003-3870-2609"),),
    abstract="Of the sea.",
    keywords=("sea",),
    type="article",
    raw_types=("Article",),
    date="2021-03",
    year=2021,
    languages=("en",),
    landing_url="https://x.org/1",
    rights=("CC BY",),
    license="CC-BY-4.0",
    peer_reviewed=False,
    formats=("oai_dc",),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


def of(store: Store, *shown: dict[str, object]) -> Quality:
    """Of records that are good but for what is said of each, and one tombstone."""
    from msgspec.structs import replace

    made = [replace(GOOD, identifier=f"oai:x:{at}", **fields) for at, fields in enumerate(shown, 1)]
    put(store, *made, Record(identifier="oai:x:gone", deleted=True), source="src")
    return quality("src", store, NOW)


def faults(found: Quality) -> dict[str, tuple[int, str]]:
    return {one.fault: (one.records, one.sentence) for one in found.findings}


def test_good_records_have_no_faults(store: Store) -> None:
    found = of(store, {}, {"year": None}, {"peer_reviewed": None})
    assert (found.records, found.deleted, found.quarantined, found.findings) == (3, 1, 0, ())
    fields = {name: one.records for name, one in found.fields.items() if one.records}
    assert fields == {
        **dict.fromkeys(
            ("title", "creators", "abstract", "keywords", "type", "raw_types", "date", "languages"), 3
        ),
        **dict.fromkeys(("landing_url", "rights", "license", "creators.orcid"), 3),
        "year": 2,
        "peer_reviewed": 2,
    }
    assert found.fields["year"].share == 0.6667
    assert (found.types, found.languages, found.years) == ({"article": 3}, {"en": 3}, {2021: 2})


@pytest.mark.parametrize(
    ("fields", "fault", "sentence"),
    [
        ({"title": ""}, "without_title", "1 of 2 records has no title."),
        ({"creators": ()}, "without_creators", "1 of 2 records has no creators."),
        ({"abstract": ""}, "without_abstract", "1 of 2 records has no abstract."),
        ({"keywords": ()}, "without_keywords", "1 of 2 records has neither keywords nor subjects."),
        ({"languages": ()}, "without_language", "1 of 2 records has no language."),
        ({"date": ""}, "without_date", "1 of 2 records has no date that could be read."),
        ({"type": "", "raw_types": ()}, "without_type", "1 of 2 records has no type."),
        ({"license": "", "rights": ()}, "without_licence", "1 of 2 records has no licence and no rights."),
        (
            {"landing_url": ""},
            "without_link",
            "1 of 2 records has neither a page nor a file that one could go to.",
        ),
        ({"date": "2026-06-16"}, "dated_in_future", "1 record is dated in the future."),
        ({"date": "2026-07"}, "dated_in_future", "1 record is dated in the future."),
        ({"date": "2027"}, "dated_in_future", "1 record is dated in the future."),
        (
            {"type": "", "raw_types": ("Artefakt",)},
            "unknown_types",
            "1 of 2 records has a type that is not understood, most often “Artefakt” (1).",
        ),
        (
            {"languages": (), "extra": {"language": ("Elvish",)}},
            "unknown_languages",
            "1 of 2 records has a language that is not understood, most often “Elvish” (1).",
        ),
        (
            {"license": "", "rights": ("Ask me",)},
            "unknown_licences",
            "1 of 2 records has rights that name no licence we know, most often “Ask me” (1).",
        ),
        (
            {"extra": {"warning": ("unknown format <x>",)}},
            "warned",
            "1 record has a warning from reading it, most often “unknown format <x>” (1).",
        ),
    ],
)
def test_each_fault(store: Store, fields: dict[str, object], fault: str, sentence: str) -> None:
    found = of(store, {}, fields)
    assert faults(found) == {fault: (1, sentence)}
    assert found.findings[0].examples == ("src/oai:x:2",)


@pytest.mark.parametrize(
    "fields",
    [
        {"date": "2026-06-15"},
        {"date": "2026-06"},
        {"date": "2026"},
        {"keywords": (), "subjects": ("H",)},
        {"landing_url": "", "files": (File("https://x.org/1.pdf"),)},
        {"landing_url": "", "doi": "10.5555/1"},
        {"license": "", "files": (File("https://x.org/1.pdf", license="MIT"),)},
    ],
)
def test_what_is_no_fault(store: Store, fields: dict[str, object]) -> None:
    assert faults(of(store, {}, fields)) == {}


def test_the_worst_comes_first(store: Store) -> None:
    found = of(store, *[{"abstract": ""}] * 3, *[{"license": "", "rights": ()}] * 4, {"title": ""})
    assert [one.sentence for one in found.findings] == [
        "1 of 8 records has no title.",
        "3 of 8 records have no abstract.",
        "4 of 8 records have no licence and no rights.",
    ]
    assert (
        faults(of(store, *[{"abstract": ""}] * 8))["without_abstract"][1] == "All 8 records have no abstract."
    )


def test_dois_that_come_twice(store: Store) -> None:
    dois = ("10.5555/a", "10.5555/A", "10.5555/b", "", "", "10.5555/c", "10.5555/c", "10.5555/c")
    found = of(store, *({"doi": doi} for doi in dois))
    assert faults(found)["repeated_doi"] == (5, "5 records have a DOI that another record has, too.")
    assert found.repeated_dois == (
        Valued("10.5555/c", 3, ("src/oai:x:6", "src/oai:x:7", "src/oai:x:8")),
        Valued("10.5555/a", 2, ("src/oai:x:1", "src/oai:x:2")),
    )


def test_what_lies_in_extra(store: Store) -> None:
    found = of(store, {"extra": {"rare": ("x",), "often": ("a", "b")}}, {"extra": {"often": ("c",)}})
    assert found.extra == (
        Valued("often", 2, ("src/oai:x:1", "src/oai:x:2")),
        Valued("rare", 1, ("src/oai:x:1",)),
    )


def test_quarantined_and_repaired(desk: Desk) -> None:
    desk.deliver(record(1, "Tides & ebb"), record(2, "Ebb"))
    with desk.store.write() as connection:
        refused = [Refused(f"oai:x:{n}", STAMP, "why not", f"{n}".encode()) for n in range(5, 9)]
        records.put_in_quarantine(connection, 1, [*refused, Refused("", STAMP, "because", b"")], STAMP)
    found = quality("src", desk.store, NOW)
    assert found.quarantined == 5
    assert found.quarantine == (
        Valued("why not", 4, ("oai:x:5", "oai:x:6", "oai:x:7")),
        Valued("because", 1, ("",)),
    )
    told = faults(found)
    assert told["quarantined"] == (
        5, "5 records came and could not be read: `windrow quarantine src` says why.",
    )  # fmt: skip
    assert told["repaired"] == (1, "1 record came as broken XML, and had to be repaired.")


def test_another_sources_records_are_not_counted(store: Store) -> None:
    put(store, Record(identifier="oai:y:1", formats=("oai_dc",)), source="other")
    assert of(store, {}).findings == ()


# Counters


def test_a_tally_stays_small_and_keeps_the_commonest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "_MOST_VALUES", 10)
    counts = Tally()
    for at in range(1000):
        counts.add("often", f"id{at}")
        counts.add(f"rare {at}", "x")
    (first, *_) = counts.commonest(1)
    assert first == Valued("often", 1000, ("id0", "id1", "id2"))
    assert len(counts.commonest()) <= 10
    counts.add("y" * 5000, "z")
    assert max(len(one.value) for one in counts.commonest()) == 200


@given(st.lists(st.sampled_from("abcdefg")))
def test_counts_are_exact(values: list[str]) -> None:
    counts = Tally()
    with repeats() as twice:
        for at, value in enumerate(values):
            counts.add(value, f"{at}")
            twice.add(value, f"{at}")
        shared, top = twice.found(3)
    expected = Counter(values)
    assert {one.value: one.records for one in counts.commonest()} == expected
    many = {value: count for value, count in expected.items() if count > 1}
    assert shared == sum(many.values())
    assert [one.records for one in top] == sorted(many.values(), reverse=True)[:3]
    assert all(many[one.value] == one.records for one in top)


@given(st.dictionaries(st.integers(0, 9999), st.integers(1, 10**6)))
def test_a_histogram_has_every_record_and_few_bars(years: dict[int, int]) -> None:
    bars = histogram(years)
    assert sum(count for _, count in bars) == sum(years.values())
    assert len(bars) <= 17
    assert len({label for label, _ in bars}) == len(bars)


def test_a_histogram() -> None:
    assert histogram({2019: 2, 2021: 3}) == [("2019", 2), ("2020", 0), ("2021", 3)]
    odd = histogram({21: 1, 1999: 100, 2024: 300, 9999: 1})
    assert (odd[0], odd[1], odd[-2], odd[-1]) == (
        ("before 1998", 1), ("1998–1999", 100), ("2024–2025", 300), ("2026 and later", 1),
    )  # fmt: skip


# On the command line


@pytest.mark.parametrize("width", [40, 70, 100])
def test_lines_fit(store: Store, width: int) -> None:
    found = of(
        store,
        {"extra": {"x" * 300: ("y",)}, "type": "", "raw_types": ("z" * 300,), "doi": "10.5555/1"},
        {"abstract": "", "doi": "10.5555/1", "year": 3000, "date": "3000"},
    )
    shown = [click.unstyle(line) for line in lines(found, width)]
    assert {"Fields", "Types", "Languages", "Years", "Unknown types", "What could be better"} <= set(shown)
    assert max(map(len, shown)) <= width


def test_all_is_only_said_of_all(store: Store) -> None:
    shown = "\n".join(lines(of(store, *[{}] * 2000, {"abstract": ""}), 100))
    assert "  title          " in click.unstyle(shown)
    assert "2,001 100.0 %" in shown
    assert "2,000  99.9 %" in shown


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    folder = demo_folder(tmp_path / "demo")
    return lambda *arguments: inside(folder, capsys, *arguments)


def test_a_person_reads(run: Run) -> None:
    ran = run("quality", "demo")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("demo: 224 records, 6 deleted, 0 in quarantine\n\nFields\n  title ")
    assert re.search(r"\n  article +95  42\.4 %  █+\n", ran.out)
    assert "Never: rights, citation\n" in ran.out
    assert "  - 10 of 224 records have no abstract.\n    demo/oai:" in ran.out


def test_json(run: Run) -> None:
    ran = run("quality", "demo", "--json")
    assert (ran.code, ran.err) == (0, "")
    (found,) = ran.lines
    assert list(found) == list(Quality.__struct_fields__)
    assert found["fields"]["abstract"] == {"records": 214, "share": 0.9554}
    assert found["years"]["2021"] > 0
    assert list(found["findings"][0]) == ["fault", "records", "examples", "sentence"]


def test_sources_that_are_not_there(run: Run, tmp_path: Path) -> None:
    ran = run("quality", "dem")
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean demo?" in ran.err
    with (tmp_path / "demo/config.toml").open("a") as config:
        config.write('\n[sources.new]\nurl = "https://x.example/oai"\n')
    ran = run("quality", "new")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == "  - There are no records: `windrow harvest new` fetches them."
    assert run("source", "remove", "demo", "--yes").code == 0
    ran = run("quality", "demo")
    assert (ran.code, ran.out) == (2, "")
    assert "demo was removed here on 2" in ran.err
