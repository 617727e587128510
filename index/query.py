"""Query text → tree; each node keeps its place in the text, and a fault points at it.

query       := side_by_side                       "a b" means both
side_by_side:= either+
either      := both ("OR" both)*
both        := unit ("AND" unit)*                 NOT binds closest, then AND, then OR, then side by side
unit        := ("NOT" | "-" | "+") unit | ("(" side_by_side ")" | [field ":"] value) ["^" factor]
value       := word ["~" [1 | 2]] | "phrase" ["~" words] | harv* | wom?n | [low TO high] | {low TO high}
             | low..high | * | *:*

Only these are faults: an operator without its operand, a range that does not end or does not suit its
field, a value that its field cannot take, a wildcard before any letter, a query past its caps. All else that
cannot be syntax is words.
"""

import difflib
import re
from collections.abc import Callable

import msgspec

from harvester.errors import QueryError
from index.fields import BY_NAME, KINDS_OF_IDENTIFIERS, Field
from index.nodes import All, Any, Beside, Boosted, Everything, Exact, Node, Not, Words
from index.ranges import ORDERED, range_node
from index.tokens import NAME, Token, Value, tokens
from index.trees import leaves
from index.values import (
    arrangements,
    direct_node,
    exact_value,
    identifier_node,
    refuse_leading_sign,
    spread,
    value_node,
    wildcards,
)

LONGEST_QUERY = 8192  # bytes
DEEPEST_NESTING = 64
MOST_SPREAD = 600
MOST_WILDCARDS = 50
MOST_ARRANGED = 200


_CAPS = (
    (MOST_WILDCARDS, wildcards, "wildcards"),
    (MOST_SPREAD, spread, "letters in words with wildcards or ~"),
    (MOST_ARRANGED, arrangements, "ways for the words of phrases to have others in between"),
)
_WORDY = re.compile(r"[^\W_]")


class Parsed(msgspec.Struct, frozen=True):
    """`suggestion` is the query as it was probably meant, or ""."""

    tree: Node
    suggestion: str = ""


def parse(text: str) -> Parsed:
    if len(text.encode("utf-8", "replace")) > LONGEST_QUERY:
        raise QueryError(f"the query is longer than {LONGEST_QUERY:,} bytes", text[:60], 60, "shorten it")
    if text.strip() in ("", "*"):
        return Parsed(Everything())
    tree = _Parser(text).parse()
    _refuse_too_much(tree, text)
    return Parsed(tree, _meant(text))


def _refuse_too_much(tree: Node, text: str) -> None:
    for most, count, of in _CAPS:
        total = 0
        for node in leaves(tree):
            total += count(node)
            if total > most:
                raise QueryError(
                    f"more than {most:,} {of}", text, getattr(node, "place", 0), "leave some out"
                )


def filter_node(field: Field, text: str) -> Node:
    """`--filter field=value`; numbers and dates take `low..high`."""
    if field.kind in ORDERED:
        return range_node(field, Value("word", text, 0, text))
    return Exact(field.name, exact_value(field, text))


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._at = 0
        self._depth = 0
        self._field: Field | None = None
        self._is_alone = sum(_WORDY.search(token.text) is not None for token in self._tokens) == 1

    def parse(self) -> Node:
        if [token.kind for token in self._tokens if token.kind not in ("tilde", "boost")] == ["word"]:
            refuse_leading_sign(Value("word", self._tokens[0].text, self._tokens[0].place, self._text))
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
        return self._chain("OR", Any, self._both)

    def _both(self) -> Node | None:
        return self._chain("AND", All, self._unit)

    def _chain(self, operator: str, join: type[All | Any], operand: Callable[[], Node | None]) -> Node | None:
        nodes = [operand()]
        while (token := self._peek("operator")) is not None and token.text == operator:
            self._at += 1
            self._expect_operand(token)
            nodes.append(operand())
        kept = tuple(node for node in nodes if node is not None)
        if len(kept) < 2:
            return kept[0] if kept else None
        return join(kept)

    def _unit(self) -> Node | None:
        token = self._next()
        if token.kind == "operator" and token.text in ("AND", "OR"):
            message = f"{token.text} has nothing before it"
            raise self._fault(token, message, "put words on both sides of it")
        if token.kind == "sign" or (token.kind == "operator" and token.text == "NOT"):
            return self._signed(token)
        return self._boosted(self._primary(token))

    def _signed(self, sign: Token) -> Node | None:
        self._expect_operand(sign)
        self._deeper(sign)
        node = self._unit()
        self._depth -= 1
        if node is None:
            return None
        return All((node,)) if sign.text == "+" else Not(node)

    def _boosted(self, node: Node | None) -> Node | None:
        boost = self._take("boost")
        return node if boost is None or node is None else Boosted(node, float(boost.text))

    def _primary(self, token: Token) -> Node | None:
        match token.kind:
            case "open":
                return self._group(token)
            case "field":
                return self._of_field(token.text.lower(), self._next())
            case "everything":
                return Everything()
            case "identifier" if self._field is None:
                return identifier_node(self._value(token), alone=self._is_alone)
        return value_node(self._field, self._value(token))

    def _group(self, opening: Token) -> Node | None:
        self._deeper(opening)
        nodes = self._side_by_side()
        self._depth -= 1
        self._take("close")
        return _together(nodes) if nodes else None

    def _of_field(self, name: str, value: Token) -> Node | None:
        """`title:(a OR b)`: the field holds for each word inside."""
        if name in KINDS_OF_IDENTIFIERS and value.text == "*":
            return Exact("identified_by", name, value.place)
        field = BY_NAME[name]
        if value.kind != "open":
            return direct_node(field, self._value(value))
        outer, self._field = self._field, field
        node = self._group(value)
        self._field = outer
        return node

    def _value(self, token: Token) -> Value:
        """With the tilde that hangs on it."""
        tilde = self._take("tilde")
        return Value(token.kind, token.text, token.place, self._text, None if tilde is None else tilde.text)

    def _deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            message = f"more than {DEEPEST_NESTING} brackets or exclusions inside each other"
            raise self._fault(token, message, "simplify it")

    def _expect_operand(self, operator: Token) -> None:
        token = self._peek()
        if token is None or token.kind == "close" or (token.kind == "operator" and token.text != "NOT"):
            raise self._fault(operator, f"{operator.text} has nothing after it", "put a word after it")

    def _next(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _peek(self, kind: str = "") -> Token | None:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        return token if token is None or not kind or token.kind == kind else None

    def _take(self, kind: str) -> Token | None:
        token = self._peek(kind)
        self._at += token is not None
        return token

    def _fault(self, token: Token, message: str, advice: str) -> QueryError:
        return QueryError(message, self._text, token.place, advice)


def _together(nodes: list[Node]) -> Node:
    """A word said twice asks for no more than once."""
    once: dict[Node, Node] = {}
    for node in nodes:
        once.setdefault(_said(node), node)
    kept = tuple(once.values())
    if len(kept) == 1:
        return kept[0]
    return Beside(kept) if kept else Any(())


def _said(node: Node) -> Node:
    return msgspec.structs.replace(node, place=0) if isinstance(node, Words) else node


def _meant(text: str) -> str:
    """`titel:x` is words; whoever wrote it probably meant a field."""
    meant = text
    for match in re.finditer(rf"(?<!\S)({NAME}):(?=[^\s/])", text):
        name = match[1].lower()
        near = [] if name in BY_NAME else difflib.get_close_matches(name, BY_NAME, n=1, cutoff=0.75)
        if near:
            meant = meant.replace(match[0], f"{near[0]}:", 1)
    return meant if meant != text else ""
