"""The deterministic repairs of broken XML: one right answer each, nothing legal touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from harvester.oai.repair import Repaired, repair, unwrapped

HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><t>'
TAIL = b"</t></OAI-PMH>"


def mended(body: bytes) -> Repaired:
    """As a page without records is: the document alone, then what is in it."""
    document = unwrapped(body)
    inner = repair(document.body)
    return Repaired(inner.body, document.done + inner.done)


def text_of(body: bytes) -> str:
    return "".join(map(str, etree.fromstring(body).itertext()))


@pytest.mark.parametrize(
    ("inside", "text", "said"),
    [
        (b"a\x1ab", "ab", "does not allow"),
        (b"a\xef\xbf\xbeb", "ab", "does not allow"),
        (b"a&#x1a;b&#0;", "ab", "references"),
        (b"&#xfffe;x", "x", "references"),
        (b"caf\xe9", "café", "Windows-1252"),
        (b"\x93quoted\x94", "“quoted”", "Windows-1252"),
        ("é".encode() * 200 + b"\xe9", "é" * 200 + "\ufffd", "no UTF-8"),
        (b"caf&eacute;&nbsp;&ndash;", "café\xa0–", "HTML entities"),
        (b"A & B, AT&T; C&EE;92", "A & B, AT&T; C&EE;92", "ampersands"),
        (b'<?xml version="1.0"?>x', "x", "declarations"),
        (b'<dc:x xsi:type="y">v</dc:x>', "v", "unbound prefixes bound: dc, xsi"),
    ],
)
def test_repairs(inside: bytes, text: str, said: str) -> None:
    """FAULTS X01 to X06, X10, X11."""
    repaired = mended(HEAD + inside + TAIL)
    assert text_of(repaired.body) == text
    assert said in "; ".join(repaired.done)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\n<b>Warning</b>: x", b""),
        (b"\xef\xbb\xbf\n", b""),
        (b"", b"<!-- 0.3 s --><html>"),
        (b"  ", b"\n<b>Notice</b>"),
    ],
)
def test_what_stands_around_the_document_goes(before: bytes, after: bytes) -> None:
    """FAULTS X08, X09."""
    repaired = mended(before + HEAD + b"x" + TAIL + after)
    assert text_of(repaired.body) == "x"
    assert repaired.done


def test_utf_16_is_read_by_its_mark() -> None:
    assert text_of(mended((HEAD + b"x" + TAIL).decode().encode("utf-16")).body) == "x"


def test_cdata_is_text_and_keeps_its_ampersands() -> None:
    assert text_of(mended(HEAD + b"<![CDATA[a & b &eacute;]]> \x02" + TAIL).body) == "a & b &eacute; "


def test_a_bare_less_than_has_no_one_answer() -> None:
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(mended(HEAD + b"p < 0.05" + TAIL).body)


def test_a_page_of_noise_is_not_taken_for_text() -> None:
    noise = HEAD + "é".encode() + b"\xff\xfe\xfd" * 50 + TAIL
    assert "replaced" not in "; ".join(mended(noise).done)


legal = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="<&"), max_size=60)


@given(legal)
def test_what_is_legal_is_not_touched(text: str) -> None:
    repaired = mended(HEAD + text.encode() + TAIL)
    assert repaired.done == ()
    assert text_of(repaired.body) == text_of(HEAD + text.encode() + TAIL)


@given(st.binary(max_size=200))
def test_a_second_repair_finds_nothing_to_do(inside: bytes) -> None:
    once = mended(HEAD + inside + TAIL)
    assert mended(once.body).body == once.body
