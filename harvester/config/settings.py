"""The typed settings."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec


class StoreSettings(msgspec.Struct, frozen=True):
    """`url` as SQLAlchemy reads it."""

    url: str


class IndexSettings(msgspec.Struct, frozen=True):
    engine: str


class HarvestSettings(msgspec.Struct, frozen=True):
    """Empty: no contact is sent; schedules follow the machine's time zone. None: never.

    `audit` is the time between two audits of a source, `full` that between two readings of all of its list.
    """

    contact: str
    timezone: str
    audit: timedelta | None
    full: timedelta | None


class ServeSettings(msgspec.Struct, frozen=True):
    """`pool` counts repositories, `listen` is HOST:PORT or empty."""

    pool: int
    jitter: timedelta
    longest: timedelta
    listen: str


class NotifySettings(msgspec.Struct, frozen=True):
    """Empty: not that way. `smtp` is HOST:PORT, `security` is "none", "starttls" or "tls".

    `missing` says which environment variables are not set: a search need not know a password.
    """

    webhook: str
    email: tuple[str, ...]
    sender: str
    smtp: str
    security: str
    user: str
    password: str
    digest: timedelta
    missing: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True):
    """One thing to harvest. Empty: the whole repository, no details, no schedule.

    `details_gap` is in seconds. `ca` is the absolute path of a PEM file; `insecure` asks for no certificate.
    """

    name: str
    url: str
    metadata_prefix: str = "oai_dc"
    set: str = ""
    details: str = ""
    schedule: str = ""
    ca: str = ""
    insecure: bool = False
    details_gap: str = "1"
    enabled: bool = True


class SavedSearch(msgspec.Struct, frozen=True):
    """`filters` are FIELD=VALUE; `sort` is empty, or one of `keys.SORTS`."""

    name: str
    query: str
    filters: tuple[str, ...] = ()
    sort: str = ""


class Settings(msgspec.Struct, frozen=True):
    """`path` is the file they come from; `data` is absolute."""

    path: Path
    data: Path
    store: StoreSettings
    index: IndexSettings
    harvest: HarvestSettings
    serve: ServeSettings
    notify: NotifySettings
    sources: Mapping[str, Source]
    searches: Mapping[str, SavedSearch]

    @property
    def index_folder(self) -> Path:
        return self.data / "index"
