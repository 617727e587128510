"""Plain text: white space, characters that nobody sees, composed form, e-mail addresses.

ASCII, nine values in ten, is looked at once and passes.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable

from harvester.identifiers import INVISIBLE

_UNSEEN = re.compile(rf"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f{INVISIBLE}]")
_EMAIL = re.compile(r"[<(\[]?(?:mailto:)?[\w.+%-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}[>)\]]?")
_BLANK_LINES = re.compile(r"\n\s*\n")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# The first byte of a character in UTF-8, then those that can only follow.
_FOLLOWS = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_FIRST_BYTES = "ÃÂâÅÄÐÑÎÏãØÙ"  # of Latin, punctuation, Cyrillic, Greek, Japanese, Arabic
_MOJIBAKE = re.compile(f"[Â-ß]{_FOLLOWS}|[à-ô]{_FOLLOWS}{{2}}")
_DIGIT = re.compile(r"\d")
# The Mathematics Subject Classification's codes in one value (arXiv); a Dewey number before its caption.
_CODES = re.compile(r"\d\d[A-Z-][\dx-][\dx](?:, ?\d\d[A-Z-][\dx-][\dx])+")
_CAPTION = re.compile(r"\d{3} [A-Z]")
_LAST_POINT = re.compile(r"(?<=[a-zé-ÿ]{4})\.$")
_LIST_MARKS = re.compile(r"[;\n\r]")


def line(text: str) -> str:
    """One line, single spaces."""
    if text.isascii() and text.isprintable() and "  " not in text and "@" not in text:
        return text.strip()
    if _is_plain(text):
        return _composed(text)
    return _settled(text, " ".join(_seen(text).split()), line)


def paragraphs(text: str) -> str:
    """Hard-wrapped lines joined; a blank line stays a paragraph's end."""
    if text.isascii() and text.isprintable() and "  " not in text and "@" not in text:
        return text.strip()
    if _is_plain(text):
        return _composed(text)
    clean = _seen(text).replace("\r\n", "\n").replace("\r", "\n")
    parts = (" ".join(part.split()) for part in _BLANK_LINES.split(clean))
    return _settled(text, "\n\n".join(part for part in parts if part), paragraphs)


def _settled(before: str, after: str, clean: Callable[[str], str]) -> str:
    """Taking one sign away may show another (`Â`, a control character, `¡`): again, until none is left."""
    return after if after.isascii() or after == before or not _looks_mistaken(after) else clean(after)


def _is_plain(text: str) -> bool:
    """No control or invisible character (`isprintable` knows them all), no second space, no address."""
    return (
        text.isprintable()
        and "  " not in text
        and "@" not in text
        and (text.isascii() or not _looks_mistaken(text))
    )


def _composed(text: str) -> str:
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _seen(text: str) -> str:
    text = unicodedata.normalize("NFC", _UNSEEN.sub("", mended(text)))
    return _EMAIL.sub(" ", text) if "@" in text else text


def _looks_mistaken(text: str) -> bool:
    """The look at single letters spares most texts the pattern: an abstract's costs three microseconds."""
    for letter in _FIRST_BYTES:
        if letter in text:
            return _MOJIBAKE.search(text) is not None
    return False


def mended(text: str) -> str:
    """UTF-8 that was read as Latin-1 or Windows-1252 (CiteSeerX: `Abstractâ\x80\x94This`).

    Only where its signs are seen, for ftfy judges by likelihood, and right text is not to be judged at all.
    """
    if text.isascii() or not _looks_mistaken(text):
        return text
    import ftfy  # only where there is something to mend

    return ftfy.fix_encoding(text)


def printable(text: str) -> str:
    """Safe on a terminal: control and direction characters (but new line and tab) shown as U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return _UNPRINTABLE.sub("\ufffd", text)


def words_list(text: str) -> tuple[str, ...]:
    """Keywords in one value: by semicolons and new lines where there are any, else by commas or ` / `."""
    if _LIST_MARKS.search(text):
        parts = _LIST_MARKS.split(text)
    elif "," in text:
        parts = text.split(",")
    else:
        parts = text.split(" / ")
    return unique(without_full_stop(line(part)) for part in parts)


def without_full_stop(line: str) -> str:
    """A heading's end; an abbreviation's and an initial's point stay."""
    return _LAST_POINT.sub("", line) if line[-1:] == "." else line


def subjects(lines: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(subjects, keywords): what is a list in one value is keywords, and no controlled heading."""
    whole: list[str] = []
    words: list[str] = []
    for value in lines:
        if value[:2].isdecimal() and (_CODES.fullmatch(value) or _CAPTION.match(value)):
            whole += value.replace(", ", ",").split(",") if _CODES.fullmatch(value) else (value,)
        elif value.count(";") == 1 and value[-1] == ";":  # Kansas: a list of one
            whole.append(value[:-1].rstrip())
        elif ";" in value or (value.count(",") >= 3 and _is_word_list(value)):
            words.extend(words_list(value))
        else:
            whole.append(value)
    return tuple(whole), unique(words)


def _is_word_list(value: str) -> bool:
    """Four and more short phrases between commas; headings have fewer, and dates or dashes in them."""
    parts = value.split(",")
    return "--" not in value and not _DIGIT.search(value) and all(part.count(" ") < 5 for part in parts)


def unique(values: Iterable[str]) -> tuple[str, ...]:
    """Without empty and repeated ones, in order."""
    return tuple(dict.fromkeys(filter(None, values)))
