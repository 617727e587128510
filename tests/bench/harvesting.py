"""The figures of the main line. Everything is measured in one run, for these machines are noisy."""

import argparse
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
from tests.bench.measure import Run, run
from tests.bench.server import serving

WINDROW = [sys.executable, "-m", "index.cli"]
_COLD = 9
_QUERIES = (
    "machine translation",
    '"neural network"',
    "title:parsing year:2010..2015",
    "translat evaluation corpus",
)


def main() -> None:
    options = _options()
    if not pages.CORPUS.exists():
        raise SystemExit(f"make bench needs the load corpus, which is not at {pages.CORPUS}")
    _parse_figures(options.limit)
    with _folder() as folder, serving(options.limit, resent=min(20_000, options.limit or 20_000)) as url:
        _main_line(folder, url, options.rounds)
        _cold_search(folder)
        _nothing_to_do(folder, url)
    _memory_at(20_000)
    if options.whoosh:
        _whoosh(options.whoosh)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--limit", type=int, help="records; all 90,869 without it")
    parser.add_argument("--rounds", type=int, default=3, help="of Sickle loop and harvest, in turn")
    parser.add_argument("--whoosh", type=int, default=5_000, help="records for Whoosh's own figures; 0: none")
    return parser.parse_args()


def _parse_figures(limit: int | None) -> None:
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
    _say("lxml alone, one core", f"{count / alone:,.0f} records/s")
    _say("normalising oai_dc, one core", f"{count / normalising:,.0f} records/s")


def _main_line(folder: Path, url: str, rounds: int) -> None:
    """Bare Sickle and the whole of Windrow in turn, each harvest from an empty folder."""
    ratios, harvests, loops = [], [], []
    for turn in range(rounds):
        loop = run([sys.executable, "-m", "tests.bench.sickle_loop", url], _here())
        place = folder / f"round-{turn}"
        harvest = _harvest(_configured(place, url))
        loops.append(loop.wall)
        harvests.append(harvest)
        ratios.append(harvest.wall / loop.wall)
    report = json.loads(harvests[-1].output)
    count = report["received"]
    wall = statistics.median(one.wall for one in harvests)
    (folder / "round-0").rename(folder / "harvested")
    _say(
        "bare Sickle to /dev/null",
        f"{statistics.median(loops):.2f} s, {count / statistics.median(loops):,.0f} records/s",
    )
    _say(
        "harvest + store + index", f"{wall:.2f} s, {count / wall:,.0f} records/s, verdict {report['verdict']}"
    )
    _say("  CPU", f"{statistics.median(one.cpu for one in harvests):.1f} s")
    _say(
        "  times bare Sickle",
        f"{statistics.median(ratios):.2f} ({', '.join(f'{ratio:.2f}' for ratio in ratios)})",
    )
    _say("  peak memory, all processes", f"{max(one.peak for one in harvests):.0f} MB at {count:,} records")
    _say("  store", f"{_size(folder / 'harvested' / 'data', '*.db*') / count:,.0f} bytes a record")
    _say("  index", f"{_size(folder / 'harvested' / 'data' / 'index') / count:,.0f} bytes a record")


def _cold_search(folder: Path) -> None:
    place = folder / "harvested"
    for query in _QUERIES:
        runs = [run([*WINDROW, "search", query, "--json"], place) for _ in range(_COLD)]
        took = statistics.median(json.loads(one.output)["took_ms"] for one in runs)
        total = json.loads(runs[0].output)["total"]
        wall = statistics.median(one.wall for one in runs)
        _say(f"cold search: {query}", f"{wall:.3f} s, of which {took:.1f} ms in the query ({total:,} hits)")


def _nothing_to_do(folder: Path, url: str) -> None:
    place = folder / "harvested"
    before = _index_files(place)
    resent = _harvest(place)
    report = json.loads(resent.output)
    same = "the index was not touched" if _index_files(place) == before else "THE INDEX WAS WRITTEN"
    _say("re-sent, unchanged", f"{report['unchanged']:,} records in {resent.wall:.2f} s; {same}")
    with serving(100) as other:
        _configure(place, other)  # another address is another list: only its noRecordsMatch matters here
        _harvest(place)
        before = _index_files(place)
        idle = _harvest(place)
    same = "the index was not touched" if _index_files(place) == before else "THE INDEX WAS WRITTEN"
    _say("nothing new", f"{json.loads(idle.output)['received']} records in {idle.wall:.2f} s; {same}")
    _configure(place, url)


def _memory_at(limit: int) -> None:
    with _folder() as folder, serving(limit) as url:
        harvest = _harvest(_configured(folder / "few", url))
    _say("peak memory, all processes", f"{harvest.peak:.0f} MB at {limit:,} records")


def _whoosh(limit: int) -> None:
    with _folder() as folder, serving(limit) as url:
        place = _configured(folder / "whoosh", url, engine="whoosh")
        harvest = _harvest(place)
        runs = [run([*WINDROW, "search", "machine translation", "--json"], place) for _ in range(3)]
        took = statistics.median(json.loads(one.output)["took_ms"] for one in runs)
    _say(
        "Whoosh: harvest + store + index",
        f"{limit / harvest.wall:,.0f} records/s at {limit:,}, {harvest.peak:.0f} MB",
    )
    _say(
        "Whoosh: cold search",
        f"{statistics.median(one.wall for one in runs):.3f} s, {took:.0f} ms in the query",
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


def _size(folder: Path, pattern: str = "**/*") -> int:
    return sum(file.stat().st_size for file in folder.glob(pattern) if file.is_file())


def _here() -> Path:
    return Path(__file__).parents[2]


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="windrow-bench-") as folder:
        yield Path(folder)


def _say(what: str, figure: str) -> None:
    print(f"{what:<58} {figure}", flush=True)


if __name__ == "__main__":
    main()
