"""The main line: harvest, store and index, beside a bare Sickle loop in the same run."""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lxml import etree

from harvester import formats
from harvester.oai.response import read_page
from tests.bench import pages
from tests.bench.corpus import size
from tests.bench.measure import Run, run
from tests.bench.report import Report
from tests.bench.searching import WINDROW, cold
from tests.bench.server import serving


def measured(report: Report, limit: int | None, rounds: int) -> None:
    _parse_figures(report, limit)
    with _folder() as folder, serving(limit, resent=min(20_000, limit or 20_000)) as url:
        _main_line(report, folder, url, rounds)
        cold(report, folder / "harvested")
        _nothing_to_do(report, folder, url)
    _memory_at(report, 20_000)


def _parse_figures(report: Report, limit: int | None) -> None:
    bodies = pages.list_pages(min(limit or 20_000, 20_000))
    count = sum(body.count(b"<record>") for body in bodies)
    began = time.process_time()
    for body in bodies:
        etree.fromstring(body)
    alone = time.process_time() - began
    parsed = [read_page(body, "ListRecords") for body in bodies]
    began = time.process_time()
    for page in parsed:
        for item in page.items:
            assert item.metadata is not None
            formats.normalise(item.metadata)
    normalising = time.process_time() - began
    report.say("lxml alone, one core", f"{count / alone:,.0f} records/s")
    report.say("normalising oai_dc, one core", f"{count / normalising:,.0f} records/s")


def _main_line(report: Report, folder: Path, url: str, rounds: int) -> None:
    """Bare Sickle and the whole of Windrow in turn, each harvest from an empty folder."""
    ratios, harvests, loops = [], [], []
    for turn in range(rounds):
        loop = run([sys.executable, "-m", "tests.bench.sickle_loop", url], _here())
        place = folder / f"round-{turn}"
        harvest = _harvest(_configured(place, url))
        loops.append(loop.wall)
        harvests.append(harvest)
        ratios.append(harvest.wall / loop.wall)
    said = json.loads(harvests[-1].output)
    count = said["received"]
    wall = statistics.median(one.wall for one in harvests)
    (folder / "round-0").rename(folder / "harvested")
    report.say(
        "bare Sickle to /dev/null",
        f"{statistics.median(loops):.2f} s, {count / statistics.median(loops):,.0f} records/s",
    )
    report.say(
        "harvest + store + index", f"{wall:.2f} s, {count / wall:,.0f} records/s, verdict {said['verdict']}"
    )
    report.say("  CPU", f"{statistics.median(one.cpu for one in harvests):.1f} s")
    report.say(
        "  times bare Sickle",
        f"{statistics.median(ratios):.2f} ({', '.join(f'{ratio:.2f}' for ratio in ratios)})",
    )
    report.say(
        "  peak memory, all processes", f"{max(one.peak for one in harvests):.0f} MB at {count:,} records"
    )
    report.say("  store", f"{size(folder / 'harvested' / 'data', '*.db*') / count:,.0f} bytes a record")
    report.say("  index", f"{size(folder / 'harvested' / 'data' / 'index') / count:,.0f} bytes a record")


def _nothing_to_do(report: Report, folder: Path, url: str) -> None:
    place = folder / "harvested"
    before = _index_files(place)
    resent = _harvest(place)
    said = json.loads(resent.output)
    same = "the index was not touched" if _index_files(place) == before else "THE INDEX WAS WRITTEN"
    report.say("re-sent, unchanged", f"{said['unchanged']:,} records in {resent.wall:.2f} s; {same}")
    with serving(100) as other:
        _configure(place, other)  # another address is another list: only its noRecordsMatch matters here
        _harvest(place)
        before = _index_files(place)
        idle = _harvest(place)
    same = "the index was not touched" if _index_files(place) == before else "THE INDEX WAS WRITTEN"
    report.say("nothing new", f"{json.loads(idle.output)['received']} records in {idle.wall:.2f} s; {same}")
    _configure(place, url)


def _memory_at(report: Report, limit: int) -> None:
    with _folder() as folder, serving(limit) as url:
        harvest = _harvest(_configured(folder / "few", url))
    report.say("peak memory, all processes", f"{harvest.peak:.0f} MB at {limit:,} records")


def whoosh(report: Report, limit: int) -> None:
    with _folder() as folder, serving(limit) as url:
        place = _configured(folder / "whoosh", url, engine="whoosh")
        harvest = _harvest(place)
        cold(report, place)
    report.say(
        "Whoosh: harvest + store + index",
        f"{limit / harvest.wall:,.0f} records/s at {limit:,}, {harvest.peak:.0f} MB",
    )


def _harvest(place: Path) -> Run:
    return run([*WINDROW, "harvest", "load", "--json"], place)


def _configured(place: Path, url: str, engine: str = "tantivy") -> Path:
    place.mkdir(parents=True)
    _configure(place, url, engine)
    return place


def _configure(place: Path, url: str, engine: str = "tantivy") -> None:
    settings = f'[index]\nengine = "{engine}"\n[sources.load]\nurl = "{url}"\n'
    (place / "config.toml").write_text(settings, encoding="utf-8")


def _index_files(place: Path) -> set[tuple[str, int]]:
    files = (place / "data" / "index").rglob("*")
    return {
        (str(file), file.stat().st_mtime_ns) for file in files if file.is_file() and file.suffix != ".lock"
    }


def _here() -> Path:
    return Path(__file__).parents[2]


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="windrow-bench-") as folder:
        yield Path(folder)
