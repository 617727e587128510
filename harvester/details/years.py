"""The export of a whole view → each item's own EPrints3 XML. Pure; the tree of all is never in memory."""

from collections.abc import Container, Iterator
from io import BytesIO

from lxml import etree

from harvester.errors import FormatError

_NAMESPACE = "{http://eprints.org/ep2/data/2.0}"
_EPRINT, _NUMBER = _NAMESPACE + "eprint", _NAMESPACE + "eprintid"


def items(body: bytes, wanted: Container[int]) -> Iterator[tuple[int, bytes]]:
    """(eprint number, XML) of those that are wanted. FormatError where it breaks off, after those before."""
    parser = etree.iterparse(
        BytesIO(body), events=("end",), tag=_EPRINT, resolve_entities=False, no_network=True, load_dtd=False
    )
    try:
        for _, eprint in parser:
            number = eprint.findtext(_NUMBER, "").strip()
            if number.isdecimal() and int(number) in wanted:
                yield (
                    int(number),
                    etree.tostring(eprint, xml_declaration=True, encoding="UTF-8", with_tail=False),
                )
            _clear(eprint)
    except etree.XMLSyntaxError as error:
        raise FormatError(f"the export of a year breaks off: {error.msg}") from error


def _clear(eprint: etree._Element) -> None:
    eprint.clear()
    while eprint.getprevious() is not None:
        parent = eprint.getparent()
        assert parent is not None
        del parent[0]
