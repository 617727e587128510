"""The files of a Whoosh index: written through to the disk, read where they are mapped."""

import os
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any as Anything
from weakref import WeakSet

from whoosh.codec.whoosh3 import W3Segment
from whoosh.filedb.compound import CompoundStorage
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import BufferFile, StructFile


class Storage(FileStorage):  # type: ignore[misc]  # Whoosh carries no types
    """Whoosh syncs nothing, and leaves open what it fails to read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self._opened: WeakSet[Anything] = WeakSet()

    def open_file(self, name: str, **options: Anything) -> Anything:
        opened = super().open_file(name, **options)
        self._opened.add(opened)
        return opened

    def close_files(self) -> None:
        for opened in self._opened:
            if not opened.is_closed:
                opened.close()

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        """Only the table of contents is renamed: all that it names goes to disk first."""
        folder = Path(self.folder)
        for path in folder.iterdir():
            if path.is_file():
                _sync(path)
        super().rename_file(oldname, newname, safe)
        _sync(folder)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class Segment(W3Segment):  # type: ignore[misc]  # Whoosh carries no types
    def open_compound_file(self, storage: Storage) -> "_Mapped":
        return _Mapped(storage.open_file(self.make_filename(self.COMPOUND_EXT)))


class _Mapped(CompoundStorage):  # type: ignore[misc]  # Whoosh carries no types
    """Whoosh maps the file of a segment, and then copies every part of it that it opens into memory."""

    def open_file(self, name: str, **_: Anything) -> "_Part":
        start, length = self.range(name)
        return _Part(memoryview(self._source)[start : start + length], name)


class _Part(BufferFile):  # type: ignore[misc]  # Whoosh carries no types
    def __init__(self, mapped: memoryview, name: str) -> None:
        StructFile.__init__(self, BufferedReader(_Reader(mapped)), name)
        self._buf = mapped


class _Reader(RawIOBase):
    def __init__(self, mapped: memoryview) -> None:
        self._mapped = mapped
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        from_where = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._mapped)}
        self._at = from_where[whence] + offset
        return self._at

    def readinto(self, buffer: Anything) -> int:
        read = self._mapped[self._at : self._at + len(buffer)]
        buffer[: len(read)] = read
        self._at += len(read)
        return len(read)
