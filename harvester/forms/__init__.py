"""What the store keeps of a record, its raw forms → the one record that they make together. Pure.

`list` ─▶ formats ─┐
                   ├▶ merged ─▶ Record
`detail` ─▶ read ──┘
"""

from collections.abc import Mapping

from harvester import formats
from harvester.errors import FormatError
from harvester.forms.detail import read_detail
from harvester.forms.merging import merged
from harvester.oai.items import read_raw
from harvester.record import Record
from harvester.store.records import DETAIL_FORM, LIST_FORM

__all__ = ["merged", "read_detail", "record_of"]


def record_of(forms: Mapping[str, bytes]) -> Record:
    """Its header's fields empty. FormatError; lxml's XMLSyntaxError where the list's form is broken."""
    if LIST_FORM not in forms:
        raise FormatError("the XML that it was made from is not in the store")
    metadata = read_raw(forms[LIST_FORM])
    if metadata is None:
        raise FormatError("a live record without metadata")
    record = formats.normalise(metadata)
    return merged(record, read_detail(forms[DETAIL_FORM])) if DETAIL_FORM in forms else record
