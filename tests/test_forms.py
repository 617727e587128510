"""What a record's stored forms make together: the rules of merging, and what a detail may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harvester.errors import FormatError
from harvester.forms import merged, read_detail
from harvester.record import HEADER, File, Identifier, Name, Record

CONTENT = [field for field in Record.__struct_fields__ if field not in (*HEADER, "formats")]
words = st.sampled_from(["", "ebb", "neap", "spring"])
lists = st.lists(words.filter(bool), max_size=3, unique=True).map(tuple)
people = lists.map(lambda found: tuple(Name(one) for one in found))
details = st.sampled_from(["eprints", "bibtex", "oai_openaire"])


def records(*forms: str) -> st.SearchStrategy[Record]:
    return st.builds(
        Record,
        formats=st.sampled_from([(form,) for form in forms]),
        title=words,
        abstract=words,
        creators=people,
        keywords=lists,
        subjects=lists,
        container=words,
        divisions=lists,
        notes=lists,
        type=st.sampled_from(["", "other", "web", "thesis"]),
        languages=lists,
        files=lists.map(lambda found: tuple(File(one) for one in found)),
        identifiers=lists.map(lambda found: tuple(Identifier("doi", one) for one in found)),
        extra=st.dictionaries(words.filter(bool), lists.filter(bool), max_size=2),
    )


@given(listed=records("oai_dc"), form=details)
def test_a_detail_that_says_nothing_changes_nothing(listed: Record, form: str) -> None:
    assert merged(listed, Record(formats=(form,))) == replace(listed, formats=("oai_dc", form))


@given(listed=records("oai_dc"), detail=records("eprints", "bibtex", "oai_openaire"))
def test_no_field_that_either_fills_is_empty(listed: Record, detail: Record) -> None:
    found = merged(listed, detail)
    for field in CONTENT:
        if getattr(listed, field) or getattr(detail, field):
            assert getattr(found, field), field


@given(listed=records("oai_dc"), detail=records("eprints", "bibtex", "oai_openaire"))
def test_merged_again_it_is_the_same(listed: Record, detail: Record) -> None:
    once = merged(listed, detail)
    assert merged(once, detail) == once


@given(listed=records("oai_dc"), detail=records("eprints", "bibtex", "oai_openaire"))
def test_lists_of_many_lose_nothing(listed: Record, detail: Record) -> None:
    found = merged(listed, detail)
    for field in ("identifiers", "languages", "notes", "files"):
        assert set(getattr(found, field)) == {*getattr(listed, field), *getattr(detail, field)}
    for one in (listed, detail):
        for name, values in one.extra.items():
            assert set(values) <= set(found.extra[name])


def test_eprints_knows_best() -> None:
    listed, detail = Record(title="Ebb", container="Tides"), Record(formats=("eprints",), title="Neap")
    assert (merged(listed, detail).title, merged(listed, detail).container) == ("Neap", "Tides")


def test_what_stands_in_for_it_fills_gaps() -> None:
    listed = Record(title="Ebb", type="web")
    detail = Record(formats=("bibtex",), title="?bb", type="other", container="Tides")
    found = merged(listed, detail)
    assert (found.title, found.type, found.container) == ("Ebb", "web", "Tides")


@pytest.mark.parametrize(
    ("listed", "detail", "date", "year"),
    [
        ("2021", "2021-03", "2021-03", 2021),
        ("2021-03", "2021", "2021-03", 2021),
        ("2020", "2021", "2021", 2021),
        ("2020", "", "2020", 2020),
        ("", "2021", "2021", 2021),
    ],
)
def test_the_more_precise_date(listed: str, detail: str, date: str, year: int) -> None:
    found = merged(
        Record(date=listed, year=int(listed[:4]) if listed else None),
        Record(formats=("eprints",), date=detail, year=int(detail[:4]) if detail else None),
    )
    assert (found.date, found.year) == (date, year)


def test_files_by_their_addresses() -> None:
    listed = (File("a.pdf", "application/pdf", language="en"), File("b.pdf"))
    detail = (File("a.pdf", size=555, license="CC-BY-4.0"), File("c.pdf"))
    assert merged(Record(files=listed), Record(formats=("eprints",), files=detail)).files == (
        File("a.pdf", "application/pdf", 555, "en", "CC-BY-4.0"),
        File("c.pdf"),
        File("b.pdf"),
    )


def test_an_orcid_goes_to_who_has_the_name() -> None:
    listed = (Name("Khan, Nagina", "Khan", "Nagina"), Name("Reaper, Bo"))
    detail = Record(formats=("oai_openaire",), creators=(Name("khan, nagina", orcid="0000-0003-3870-2609"),))
    assert [one.orcid for one in merged(Record(creators=listed), detail).creators] == [
        "0000-0003-3870-2609",
        "",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Sign in</body></html>",
        b"@misc{a, title = {A}}\n@misc{b, title = {B}}",
        b"@",
        b"<!DOCTYPE a [<!ENTITY e 'x'>]><eprint><title>&e;</title></eprint>",
        b"<eprints xmlns='http://eprints.org/ep2/data/2.0'/>",
        b"<eprints xmlns='http://eprints.org/ep2/data/2.0'><eprint><title>cut",
        b'<record xmlns="http://www.openarchives.org/OAI/2.0/"/>',
    ],
)
def test_what_is_no_detail(body: bytes) -> None:
    with pytest.raises(FormatError):
        read_detail(body)


def test_bibtex_with_an_address_full_of_signs() -> None:
    body = b'@misc{a, title = {R\\&D}, keywords = {na{\\"\\i}ve, ebb}, doi = {10.5555/a\\_b}}'
    found = read_detail(body)
    assert (found.title, found.keywords, found.doi) == ("R&D", ("naïve", "ebb"), "10.5555/a_b")
