"""Plain TOML → values → Settings, along the table of keys; settings are made only where there is no fault."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from harvester.config.keys import KEYS, NAME, Key, Value
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
from harvester.errors import ConfigError
from harvester.schedule import parse_interval, parse_jitter

KeyPath = tuple[str, ...]

_KEYS: dict[KeyPath, Key] = {tuple(key.path.split(".")): key for key in KEYS}
_TABLES = {path[:end] for path in _KEYS for end in range(len(path))}
_NAMED = {path[0] for path in _TABLES if path[1:] == ("*",)}  # tables whose names are the user's own
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PASSWORD = re.compile(r"//\S*@")
_LONGEST_SHOWN = 80


def read_settings(document: Mapping[str, Any], path: Path, environ: Mapping[str, str]) -> Settings:
    reader = _Reader(environ)
    reader.read((), document)
    reader.compare_sources()
    data = path.absolute().parent / reader.text("data")
    if "?" in str(data) and not reader.text("store", "url"):
        reader.fault(("data",), str(data), "allowed: a path without ?, which an SQLite URL cannot hold")
    _refuse(reader.problems, path)
    return Settings(
        path=path,
        data=data,
        store=StoreSettings(_store_url(reader.text("store", "url"), path, data)),
        index=IndexSettings(reader.text("index", "engine")),
        harvest=HarvestSettings(
            contact=reader.text("harvest", "contact"),
            timezone=reader.text("harvest", "timezone"),
            audit=parse_interval(reader.text("harvest", "audit")),
            full=parse_interval(reader.text("harvest", "full")),
        ),
        serve=ServeSettings(**reader.section("serve", "jitter", "longest")),
        notify=NotifySettings(**reader.section("notify", "digest"), missing=tuple(reader.missing)),
        sources={name: _placed(reader.source(name), path) for name in reader.names["sources"]},
        searches={name: reader.search(name) for name in reader.names["searches"]},
    )


def _refuse(problems: list[str], path: Path) -> None:
    if problems:
        faults = "1 fault" if len(problems) == 1 else f"{len(problems)} faults"
        raise ConfigError(f"{path} has {faults}", problems, f"Correct {path}, then try again.")


def _store_url(url: str, path: Path, data: Path) -> str:
    """A database file is relative to config.toml, as data is: cron starts us elsewhere than a person does."""
    if not url:
        return f"sqlite:///{(data / 'windrow.db').as_posix()}"
    if not url.startswith("sqlite:///"):
        return url
    return f"sqlite:///{(path.absolute().parent / url.removeprefix('sqlite:///')).as_posix()}"


def _placed(source: Source, path: Path) -> Source:
    if not source.ca:
        return source
    return msgspec.structs.replace(source, ca=str(path.absolute().parent / source.ca))


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._values: dict[KeyPath, Value] = {}
        self.names: dict[str, list[str]] = {table: [] for table in _NAMED}
        self.problems: list[str] = []
        self.missing: list[str] = []

    def value(self, *path: str) -> Value:
        return self._values.get(path, _KEYS[_pattern(path)].default)

    def text(self, *path: str) -> str:
        value = self.value(*path)
        assert isinstance(value, str)
        return value

    def source(self, name: str) -> Source:
        return Source(name, **self._own("sources", name))

    def search(self, name: str) -> SavedSearch:
        return SavedSearch(name, **self._own("searches", name))

    def _own(self, table: str, name: str) -> dict[str, Any]:
        return {path[2]: self.value(table, name, path[2]) for path in _KEYS if path[:2] == (table, "*")}

    def section(self, name: str, *durations: str) -> dict[str, Any]:
        values: dict[str, Any] = {path[1]: self.value(*path) for path in _KEYS if path[:1] == (name,)}
        return values | {key: parse_jitter(values[key]) for key in durations}

    def fault(self, path: KeyPath, found: object, says: str) -> None:
        self.problems.append(f"{_dotted(path)}: found {_shown(found)}; {says}")

    def read(self, path: KeyPath, value: object) -> None:
        pattern = _pattern(path)
        if key := _KEYS.get(pattern):
            self._read_value(path, key, value)
        elif pattern not in _TABLES:
            self.problems.append(f"{_dotted(path)}: unknown key; {_nearest(pattern, path)}")
        elif not isinstance(value, Mapping):
            self.fault(path, value, f"allowed: a table, [{_named(pattern)}]")
        else:
            self._read_table(path, pattern, value)

    def _read_table(self, path: KeyPath, pattern: KeyPath, table: Mapping[str, Any]) -> None:
        if pattern[1:] == ("*",):
            self._name(path)
        for name, value in table.items():
            self.read((*path, name), value)
        for known, key in _KEYS.items():
            if known[:-1] == pattern and key.required and known[-1] not in table:
                self.problems.append(f"{_dotted((*path, known[-1]))}: missing. {key.explanation}")

    def _name(self, path: KeyPath) -> None:
        self.names[path[0]].append(path[-1])
        if not NAME.fullmatch(path[-1]):
            self.fault(path, path[-1], "allowed: small letters, digits, . _ and -, a letter or digit first")

    def _read_value(self, path: KeyPath, key: Key, value: object) -> None:
        if isinstance(key.default, bool):
            self._read_switch(path, value)
            return
        if isinstance(key.default, int):
            self._read_number(path, key, value)
            return
        if isinstance(key.default, tuple):
            self._read_list(path, key, value)
            return
        text = self._text(path, value)
        if text is None:
            return
        self._values[path] = text
        if text == key.default and not key.required:
            return
        if wrong := key.check(text):
            self.fault(path, value, wrong)

    def _read_switch(self, path: KeyPath, value: object) -> None:
        if isinstance(value, bool):
            self._values[path] = value
        else:
            self.fault(path, value, "allowed: true or false")

    def _read_number(self, path: KeyPath, key: Key, value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            self.fault(path, value, "allowed: a whole number")
            return
        self._values[path] = value
        if wrong := key.check(str(value)):
            self.fault(path, value, wrong)

    def _read_list(self, path: KeyPath, key: Key, value: object) -> None:
        if not isinstance(value, list):
            self.fault(path, value, 'allowed: a list of texts, ["…", "…"]')
            return
        texts = [text for one in value if (text := self._text(path, one)) is not None]
        self._values[path] = tuple(texts)
        for text in texts:
            if wrong := key.check(text):
                self.fault(path, text, wrong)

    def _text(self, path: KeyPath, value: object) -> str | None:
        """What stands there, or in the environment variable that it names."""
        if isinstance(value, str):
            return value
        name = _variable(value)
        if name is None:
            self.fault(path, value, 'allowed: text in quotes, or { env = "NAME" }')
        elif name not in self._environ:
            missing = f"{_dotted(path)}: the environment variable {_shown(name)} is not set"
            (self.missing if path[0] == "notify" else self.problems).append(missing)
        return self._environ.get(name) if name is not None else None

    def compare_sources(self) -> None:
        """Two sources that fetch the same would hold every record twice."""
        seen: dict[tuple[str, str, str], str] = {}
        for name in self.names["sources"]:
            source = self.source(name)
            if source.ca and source.insecure:
                self.fault(("sources", name, "ca"), source.ca, "allowed: ca or insecure, not both")
            fetched = (source.url, source.metadata_prefix, source.set)
            if source.url and fetched in seen:
                first, second = _dotted(("sources", seen[fetched])), _dotted(("sources", name))
                differing = "another url, metadata_prefix or set"
                self.problems.append(f"{second}: fetches the same as {first}; allowed: {differing}")
            seen.setdefault(fetched, name)


def _variable(value: object) -> str | None:
    if isinstance(value, Mapping) and value.keys() == {"env"} and isinstance(value["env"], str):
        return value["env"]
    return None


def _pattern(path: KeyPath) -> KeyPath:
    return (path[0], "*", *path[2:]) if len(path) > 1 and path[0] in _NAMED else path


def _nearest(pattern: KeyPath, path: KeyPath) -> str:
    from difflib import get_close_matches

    siblings = sorted(_children(pattern[:-1]))
    if near := get_close_matches(path[-1], siblings, 1):
        return f"did you mean {_dotted((*path[:-1], near[0]))}?"
    elsewhere = [_named(key) for key in _KEYS if key[-1] == path[-1]]
    return f"did you mean {elsewhere[0]}?" if elsewhere else f"known here: {', '.join(siblings)}"


def _children(pattern: KeyPath) -> set[str]:
    depth = len(pattern)
    return {key[depth] for key in _KEYS if key[:depth] == pattern and len(key) > depth}


def _named(pattern: KeyPath) -> str:
    return ".".join(pattern).replace("*", "NAME")


def _dotted(path: KeyPath) -> str:
    return ".".join(part if _BARE.fullmatch(part) else _shown(part) for part in path)


def _shown(value: object) -> str:
    """Short, on one line, and without a password; what came from the environment is not shown at all."""
    if name := _variable(value):
        return f"what the environment variable {_shown(name)} holds"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > _LONGEST_SHOWN:
        return "a long number"  # str() refuses the longest of them
    text = _PASSWORD.sub("//…@", repr(value) if isinstance(value, str) else str(value))
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
