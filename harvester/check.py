"""Try an address: what answers there, how it pages and dates and deletes, and what is wrong with it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from urllib.parse import urlsplit

import msgspec

from harvester.clock import Clock
from harvester.config import Source
from harvester.datestamp import Granularity, parse_datestamp
from harvester.details.ways import TOLD, XML, Exports
from harvester.errors import CannotDisseminateFormat, NoRecordsMatch, NoSetHierarchy, NotOaiPmh, WindrowError
from harvester.oai import sets
from harvester.oai.client import Client
from harvester.oai.response import Identify, MetadataFormat, Page
from harvester.schedule import USUAL
from harvester.transport import Transport

_PREFERRED = ("oai_dc", "eprints", "oai_openaire", "mods")
_MOST_SETS = 10_000
# First labels of host names that tell software or nothing, not whose repository it is.
_GENERIC = frozenset(
    """
    www oai eprints eprint dspace repository repositories repo ir openaccess research archive archives api
    digitalcommons scholarworks data pub publications etd etheses theses journals ojs library localhost
    """.split()
)


class CheckedSet(msgspec.Struct, frozen=True):
    """`meaning` is the spec as a person reads it."""

    spec: str
    name: str
    meaning: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What `windrow check --json` prints. `notes` are sentences on what is unusual or wrong.

    `details` is the way to them that is open, of an EPrints.
    """

    url: str
    name: str
    software: str
    protocol_version: str
    earliest: str
    granularity: str
    deleted_record: str
    formats: tuple[str, ...]
    records: int | None
    page_size: int | None
    sets: tuple[CheckedSet, ...]
    details: str
    notes: tuple[str, ...]
    source: Source


def check(url: str, transport: Transport, clock: Clock, *, prefix: str = "", name: str = "") -> Finding:
    """WindrowError where no OAI-PMH repository answers at `url`."""
    client = Client(url, transport)
    identify = _identify(client, url)
    notes: list[str] = list(_notes(identify, url, clock))
    formats = _formats(client, notes)
    wanted = prefix or _preferred(formats)
    page = _first_page(client, wanted, notes, insist=bool(prefix))
    size, page_size = _sizes(page, notes)
    found = _sets(client, notes)
    software = _software(identify, url)
    details = _details(url, transport, page, notes) if software == "EPrints" and wanted != "eprints" else ""
    source = Source(
        name=name or suggested_name(url, identify.name),
        url=url,
        metadata_prefix=wanted,
        details="eprints" if details else "",
        schedule=USUAL,
    )
    return Finding(
        url=url,
        name=identify.name,
        software=software,
        protocol_version=identify.protocol_version,
        earliest=identify.earliest,
        granularity=Granularity.parse(identify.granularity).value,
        deleted_record=identify.deleted_record or "no",
        formats=tuple(one.prefix for one in formats),
        records=size,
        page_size=page_size,
        sets=found,
        details=details,
        notes=tuple(notes),
        source=source,
    )


def _identify(client: Client, url: str) -> Identify:
    try:
        return client.identify()
    except NotOaiPmh as error:
        raise NotOaiPmh(f"{url} is not an OAI-PMH address: {error.message}", _where_else(url)) from error


def _where_else(url: str) -> str:
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}"
    return (
        f"OAI-PMH is usually at {base}/cgi/oai2 (EPrints), {base}/server/oai/request (DSpace), "
        f"{base}/index.php/index/oai (OJS) or {base}/oai; the repository's help pages name it"
    )


def _notes(identify: Identify, url: str, clock: Clock) -> Iterator[str]:
    if identify.protocol_version != "2.0":
        yield f"it speaks OAI-PMH {identify.protocol_version or 'of no stated version'}, not 2.0"
    if _bare(identify.base_url) != _bare(url):
        yield f"it calls itself {identify.base_url or 'nothing'}; Windrow keeps to the address you gave"
    if not identify.granularity:
        yield "it does not state a granularity: dates are sent as days"
    theirs = parse_datestamp(identify.response_date)
    if theirs is None:
        yield "it does not state the time of its answers"
    elif (skew := abs(theirs - clock.now())) > timedelta(minutes=10):
        yield f"its clock differs from ours by {_roughly(skew)}: harvests overlap by 26 hours"
    if identify.deleted_record not in ("persistent", "transient"):
        yield "it does not tell deletions: `windrow harvest --full` finds what is gone"


def _roughly(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def _bare(url: str) -> str:
    return re.sub(r"^https?://", "", url.strip()).rstrip("/")


def _formats(client: Client, notes: list[str]) -> tuple[MetadataFormat, ...]:
    try:
        return client.formats()
    except WindrowError as error:
        notes.append(f"it does not list its formats: {error.message}")
        return ()


def _preferred(formats: tuple[MetadataFormat, ...]) -> str:
    listed = [one.prefix for one in formats]
    return next((prefix for prefix in _PREFERRED if prefix in listed), listed[0] if listed else "oai_dc")


def _first_page(client: Client, prefix: str, notes: list[str], *, insist: bool) -> Page | None:
    """An empty one where it has no records. `insist`: a person chose the prefix."""
    try:
        return next(client.pages("ListRecords", {"metadataPrefix": prefix}))
    except NoRecordsMatch:
        notes.append("it says that it has no records")
        return Page(())
    except WindrowError as error:
        if insist and isinstance(error, CannotDisseminateFormat):
            raise
        notes.append(f"its records cannot be listed as {prefix}: {error.message}")
        return None


def _sizes(page: Page | None, notes: list[str]) -> tuple[int | None, int | None]:
    """(records in all, records a page)"""
    if page is None:
        return None, None
    if not page.token:
        return len(page.items), None
    if page.list_size is None:
        notes.append("it does not say how many records it has: an early end of a list cannot be told at once")
    return page.list_size, len(page.items)


def _details(url: str, transport: Transport, page: Page | None, notes: list[str]) -> str:
    """By one record: a person waits."""
    live = [item.header.identifier for item in (page.items if page else ()) if not item.header.deleted]
    if not live:
        return ""
    try:
        way = Exports(url, transport).open_way(live[:1])
    except WindrowError as error:
        notes.append(f"whether its details are open cannot be told: {error.message}")
        return ""
    if not way:
        notes.append("it keeps its exports to itself: keywords, ORCIDs and divisions are not to be had")
    elif way != XML:
        notes.append(
            f"its EPrints3 XML is closed: details come as {TOLD[way]}, which says less; ask for more"
        )
    return way


def _sets(client: Client, notes: list[str]) -> tuple[CheckedSet, ...]:
    try:
        return tuple(
            CheckedSet(one.spec, one.name, sets.decoded(one.spec))
            for one in islice(client.sets(), _MOST_SETS)
        )
    except NoSetHierarchy:
        return ()
    except WindrowError as error:
        notes.append(f"it does not list its sets: {error.message}")
        return ()


def _software(identify: Identify, url: str) -> str:
    """By what only that software says of itself; "" where nothing tells."""
    if urlsplit(url).path.rstrip("/").endswith(("/cgi/oai2", "/perl/oai2")):
        return "EPrints"
    described = " ".join(identify.descriptions).lower()
    return next((name for name in ("DSpace", "Invenio", "OJS") if name.lower() in described), "")


def suggested_name(url: str, repository_name: str) -> str:
    """`kar` for kar.kent.ac.uk, `soton` for eprints.soton.ac.uk; else from the repository's own name."""
    host = (urlsplit(url).hostname or "").lower()
    labels = [label for label in host.split(".") if label not in _GENERIC]
    telling = next((label for label in labels[:-1] if re.fullmatch(r"[a-z][a-z0-9-]+", label)), "")
    words = re.findall(r"[a-z0-9]+", repository_name.lower().replace("'", ""))
    return telling or "-".join(words)[:40].strip("-") or "source"
