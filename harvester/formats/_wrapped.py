"""What a container holds."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from lxml.etree import _Element

from harvester.formats._reading import Reading
from harvester.identifiers import recognise
from harvester.record import File, Identifier, Record


class Wrapped(NamedTuple):
    """`documents` are what may describe the work, the likeliest first."""

    form: str
    documents: tuple[_Element, ...] = ()
    files: tuple[File, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = {}
    number: str = ""
    page: str = ""

    def around(self, record: Record, others: Iterable[_Element] = ()) -> Record:
        """The record of what is inside, with what only the container knows.

        `others` are of no format that is known; one that is says the same again (METS of MODS and of DC).
        """
        beside = {field: said for one in others for field, said in Reading(one).rest().items()}
        return msgspec.structs.replace(
            record,
            formats=(self.form, *record.formats),
            files=_joined(record.files, self.files),
            identifiers=_with_number(record, self.number),
            landing_url=record.landing_url or self.page,
            extra={**beside, **record.extra, **self.extra},
        )


def _with_number(record: Record, number: str) -> tuple[Identifier, ...]:
    known = recognise(number)
    if known is None or any((one.scheme, one.value) == known for one in record.identifiers):
        return record.identifiers
    return (*record.identifiers, Identifier(*known))


def _joined(inner: tuple[File, ...], outer: tuple[File, ...]) -> tuple[File, ...]:
    """By their address; the description says licence and language, the container type and size."""
    said = {one.url: one for one in outer}
    known = tuple(_completed(one, said.pop(one.url, one)) for one in inner)
    return (*known, *said.values())


def _completed(file: File, other: File) -> File:
    size = other.size if file.size is None else file.size
    return msgspec.structs.replace(file, media_type=other.media_type or file.media_type, size=size)
