"""Writes sources into config.toml, switches them off and on, takes them out; all else stays to the byte."""

import codecs
import os
import re
import stat
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import tomlkit

from harvester.config import Source, read_document, read_settings
from harvester.errors import ConfigError

_DEFAULTS = Source(name="", url="")


def add_source(path: Path, source: Source) -> str:
    """Answers the block that it wrote; makes the file where there is none."""
    block = source_block(source)
    path = path.resolve()  # a link stays a link
    old = _old(path)
    before = read_document(path) if old else {}
    refuse_faulty(path, source)
    _refuse_twice(path, before, source)
    new = _appended(old, block)
    _refuse_unreadable(path, before, source, new)
    _replace(path, new)
    return block


def remove_source(path: Path, name: str) -> bool:
    """False where it is not there. A comment goes with it only where it stands right under its keys."""
    path = path.resolve()
    old = _old(path)
    before = read_document(path) if old else {}
    if name not in _sources(path, before):
        return False
    others = {other: value for other, value in before["sources"].items() if other != name}
    mark, bare = _without_mark(old)
    for new in (mark + _cut(bare, name), mark + _reprinted(bare, name)):
        if _document(new) == {**before, "sources": others}:
            _replace(path, new)
            return True
    raise ConfigError(
        f"{path} is written so that {name} cannot be taken out", advice="Remove it there by hand."
    )


def switch(path: Path, names: Collection[str], *, enabled: bool) -> list[str]:
    """Those of `names` that were not so before; all of them are in the file, which is written once."""
    path = path.resolve()
    old = _old(path)
    before = _switched(read_document(path))
    changed = [name for name in names if before["sources"][name]["enabled"] is not enabled]
    if not changed:
        return []
    mark, bare = _without_mark(old)
    by_lines = _with_lines(bare, changed, enabled)
    for new in (by_lines, _with_values(by_lines, changed, enabled), _with_values(bare, changed, enabled)):
        if _switched(_document(new)) == _switched(before, changed, enabled=enabled):
            _replace(path, mark + new)
            return changed
    word = f"enabled = {str(enabled).lower()}"
    raise ConfigError(
        f"{path} is written so that {', '.join(changed)} cannot be switched", advice=f"Write {word} by hand."
    )


def source_block(source: Source) -> str:
    """`[sources.NAME]` with the url, and what is not as by default."""
    fields = (field for field in Source.__struct_fields__ if field != "name")
    values = {field: getattr(source, field) for field in fields}
    own = {field: value for field, value in values.items() if value != getattr(_DEFAULTS, field)}
    return tomlkit.dumps({"sources": {source.name: own}})


def _old(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def refuse_faulty(path: Path, source: Source) -> None:
    """ConfigError, with all that is wrong with it."""
    try:
        read_settings(tomllib.loads(source_block(source)), path, {})
    except ConfigError as error:
        raise ConfigError(f"the source {source.name} is not written", error.problems) from None


def _refuse_twice(path: Path, document: dict[str, Any], source: Source) -> None:
    for name, other in _sources(path, document).items():
        if isinstance(other, dict) and _fetched(other) == (source.url, source.metadata_prefix, source.set):
            advice = f"Fetch it with `windrow harvest {name}`."
            raise ConfigError(f"the source {name} in {path} fetches the same already", advice=advice)
        if name == source.name:
            advice = "Choose another name: `--name NAME`."
            raise ConfigError(f"{path} has a source {name} already", advice=advice)


def _sources(path: Path, document: dict[str, Any]) -> dict[str, Any]:
    sources = document.get("sources", {})
    if not isinstance(sources, dict):
        raise ConfigError(f"{path}: sources is not a table", advice="Write it as [sources.NAME] tables.")
    return sources


def _fetched(source: dict[str, Any]) -> tuple[object, ...]:
    return tuple(source.get(field, getattr(_DEFAULTS, field)) for field in ("url", "metadata_prefix", "set"))


def _appended(old: bytes, block: str) -> bytes:
    newline = "\r\n" if b"\r\n" in old else "\n"
    gap = "" if not old else "\n" if old.endswith(b"\n") else "\n\n"
    return old + (gap + block).replace("\n", newline).encode()


_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_HEADER = re.compile(rb"\s*\[")


def _cut(old: bytes, name: str) -> bytes:
    """Without the lines of `[sources.NAME]` and of the tables in it."""
    kept: list[bytes] = []
    sections = _in_sections(_LINE.findall(old))
    for at, section in enumerate(sections):
        if _source_of(section) != name:
            kept += section
            continue
        kept = _joined(kept, _of_others(section, is_last=at + 1 == len(sections)))
    return b"".join(kept)


def _joined(before: list[bytes], behind: list[bytes]) -> list[bytes]:
    """A blank line parted the section from what is before, another from what is behind: one is enough."""
    if not behind:
        return before[:-1] if before and not before[-1].strip() else before
    is_parted = not before or not before[-1].strip()
    return before + (behind[1:] if is_parted and not behind[0].strip() else behind)


def _in_sections(lines: list[bytes]) -> list[list[bytes]]:
    """Each begins with its header, but for what is before the first."""
    sections: list[list[bytes]] = [[]]
    for line in lines:
        if _HEADER.match(line):
            sections.append([])
        sections[-1].append(line)
    return [section for section in sections if section]


_OF_SOURCE = re.compile(rb"""\s*\[\s*sources\s*\.\s*(?:"([^"]+)"|'([^']+)'|([\w-]+))\s*[\].]""")


def _source_of(section: list[bytes]) -> str | None:
    header = _OF_SOURCE.match(section[0])
    return next(filter(None, header.groups())).decode() if header else None


def _end_of_keys(section: list[bytes]) -> int:
    told = [at for at, line in enumerate(section) if line.strip() and not line.lstrip().startswith(b"#")]
    return told[-1] + 1


def _of_others(section: list[bytes], *, is_last: bool) -> list[bytes]:
    """What stands behind the keys of a section, from the first blank line, may be about what follows."""
    behind = section[_end_of_keys(section) :]
    blank = next((at for at, line in enumerate(behind) if not line.strip()), None)
    if blank is None:
        return [] if is_last else behind
    return behind[blank:]


def _reprinted(old: bytes, name: str) -> bytes:
    """For what is written in another way than as a table of its own."""
    document = tomlkit.parse(old)
    try:
        del document["sources"][name]
    except (KeyError, TypeError, ValueError):
        return old
    return tomlkit.dumps(document).encode()


_SWITCH = re.compile(rb"\s*enabled\s*=")
_SWITCHED_OFF = re.compile(rb"\s*enabled\s*=\s*false\s*")


def _with_lines(old: bytes, names: Collection[str], enabled: bool) -> bytes:
    """For tables of their own: `enabled = false` comes behind their keys, and goes with its line."""
    sections = _in_sections(_LINE.findall(old))
    for section in sections:
        if _source_of(section) not in names:
            continue
        if enabled:
            section[:] = [line for line in section if not _SWITCHED_OFF.fullmatch(line)]
        elif not any(map(_SWITCH.match, section)):
            _put_line(section, _end_of_keys(section), b"enabled = false")
    return b"".join(line for section in sections for line in section)


def _put_line(section: list[bytes], at: int, line: bytes) -> None:
    newline = b"\r\n" if section[0].endswith(b"\r\n") else b"\n"
    if not section[at - 1].endswith(b"\n"):
        section[at - 1] += newline
    section.insert(at, line + newline)


def _with_values(old: bytes, names: Collection[str], enabled: bool) -> bytes:
    """For all others."""
    try:
        document = tomlkit.parse(old)
        for name in names:
            source: Any = document["sources"][name]
            if source.get("enabled", True) != enabled:
                source["enabled"] = enabled
    except (KeyError, TypeError, ValueError):
        return old
    return tomlkit.dumps(document).encode()


def _switched(
    document: dict[str, Any], names: Collection[str] = (), *, enabled: bool = True
) -> dict[str, Any]:
    """What it means with `names` switched so: each source says whether it is enabled."""
    sources = {
        name: {"enabled": True, **source, **({"enabled": enabled} if name in names else {})}
        for name, source in document.get("sources", {}).items()
    }
    return {**document, "sources": sources}


def _without_mark(content: bytes) -> tuple[bytes, bytes]:
    mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    return mark, content.removeprefix(mark)


def _document(content: bytes) -> dict[str, Any]:
    """{} for what cannot be read."""
    try:
        return {"sources": {}, **tomllib.loads(content.decode("utf-8-sig"))}
    except tomllib.TOMLDecodeError:
        return {}


def _refuse_unreadable(path: Path, before: dict[str, Any], source: Source, new: bytes) -> None:
    """Sources written in one line (`sources = {…}`) cannot be added to from below."""
    try:
        after = tomllib.loads(new.decode("utf-8-sig"))
    except tomllib.TOMLDecodeError:
        advice = "Write the sources there as [sources.NAME] tables."
        raise ConfigError(f"{path} leaves no place for [sources.{source.name}]", advice=advice) from None
    added = after["sources"].pop(source.name)
    assert added["url"] == source.url
    assert {"sources": {}, **before} == after


def _replace(path: Path, content: bytes) -> None:
    """A reader, or a crash, meets the old file or the new one and never a half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_new(temporary, content, path)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error


def _write_new(path: Path, content: bytes, old: Path) -> None:
    with path.open("wb") as file:
        if old.exists():  # before a word is in it: the old file may hide a password
            path.chmod(stat.S_IMODE(old.stat().st_mode))
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # elsewhere a folder cannot be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
