import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.clean import markup


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("<em>Morte Darthur</em>", "Morte Darthur"),
        ("H<sub>2</sub>O", "H2O"),
        ("one<br/>two", "one two"),
        ('see <a href="https://x.org/?a>b">here</a>', "see here"),
        ("p<0.05 and r>0.3", "p<0.05 and r>0.3"),
        ("If a<b and b>c then", "If a<b and b>c then"),
        ("data <table 1>", "data <table 1>"),
        ("C&EE;92", "C&EE;92"),
        ("?a=1&copy=2", "?a=1&copy=2"),
        ("Hay &amp; straw &#8211; &eacute;", "Hay & straw – é"),
        ("&amp;lt;", "&lt;"),
        ("a literal &lt;p&gt; in the text", "a literal <p> in the text"),
        ("&lt;p&gt;data&nbsp;that&lt;/p&gt;", "data that"),
        ("&lt;i&gt;Poa&lt;/i&gt; &amp;amp; Festuca", "Poa & Festuca"),
        ("<jats:title>Abstract</jats:title><jats:p>Text</jats:p>", "Abstract Text"),
        ("&#0;&#xD800;&#27;", "&#0;&#xD800;&#27;"),
        ("$\\zeta(s)$ & co", "$\\zeta(s)$ & co"),
    ],
)
def test_a_line(said: str, plain: str) -> None:
    assert markup.line(said) == plain


def test_blocks_are_paragraphs() -> None:
    assert markup.paragraphs("<p>one\ntwo</p><p>three<br>four</p>") == "one two\n\nthree four"


@pytest.mark.parametrize(
    "said", ["Abstract: Hay.", "ABSTRACT\n\nHay.", "<h2>Abstract</h2><p>Hay.</p>", "Hay."]
)
def test_an_abstract_loses_its_label(said: str) -> None:
    assert markup.abstract(said) == "Hay."


def test_an_abstract_about_abstract_things_keeps_its_word() -> None:
    assert markup.abstract("Abstract interpretation of hay.") == "Abstract interpretation of hay."


@given(st.text(st.characters(exclude_characters="<&")))
def test_text_without_markup_passes_untouched(said: str) -> None:
    assert markup.without_markup(said) == said


@given(st.text())
def test_nothing_is_unescaped_into_a_control(said: str) -> None:
    escaped = "".join(f"&#{ord(c)};" for c in said)
    assert not [c for c in markup.unescape(escaped) if ord(c) < 32 and c not in "\t\n\r"]
