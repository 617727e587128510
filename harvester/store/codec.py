"""Records and raw XML as they lie in the store: zstd, with a dictionary where the package ships one.

A frame names its dictionary, so old rows stay readable when a new dictionary is added.
A shipped dictionary is never changed: add `NAME.N+1.zdict` beside it.
"""

import threading
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec
import zstandard

from harvester.record import Record

_LEVEL = 3

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


def pack_records(records: Sequence[Record]) -> list[bytes]:
    return compress_all([_encode(record) for record in records], "record")


def unpack_record(packed: bytes) -> Record:
    return _decode(decompress(packed))


def compress_all(plain: Sequence[bytes], dictionary: str) -> list[bytes]:
    """`dictionary` is a format's name; without one of its own each is compressed alone.

    A page at once: each call hands Python over to the thread that reads ahead, and waits to get it back.
    """
    if not plain:
        return []
    if not all(plain):  # the call for many refuses what is empty
        return [_compressor(dictionary).compress(one) for one in plain]
    packed = _compressor(dictionary).multi_compress_to_buffer(list(plain))
    return [packed[at].tobytes() for at in range(len(plain))]


def decompress(packed: bytes) -> bytes:
    return _decompressor(zstandard.get_frame_parameters(packed).dict_id).decompress(packed)


class _Tools(threading.local):
    """A thread's own: zstandard's objects, shared by two, corrupt what they write, or end the process."""

    def __init__(self) -> None:
        self.compressors: dict[str, zstandard.ZstdCompressor] = {}
        self.decompressors: dict[int, zstandard.ZstdDecompressor] = {}


_tools = _Tools()


def _compressor(name: str) -> zstandard.ZstdCompressor:
    found = _tools.compressors.get(name)
    if found is None:
        versions = sorted((one.version, one.content) for one in _dictionaries() if one.name == name)
        dictionary = zstandard.ZstdCompressionDict(versions[-1][1]) if versions else None
        found = zstandard.ZstdCompressor(level=_LEVEL, dict_data=dictionary)
        _tools.compressors[name] = found
    return found


def _decompressor(dictionary_id: int) -> zstandard.ZstdDecompressor:
    found = _tools.decompressors.get(dictionary_id)
    if found is None:
        contents = [one.content for one in _dictionaries() if one.id == dictionary_id]
        dictionary = zstandard.ZstdCompressionDict(contents[0]) if contents else None
        found = zstandard.ZstdDecompressor(dict_data=dictionary)
        _tools.decompressors[dictionary_id] = found
    return found


class _Dictionary(NamedTuple):
    name: str
    version: int
    id: int
    content: bytes


@cache
def _dictionaries() -> tuple[_Dictionary, ...]:
    found = []
    for file in files("harvester.store").joinpath("dictionaries").iterdir():
        name, version, kind = [*file.name.split("."), "", ""][:3]
        if kind == "zdict":
            content = file.read_bytes()
            id = zstandard.ZstdCompressionDict(content).dict_id()
            found.append(_Dictionary(name, int(version), id, content))
    return tuple(found)
