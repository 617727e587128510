"""Records in exchange formats: what is written is read again, by another hand, to the same facts."""

import csv
import re
from io import StringIO
from typing import Any
from unicodedata import normalize

import pybtex.database
import pytest
import rispy
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

from harvester.forms import bibtex as bibtex_reader
from harvester.record import TYPES, File, Name, Record
from index.exports import FORMATS, exporter
from index.exports.bibtex import key

FULL = Record(
    id="kar/oai:kar.kent.ac.uk:1",
    source="kar",
    identifier="oai:kar.kent.ac.uk:1",
    title="Tides & 50% of the {Moon}: a_b #1 ~ $5",
    creators=(Name("Khän, Nagina", "Khän", "Nagina"), Name("University of California, Berkeley")),
    contributors=(
        Name("Poe, Ann", "Poe", "Ann", role="editor"),
        Name("Low, Bo", "Low", "Bo", role="advisor"),
    ),
    abstract="First paragraph.\n\nSecond \\paragraph.",
    keywords=("sea", "moon"),
    subjects=("H Social Sciences", "sea"),
    type="article",
    raw_types=("Journal Article",),
    date="2021-03-09",
    year=2021,
    languages=("en", "cy"),
    publisher="Sea Press",
    container="Journal of Seas",
    volume="3",
    issue="2",
    pages="10-15",
    issn="1234-5679",
    isbn="9780306406157",
    doi="10.5555/12_345",
    landing_url="https://x.org/1_a?b={c}",
    official_url="https://y.org/1",
    files=(File("https://x.org/1.pdf", "application/pdf"),),
    institution="Sea University",
    notes=("A note",),
)


_KNOWN = get_default_latex_context_db()
_MISREAD = {"textbraceleft": "{", "textbraceright": "}", "textasciicircum": "^"}
_KNOWN.add_context_category(
    "ours", [MacroTextSpec(name, sign) for name, sign in _MISREAD.items()], prepend=True
)
_LATEX = LatexNodes2Text(_KNOWN, strict_latex_spaces=True)


def written(record: Record, format_name: str) -> str:
    wanted = exporter(format_name)
    return wanted.head + wanted.write(record)


def ris_lines(text: str) -> list[tuple[str, str]]:
    """(tag, value) by the letter of the format: two letters or digits, two spaces, a dash, a space."""
    found = [re.fullmatch(r"([A-Z][A-Z0-9])  - (.*)", line) for line in text.split("\n") if line]
    assert all(found)
    return [(line[1], line[2]) for line in found if line]


def ris(record: Record) -> dict[str, list[str]]:
    lines = ris_lines(written(record, "ris"))
    assert (lines[0][0], lines[-1]) == ("TY", ("ER", ""))
    tags: dict[str, list[str]] = {}
    for tag, value in lines:
        tags.setdefault(tag, []).append(value)
    return tags


def bibtex(record: Record) -> Any:
    """pybtex's entry, whose authors are of its own reading."""
    entries = pybtex.database.parse_string(written(record, "bibtex"), "bibtex").entries
    assert list(entries) == [key(record)]
    return entries[key(record)]


def decoded(value: str) -> str:
    return str(_LATEX.latex_to_text(value))


def people(entry: Any, role: str) -> list[str]:
    parts = [
        (" ".join(one.prelast_names + one.last_names), " ".join(one.first_names))
        for one in entry.persons.get(role, [])
    ]
    return [decoded(", ".join(filter(None, both))) for both in parts]


class TestRis:
    def test_every_fact(self) -> None:
        assert ris(FULL) == {
            "TY": ["JOUR"], "ID": ["kar/oai:kar.kent.ac.uk:1"],
            "TI": ["Tides & 50% of the {Moon}: a_b #1 ~ $5"],
            "AU": ["Khän, Nagina", "University of California, Berkeley"], "A2": ["Poe, Ann"],
            "PY": ["2021"], "DA": ["2021/03/09"], "T2": ["Journal of Seas"], "JO": ["Journal of Seas"],
            "VL": ["3"], "IS": ["2"], "SP": ["10"], "EP": ["15"], "PB": ["Sea Press"], "SN": ["1234-5679"],
            "DO": ["10.5555/12_345"], "UR": ["https://x.org/1_a?b={c}", "https://y.org/1"],
            "AB": ["First paragraph. Second \\paragraph."], "KW": ["sea", "moon", "H Social Sciences"],
            "LA": ["en; cy"], "M3": ["Journal Article"], "N1": ["A note"], "L1": ["https://x.org/1.pdf"],
            "ER": [""],
        }  # fmt: skip

    @pytest.mark.parametrize("kind", TYPES)
    def test_every_type_is_one_of_the_formats(self, kind: str) -> None:
        (tag,) = ris(replace(FULL, type=kind))["TY"]
        assert tag in rispy.TYPE_OF_REFERENCE_MAPPING
        assert (tag == "GEN") == (kind == "other")

    @pytest.mark.parametrize(
        ("kind", "tag"),
        [("thesis", "THES"), ("chapter", "CHAP"), ("conference", "CPAPER"), ("report", "RPRT"), ("", "GEN")],
    )
    def test_types(self, kind: str, tag: str) -> None:
        assert ris(replace(FULL, type=kind))["TY"] == [tag]

    def test_a_book_has_its_isbn(self) -> None:
        assert ris(replace(FULL, type="book"))["SN"] == ["9780306406157"]

    def test_pages_that_are_no_range(self) -> None:
        tags = ris(replace(FULL, pages="e12345"))
        assert tags["SP"] == ["e12345"]
        assert "EP" not in tags

    def test_nothing_is_said_of_what_is_not_there(self) -> None:
        assert ris(Record(id="a/b")) == {"TY": ["GEN"], "ID": ["a/b"], "ER": [""]}

    def test_several_are_read_as_several(self) -> None:
        text = "".join(written(replace(FULL, id=f"a/{at}"), "ris") for at in range(3))
        assert [one["id"] for one in rispy.loads(text)] == ["a/0", "a/1", "a/2"]

    @given(title=st.text(min_size=1), names=st.lists(st.text(min_size=1), max_size=3), abstract=st.text())
    def test_whatever_the_text(self, title: str, names: list[str], abstract: str) -> None:
        creators = tuple(map(Name, names))
        tags = ris(Record(id="a/b", title=title, creators=creators, abstract=abstract))
        one_line = [line for name in names if (line := " ".join(name.split()))]
        assert tags.get("TI", [""]) == [" ".join(title.split())]
        assert [line for line in tags.get("AU", []) if line] == one_line
        assert tags.get("AB", [""]) == [" ".join(abstract.split())]


class TestBibtex:
    def test_every_fact(self) -> None:
        entry = bibtex(FULL)
        assert entry.type == "article"
        assert people(entry, "author") == ["Khän, Nagina", "University of California, Berkeley"]
        assert people(entry, "editor") == ["Poe, Ann"]
        texts = {name: decoded(value) for name, value in entry.fields.items() if name not in ("doi", "url")}
        assert texts == {
            "title": FULL.title, "journal": "Journal of Seas", "volume": "3", "number": "2",
            "publisher": "Sea Press", "issn": "1234-5679", "isbn": "9780306406157",
            "abstract": "First paragraph. Second \\paragraph.", "keywords": "sea, moon, H Social Sciences",
            "language": "en, cy", "note": "A note", "pages": "10–15", "year": "2021", "month": "March",
        }  # fmt: skip
        assert entry.fields["doi"] == "10.5555/12_345"
        assert entry.fields["url"] == "https://x.org/1_a?b=%7Bc%7D"

    def test_our_own_reader_of_eprints_agrees(self) -> None:
        text = written(replace(FULL, title="Tides & 50%", keywords=("sea",), subjects=()), "bibtex")
        read = bibtex_reader.normalise(text.encode())
        assert (read.title, read.year, read.doi, read.container) == (
            "Tides & 50%", 2021, "10.5555/12_345", "Journal of Seas",
        )  # fmt: skip
        assert read.creators[0] == Name("Khän, Nagina", "Khän", "Nagina")

    @pytest.mark.parametrize(
        ("kind", "raw", "entry_type", "maker"),
        [
            ("thesis", "PhD", "phdthesis", "school"),
            ("thesis", "Masters Thesis", "mastersthesis", "school"),
            ("chapter", "", "incollection", "publisher"),
            ("conference", "", "inproceedings", "publisher"),
            ("report", "", "techreport", "institution"),
            ("book", "", "book", "publisher"),
            ("dataset", "", "misc", "publisher"),
            ("", "", "misc", "publisher"),
        ],
    )
    def test_types(self, kind: str, raw: str, entry_type: str, maker: str) -> None:
        entry = bibtex(replace(FULL, type=kind, raw_types=(raw,)))
        assert entry.type == entry_type
        assert maker in entry.fields
        assert not {"school", "institution", "publisher"} - {maker} & set(entry.fields)

    def test_a_name_with_an_and_is_one_name(self) -> None:
        body, person = Name("Centre for Ships and Seas"), Name("Sand And, Bo", "Sand And", "Bo")
        entry = bibtex(replace(FULL, creators=(body, person)))
        assert people(entry, "author") == ["Centre for Ships and Seas", "Sand And, Bo"]

    def test_keywords_with_commas(self) -> None:
        record = replace(FULL, keywords=("Kent, England", "sea"), subjects=())
        assert bibtex(record).fields["keywords"] == "Kent, England; sea"

    def test_nothing_is_said_of_what_is_not_there(self) -> None:
        assert written(Record(id="a/b"), "bibtex") == "@misc{a/b,\n}\n\n"

    @given(st.lists(st.text(min_size=1), min_size=2, max_size=9, unique=True))
    def test_keys_are_unique_and_stay(self, identifiers: list[str]) -> None:
        keys = [key(Record(id=f"a/{one}", title="Old")) for one in identifiers]
        assert len(set(keys)) == len(keys)
        assert keys == [key(Record(id=f"a/{one}", title="New", year=2020)) for one in identifiers]
        assert all(re.fullmatch(r"[A-Za-z0-9:/._+-]+", one) for one in keys)

    @given(title=st.text(min_size=1), family=st.text(min_size=1), abstract=st.text(max_size=50))
    def test_is_always_one_entry(self, title: str, family: str, abstract: str) -> None:
        creators = (Name(family, family, "Bo"), Name(family))
        entry = bibtex(Record(id="a/b", title=title, creators=creators, abstract=abstract))
        assert entry.type == "misc"

    @given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "), min_size=1))
    def test_text_is_read_again_as_it_was(self, title: str) -> None:
        one_line = normalize("NFC", " ".join(title.split()))  # as all text in the store is
        entry = bibtex(Record(id="a/b", title=title))
        assert normalize("NFC", decoded(entry.fields.get("title", ""))) == decoded_quotes(one_line)


def decoded_quotes(text: str) -> str:
    """LaTeX joins these to other signs, as BibTeX's readers do."""
    for pair, sign in (("---", "—"), ("--", "–"), ("``", "“"), ("''", "”"), ("!`", "¡"), ("?`", "¿")):
        text = text.replace(pair, sign)
    return text


class TestCsv:
    def test_a_heading_and_a_row(self) -> None:
        heading, row = csv.reader(StringIO(written(FULL, "csv")))
        assert dict(zip(heading, row, strict=True)) == {
            "id": "kar/oai:kar.kent.ac.uk:1",
            "title": "Tides & 50% of the {Moon}: a_b #1 ~ $5",
            "creators": "Khän, Nagina; University of California, Berkeley",
            "year": "2021",
            "type": "article",
            "source": "kar",
            "container": "Journal of Seas",
            "doi": "10.5555/12_345",
            "keywords": "sea; moon",
            "abstract": "First paragraph. Second \\paragraph.",
            "landing_url": "https://x.org/1_a?b={c}",
        }

    @pytest.mark.parametrize("title", ['=HYPERLINK("http://x.org")', "+1", "-1", "@SUM(1)", "\t=1"])
    def test_a_spreadsheet_works_nothing_out(self, title: str) -> None:
        _, row = csv.reader(StringIO(written(replace(FULL, title=title), "csv")))
        assert row[1] == f"'{title.strip()}"

    @given(st.text(), st.lists(st.text()))
    def test_is_always_one_row(self, title: str, keywords: list[str]) -> None:
        heading, row = csv.reader(StringIO(written(Record(title=title, keywords=tuple(keywords)), "csv")))
        assert len(row) == len(heading)


@pytest.mark.parametrize("name", FORMATS)
def test_a_record_ends_its_last_line(name: str) -> None:
    assert written(FULL, name).endswith("\n")
