"""Every key of config.toml, in one table; and what each may hold.

A check answers "" or what is wrong with the value, in words that follow "found …; ".
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from harvester.errors import ConfigError
from harvester.schedule import FORMS, parse_duration, parse_interval, parse_jitter, parse_schedule

Check = Callable[[str], str]
Value = str | bool | int | tuple[str, ...]

ENGINES = ("tantivy", "whoosh")
PLANNED_ENGINES = ("opensearch",)
_LARGEST_POOL = 64
SORTS = ("relevance", "newest", "oldest", "added")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")

_EMAIL = re.compile(r"[!-?A-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_STORE = re.compile(r"sqlite:///(?!:memory:)[^?]+(\?.*)?|postgresql(\+psycopg)?://.+")
_SECONDS = re.compile(r"0\.[1-9]\d?|[1-9]\d{0,2}(?:\.\d{1,2})?")
_HOST_PORT = re.compile(r"[A-Za-z0-9.-]+:[0-9]{1,5}")
_PREFIX = re.compile(r"[A-Za-z0-9_.!~*'()-]+")  # metadataPrefixType and setSpecType of OAI-PMH.xsd
_SET = re.compile(r"[A-Za-z0-9_.!~*'()-]+(:[A-Za-z0-9_.!~*'()-]+)*")


class Key(msgspec.Struct, frozen=True):
    """`path` has a star where the file has a name of the user's own. A value is of its default's kind;
    of a list, `check` looks at each item.
    """

    path: str
    default: Value
    check: Check
    explanation: str
    required: bool = False


def _shape(pattern: re.Pattern[str], allowed: str) -> Check:
    return lambda value: "" if pattern.fullmatch(value) else f"allowed: {allowed}"


def _folder(value: str) -> str:
    return "" if value and value.isprintable() else "allowed: the name of a folder"


def _engine(value: str) -> str:
    allowed = "allowed: " + " or ".join(f'"{engine}"' for engine in ENGINES)
    if value in PLANNED_ENGINES:
        return f"this version does not have that engine yet; {allowed}"
    return "" if value in ENGINES else allowed


def _timezone(value: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        near = get_close_matches(value, available_timezones(), 1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        return f'allowed: a name of the time zone database, such as "Europe/London"{hint}'
    return ""


def _address(value: str) -> str:
    """A password in an address would be sent, logged and shown."""
    allowed = "allowed: an address that begins with http:// or https:// and a host, as Identify gives it"
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return allowed
    if not usable or not value.isprintable() or " " in value:
        return allowed
    if "@" in parts.netloc:
        return "allowed: an address without a user name or password in it"
    if "verb=" in parts.query or parts.fragment:
        return "allowed: the bare address, without verb= and #"
    return ""


def _details(value: str) -> str:
    return "" if value == "eprints" else 'allowed: "eprints", or empty'


def _query(value: str) -> str:
    return "" if value.strip() else "allowed: words, as `windrow search` takes them"


def _filter(value: str) -> str:
    field, _, wanted = value.partition("=")
    return "" if field.strip() and wanted.strip() else 'allowed: FIELD=VALUE, such as "type=thesis"'


def _sort(value: str) -> str:
    return "" if value in SORTS else "allowed: " + ", ".join(f'"{sort}"' for sort in SORTS)


def _any(_value: str) -> str:
    return ""


def _file(value: str) -> str:
    return "" if value.isprintable() else "allowed: the name of a PEM file"


def _pool(value: str) -> str:
    return "" if 1 <= int(value) <= _LARGEST_POOL else f"allowed: 1 to {_LARGEST_POOL}"


def _listen(value: str) -> str:
    """Both pages tell of sources and their troubles to whoever asks."""
    host, _, port = value.rpartition(":")
    is_port = port.isascii() and port.isdigit() and 0 <= int(port[:6]) < 65536
    if host in ("127.0.0.1", "localhost", "[::1]") and is_port:
        return ""
    return 'allowed: a port of this machine alone, such as "127.0.0.1:9464"'


def _webhook(value: str) -> str:
    parts = urlsplit(value)
    is_address = parts.scheme in ("http", "https") and parts.hostname and value.isprintable()
    return "" if is_address else "allowed: an address that begins with http:// or https://"


def _told_by(parse: Callable[[str], object]) -> Check:
    def check(value: str) -> str:
        try:
            parse(value)
        except ConfigError as error:
            return error.message
        return ""

    return check


KEYS = (
    Key("data", "data", _folder, "Where the store and the index live; relative to this file."),
    Key(
        "store.url",
        "",
        _shape(_STORE, '"sqlite:///PATH" or "postgresql+psycopg://USER@HOST/DATABASE"'),
        "The record store; empty: an SQLite database in the data folder.",
    ),
    Key(
        "index.engine",
        "tantivy",
        _engine,
        'The search engine: "tantivy", or "whoosh" (pure Python, slower).',
    ),
    Key(
        "harvest.contact",
        "",
        _shape(_EMAIL, "one e-mail address"),
        "Your e-mail address, sent to repositories with each request, so that they can write to you.",
    ),
    Key(
        "harvest.timezone",
        "",
        _timezone,
        'The time zone of schedules and of moments that are shown: "Europe/London"; empty: the machine\'s.',
    ),
    Key(
        "harvest.audit",
        "every 30 days",
        _told_by(parse_interval),
        "How often all identifiers of a source are held against the store, and what was missed is fetched.",
    ),
    Key(
        "harvest.full",
        "every 180 days",
        _told_by(parse_interval),
        "How often the whole list is read again; twice as often where deletions leave no lasting trace.",
    ),
    Key(
        "serve.pool",
        8,
        _pool,
        "How many repositories are harvested at the same time; one that keeps us waiting does not count.",
    ),
    Key(
        "serve.jitter",
        "10 minutes",
        _told_by(parse_jitter),
        "Each source starts up to so much later than its schedule says, always by the same measure.",
    ),
    Key(
        "serve.longest",
        "12 hours",
        _told_by(parse_duration),
        "A harvest that takes longer is ended; the next one goes on from its last page.",
    ),
    Key(
        "serve.listen",
        "",
        _listen,
        "Where /healthz and /metrics (Prometheus) are served, on this machine alone; empty: nowhere.",
    ),
    Key(
        "notify.webhook",
        "",
        _webhook,
        "An address to which news is posted as JSON; its `text` is what Slack and Mattermost show.",
    ),
    Key(
        "notify.email",
        (),
        _shape(_EMAIL, "e-mail addresses"),
        "Who is told by e-mail.",
    ),
    Key(
        "notify.sender",
        "",
        _shape(_EMAIL, "one e-mail address"),
        "The sender of these mails; empty: harvest.contact, or else the first who is told.",
    ),
    Key(
        "notify.smtp",
        "localhost:25",
        _shape(_HOST_PORT, "HOST:PORT"),
        "The mail server to hand it to.",
    ),
    Key(
        "notify.security",
        "none",
        _shape(re.compile("none|starttls|tls"), '"none", "starttls" or "tls"'),
        "How the way to the mail server is protected.",
    ),
    Key("notify.user", "", _any, "The name that the mail server wants; empty: none."),
    Key(
        "notify.password",
        "",
        _any,
        "Its password; better in an environment variable, as the first lines of this file say.",
    ),
    Key(
        "notify.digest",
        "1 hour",
        _told_by(parse_duration),
        "At most one message in this time, with all that has happened.",
    ),
    Key("sources.*.url", "", _address, "The repository's OAI-PMH address.", required=True),
    Key(
        "sources.*.metadata_prefix",
        "oai_dc",
        _shape(_PREFIX, "letters, digits and -_.!~*'()"),
        "The format to ask for; every repository has oai_dc.",
    ),
    Key(
        "sources.*.set",
        "",
        _shape(_SET, "one setSpec, such as 7374617475733D707562 or physics:hep"),
        "Harvest this set only; empty: everything.",
    ),
    Key(
        "sources.*.details",
        "",
        _details,
        '"eprints" fetches what EPrints leaves out of oai_dc: keywords, ORCIDs, divisions, files.',
    ),
    Key(
        "sources.*.details_gap",
        "1",
        _shape(_SECONDS, 'seconds, such as "0.5" or "10"; at least "0.1"'),
        "Seconds from the end of a request for details to the next; a busy repository is left more.",
    ),
    Key(
        "sources.*.ca",
        "",
        _file,
        "PEM file of certificates to believe for this host, not the public ones; relative to this file.",
    ),
    Key(
        "sources.*.insecure",
        False,
        _any,
        "true: whoever answers for this host is believed, whatever its certificate. Each run warns of it.",
    ),
    Key(
        "sources.*.schedule",
        "",
        _told_by(parse_schedule),
        f"When to harvest: {FORMS}; empty: when you say so.",
    ),
    Key(
        "sources.*.enabled",
        True,
        _any,
        "false: `windrow serve`, and `windrow harvest` without names, leave this repository alone.",
    ),
    Key(
        "searches.*.query",
        "",
        _query,
        "What to search for, as `windrow search` takes it.",
        required=True,
    ),
    Key(
        "searches.*.filters",
        (),
        _filter,
        'As --filter takes them: ["type=thesis", "year=2019..2021"].',
    ),
    Key(
        "searches.*.sort",
        "",
        _sort,
        "How its hits are sorted: relevance, newest, oldest or added; empty: as `windrow search` does.",
    ),
)
