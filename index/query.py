"""Query text → tree; each node keeps its place in the text, and a fault points at it.

query       := side_by_side                       "a b" means both
side_by_side:= either+
either      := both ("OR" both)*
both        := unit ("AND" unit)*                 NOT binds closest, then AND, then OR, then side by side
unit        := ("NOT" | "-" | "+") unit | "(" side_by_side ")" | [field ":"] value
value       := word | "phrase" | [low TO high] | {low TO high} | low..high

Only these are faults: an operator without its operand, a range that does not end or does not suit its
field, a value that its field cannot take, a query past its caps. All else that cannot be syntax is words.
"""

import difflib
import re
from collections.abc import Callable

import msgspec

from harvester.errors import QueryError
from index.analysis import identifier_key, words
from index.document import date_number
from index.fields import BY_NAME, FIELDS, Field, Kind
from index.nodes import All, Any, Beside, Everything, Exact, Node, Not, Prefer, Range, Words
from index.tokens import NAME, Token, tokens, value_at

LONGEST_QUERY = 8192
DEEPEST_NESTING = 64


class Parsed(msgspec.Struct, frozen=True):
    """`suggestion` is the query as it was probably meant, or ""."""

    tree: Node
    suggestion: str = ""


_ENDS = re.compile(r"[\[{]\s*(\S+)\s+TO\s+(\S+)\s*[\]}]")
_SPAN = re.compile(r"(\S*)\.\.(\S*)")
_NOT_TEXT = re.compile(r"[\ud800-\udfff]")  # what a terminal makes of bytes that are no UTF-8


def parse(text: str) -> Parsed:
    if len(text.encode("utf-8", "replace")) > LONGEST_QUERY:
        raise QueryError(f"the query is longer than {LONGEST_QUERY:,} bytes", text[:60], 60, "shorten it")
    if text.strip() in ("", "*", "*:*"):
        return Parsed(Everything())
    return Parsed(_Parser(text).parse(), _meant(text))


def filtered(tree: Node, filters: dict[str, list[Node]]) -> Node:
    """Filters on one field are alternatives; on different fields they hold together."""
    kept = [Any(tuple(nodes)) for nodes in filters.values()]
    return All((tree, *kept)) if kept else tree


def filter_node(field: Field, value: str) -> Node:
    """`--filter field=value`; numbers and dates take `low..high`."""
    if field.kind in (Kind.NUMBER, Kind.DATE):
        return _number_node(field, value, value, 0)
    return Exact(field.name, _exact_value(field, value))


def loosened(tree: Node, unimportant: frozenset[str]) -> Node | None:
    """Any of the words where all were wanted; None where there is nothing to loosen.

    What names its field stays, as do `AND` and `+`: who asks for `author:khan health` wants nobody else's.
    """
    nodes = tree.nodes if isinstance(tree, Beside) else ()
    plain = [node for node in nodes if isinstance(node, Words) and not node.field]
    firm = [node for node in nodes if not isinstance(node, Words) or node.field]
    telling = [node for node in plain if not unimportant.issuperset(node.words)]
    if len(plain) < 2 or not telling:
        return None
    some = Any(tuple(telling))
    return Prefer(All((some, *firm)) if firm else some, tree)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._at = 0
        self._depth = 0

    def parse(self) -> Node:
        nodes = []
        while self._at < len(self._tokens):
            nodes.extend(self._side_by_side())
            self._at += self._peek("close") is not None  # a bracket without its partner is punctuation
        return _together(nodes)

    def _side_by_side(self) -> list[Node]:
        nodes = []
        while (token := self._peek()) is not None and token.kind != "close":
            node = self._either()
            if node is not None:
                nodes.append(node)
        return nodes

    def _either(self) -> Node | None:
        return self._joined("OR", Any, self._both)

    def _both(self) -> Node | None:
        return self._joined("AND", All, self._unit)

    def _joined(
        self, operator: str, join: type[All | Any], operand: Callable[[], Node | None]
    ) -> Node | None:
        nodes = [operand()]
        while (token := self._peek()) is not None and token.kind == "operator" and token.text == operator:
            self._at += 1
            self._expect_operand(token)
            nodes.append(operand())
        kept = tuple(node for node in nodes if node is not None)
        if len(kept) < 2:
            return kept[0] if kept else None
        return join(kept)

    def _unit(self) -> Node | None:
        token = self._tokens[self._at]
        self._at += 1
        if token.kind == "operator" and token.text in ("AND", "OR"):
            raise self._fault(token, f"{token.text} has nothing before it", "put words on both sides of it")
        if token.kind == "sign" or (token.kind == "operator" and token.text == "NOT"):
            return self._signed(token)
        if token.kind == "open":
            return self._group(token)
        return self._value(token)

    def _signed(self, sign: Token) -> Node | None:
        self._expect_operand(sign)
        self._deeper(sign)
        node = self._unit()
        self._depth -= 1
        if node is None:
            return None
        return All((node,)) if sign.text == "+" else Not(node)

    def _group(self, opening: Token) -> Node | None:
        self._deeper(opening)
        nodes = self._side_by_side()
        self._depth -= 1
        self._at += self._peek("close") is not None
        return _together(nodes) if nodes else None

    def _deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            message = f"more than {DEEPEST_NESTING} brackets or exclusions inside each other"
            raise self._fault(token, message, "simplify it")

    def _value(self, token: Token) -> Node | None:
        if token.kind == "field":
            return self._of_field(token)
        if token.kind == "identifier":
            return Exact("identifier", _exact_value(BY_NAME["identifier"], token.text), token.place)
        return _words("", token)

    def _of_field(self, token: Token) -> Node | None:
        field = BY_NAME[token.text.lower()]
        value = self._tokens[self._at]
        self._at += 1
        if value.kind == "open":
            return self._spread(field, self._group(value))
        if field.kind in (Kind.NUMBER, Kind.DATE):
            return self._number(field, value)
        if value.kind == "range" or value.text[:1] in "[{":
            raise self._fault(
                value, f"{field.name} has no order, so no range", f"ranges are for {_ordered()}"
            )
        if field.kind is Kind.EXACT:
            return Exact(field.name, _exact_value(field, value.text), value.place)
        return _words(field.name, value)

    def _spread(self, field: Field, node: Node | None) -> Node | None:
        """`title:(a OR b)`: the field holds for each word inside."""
        match node:
            case Words(field="") if field.kind in (Kind.TEXT, Kind.NAME):
                return Words(node.words, field.name, node.place)
            case Words(field=""):
                return self._of_kind(field, value_at(self._text, node.place))
            case All() | Any():
                inner = (self._spread(field, one) for one in node.nodes)
                return type(node)(tuple(one for one in inner if one is not None))
            case Not():
                inside = self._spread(field, node.node)
                return None if inside is None else Not(inside)
        return node

    def _of_kind(self, field: Field, value: Token) -> Node:
        if field.kind is Kind.EXACT:
            return Exact(field.name, _exact_value(field, value.text), value.place)
        return self._number(field, value)

    def _number(self, field: Field, value: Token) -> Node:
        text = value.text
        if text[:1] in "[{":
            ends = _ENDS.fullmatch(text)
            if ends is None:
                raise self._fault(value, "the range does not end", f"write {field.name}:[{_example(field)}]")
            return _range(field, ends[1], ends[2], text, self._text, value.place)
        return _number_node(field, text, self._text, value.place)

    def _expect_operand(self, operator: Token) -> None:
        token = self._peek()
        if token is None or token.kind == "close" or (token.kind == "operator" and token.text != "NOT"):
            raise self._fault(operator, f"{operator.text} has nothing after it", "put a word after it")

    def _peek(self, kind: str = "") -> Token | None:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        return token if token is None or not kind or token.kind == kind else None

    def _fault(self, token: Token, message: str, advice: str) -> QueryError:
        return QueryError(message, self._text, token.place, advice)


def _words(field: str, token: Token) -> Words | None:
    found = tuple(words(token.text))
    return Words(found, field, token.place) if found else None


def _together(nodes: list[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    return Beside(tuple(nodes)) if nodes else Any(())


def _exact_value(field: Field, text: str) -> str:
    value = _NOT_TEXT.sub("\ufffd", text.strip('"'))
    if field.name == "identifier":
        return identifier_key(value)
    if field.name == "peer_reviewed":
        return {"true": "yes", "false": "no"}.get(value.lower(), value.lower())
    return value.lower()


def _number_node(field: Field, text: str, query: str, place: int) -> Range:
    span = _SPAN.fullmatch(text)
    low, high = (span[1] or "*", span[2] or "*") if span else (text, text)
    return _range(field, low, high, "[]", query, place)


def _range(field: Field, low: str, high: str, brackets: str, query: str, place: int) -> Range:
    first = _bound(field, low, query, place, last=False)
    final = _bound(field, high, query, place, last=True)
    if brackets[0] == "{" and first is not None:
        first = (_bound(field, low, query, place, last=True) or 0) + 1
    if brackets[-1] == "}" and final is not None:
        final = (_bound(field, high, query, place, last=False) or 0) - 1
    return Range(field.name, first, final, place)


def _bound(field: Field, text: str, query: str, place: int, *, last: bool) -> int | None:
    if text == "*":
        return None
    text = text.strip('"')
    number = date_number(text, last=last) if field.kind is Kind.DATE else None
    if field.kind is Kind.NUMBER and text.isascii() and text.isdigit() and len(text) <= 9:
        number = int(text)
    if number is None:
        raise QueryError(
            f"{field.name} cannot be {text or 'empty'}",
            query,
            place,
            f"write for example {field.name}:{_one(field)}",
        )
    return number


def _one(field: Field) -> str:
    return "2021-03" if field.kind is Kind.DATE else "2021"


def _example(field: Field) -> str:
    return "2019-01 TO 2021-06" if field.kind is Kind.DATE else "2019 TO 2021"


def _ordered() -> str:
    return ", ".join(field.name for field in FIELDS if field.kind in (Kind.NUMBER, Kind.DATE))


def _meant(text: str) -> str:
    """`titel:x` is words; whoever wrote it probably meant a field."""
    meant = text
    for match in re.finditer(rf"(?<!\S)({NAME}):(?=[^\s/])", text):
        name = match[1].lower()
        near = [] if name in BY_NAME else difflib.get_close_matches(name, BY_NAME, n=1, cutoff=0.75)
        if near:
            meant = meant.replace(match[0], f"{near[0]}:", 1)
    return meant if meant != text else ""
