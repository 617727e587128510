"""The tree of a query → a query that means the same, in one way of writing it."""

import re
from collections.abc import Iterator, Sequence

from index.fields import BY_NAME, Kind
from index.identifiers import identifier_at
from index.nodes import (
    All,
    Any,
    Beside,
    Boosted,
    Everything,
    Exact,
    Fuzzy,
    Has,
    Node,
    Not,
    Pattern,
    Range,
    Spellings,
    Words,
)
from index.trees import leaves

_EVERYTHING = "*:*"
_NOTHING = "NOT *:*"
_WORD = re.compile(r"[^\W_]+")
_LONGEST_NUMBER = 9  # digits


def as_text(node: Node) -> str:
    """Of a tree that `parse` made, or one made of its parts."""
    match node:
        case Not():
            return f"NOT {_operand(node.node)}"
        case Boosted():
            return f"{_boostable(node.node)}^{node.factor:g}"
        case All(nodes=(one,)):
            return f"+({as_text(one)})"
        case All():
            sign = " " if isinstance(node, Beside) else " AND "
            return sign.join(map(_operand, node.nodes)) or _EVERYTHING
        case Any():
            return _hyphenated(node) or " OR ".join(map(_operand, node.nodes)) or _NOTHING
    return _leaf(node)


def _operand(node: Node) -> str:
    """In brackets where it is of several parts."""
    match node:
        case All(nodes=(_, _, *_)) | Any(nodes=(_, _, *_)):
            return _hyphenated(node) or f"({as_text(node)})"
    return as_text(node)


def _boostable(node: Node) -> str:
    match node:
        case Words() | Fuzzy() | Pattern() if not node.field or BY_NAME[node.field].kind is not Kind.EXACT:
            text = _leaf(node)
            return text if '"' in text or re.search(r"[^\W\d_]", text.rpartition(":")[2]) else f"({text})"
    return f"({as_text(node)})"


def _leaf(node: Node) -> str:
    match node:
        case Everything():
            return _EVERYTHING
        case Words(words, field, _, slop):
            return _of(field, _word_or_phrase(words) + (f"~{slop}" if slop else ""))
        case Pattern(pattern, field):
            # A bracket in a whole value would be syntax, but for an identifier's.
            is_url = field == "identifier" and re.search(r"[()]", pattern)
            return _of(field, f"https://{pattern}" if is_url else pattern)
        case Fuzzy(word, field, _, edits):
            return _of(field, f"{word}~{edits}" if _WORD.fullmatch(word) else f'"{word}"~{edits}')
        case Exact(field, value):
            return f'{field}:"{value}"'
        case Has(field):
            return f"{field}:*"
        case Range():
            return _range(node)
    raise AssertionError(f"a node that cannot be written: {node}")


def _of(field: str, value: str) -> str:
    return f"{field}:{value}" if field else value


def _word_or_phrase(words: tuple[str, ...]) -> str:
    text = " ".join(words)
    return f'"{text}"' if len(words) > 1 or identifier_at(text, 0) else text


def _hyphenated(node: Node) -> str:
    """The one word or phrase that is written in these ways; "" where that cannot be told."""
    match node:
        case Spellings((Words() as first, Words() as last)):
            text = " ".join(_with_hyphens(first.words, last.words))
            is_word = len(last.words) == 1 and not identifier_at(text, 0)
            slop = f"~{first.slop}" if first.slop else ""
            return text and _of(first.field, text if is_word else f'"{text}"{slop}')
        case Spellings((Pattern() | All() as first, Words() as last)):
            pieces = "/".join(_pieces(first, last.field))
            if not (words := _with_hyphens(last.words, _WORD.findall(pieces))):
                return ""
            return _of(last.field, _WORD.sub(lambda _: words.pop(0), pieces))
    return ""


def _with_hyphens(written: Sequence[str], joined: Sequence[str]) -> list[str]:
    left, found = list(written), []
    for word in joined:
        run: list[str] = []
        while left and "".join(run) != word:
            run.append(left.pop(0))
        if "".join(run) != word:
            return []
        found.append("-".join(run))
    return [] if left else found


def _pieces(node: Node, field: str) -> Iterator[str]:
    for leaf in leaves(node):
        match leaf:
            case Words(field=own) if own == field:
                yield from leaf.words
            case Pattern(field=own) if own == field:
                yield leaf.pattern


def _range(node: Range) -> str:
    low, high = node.low, node.high
    if low is None and high is None:
        return f"{node.field}:*"
    if high is not None and high < 0:
        return _NOTHING
    if BY_NAME[node.field].kind is Kind.DATE:
        return f"{node.field}:[{_date(low, '00')} TO {_date(high, '99')}]"
    if low is not None and len(str(low)) > _LONGEST_NUMBER:
        return f"{node.field}:{{{low - 1} TO {_number(high)}]"
    return f"{node.field}:[{_number(low)} TO {_number(high)}]"


def _number(number: int | None) -> str:
    return "*" if number is None else str(number)


def _date(number: int | None, filler: str) -> str:
    """Without the day or month that is only filled in."""
    if number is None:
        return "*"
    digits = f"{number:08}"
    year, month, day = digits[:-4], digits[-4:-2], digits[-2:]
    if day != filler:
        return f"{year}-{month}-{day}"
    return year if month == filler else f"{year}-{month}"
