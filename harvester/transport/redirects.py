"""Where a redirect leads. Pure: addresses in, addresses out."""

from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from harvester.errors import RedirectRefused
from harvester.transport.words import shown

PERMANENT = frozenset({301, 308})


def target(current: str, location: str, asked: str) -> str:
    """What we `asked`, a query, stays where the Location drops it (FAULTS H14); a name and password in it do
    not.
    """
    try:
        parts = urlsplit(urljoin(current, location))
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        raise RedirectRefused(
            f"{shown(current)} redirects to {shown(location)}, which is no address on the web",
            "check the address in a browser",
        )
    query = parts.query or urlsplit(current).query
    named = dict(parse_qsl(query, keep_blank_values=True))
    dropped = (part for part in asked.split("&") if part.partition("=")[0] not in named)
    query = "&".join(filter(None, (query, *dropped)))
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def base(url: str, asked: str) -> str:
    """What config.toml would say: `url` without what we `asked`, a query."""
    parts, ours = urlsplit(url), dict(parse_qsl(asked))
    own = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in ours]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(own), ""))
