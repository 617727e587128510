"""Is a process the one that it was? By its number, and by how long after the machine it began.

Linux reckons the moment itself from the clock: it moves whenever NTP, or a resumed machine, sets that.
"""

import psutil

_TICK = 0.05  # seconds; Linux counts in hundredths


def began(pid: int | None = None) -> float:
    """Seconds after the machine; elsewhere than on Linux since 1970. psutil.NoSuchProcess. None: this one."""
    return psutil.Process(pid).create_time() - (psutil.boot_time() if psutil.LINUX else 0.0)


def is_alive(pid: int, since: float) -> bool:
    """A zombie is not."""
    try:
        return abs(began(pid) - since) < _TICK and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
