"""A value of a number or a date in a query → range."""

import re

from index.document import date_number
from index.fields import Field, Kind
from index.nodes import Range
from index.tokens import Value

ORDERED = (Kind.NUMBER, Kind.DATE)

_ENDS = re.compile(r"[\[{]\s*(\S+)\s+TO\s+(\S+)\s*[\]}]")
_SPAN = re.compile(r"(\S*)\.\.(\S*)")
_LONGEST_NUMBER = 9


def range_node(field: Field, value: Value) -> Range:
    """`[low TO high]`, `{low TO high}` without its ends, `low..high`, or one number or date."""
    text = value.text
    if text[:1] in "[{":
        ends = _ENDS.fullmatch(text)
        if ends is None:
            raise value.fault("the range does not end", f"write {field.name}:[{_example(field)}]")
        return _range(field, ends[1], ends[2], text[0] + text[-1], value)
    span = _SPAN.fullmatch(text)
    low, high = (span[1] or "*", span[2] or "*") if span else (text, text)
    return _range(field, low, high, "[]", value)


def _range(field: Field, low: str, high: str, brackets: str, value: Value) -> Range:
    first = _bound(field, low, value, last=False)
    final = _bound(field, high, value, last=True)
    if brackets[0] == "{" and first is not None:
        first = (_bound(field, low, value, last=True) or 0) + 1
    if brackets[1] == "}" and final is not None:
        final = (_bound(field, high, value, last=False) or 0) - 1
    return Range(field.name, first, final, value.place)


def _bound(field: Field, text: str, value: Value, *, last: bool) -> int | None:
    if text == "*":
        return None
    text = text.strip('"')
    number = date_number(text, last=last) if field.kind is Kind.DATE else None
    if field.kind is Kind.NUMBER and text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER:
        number = int(text)
    if number is None:
        raise _unfit(field, text, value)
    return number


def _unfit(field: Field, text: str, value: Value) -> Exception:
    if value.tilde is not None or any(sign in text for sign in "*?~"):
        message = f"{field.name} takes no wildcards and no ~"
        return value.fault(message, f"write a range: {field.name}:[{_example(field)}]")
    return value.fault(
        f"{field.name} cannot be {text or 'empty'}", f"write for example {field.name}:{_one(field)}"
    )


def _one(field: Field) -> str:
    return "2021-03" if field.kind is Kind.DATE else "2021"


def _example(field: Field) -> str:
    return "2019-01 TO 2021-06" if field.kind is Kind.DATE else "2019 TO 2021"
