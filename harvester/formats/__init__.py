"""Foreign XML → Record, one module for each metadata format.

A format is told by what the document is, never by the prefix it was asked for, nor by its namespace alone:
EPrints sends its `oai_bibl` in the wrapper and namespace of oai_dc. Containers are unwrapped, and what is
inside is asked again. The header's fields (id, source, identifier, datestamp, sets, deleted) stay empty.
"""

from lxml.etree import _Element

from harvester.errors import FormatError
from harvester.formats import (
    arxiv,
    datacite,
    didl,
    dim,
    eprints,
    etdms,
    jats,
    marcxml,
    mets,
    mods,
    oai_dc,
    oai_openaire,
    qdc,
    rioxx,
    uketd_dc,
    unknown,
    xoai,
)
from harvester.formats._wrapped import Wrapped
from harvester.record import Record

# The commonest first; those that are told by their children, whatever the root is called, last.
_FORMATS = tuple(
    (form.accepts, form.normalise)
    for form in (
        oai_dc, eprints, mods, oai_openaire, datacite, rioxx, uketd_dc, jats, arxiv, marcxml, xoai, dim,
        etdms, qdc,
    )
)  # fmt: skip
_CONTAINERS = ((mets.accepts, mets.unwrap), (didl.accepts, didl.unwrap))
_DEEPEST = 4  # a container in a container is seen (METS of DIDL), an endless row of them is an attack


def normalise(element: _Element) -> Record:
    """`element` is the one document inside OAI's <metadata>."""
    record = _read(element, _DEEPEST)
    if record is None:
        raise FormatError(f"no format reads <{element.tag}>")
    return record


def _read(element: _Element, depth: int) -> Record | None:
    for accepts, read in _FORMATS:
        if accepts(element):
            return _filled(read(element))
    for accepts, unwrap in _CONTAINERS:
        if accepts(element):
            return _inside(unwrap(element), depth - 1)
    return unknown.normalise(element) if unknown.accepts(element) else None


def _filled(record: Record) -> Record:
    if not record.title and record == Record(formats=record.formats):
        raise FormatError("empty metadata")
    return record


def _inside(wrapped: Wrapped, depth: int) -> Record:
    """Of several documents, the first of a format that is known."""
    if not depth:
        raise FormatError(f"a container inside of containers (<{wrapped.form}>), more than {_DEEPEST} deep")
    known = [
        one for one in wrapped.documents if any(accepts(one) for accepts, _ in (*_FORMATS, *_CONTAINERS))
    ]
    for document in (*known, *wrapped.documents):
        if record := _read(document, depth):
            return wrapped.around(record, [one for one in wrapped.documents if one not in (document, *known)])
    raise FormatError(f"empty metadata: nothing that describes a work in this <{wrapped.form}>")
