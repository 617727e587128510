"""What a request may cost, what it gives, and whose word is taken for a host."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from harvester.config import Source


class Limits(msgspec.Struct, frozen=True):
    """Seconds and bytes. `deadline` is for a request with all its redirects; `rate` is bytes a second."""

    connect: float = 15.0
    read: float = 300.0
    deadline: float = 1800.0
    rate: float = 100.0
    rate_over: float = 60.0
    tries: int = 6
    tries_unreachable: int = 3
    tries_on_500: int = 2
    tries_unreadable: int = 3
    backoff: float = 5.0
    backoff_cap: float = 600.0
    retry_after_cap: float = 3600.0
    gap_cap: float = 60.0
    redirects: int = 5
    body: int = 512 * 1024 * 1024
    ratio: int = 200
    ratio_from: int = 10 * 1024 * 1024


class Response(msgspec.Struct, frozen=True):
    """`body` is decompressed; `url` is where the answer came from, after redirects, without a password."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Wait(msgspec.Struct, frozen=True):
    """What a request waits for, after "waits" or "waits 40 s, "; `until` is in UTC, "" where nobody knows."""

    why: str
    until: str = ""


class Trust(msgspec.Struct, frozen=True):
    """Certificates of one host: `ca` is a PEM file to believe instead of the public authorities."""

    source: str
    ca: str = ""
    insecure: bool = False


def trust_of(sources: Mapping[str, Source]) -> dict[str, Trust]:
    """By host name, of those that say something of their own."""
    return {
        urlsplit(source.url).hostname or "": Trust(source.name, source.ca, source.insecure)
        for source in sources.values()
        if source.ca or source.insecure
    }
