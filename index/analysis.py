"""How text becomes words, the same for every engine.

Text is prepared here: case, accents and ligatures are folded (Latin, Greek, Cyrillic, Arabic), CJK becomes
bigrams, and the possessive 's goes. An engine's own analyser splits at what is neither letter nor digit, as
`words` does, and stems (Snowball English).
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache

_LONGEST_JOINED = 255  # characters

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_WORD = re.compile(r"[^\W_]+")
_UNSEEN = frozenset(("Mn", "Mc", "Me", "Cf"))  # marks of vowels and accents; soft hyphens, signs of direction
# Letters that Unicode does not take apart.
_FOLDED = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t",
    "ς": "σ", "ـ": None, "ى": "ي", "أ": "ا", "إ": "ا", "آ": "ا",
})  # fmt: skip
_HYPHENS, _APOSTROPHES = "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "\u2018\u2019\u02bc\uff07"
_PLAIN = str.maketrans(
    dict.fromkeys(_HYPHENS, "-") | dict.fromkeys(_APOSTROPHES, "'") | {"\u200b": " "}  # which ends a word
)
_POSSESSIVE = re.compile(r"'s(?<=\w's)(?!\w)")
_JOINT = re.compile(r"[-'](?<=\w[-'])(?=\w)")
_COMPOUND = re.compile(r"(?<![^\W_])[^\W_]+(?:[-'][^\W_]+)+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af]+")


def prepare(text: str) -> str:
    """What an engine is given in place of `text`."""
    folded = text.lower() if text.isascii() else _NOT_ASCII.sub(_folded_run, text).lower()
    return _POSSESSIVE.sub("", folded) if "'" in folded else folded


def words(text: str) -> list[str]:
    """The folded words of `text`, unstemmed, in order."""
    return _WORD.findall(prepare(text))


def joined(prepared: str) -> list[str]:
    """Hyphened words as one: coproduction where `prepared` has co-production; obrien for O'Brien."""
    forms, read = [], 0
    for joint in _JOINT.finditer(prepared):
        if joint.start() >= read:
            start = prepared.rfind(" ", 0, joint.start()) + 1
            space = prepared.find(" ", joint.end())
            read = space if space > 0 else len(prepared)
            forms += _COMPOUND.findall(prepared, start, read)
    return [
        form
        for form in dict.fromkeys(map(_as_one, forms))
        if not form.isdigit() and len(form) <= _LONGEST_JOINED
    ]


def with_joined(prepared: str) -> str:
    """With each hyphened word as one; figures are none (2019-2021)."""

    def one(compound: re.Match[str]) -> str:
        form = _as_one(compound[0])
        return compound[0] if form.isdigit() else form

    return _COMPOUND.sub(one, prepared)


def _as_one(compound: str) -> str:
    return compound.replace("-", "").replace("'", "")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    return _stemmer()(word)


def beginnings(stemmed: str) -> list[str]:
    """Every word of a stem begins with one of these."""
    other = _OTHER_LAST.get(stemmed[-1:])
    found = [stemmed, stemmed[:-1] + other] if other else [stemmed]
    return [*found, f"{stemmed[0]}ying"] if len(stemmed) == 3 and stemmed.endswith("ie") else found


# Where the stemmer changes the last letter: hoping, happy, readability (readabl), skies.
_OTHER_LAST = {"e": "i", "i": "y", "l": "i", "y": "i"}


def _folded_run(run: re.Match[str]) -> str:
    return _fold_letters(run.group())


@lru_cache(maxsize=50_000)
def _fold_letters(run: str) -> str:
    """Letters and digits of a run without ASCII; whatever else is in it becomes a space."""
    apart = unicodedata.normalize("NFKD", run.casefold())
    letters = "".join(
        letter for letter in apart.translate(_PLAIN) if unicodedata.category(letter) not in _UNSEEN
    )
    folded = unicodedata.normalize("NFKC", letters).casefold().translate(_FOLDED)
    return _CJK.sub(_bigrams, "".join(map(_letter, folded)))


def _letter(letter: str) -> str:
    return letter if letter.isalnum() or letter in "-'" else " "


def _bigrams(match: re.Match[str]) -> str:
    run = match.group()
    pairs = (run[at : at + 2] for at in range(len(run) - 1)) if len(run) > 1 else (run,)
    return f" {' '.join(pairs)} "


@cache
def _stemmer() -> Callable[[str], str]:
    # Only where words are stemmed outside an engine: a search through tantivy seldom needs it.
    import snowballstemmer

    stemmer: Callable[[str], str] = snowballstemmer.stemmer("english").stemWord
    return stemmer
