"""What `windrow serve` needs while nothing is due: `python -m tests.bench.idle`."""

import argparse
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psutil

from harvester.harvest import harvest
from harvester.transport import Transport
from index.program import Program
from index.sync import sync
from tests.bench.report import Report
from tests.commands import program_in
from tests.fakes.clock import NOON
from tests.fakes.fleet import fleet
from tests.fakes.works import Works
from tests.served import serve

_SETTLES = 5.0  # seconds
_START, _CPU = 2.0, 1.0  # seconds, per cent of a core: the bars


def prepared(folder: Path, sources: int) -> None:
    """config.toml, and each of its sources harvested just now."""
    with fleet([Works(3, lambda: NOON) for _ in range(sources)]) as ships:
        (folder / "config.toml").write_text(
            "".join(
                f'[sources.s{number}]\nurl = "{repository.url}"\nschedule = "every 6 hours"\n'
                for number, repository in enumerate(ships.repositories)
            )
        )
        with program_in(folder) as program, closing(Transport(program.clock)) as transport:
            _harvest_all(program, transport)
            sync(program.store, program.generations, program.settings.index.engine)


def _harvest_all(program: Program, transport: Transport) -> None:
    for source in program.settings.sources.values():
        harvest(source, program.store, transport, program.clock)


def measured(report: Report, folder: Path, seconds: float) -> None:
    began = time.monotonic()
    with serve(folder) as served:
        report.figure('seconds to "serving"', time.monotonic() - began, "s", at_most=_START)
        time.sleep(_SETTLES)
        processes = {"serve": psutil.Process(served.process.pid), "its index process": served.follower}
        before = {name: _cpu(process) for name, process in processes.items()}
        time.sleep(seconds)
        shares = {name: 100 * (_cpu(one) - before[name]) / seconds for name, one in processes.items()}
        for name, process in processes.items():
            report.figure(f"CPU of {name}", shares[name], "%")
            report.figure(f"memory of {name}", process.memory_info().rss / 1e6, "MB")
        report.figure("CPU of both", sum(shares.values()), "%", at_most=_CPU)
        assert not served.said("harvest"), served.log
        served.end()


def _cpu(process: psutil.Process) -> float:
    """Seconds so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.idle", description=__doc__)
    parser.add_argument("--sources", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="windrow-idle-") as folder:
        prepared(Path(folder), options.sources)
        measured(Report(), Path(folder), options.seconds)


if __name__ == "__main__":
    main()
