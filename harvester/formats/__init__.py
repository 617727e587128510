"""Foreign XML → Record, one module for each metadata format.

A format is told by what the document is, never by the prefix it was asked for: EPrints sends its `oai_bibl`
in the wrapper and namespace of oai_dc. The header's fields (id, source, identifier, datestamp, sets, deleted)
stay empty.
"""

from lxml.etree import _Element

from harvester.errors import FormatError
from harvester.formats import eprints, oai_dc
from harvester.record import Record

_FORMATS = (
    (oai_dc.accepts, oai_dc.normalise),
    (eprints.accepts, eprints.normalise),
)


def normalise(element: _Element) -> Record:
    """`element` is the one document inside OAI's <metadata>."""
    for accepts, read in _FORMATS:
        if accepts(element):
            record = read(element)
            if record == Record(formats=record.formats):
                raise FormatError("empty metadata")
            return record
    raise FormatError(f"no format reads <{element.tag}>")
