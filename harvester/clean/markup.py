"""HTML and JATS inside values: known tags go, known entities are read once, all else is text (`p<0.05`)."""

import re
from html.entities import html5

from harvester.clean import latex, text

_BLOCKS = "p|div|ul|ol|li|dl|dt|dd|h[1-6]|table|tr|blockquote|pre|hr|section|center"
_INLINES = (
    "a|abbr|b|big|cite|code|em|font|i|img|q|s|small|span|strong|strike|sub|sup|td|th|thead|tbody|tt|u|del|ins"
)
_ATTRIBUTES = r"(?:\s+[\w:-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'<>]+))*"
_BLOCK = re.compile(rf"</?(?:{_BLOCKS}|jats:(?:p|title|sec|list|list-item)){_ATTRIBUTES}\s*/?>", re.I)
_BREAK = re.compile(r"<br\s*/?>", re.I)
_INLINE = re.compile(rf"</?(?:{_INLINES}|jats:[\w-]+|(?:mml|m):[\w-]+){_ATTRIBUTES}\s*/?>", re.I)
_CLOSED = re.compile(r"</[A-Za-z]|<br\b", re.I)
_LABEL = re.compile(r"\Aabstract(?:\s*[:—–]\s*|\n\n)", re.I)
_ENTITY = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def line(value: str) -> str:
    """One line of plain text."""
    return text.line(without_markup(value) if "&" in value or "<" in value else value)


def paragraphs(value: str) -> str:
    """Plain text, paragraphs kept."""
    return text.paragraphs(without_markup(value))


def title(value: str) -> str:
    """One line, LaTeX read."""
    return text.line(without_latex(without_markup(value)))


def abstract(value: str) -> str:
    """Paragraphs, LaTeX read, without the word "Abstract" before them."""
    value = text.paragraphs(without_latex(without_markup(value)))
    return _LABEL.sub("", value, count=1) if value[:8].lower() == "abstract" else value


def without_latex(value: str) -> str:
    return latex.plain(value) if "$" in value or "\\" in value else value


def without_markup(value: str) -> str:
    """Markup escaped as a whole (Zenodo) counts if a tag is closed; a lone `&lt;p&gt;` was meant as text."""
    if "<" in value:
        value = _without_tags(value)
    if "&" not in value:
        return value
    value = unescape(value)
    return unescape(_without_tags(value)) if _CLOSED.search(value) else value


def _without_tags(value: str) -> str:
    return _INLINE.sub("", _BLOCK.sub("\n\n", _BREAK.sub("\n", value)))


def unescape(value: str) -> str:
    """Named and numbered entities, once, and only with their semicolon: `?a=1&copy=2` stays."""
    return _ENTITY.sub(_character, value) if ";" in value else value


def _character(match: re.Match[str]) -> str:
    name = match[1]
    if not name.startswith("#"):
        return html5.get(f"{name};", match[0])
    number = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
    legal = 0x20 <= number < 0xD800 or 0xE000 <= number <= 0x10FFFF or number in (0x9, 0xA, 0xD)
    return chr(number) if legal else match[0]
