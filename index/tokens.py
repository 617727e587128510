"""Query text → tokens. What is syntax in its place is told here; all else is words."""

import re
from collections.abc import Iterator

import msgspec

from index.fields import BY_NAME

NAME = r"[A-Za-z_]+"


class Token(msgspec.Struct, frozen=True):
    """`place` and `end` are offsets in the query. `kind` is identifier, open, close, phrase, range, word,
    operator, sign, field (its value is the next token) or stray (a quote without its partner).
    """

    kind: str
    text: str
    place: int
    end: int


_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<identifier>(?:https?://|oai:|doi:|DOI:)[^\s"()]+|10\.[0-9]{4,9}/[^\s"]+
        |[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9Xx])
    | (?P<open>\()
    | (?P<close>\))
    | (?P<phrase>"[^"]*")
    | (?P<range>[\[{][^\]}"]*[\]}])
    | (?P<word>[^\s()"]+)
    | (?P<stray>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_FIELD = re.compile(rf"({NAME}):(?=\S)")


def tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        found = _next(text, at)
        at = found[-1].end
        if len(found) > 1 or found[0].kind not in ("space", "stray"):
            yield from found


def value_at(text: str, place: int) -> Token:
    """The word, phrase or other single token that begins there."""
    match = _TOKEN.match(text, place)
    assert match is not None
    kind, value = str(match.lastgroup), match.group()
    if kind == "identifier":
        value = _closed(value)
    return Token(kind, value, place, place + len(value))


def _next(text: str, at: int) -> tuple[Token, ...]:
    """One token, or a field and its value."""
    token = value_at(text, at)
    field = _FIELD.match(text, at)
    if field and field[1].lower() in BY_NAME and token.kind != "identifier":
        return Token("field", field[1], at, field.end()), _field_value(text, field.end())
    return (_sign(text, at) or _outside_fields(token),)


def _outside_fields(token: Token) -> Token:
    """Operators count only here, ranges only behind a field."""
    if token.kind == "word" and token.text in ("AND", "OR", "NOT"):
        return Token("operator", token.text, token.place, token.end)
    if token.kind == "range":
        return Token("word", token.text, token.place, token.end)
    return token


def _field_value(text: str, at: int) -> Token:
    """An open bracket runs to the end of the query if nothing closes it: the fault is told where it is."""
    token = value_at(text, at)
    if token.kind == "word" and token.text[0] in "[{":
        return Token("range", text[at:], at, len(text))
    return token


def _sign(text: str, at: int) -> Token | None:
    """`+` and `-` are signs only after a space or a bracket and before a letter, a quote or a bracket."""
    if text[at] not in "+-" or (at > 0 and not (text[at - 1].isspace() or text[at - 1] == "(")):
        return None
    follows = text[at + 1 : at + 2]
    if not follows or not (follows.isalpha() or follows in '"('):
        return None
    return Token("sign", text[at], at, at + 1)


def _closed(identifier: str) -> str:
    """A DOI may hold brackets; one that closes what it did not open belongs to the query."""
    while identifier.endswith(")") and identifier.count(")") > identifier.count("("):
        identifier = identifier[:-1]
    return identifier
