"""Records and raw XML as they lie in the store: zstd, with a dictionary where the package ships one.

A frame names its dictionary, so old rows stay readable when a new dictionary is added.
A shipped dictionary is never changed: add `NAME.N+1.zdict` beside it.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

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


@cache
def _compressor(name: str) -> zstandard.ZstdCompressor:
    versions = sorted(
        (dictionary for dictionary in _dictionaries() if dictionary[0] == name), key=lambda found: found[1]
    )
    dictionary = versions[-1][2] if versions else None
    return zstandard.ZstdCompressor(level=_LEVEL, dict_data=dictionary)


@cache
def _decompressor(dictionary_id: int) -> zstandard.ZstdDecompressor:
    by_id = {dictionary.dict_id(): dictionary for _, _, dictionary in _dictionaries()}
    return zstandard.ZstdDecompressor(dict_data=by_id.get(dictionary_id))


@cache
def _dictionaries() -> tuple[tuple[str, int, zstandard.ZstdCompressionDict], ...]:
    found = []
    for file in files("harvester.store").joinpath("dictionaries").iterdir():
        name, version, kind = [*file.name.split("."), "", ""][:3]
        if kind == "zdict":
            found.append((name, int(version), zstandard.ZstdCompressionDict(file.read_bytes())))
    return tuple(found)
