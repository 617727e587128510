"""The one shape of a work, free of any format.

Exported JSON has exactly these keys, in this order; what is unknown is `""`, `[]` or `null`.
Left out on purpose: e-mail addresses, user numbers and telephone numbers of persons.
"""

from collections.abc import Mapping

import msgspec

TYPES = (
    "article", "book", "chapter", "thesis", "conference", "report", "dataset", "software", "image",
    "audio", "video", "patent", "preprint", "review", "web", "other",
)  # fmt: skip


class Name(msgspec.Struct, frozen=True, gc=False):
    """A person or body. `name` is always there ("Khan, Nagina"); `orcid` is the bare number."""

    name: str
    family: str = ""
    given: str = ""
    orcid: str = ""
    role: str = ""


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """`scheme` as idutils names it: doi, issn, isbn, pmid, arxiv, handle, url …"""

    scheme: str
    value: str


class File(msgspec.Struct, frozen=True, gc=False):
    """`size` in bytes; `license` an SPDX identifier or a URI; `access` open, restricted, embargoed."""

    url: str
    media_type: str = ""
    size: int | None = None
    language: str = ""
    license: str = ""
    access: str = ""
    version: str = ""


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`id` is SOURCE/IDENTIFIER. A tombstone has nothing beyond its header."""

    id: str = ""
    source: str = ""
    identifier: str = ""
    datestamp: str = ""
    sets: tuple[str, ...] = ()
    deleted: bool = False
    formats: tuple[str, ...] = ()
    title: str = ""
    alternative_titles: tuple[str, ...] = ()
    creators: tuple[Name, ...] = ()
    contributors: tuple[Name, ...] = ()
    abstract: str = ""
    keywords: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    type: str = ""
    raw_types: tuple[str, ...] = ()
    date: str = ""
    year: int | None = None
    languages: tuple[str, ...] = ()
    publisher: str = ""
    container: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    issn: str = ""
    isbn: str = ""
    doi: str = ""
    identifiers: tuple[Identifier, ...] = ()
    landing_url: str = ""
    official_url: str = ""
    files: tuple[File, ...] = ()
    rights: tuple[str, ...] = ()
    license: str = ""
    peer_reviewed: bool | None = None
    event: str = ""
    institution: str = ""
    status: str = ""
    notes: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()
    funders: tuple[str, ...] = ()
    citation: str = ""
    relations: tuple[str, ...] = ()
    deposited_by: str = ""
    deposited: str = ""
    modified: str = ""
    extra: Mapping[str, tuple[str, ...]] = {}


HEADER = ("id", "source", "identifier", "datestamp", "sets", "deleted")


def record_id(source: str, identifier: str) -> str:
    return f"{source}/{identifier}"
