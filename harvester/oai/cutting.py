"""Where the records of a page begin and end, told from its bytes: for pages that are broken, or huge.

A record begins where a <record> and its <header> do, and ends at the last </record> before the next begins:
metadata may have records of its own (MARC), and an end tag may be missing. Each pattern takes time in
proportion to the bytes, whatever these are (FAULTS Z15).
"""

import re
from collections.abc import Iterator
from itertools import chain

import msgspec

LARGEST_RECORD = 20 * 1024 * 1024
LONGEST_HEAD = 64 * 1024
_MOST_RECORDS = 1000
_PART = 4 * 1024 * 1024

_ANY_PREFIX = rb"((?:[\w.-]+:)?)"
_COMMENT = rb"\s*+(?:<!--(?:(?!-->).){0,200}-->\s*+)?"
_LIST_END = re.compile(rb"<(?:[\w.-]+:)?resumptionToken[\s/>]|</(?:[\w.-]+:)?(?:List\w+|GetRecord)\s*>")
_ENVELOPE = re.compile(rb"<((?:[\w.-]+:)?(?:OAI-PMH|ListRecords|ListIdentifiers|GetRecord))[\s>]")


class Cut(msgspec.Struct, frozen=True):
    """`head`, then each record with the gap after it, then `tail` are the whole page."""

    head: bytes
    records: tuple[tuple[bytes, bytes], ...]
    tail: bytes


class Part(msgspec.Struct, frozen=True):
    """A page of its own, of some of the records. `giant` is the beginning of one too large to be parsed."""

    body: bytes
    giant: bytes = b""
    is_last: bool = False


class _Marks(msgspec.Struct, frozen=True):
    """How this page writes its records: with what prefix; in ListIdentifiers, each is a header."""

    first: int
    begin: re.Pattern[bytes]
    end: re.Pattern[bytes]
    end_tag: bytes


def cut(body: bytes) -> Cut:
    """A page without records is all head."""
    marks = _marks(body, len(body))
    if marks is None:
        return Cut(body, (), b"")
    starts = [match.start() for match in marks.begin.finditer(body)]
    ends = [_end(body, marks, *span) for span in zip(starts, [*starts[1:], None], strict=True)]
    records = [body[start:end] for start, end in zip(starts, ends, strict=True)]
    gaps = [body[end:start] for end, start in zip(ends[:-1], starts[1:], strict=True)]
    return Cut(body[: starts[0]], tuple(zip(records, [*gaps, b""], strict=True)), body[ends[-1] :])


def parts(body: bytes) -> Iterator[Part]:
    """A huge page as pages of at most 1,000 records; the last has its end.

    Nothing where it cannot be cut: its first record is nowhere near its beginning.
    """
    marks = _marks(body, LONGEST_HEAD)
    if marks is None:
        return
    head = body[: marks.first]
    end = b"".join(b"</" + name + b">" for name in reversed(_ENVELOPE.findall(head)))
    for start, stop in _spans(body, marks):
        is_last = stop == len(body)
        if stop - start <= LARGEST_RECORD:
            yield Part(head + body[start:stop] + (b"" if is_last else end), is_last=is_last)
        else:
            rest = body[_end(body, marks, start, None) :] if is_last else end
            yield Part(head + rest, body[start : start + LONGEST_HEAD], is_last)


def _marks(body: bytes, within: int) -> _Marks | None:
    for name, inside in ((b"record", b"header"), (b"header", b"")):
        found = _begin(name, inside, _ANY_PREFIX, rb"\1").search(body, 0, within)
        if found:
            prefix = re.escape(found[1])
            end_tag = b"</" + found[1] + name
            end = re.compile(re.escape(end_tag) + rb"\s*>")
            return _Marks(found.start(), _begin(name, inside, prefix, prefix), end, end_tag)
    return None


def _begin(name: bytes, inside: bytes, prefix: bytes, same: bytes) -> re.Pattern[bytes]:
    tag = b"<" + prefix + name
    if not inside:
        return re.compile(tag + rb"[\s/>]")
    return re.compile(tag + rb"(?:\s[^<>]*)?>" + _COMMENT + b"<" + same + inside + rb"[\s/>]", re.DOTALL)


def _end(body: bytes, marks: _Marks, start: int, next_start: int | None) -> int:
    """Of a record without its end tag: where the next begins, or the list ends."""
    limit = len(body) if next_start is None else next_start
    place = body.rfind(marks.end_tag, start, limit)
    while place >= 0:
        found = marks.end.match(body, place, limit)
        if found:
            return found.end()
        place = body.rfind(marks.end_tag, start, place)
    found = _LIST_END.search(body, start) if next_start is None else None
    return found.start() if found else limit


def _spans(body: bytes, marks: _Marks) -> Iterator[tuple[int, int]]:
    """Runs of records, up to where the next run begins; a giant stands alone. The last goes to the end."""
    first = previous = marks.first
    count = 1
    starts = (match.start() for match in marks.begin.finditer(body, first + 1))
    for start in chain(starts, [len(body)]):
        if start - previous > LARGEST_RECORD and first < previous:
            yield first, previous
            first, count = previous, 1
        if count == _MOST_RECORDS or start - first >= _PART or start == len(body):
            yield first, start
            first, count = start, 0
        previous, count = start, count + 1
