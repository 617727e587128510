"""Threads of one process write in the order in which they asked.

SQLite lets whoever happens to ask at the right moment write first: of many, one can wait for minutes.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[int, threading.Event] = {}  # by thread; the first of them has its turn

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Not one in another, of the same thread."""
        me, mine = threading.get_ident(), threading.Event()
        try:
            with self._lock:
                self._asked.pop(me, None)  # an interrupt at a bad moment can leave one behind
                self._asked[me] = mine
                self._call_first()
            mine.wait()
            yield
        finally:
            with self._lock:
                self._asked.pop(me, None)
                self._call_first()

    def _call_first(self) -> None:
        for first in self._asked.values():
            first.set()
            return
