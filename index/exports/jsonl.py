"""JSON lines: the record as it is, one a line."""

import msgspec

from harvester.record import Record

_encode = msgspec.json.Encoder().encode


def write(record: Record) -> str:
    return _encode(record).decode() + "\n"
