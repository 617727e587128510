import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.clean import latex, markup


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        (r"Zeros of $\zeta(s)$", "Zeros of ζ(s)"),
        (r"$1/\pi$", "1/π"),
        (r"the graph $K_n$ of $n$ nodes", "the graph K_n of n nodes"),
        (r"a $p$-value", "a p-value"),
        (r"$\sim$50$\times 10^6$", "∼50× 10^6"),
        (r"below 10\(^{-6}\)", "below 10^-6"),  # DASH
        (
            r"Schr\"odinger, Gr{\"o}bner, R\'enyi, It\^o, Ho\v{r}ava",
            "Schrödinger, Gröbner, Rényi, Itô, Hořava",
        ),
        (r"Th\'eor\`eme", "Théorème"),
        (r"\emph{in situ} and {\it E. coli}", "in situ and E. coli"),
        (r"distinguishes \textit{and} $x$", "distinguishes and x"),
    ],
)
def test_latex_becomes_text(said: str, plain: str) -> None:
    assert latex.plain(said) == plain


@pytest.mark.parametrize(
    "said",
    [
        "Between $5 and $10",
        "by $731 million to $1.03 billion",  # CiteSeerX
        r"SIKT\kst109",  # Nesstar
        r"C:\temp",
        r"$\unknownmacro{x}$ of the author's own",
        r"$\frac{a}{b",
        "100 $",
        r"mask\" the data",
    ],
)
def test_what_may_be_something_else_stays(said: str) -> None:
    assert latex.plain(said) == said


@given(st.text(st.sampled_from("$\\{}^_'\"abx é%&~[]()"), max_size=40))
def test_nothing_that_is_typed_makes_it_fail(said: str) -> None:
    assert isinstance(latex.plain(said), str)


def test_a_title_without_a_dollar_asks_nobody() -> None:
    assert markup.title("Hay  &amp; straw") == "Hay & straw"
