"""A record as a person reads it, on terminals of any width."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from harvester.record import File, Identifier, Name, Record
from harvester.store import schema
from harvester.store.codec import compress_all
from index.cli.sheet import citation, lines
from index.cli.wrapping import wrapped
from tests.commands import KHAN, Ran, demo_folder, inside, program_in, windrow

FULL = Record(
    id="kar/oai:x:1",
    source="kar",
    identifier="oai:x:1",
    datestamp="2024-01-02T03:04:05Z",
    sets=("7375626A656374733D48", "plain"),
    formats=("mets", "mods"),
    title="Tides",
    alternative_titles=("Gezeiten",),
    creators=(Name("Khan, Nagina", "Khan", "Nagina", "0000-0003-3870-2609"), Name("Roe, Jo")),
    contributors=(Name("Poe, Ann", role="editor"),),
    abstract="First paragraph.\n\nSecond paragraph.",
    keywords=("sea", "moon"),
    subjects=("H Social Sciences",),
    type="article",
    raw_types=("Journal Article",),
    date="2021-03",
    year=2021,
    languages=("en", "cy"),
    publisher="Sea Press",
    container="Journal of Seas",
    volume="3",
    issue="2",
    pages="1-5",
    issn="1234-5679",
    isbn="9780306406157",
    doi="10.5555/12345",
    identifiers=(Identifier("doi", "10.5555/12345"), Identifier("pmid", "99")),
    landing_url="https://x.org/1",
    official_url="https://y.org/1",
    files=(File("https://x.org/1.pdf", "application/pdf", 302080, "fr", "CC0-1.0", "open", "accepted"),),
    rights=("All wrongs reversed",),
    license="MIT",
    peer_reviewed=True,
    event="Sea Days",
    institution="Sea University",
    status="published",
    notes=("A note",),
    divisions=("School of Seas",),
    funders=("Sea Fund",),
    citation="Khan in Seas 2021",
    relations=("https://z.org/2",),
    deposited_by="Depositor, A",
    deposited="2022-02-02",
    modified="2023-03-03",
    extra={"odd": ("thing", "other thing")},
)


def text(record: Record, width: int = 100) -> str:
    return click.unstyle("\n".join(lines(record, width)))


def test_order_and_labels() -> None:
    assert text(FULL).splitlines() == [
        "Khan, Nagina; Roe, Jo (2021). Tides. Journal of Seas, 3(2), 1-5.",
        "",
        "First paragraph.",
        "",
        "Second paragraph.",
        "",
        " other titles  Gezeiten",
        "     creators  Khan, Nagina · 0000-0003-3870-2609",
        "               Roe, Jo",
        " contributors  Poe, Ann · editor",
        "         type  article (Journal Article)",
        "         date  2021-03",
        "     language  en; cy",
        "     keywords  sea; moon",
        "     subjects  H Social Sciences",
        " published in  Journal of Seas, 3(2), 1-5",
        "    publisher  Sea Press",
        "  institution  Sea University",
        "    divisions  School of Seas",
        "        event  Sea Days",
        "          DOI  10.5555/12345",
        "         ISSN  1234-5679",
        "         ISBN  9780306406157",
        "  identifiers  pmid 99",
        "peer reviewed  yes",
        "       status  published",
        "      licence  MIT",
        "       rights  All wrongs reversed",
        "      funders  Sea Fund",
        "      related  https://z.org/2",
        "        notes  A note",
        "     cited as  Khan in Seas 2021",
        "    deposited  2022-02-02 by Depositor, A",
        "last modified  2023-03-03",
        "        other  odd: thing",
        "               odd: other thing",
        "",
        "Files and links",
        "         page  https://x.org/1",
        "official page  https://y.org/1",
        "        files  https://x.org/1.pdf",
        "               application/pdf · 295 kB · fr · CC0-1.0 · open · accepted",
        "",
        "Where it came from",
        "       source  kar",
        "   identifier  oai:x:1",
        "    datestamp  2024-01-02T03:04:05Z",
        "      read as  mods in mets",
        "         sets  subjects=H",
        "               plain",
    ]


HIDDEN = {"id", "deleted", "year", "sets", "peer_reviewed"}  # said in other words


@pytest.mark.parametrize("field", [one for one in Record.__struct_fields__ if one not in HIDDEN])
def test_no_field_is_left_out(field: str) -> None:
    assert getattr(FULL, field), "the sample has each"
    alone = Record(**{field: getattr(FULL, field)})
    for value in values(getattr(FULL, field)):
        assert value in text(alone)


def values(of: object) -> list[str]:
    match of:
        case str():
            return [part for part in of.split("\n") if part]
        case Name():
            return [of.name, of.orcid, of.role]
        case File():
            return [of.url, of.media_type, "295 kB", of.language, of.license, of.access, of.version]
        case Identifier():
            return [of.value]
        case Mapping():
            return [f"{key}: {one}" for key, many in of.items() for one in many]
        case tuple():
            return [value for one in of for value in values(one)]
    raise AssertionError(of)


def test_facts_that_are_not_there_have_no_label() -> None:
    assert text(Record(source="kar", identifier="oai:x:1", formats=("oai_dc",))).splitlines() == [
        "(no title).",
        "",
        "Where it came from",
        "    source  kar",
        "identifier  oai:x:1",
        "   read as  oai_dc",
    ]


@pytest.mark.parametrize(
    ("record", "cited"),
    [
        (Record(title="Why?", year=2020), "Why? (2020)."),
        (Record(title="Why?", creators=(Name("A"),)), "A. Why?"),
        (Record(title="T", creators=(Name("A"),), institution="U", publisher="P"), "A. T. U."),
        (Record(title="T", publisher="P", year=1), "T (1). P."),
        (Record(title="T", container="C", volume="1"), "T. C, 1."),
        (
            Record(title="T", creators=tuple(Name(str(n)) for n in range(9))),
            "0; 1; 2; 3; 4; 5 and 3 more. T.",
        ),
    ],
)
def test_citations(record: Record, cited: str) -> None:
    assert citation(record) == cited


def test_thousands_of_authors() -> None:
    shown = text(Record(title="T", creators=tuple(Name(f"Name {n}") for n in range(3000))))
    assert "… and 2,950 more: --json has all" in shown
    assert len(shown.splitlines()) < 60


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


@pytest.mark.parametrize("width", [20, 40, 59, 60, 80, 100])
@pytest.mark.parametrize("word", ["abc ", "x" * 300, "潮汐と月", "é-", "Καλή "])
def test_no_line_is_too_long(width: int, word: str) -> None:
    record = Record(
        source="s", title=word * 60, abstract=word * 200, notes=(word * 50,), extra={word * 20: (word,)}
    )
    for line in text(record, width).splitlines():
        assert columns(line) <= width


@pytest.mark.parametrize("width", [40, 100])
def test_an_address_is_never_broken(width: int) -> None:
    address = "https://x.org/" + "a-b/" * 60
    assert address in text(Record(files=(File(address),), landing_url=address), width)


def test_narrow_terminals_have_labels_above() -> None:
    assert text(FULL, 40).splitlines()[8:14] == [
        "  Gezeiten",
        "creators",
        "  Khan, Nagina · 0000-0003-3870-2609",
        "  Roe, Jo",
        "contributors",
        "  Poe, Ann · editor",
    ]


UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@settings(max_examples=60)
@given(said=st.text(max_size=40), width=st.integers(20, 120))
def test_nothing_harvested_drives_a_terminal(said: str, width: int) -> None:
    record = Record(
        source="s",
        identifier=said,
        title=said,
        abstract=said,
        creators=(Name(said, orcid=said, role=said),),
        sets=(said,),
        files=(File(said, said),),
        extra={said: (said,)},
    )
    assert UNSEEN.findall(text(record, width)) == []
    assert wrapped(said, width) == wrapped(" ".join(said.split()), width) or UNSEEN.search(said)


# On the command line

Run = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return demo_folder(tmp_path / "demo")


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *arguments: inside(folder, capsys, *arguments)


def test_a_narrow_terminal(folder: Path) -> None:
    out = windrow(folder, "show", KHAN, env={"COLUMNS": "40"}).out
    assert all(len(line) <= 40 for line in out.splitlines() if "://" not in line)
    assert "\nkeywords\n  Coproduction;" in out


def keep(folder: Path, form: str, body: bytes) -> None:
    with program_in(folder) as program, program.store.write() as connection:
        mine = sa.select(schema.records.c.id).where(schema.records.c.identifier.like("%:111396"))
        row = {"record_id": connection.scalar(mine), "form": form, "body": compress_all([body], "")[0]}
        connection.execute(
            sa.delete(schema.raw).where(schema.raw.c.record_id == row["record_id"], schema.raw.c.form == form)
        )
        connection.execute(sa.insert(schema.raw), row)


def test_each_form_is_headed_and_can_be_had_alone(run: Run, folder: Path) -> None:
    keep(folder, "sent", b"<record>\x1b[2J\xff &")
    ran = run("show", KHAN, "--raw")
    assert [line.partition(":")[0] for line in ran.err.splitlines()] == ["list", "sent"]
    assert "sent: as it came, before it was repaired (15 bytes)" in ran.err
    assert ran.out.splitlines()[-1] == r"<record>&#x1b;[2J\xff &"
    alone = run("show", KHAN, "--form", "list")
    assert etree.fromstring(alone.out.encode()).tag.endswith("record")
    both = run("show", KHAN, "--raw", "--json").lines[0]
    assert (both["id"], list(both["forms"])) == (KHAN, ["list", "sent"])
    assert list(run("show", KHAN, "--form", "sent", "--json").lines[0]["forms"]) == ["sent"]
    missing = run("show", KHAN, "--form", "detail")
    assert (missing.code, missing.out) == (1, "")
    assert "has no form detail\n  → it has list, sent" in missing.err


def test_raw_xml_stays_the_same_xml(run: Run, folder: Path) -> None:
    """Direction characters are written as references: nothing obeys them, and nothing is lost."""
    keep(folder, "list", "<record><t>a\u202eb\x85</t></record>".encode())
    ran = run("show", KHAN, "--raw")
    assert ran.out == "<record><t>a&#x202e;b&#x85;</t></record>\n"
    assert etree.fromstring(ran.out).findtext("t") == "a\u202eb\x85"


def test_what_is_gone_says_since_when(run: Run) -> None:
    gone = next(line["id"] for line in run("changes").lines if line["op"] == "delete")
    datestamp = run("show", gone, "--json").lines[0]["datestamp"]
    kept = "Nothing of it is kept but its identifier.\n"
    deleted = f"{gone} was deleted by its repository ({datestamp}). {kept}"
    assert run("show", gone).out == deleted
    raw = run("show", gone, "--raw")
    assert (raw.code, raw.out, raw.err) == (0, "", deleted)
    assert run("forget", KHAN, "--yes").code == 0
    assert re.fullmatch(rf"{KHAN} was forgotten here on \d{{4}}-\d\d-\d\d\. {kept}", run("show", KHAN).out)
    assert run("source", "remove", "demo", "--yes").code == 0
    assert f"{gone} went with its source, which was removed here on 2" in run("show", gone).out
