import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.clean import text

MESSY = st.text(
    st.one_of(st.characters(), st.sampled_from(" \n\r\t\xa0\xad\u200b\ufeff\x0b\x85@.<>aé\u0301"))
)


@given(MESSY)
def test_a_line_is_clean_for_good(said: str) -> None:
    once = text.line(said)
    assert text.line(once) == once
    assert "\n" not in once
    assert once == once.strip()


@given(MESSY)
def test_paragraphs_are_clean_for_good(said: str) -> None:
    once = text.paragraphs(said)
    assert text.paragraphs(once) == once
    assert unicodedata.is_normalized("NFC", once)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="@"), min_size=1))
def test_ascii_words_pass_untouched(word: str) -> None:
    assert text.line(word) is word or text.line(word) == word


@given(st.text())
def test_what_is_printed_steers_no_terminal(said: str) -> None:
    shown = text.printable(said)
    assert text.printable(shown) == shown
    assert len(shown) == len(said)
    assert not [c for c in shown if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert not [
        c for c in shown if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "RLI")
    ]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("  hay \n and\tstraw ", "hay and straw"),
        ("1938-\xad1948", "1938-1948"),
        ("http:/\u200b/dx.\u200bdoi", "http://dx.doi"),
        ("Re\u0301sume\u0301", "Résumé"),
        ("NBSP\xa0inside", "NBSP inside"),
        ("bell\x07 and csi\x9b31m", "bell and csi31m"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # a joiner that Persian spells with
        ("ask <ann@hay.example.org> now", "ask now"),
        ("ask mailto:ann.b@hay.example.", "ask ."),
        ("FORS2@VLT and @sayer stay", "FORS2@VLT and @sayer stay"),
    ],
)
def test_a_line(said: str, line: str) -> None:
    assert text.line(said) == line


def test_paragraphs_keep_their_ends_and_lose_hard_wraps() -> None:
    assert text.paragraphs("one\r\ntwo\r\n\r\n \nthree\n") == "one two\n\nthree"


def test_printable_shows_what_it_took() -> None:
    assert text.printable("a\x1b[31mred\u202e\n") == "a\ufffd[31mred\ufffd\n"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Coproduction, Recovery, Mental Health", ("Coproduction", "Recovery", "Mental Health")),
        ("a; b, c;; a", ("a", "b, c")),
        ("hay\nstraw\n", ("hay", "straw")),
        ("Patient experiences / naïveté", ("Patient experiences", "naïveté")),
        ("R&D", ("R&D",)),
        ("", ()),
    ],
)
def test_a_list_of_words(said: str, words: tuple[str, ...]) -> None:
    assert text.words_list(said) == words


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("El NiÃ±o", "El Niño"),
        ("Abstractâ\x80\x94This", "Abstract—This"),  # CiteSeerX
        ("LÃ¶sungstechniken", "Lösungstechniken"),
        ("«Café» – “já”", "«Café» – “já”"),
        ("Â", "Â"),
        ("ÃœBER", "ÜBER"),
        ("RÖ“MER”", "RÖ“MER”"),
    ],
)
def test_what_was_read_in_the_wrong_encoding_is_mended_and_no_other(said: str, line: str) -> None:
    assert text.line(said) == line


@pytest.mark.parametrize(
    ("lines", "subjects", "keywords"),
    [
        (["hay; straw;"], (), ("hay", "straw")),
        (["drying, hay, barns, late mowing"], (), ("drying", "hay", "barns", "late mowing")),
        (["Mowing, Wild, Tyrol"], ("Mowing, Wild, Tyrol",), ()),
        (["Great Britain -- A, B, C, D"], ("Great Britain -- A, B, C, D",), ()),
        (["Rolf, Holm, of Hay, 1932-, painter"], ("Rolf, Holm, of Hay, 1932-, painter",), ()),
    ],
)
def test_a_list_is_keywords_a_heading_is_a_subject(
    lines: list[str], subjects: tuple[str, ...], keywords: tuple[str, ...]
) -> None:
    assert text.subjects(lines) == (subjects, keywords)
