"""A body's compression undone, under caps. Pure.

What is said of the compression is not trusted: gzip is known by its first bytes, and its end is checked,
because a gzip stream whose end is missing passes in every client library.
"""

import zlib
from collections.abc import Iterator
from itertools import chain

from harvester.errors import BrokenCoding, TooLarge
from harvester.transport.limits import Limits

CHUNK = 64 * 1024
_PART = 2**20  # so that a cap is met before memory is
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP_BITS, _ZLIB_BITS, _DEFLATE_BITS = 31, 15, -15
_ASKED_FOR = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
_MOST_LAYERS = 2


def read(chunks: Iterator[bytes], codings: str, limits: Limits, url: str) -> bytes:
    """BrokenCoding, TooLarge. `codings` is what Content-Encoding says; `url` is for the messages."""
    counted = _Counted(chunks)
    size, parts = 0, []
    for part in _plain(counted, _named(codings), url, _MOST_LAYERS):
        size += len(part)
        if size > limits.body:
            raise TooLarge(f"{url} sent more than {limits.body // 2**20} MB in one answer")
        if size > limits.ratio_from and size > counted.bytes * limits.ratio:
            raise TooLarge(f"{url} sent an answer that unpacks to more than {limits.ratio} times its size")
        parts.append(part)
    return b"".join(parts)


class _Counted:
    """`bytes` is how many have come."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.bytes = 0
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self.bytes += len(chunk)
        return chunk


def _named(codings: str) -> list[str]:
    """In the order in which they are to be undone."""
    return [coding.strip().lower() for coding in reversed(codings.split(","))]


def _plain(chunks: Iterator[bytes], codings: list[str], url: str, layers: int) -> Iterator[bytes]:
    """Layer by layer; some servers compress what their proxy compresses again (FAULTS T09)."""
    first = _first(chunks)
    chunks = chain((first,), chunks)
    bits = _bits(first, codings[0] if codings else "")
    if bits is None:
        unasked = first.startswith(_ZSTD) or not _ASKED_FOR.issuperset(codings)
        if unasked and not _looks_plain(first):
            raise BrokenCoding(f"{url} sent an answer in a compression that was not asked for")
        return chunks
    if not layers:
        raise BrokenCoding(f"{url} sent an answer that is compressed more than {_MOST_LAYERS} times")
    return _plain(_inflated(chunks, bits, url), codings[1:], url, layers - 1)


def _first(chunks: Iterator[bytes]) -> bytes:
    """Enough to tell gzip by."""
    first = b""
    while len(first) < len(_ZSTD) and (chunk := next(chunks, b"")):
        first += chunk
    return first


def _bits(first: bytes, coding: str) -> int | None:
    """How zlib calls the compression; None where there is none, whatever was said."""
    if first.startswith(_GZIP):
        return _GZIP_BITS
    if coding != "deflate" or _looks_plain(first):
        return None
    # RFC 1950's header; without it, raw deflate, as some servers understood the word.
    has_header = len(first) > 1 and first[0] & 15 == 8 and int.from_bytes(first[:2], "big") % 31 == 0
    return _ZLIB_BITS if has_header else _DEFLATE_BITS


def _looks_plain(first: bytes) -> bool:
    return not first or first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _inflated(chunks: Iterator[bytes], bits: int, url: str) -> Iterator[bytes]:
    """A gzip stream may have several members; what follows the last one is padding."""
    stream, rest = zlib.decompressobj(bits), b""
    for chunk in chunks:
        rest += chunk
        while rest and not (stream.eof and len(rest) < len(_GZIP)):
            if stream.eof:
                if bits != _GZIP_BITS or not rest.startswith(_GZIP):
                    return
                stream = zlib.decompressobj(bits)
            if part := _inflate(stream, rest, url):
                yield part
            rest = stream.unused_data if stream.eof else stream.unconsumed_tail
    if not stream.eof:  # the last part filled its measure: more may be held back
        yield _inflate(stream, b"", url)
    if not stream.eof:
        raise BrokenCoding(f"{url} sent a compressed answer whose end is missing")


def _inflate(stream: "zlib._Decompress", data: bytes, url: str) -> bytes:
    try:
        return stream.decompress(data, _PART)
    except zlib.error as error:
        raise BrokenCoding(f"{url} sent a compressed answer that is broken: {error}") from error
