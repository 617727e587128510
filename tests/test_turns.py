"""Many threads on one store: each has its turn."""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harvester.store import Store
from harvester.store.turns import Turns
from tests.commands import numbered, put

THREADS, WRITES = 32, 320


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
        yield store


def at_once(count: int, work: Callable[[int], None]) -> None:
    """In so many threads; raises what one of them raises."""
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001  raised again below
            errors.append(error)

    threads = [threading.Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_writers_are_served_alike(store: Store) -> None:
    """Without turns, one of 32 writes once while another writes six hundred times."""
    begin, written = threading.Barrier(THREADS), Counter[int]()

    def work(number: int) -> None:
        begin.wait()
        while written.total() < WRITES:
            put(store, *numbered([written[number]]), source=f"source{number}")
            written[number] += 1

    at_once(THREADS, work)
    assert min(written.values()) > WRITES / THREADS / 8  # a thread may be left out by a machine at its limit
    assert max(written.values()) < WRITES / THREADS * 4


def test_64_threads_read_at_once(store: Store) -> None:
    all_are_in = threading.Barrier(64, timeout=20)

    def work(_number: int) -> None:
        with store.read() as connection:
            connection.exec_driver_sql("SELECT 1")
            all_are_in.wait()

    at_once(64, work)


def test_who_is_interrupted_while_waiting_keeps_nobody_waiting() -> None:
    turns, has_it, asked, interrupted, ended = Turns(), *(threading.Event() for _ in range(4))
    main = threading.current_thread()

    def interrupt_once(_signal: int, _frame: object) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt

    def hold() -> None:
        with turns.turn():
            has_it.set()
            asked.wait()
            while not interrupted.wait(0.05):  # a signal just before the wait begins does not end it
                signal.pthread_kill(main.ident or 0, signal.SIGUSR1)
            ended.wait()

    def wait_in_vain() -> None:
        asked.set()
        with turns.turn():
            raise AssertionError("the other has it")

    before = signal.signal(signal.SIGUSR1, interrupt_once)
    holder = threading.Thread(target=hold)
    holder.start()
    has_it.wait()
    with pytest.raises(KeyboardInterrupt):
        wait_in_vain()
    ended.set()
    holder.join()
    signal.signal(signal.SIGUSR1, before)
    for _ in range(2):
        with turns.turn():
            pass
