"""config.toml → Settings, or every fault of the file at once."""

from collections.abc import Mapping
from pathlib import Path

from harvester.config.file import beside, find, read_document
from harvester.config.reading import read_settings
from harvester.config.settings import (
    HarvestSettings,
    IndexSettings,
    NotifySettings,
    SavedSearch,
    ServeSettings,
    Settings,
    Source,
    StoreSettings,
)

__all__ = [
    "HarvestSettings",
    "IndexSettings",
    "NotifySettings",
    "SavedSearch",
    "ServeSettings",
    "Settings",
    "Source",
    "StoreSettings",
    "find",
    "load",
    "read_document",
    "read_settings",
]


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """What `environ` lacks may stand in windrow.env beside the file, as a service's passwords do."""
    return read_settings(read_document(path), path, {**beside(path), **environ})
