"""Query text → tokens. What is syntax in its place is told here; all else is words."""

import re
from collections.abc import Iterator

import msgspec

from harvester.errors import QueryError
from index.fields import BY_NAME
from index.identifiers import INVISIBLE, identifier_at

NAME = r"[A-Za-z_]+"


class Token(msgspec.Struct, frozen=True):
    """`place` and `end` are offsets in the query.

    kind        identifier, open, close, everything, phrase, range, word; operator, sign,
                field (its value is the next token); tilde and boost (of the token before: `text` is
                what follows the sign), stray (a quote without its partner)
    """

    kind: str
    text: str
    place: int
    end: int


class Value(msgspec.Struct, frozen=True):
    """A token that is a value in `query`. `tilde` is what follows the `~` behind it, None where none is."""

    kind: str
    text: str
    place: int
    query: str
    tilde: str | None = None

    def fault(self, message: str, advice: str) -> QueryError:
        return QueryError(message, self.query, self.place, advice)


_TOKEN = re.compile(
    rf"""
      (?P<space>[\s{INVISIBLE}]+)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<everything>\*:\*(?=[\s()]|\Z))
    | (?P<phrase>"[^"]*")
    | (?P<range>[\[{{][^\]}}"]*[\]}}])
    | (?P<word>[^\s()"]+)
    | (?P<stray>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_FIELD = re.compile(rf"({NAME}):(?=\S)")
_BOOST = r"(?:\^(?P<boost>100|[0-9]{1,2}(?:\.[0-9]{1,3})?))"
_END = r"(?=[\s()\"]|\Z)"
_BEHIND_WORD = re.compile(rf"(?:~(?P<tilde>(?:[0-9]{{1,9}}(?:\.[0-9]{{1,9}})?)?))?{_BOOST}?\Z")
_BEHIND_PHRASE = re.compile(rf"(?:~(?P<tilde>[0-9]{{1,9}}))?{_BOOST}?{_END}")
_BEHIND_BRACKET = re.compile(rf"{_BOOST}{_END}")
_LETTER = re.compile(r"[^\W\d_]|^\*$")


# As word processors write them. One for one, so that places stay.
QUOTES = frozenset('"\u201c\u201d\u201e\u201f\u00ab\u00bb')
_TYPED = str.maketrans(dict.fromkeys(QUOTES, '"') | {"\u2212": "-"})


def tokens(text: str) -> Iterator[Token]:
    text, at = text.translate(_TYPED), 0
    while at < len(text):
        found = _next(text, at)
        at = found[-1].end
        if found[0].kind not in ("space", "stray"):
            yield from found


def _next(text: str, at: int) -> list[Token]:
    """One token with what hangs on it; a field brings its value."""
    token = _token_at(text, at)
    field = _FIELD.match(text, at)
    if field and field[1].lower() in BY_NAME and token.kind != "identifier":
        name = Token("field", field[1], at, field.end())
        value = _field_value(text, field.end())
        is_identifier = BY_NAME[field[1].lower()].name == "identifier"  # which may end in such a sign
        return [name, value] if is_identifier else [name, *_with_suffixes(text, value)]
    return [sign] if (sign := _sign(text, at)) else _with_suffixes(text, _operator_or(token))


def _token_at(text: str, at: int) -> Token:
    identifier = identifier_at(text, at)
    if identifier:
        return Token("identifier", identifier, at, at + len(identifier))
    match = _TOKEN.match(text, at)
    assert match is not None
    return Token(str(match.lastgroup), match.group(), at, match.end())


def _operator_or(token: Token) -> Token:
    if token.kind == "word" and token.text in ("AND", "OR", "NOT"):
        return Token("operator", token.text, token.place, token.end)
    return token


def _field_value(text: str, at: int) -> Token:
    """An open bracket runs to the end of the query if nothing closes it: the fault is told where it is."""
    token = _token_at(text, at)
    if token.kind == "word" and token.text[0] in "[{":
        return Token("range", text[at:], at, len(text))
    return token


def _with_suffixes(text: str, token: Token) -> list[Token]:
    """`~1` and `^2` hang on what ends just before them; in a word of figures alone they are none (2^128)."""
    if token.kind == "word":
        return _word_with_suffixes(token)
    behind = {"phrase": _BEHIND_PHRASE, "close": _BEHIND_BRACKET, "range": _BEHIND_BRACKET}.get(token.kind)
    match = behind.match(text, token.end) if behind else None
    return [token, *_suffixes(match, 0)] if match else [token]


def _word_with_suffixes(token: Token) -> list[Token]:
    match = _BEHIND_WORD.search(token.text)
    if match is None or not match.group() or not _LETTER.search(token.text, 0, match.start()):
        return [token]
    word = Token("word", token.text[: match.start()], token.place, token.place + match.start())
    return [word, *_suffixes(match, token.place)]


def _suffixes(match: re.Match[str], place: int) -> list[Token]:
    return [
        Token(kind, text, place + match.start(kind) - 1, place + match.end(kind))
        for kind, text in match.groupdict().items()
        if text is not None
    ]


def _sign(text: str, at: int) -> Token | None:
    """`+` and `-` are signs only after a space or a bracket and before a letter, a quote, a bracket or an
    identifier.
    """
    if text[at] not in "+-" or (at > 0 and not (text[at - 1].isspace() or text[at - 1] == "(")):
        return None
    follows = text[at + 1 : at + 2]
    if not follows or not (follows.isalpha() or follows in '"(' or identifier_at(text, at + 1)):
        return None
    return Token("sign", text[at], at, at + 1)
