r"""LaTeX in titles and abstracts → Unicode: `$\zeta(s)$`, `\(10^{-6}\)`, `Schr\"odinger`, `\emph{in situ}`.

pylatexenc knows the symbols; it is imported where a dollar or backslash stands, and sees only the pieces that
are LaTeX for sure. All else stays as written: "$5 and $10", `SIKT\kst109`, an unknown macro.
"""

import re
from functools import lru_cache
from typing import Any

# With a sign of LaTeX inside, it is a formula. Without, a dollar opens before, and closes behind, something
# other than a space, and no digit follows: Pandoc's rule, for which CiteSeerX's "by $731 million to $1.03
# billion" is none.
_MATH = re.compile(
    r"\$\$?(?=[^$]*[\\^_])[^$]{1,300}\$\$?|\\\(.{1,300}?\\\)|\$(?=[^\s$])(?:[^$]{0,60}[^\s$]|\S)\$(?!\d)",
    re.S,
)
_ACCENT = re.compile(
    r"\{\\['`^\"~=.][A-Za-z]\}|\\['`^\"~=.](?:\{\\?[A-Za-z]\}|\\[ij](?![A-Za-z])|[A-Za-z])"
    r"|\\[cHuvkrbd]\s?\{\\?[A-Za-z]\}"
)
_STYLE = re.compile(
    r"\\(?:emph|text(?:it|bf|rm|sc|sf|tt|sl)?|math(?:rm|it|bf))\{([^{}]*)\}|\{\\(?:it|em|bf|sc|sl|tt)\s+([^{}]*)\}"
)
_UNKNOWN = "\ufffd"


def plain(value: str) -> str:
    if "\\" in value:
        value = _ACCENT.sub(lambda match: _converted(match[0]), value)
    value = _MATH.sub(lambda match: _converted(match[0]), value)
    return _STYLE.sub(lambda match: match[1] or match[2] or "", value) if "\\" in value else value


@lru_cache(maxsize=4096)
def _converted(piece: str) -> str:
    """As written where nothing would be left of it, a brace is missing, or a macro is the author's own."""
    if piece.count("{") != piece.count("}"):
        return piece
    read = str(_reader().latex_to_text(piece)).strip()
    return piece if not read or _UNKNOWN in read else read


@lru_cache(maxsize=1)
def _reader() -> Any:
    from pylatexenc import latex2text  # type: ignore[import-untyped]  # slow, and seldom needed

    known = latex2text.get_default_latex_context_db()
    known.set_unknown_macro_spec(latex2text.MacroTextSpec("", simplify_repl=_UNKNOWN))
    return latex2text.LatexNodes2Text(known, math_mode="text", strict_latex_spaces="based-on-source")
