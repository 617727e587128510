"""How text becomes words, the same for every engine.

Text that is not ASCII is prepared here: case, accents and ligatures folded (Latin, Greek, Cyrillic, Arabic),
CJK in bigrams. ASCII passes untouched: an engine's own analyser lowers its case, splits at what is
neither letter nor digit, and stems (Snowball English), as `words` does.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache, lru_cache

LONGEST_WORD = 255

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_WORD = re.compile(r"[^\W_]+")
# Letters that Unicode does not take apart.
_FOLDED = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t",
    "ς": "σ", "ـ": None, "ى": "ي", "أ": "ا", "إ": "ا", "آ": "ا",
})  # fmt: skip
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af]+")


def prepare(text: str) -> str:
    """What an engine is given in place of `text`: what is not ASCII folded, the rest untouched."""
    return text if text.isascii() else _NOT_ASCII.sub(_folded_run, text)


def fold(text: str) -> str:
    """Case, accents, ligatures and vowel marks folded; runs of CJK as bigrams."""
    return prepare(text).lower()


def words(text: str) -> list[str]:
    """The folded words of `text`, unstemmed, in order."""
    return [word for word in _WORD.findall(fold(text)) if len(word) <= LONGEST_WORD]


def places(text: str) -> Iterator[tuple[str, int, int]]:
    """(folded word, start, end) of each word of `text` as it stands; a CJK run is one place."""
    for match in _WORD.finditer(text):
        for word in _WORD.findall(fold(match.group())):
            yield word, match.start(), match.end()


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    return _stemmer()(word)


def _folded_run(run: re.Match[str]) -> str:
    return _fold_letters(run.group())


@lru_cache(maxsize=50_000)
def _fold_letters(run: str) -> str:
    """Letters and digits of a run without ASCII; whatever else is in it becomes a space."""
    apart = unicodedata.normalize("NFKD", run.casefold())
    letters = "".join(letter for letter in apart if not unicodedata.category(letter).startswith("M"))
    folded = unicodedata.normalize("NFKC", letters).casefold().translate(_FOLDED)
    return _CJK.sub(_bigrams, "".join(letter if letter.isalnum() else " " for letter in folded))


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
