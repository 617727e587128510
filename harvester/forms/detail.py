"""The bytes of a detail → Record, by what they are: EPrints3 XML, a record of OAI-PMH, or BibTeX."""

from lxml import etree

from harvester import formats
from harvester.errors import FormatError, MalformedXml, WindrowError
from harvester.forms import bibtex
from harvester.oai.elements import OAI
from harvester.oai.items import read_raw
from harvester.oai.parsing import looks_like_html, strict
from harvester.oai.repair import repair
from harvester.record import Record


def read_detail(body: bytes) -> Record:
    """FormatError where it is none, such as the page of a login."""
    try:
        return _read(body)
    except FormatError:
        raise
    except WindrowError as error:
        raise FormatError(f"what came as its detail cannot be read: {error.message}") from error
    except Exception as error:  # one record must not keep all the others from us
        raise FormatError(f"Windrow itself failed on its detail, please report it: {error!r}") from error


def _read(body: bytes) -> Record:
    if body.lstrip().startswith(b"@"):
        return bibtex.normalise(body)
    if looks_like_html(body):
        raise FormatError("what came as its detail is an HTML page")
    metadata = _document(_parsed(body))
    if metadata is None:
        raise FormatError("what came as its detail is empty")
    return formats.normalise(metadata)


def _parsed(body: bytes) -> etree._Element:
    """EPrints puts control characters into its XML as they were typed."""
    try:
        return strict(body)
    except etree.XMLSyntaxError as error:
        try:
            return strict(repair(body).body)
        except (etree.XMLSyntaxError, MalformedXml):
            raise FormatError(f"its detail is broken XML: {error.msg}") from error


def _document(root: etree._Element) -> etree._Element | None:
    return read_raw(etree.tostring(root)) if root.tag == OAI + "record" else root
