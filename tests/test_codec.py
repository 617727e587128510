"""What lies in the store, packed and unpacked by many threads at once, as `windrow serve` does."""

import subprocess
import sys

_MANY_THREADS = """
import random, sys, threading
from harvester.store.codec import compress_all, decompress

def work(seed):
    chance = random.Random(seed)
    for _ in range(30):
        plain = [bytes(chance.choices(b"<dc:title>abcdef", k=chance.randrange(6000))) for _ in range(10)]
        if [decompress(packed) for packed in compress_all(plain, "record")] != plain:
            wrong.append(seed)

wrong = []
threading.excepthook = wrong.append
threads = [threading.Thread(target=work, args=[seed]) for seed in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(str(wrong) if wrong else 0)
"""


def test_many_threads_pack_and_unpack_at_once() -> None:
    """In a process of its own: shared, zstandard's objects end it."""
    done = subprocess.run([sys.executable, "-c", _MANY_THREADS], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
