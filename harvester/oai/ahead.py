"""The next page is fetched and parsed while this one is stored: one page ahead, never more."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

_GLANCE = 5.0  # seconds
T = TypeVar("T")


class ReadAhead(Generic[T]):
    """Iterates `pages` in a thread of its own; `while_waiting` is called every few seconds."""

    _END: Final = None

    def __init__(self, pages: Iterator[T], while_waiting: Callable[[], None]) -> None:
        self._pages = pages
        self._while_waiting = while_waiting
        self._wanted = threading.Semaphore(1)
        self._read: queue.Queue[T | BaseException | None] = queue.Queue()
        self._stopped = False
        # A daemon, so that a server which never answers cannot keep the program from ending.
        threading.Thread(target=self._run, name="read-ahead", daemon=True).start()

    def __iter__(self) -> Iterator[T]:
        try:
            while (page := self._next()) is not self._END:
                self._wanted.release()
                yield page
        finally:
            self.stop()

    def stop(self) -> None:
        self._stopped = True
        self._wanted.release()

    def _next(self) -> T | None:
        while True:
            try:
                read = self._read.get(timeout=_GLANCE)
            except queue.Empty:
                self._while_waiting()
                continue
            if isinstance(read, BaseException):
                raise read
            return read

    def _run(self) -> None:
        try:
            while self._wanted.acquire() and not self._stopped:
                page = next(self._pages, self._END)
                self._read.put(page)
                if page is self._END:
                    return
        except BaseException as error:  # noqa: BLE001  raised again where the page is waited for
            self._read.put(error)
