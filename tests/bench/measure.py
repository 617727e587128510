"""Run a command as a whole process tree: wall seconds, CPU seconds, peak memory of all its processes."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil

_EVERY = 0.05  # seconds


class Run(msgspec.Struct, frozen=True):
    """`peak` is the largest sum of the tree's proportional set sizes, in MB."""

    wall: float
    cpu: float
    peak: float
    output: str


def run(command: Sequence[str], cwd: Path) -> Run:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, text=True, env=_environment())
    peak: list[float] = [0.0]
    watch = threading.Thread(target=_watch, args=(process.pid, peak))
    watch.start()
    output, _ = process.communicate()
    wall = time.perf_counter() - began
    watch.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, peak[0], output)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "WINDROW_CONFIG"}


def _watch(pid: int, peak: list[float]) -> None:
    try:
        root = psutil.Process(pid)
        while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
            peak[0] = max(peak[0], sum(_pss(one) for one in [root, *root.children(recursive=True)]) / 1e6)
            time.sleep(_EVERY)
    except psutil.NoSuchProcess:
        return


def _pss(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
