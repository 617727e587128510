"""The load corpus as pages of an OAI-PMH list in oai_dc."""

import gzip
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

CORPUS = Path(__file__).parents[3] / "shared" / "data" / "acl.jsonl.gz"
PAGE = 100

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
    "  <responseDate>{date}</responseDate>\n"
    '  <request verb="{verb}">http://127.0.0.1/oai</request>\n'
    "  {body}\n</OAI-PMH>\n"
)
_RECORD = (
    "<record><header><identifier>oai:acl:{id}</identifier><datestamp>{stamp}</datestamp>"
    "<setSpec>{set}</setSpec></header><metadata>"
    '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xsi:schemaLocation="'
    'http://www.openarchives.org/OAI/2.0/oai_dc/ http://www.openarchives.org/OAI/2.0/oai_dc.xsd">'
    "{elements}</oai_dc:dc></metadata></record>\n"
)
DATE = "2026-11-01T00:00:00Z"


def works(limit: int | None = None) -> Iterator[dict[str, Any]]:
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, itertools.islice(lines, limit))


def envelope(verb: str, body: str) -> bytes:
    return _ENVELOPE.format(date=DATE, verb=verb, body=body).encode()


def list_pages(limit: int | None = None, stamp: str = "2026-10-01T00:00:00Z") -> list[bytes]:
    """One response for each hundred works; the token is the number of the next page."""
    records = [_record(work, stamp) for work in works(limit)]
    chunks = [records[at : at + PAGE] for at in range(0, len(records), PAGE)]
    return [
        envelope(
            "ListRecords", f"<ListRecords>{''.join(chunk)}{_token(at, chunks, len(records))}</ListRecords>"
        )
        for at, chunk in enumerate(chunks)
    ]


def _token(at: int, chunks: list[list[str]], total: int) -> str:
    token = str(at + 1) if at + 1 < len(chunks) else ""
    return f'<resumptionToken completeListSize="{total}" cursor="{at * PAGE}">{token}</resumptionToken>'


def _record(work: dict[str, Any], stamp: str) -> str:
    elements = "".join(f"<dc:{name}>{escape(value)}</dc:{name}>" for name, value in _elements(work) if value)
    return _RECORD.format(id=escape(work["id"]), stamp=stamp, set=work["year"], elements=elements)


def _elements(work: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "title", work["title"]
    for author in work["authors"]:
        yield "creator", author
    yield "description", work["abstract"]
    yield "publisher", work["publisher"]
    yield "date", work["year"]
    yield "type", "Conference paper"
    yield "identifier", f"https://aclanthology.org/{work['url']}"
    yield "identifier", f"doi:{work['doi']}" if work["doi"] else ""
    yield "source", work["venue"]
    yield "language", work["language"]


def identify() -> bytes:
    return envelope(
        "Identify",
        "<Identify><repositoryName>Load</repositoryName><baseURL>http://127.0.0.1/oai</baseURL>"
        "<protocolVersion>2.0</protocolVersion><adminEmail>load@example.org</adminEmail>"
        "<earliestDatestamp>2000-01-01T00:00:00Z</earliestDatestamp><deletedRecord>persistent</deletedRecord>"
        "<granularity>YYYY-MM-DDThh:mm:ssZ</granularity></Identify>",
    )


def nothing() -> bytes:
    return envelope("ListRecords", '<error code="noRecordsMatch">nothing new</error>')
