"""How Whoosh keeps the postings of a term: whole, as arrays of numbers.

Its own way, pickles in blocks of 128 documents, is most of the time that indexing and searching take.
"""

import zlib
from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, repeat
from operator import sub
from struct import Struct
from typing import Any as Anything

from whoosh.codec.base import PostingsWriter
from whoosh.codec.whoosh3 import W3Codec, W3TermsReader
from whoosh.columns import NumericColumn
from whoosh.formats import Format
from whoosh.matching import ListMatcher
from whoosh.reading import TermNotFound

from index.engines.whoosh_storage import Segment

_HEAD = Struct("<II")  # documents; bytes when unpacked, or 0 where they are not packed
_WORTH_PACKING = 64  # bytes
_FASTEST = 1


class Codec(W3Codec):  # type: ignore[misc]  # Whoosh carries no types
    length_stats = False  # lengths are columns of ours (whoosh_fields.py)

    def new_segment(self, _storage: Anything, indexname: str) -> Segment:
        return Segment(self, indexname)

    def terms_reader(self, storage: Anything, segment: Segment) -> "_Terms":
        name = segment.make_filename(self.TERMS_EXT)
        postings = segment.open_file(storage, self.POSTS_EXT)
        return _Terms(self, storage.open_file(name), storage.file_length(name), postings)

    def postings_writer(self, dbfile: Anything, byteids: bool = False) -> PostingsWriter:
        assert not byteids
        return _Writer(dbfile)

    def postings_reader(
        self,
        dbfile: Anything,
        terminfo: Anything,
        format_: Format,
        term: Anything = None,
        scorer: None = None,
    ) -> "Postings":
        assert scorer is None
        start, (size,) = terminfo.extent()  # Whoosh forgets to take the number out of its tuple
        return Postings(dbfile.get(start, size), format_, term)


class Numbers(NumericColumn):  # type: ignore[misc]  # Whoosh carries no types
    """A number of each document, all of them read at once."""

    class Reader(NumericColumn.Reader):  # type: ignore[misc]  # Whoosh carries no types
        def load(self) -> Iterable[int]:
            kept = self._dbfile.get_array(self._basepos, self._typecode, self._count)
            return chain(kept, repeat(self._default, self._doccount - self._count))


class Places(Format):  # type: ignore[misc]  # Whoosh carries no types
    """The places of a word in a field."""

    def encode(self, places: list[int]) -> bytes:
        return array("I", places).tobytes()


class Postings(ListMatcher):  # type: ignore[misc]  # Whoosh carries no types
    """The documents of a term, how often each has it, and all its places, document by document."""

    def __init__(self, kept: bytes, format_: Format | None, term: Anything) -> None:
        length, unpacked = _HEAD.unpack_from(kept)
        numbers = array("I", zlib.decompress(kept[_HEAD.size :]) if unpacked else kept[_HEAD.size :])
        self.numbers = array("I", accumulate(numbers[:length]))
        self.counts = numbers[length : 2 * length]
        self.places = numbers[2 * length :]
        self._starts: list[int] = []
        super().__init__(self.numbers, weights=self.counts, format=format_, term=term)

    def value(self) -> bytes:
        self._starts = self._starts or list(accumulate(self.counts, initial=0))
        return self.places[self._starts[self._i] : self._starts[self._i + 1]].tobytes()


class _Terms(W3TermsReader):  # type: ignore[misc]  # Whoosh carries no types
    def postings(self, field: str, term: bytes) -> Postings | None:
        try:
            found: Postings = self.matcher(field, term, None)
        except TermNotFound:
            return None
        return found

    def beginning_with(self, field: str, beginning: bytes) -> Iterator[bytes]:
        wanted = self._keycoder(field, beginning)
        field_length = len(wanted) - len(beginning)
        for key in self._tindex.keys_from(wanted):
            if not key.startswith(wanted):
                return
            yield key[field_length:]


class _Writer(PostingsWriter):  # type: ignore[misc]  # Whoosh carries no types
    def __init__(self, file: Anything) -> None:
        self._file = file
        self._info: Anything = None

    def start_postings(self, _format: Format, terminfo: Anything) -> None:
        self._info = terminfo
        self._numbers, self._counts, self._places = array("I"), array("I"), array("I")

    def add_posting(self, id_: int, weight: float, vbytes: bytes, _length: int) -> None:
        self._numbers.append(id_)
        self._counts.append(int(weight))
        self._places.frombytes(vbytes)

    def written(self) -> bool:
        return True

    def finish_postings(self) -> Anything:
        numbers = self._numbers
        steps = array("I", map(sub, numbers, array("I", [0]) + numbers[:-1]))
        kept = b"".join((steps, self._counts, self._places))
        packed = zlib.compress(kept, _FASTEST) if len(kept) > _WORTH_PACKING else b""
        start = self._file.tell()
        self._file.write(_HEAD.pack(len(numbers), len(kept) if packed else 0) + (packed or kept))
        self._info.set_extent(start, self._file.tell() - start)
        return self._info
