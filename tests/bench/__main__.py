"""Figures beside the bars that were set for them: `python -m tests.bench [SECTION…]`.

harvest   the main line beside a bare Sickle loop
search    time, memory and hostile queries at 90,869 records, and with --million at 1,000,000
sync      documents a second and bytes beside tantivy alone; the folder after 200 small syncs
whoosh    the same of Whoosh, at a size that it can bear, without bars
"""

import argparse
import tempfile
from pathlib import Path

from tests.bench import corpus, harvesting, load, pages, searching, syncing
from tests.bench.report import Report

SECTIONS = ("harvest", "search", "sync", "whoosh")
_MILLION = 1_000_000


def main() -> None:
    options = _options()
    if not pages.CORPUS.exists():
        raise SystemExit(f"make bench needs the load corpus, which is not at {pages.CORPUS}")
    report = Report(quiet=options.json)
    for section in options.sections or SECTIONS:
        with tempfile.TemporaryDirectory(prefix="windrow-bench-") as folder:
            report.heading(section)
            _RUN[section](report, options, Path(folder))
    if options.json:
        print(report.json())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="all of them without it")
    parser.add_argument("--limit", type=int, help="records; all 90,869 without it")
    parser.add_argument("--rounds", type=int, default=3, help="of what is measured beside another, in turn")
    parser.add_argument("--million", action="store_true", help="search 1,000,000 records, too")
    parser.add_argument("--whoosh", type=int, default=10_000, help="records for Whoosh")
    parser.add_argument("--json", action="store_true", help="a list of {what, value, unit, bar, met}")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return options


def _harvest(report: Report, options: argparse.Namespace, _folder: Path) -> None:
    harvesting.measured(report, options.limit, options.rounds)


def _search(report: Report, options: argparse.Namespace, folder: Path) -> None:
    records = corpus.records(options.limit)
    queries = load.mixed(records)
    for wanted, p95 in {len(records): 20.0, **({_MILLION: 100.0} if options.million else {})}.items():
        place = folder / str(wanted)
        generations = corpus.indexed(place, "tantivy", corpus.documents(records, wanted))
        report.heading(f"{wanted:,} records")
        searching.measured(report, place, generations.searcher(), queries, p95)


def _sync(report: Report, options: argparse.Namespace, folder: Path) -> None:
    records = corpus.records(options.limit)
    syncing.beside_tantivy(report, folder, list(corpus.documents(records, len(records))), options.rounds)
    syncing.whole_sync(report, folder, records, "tantivy")
    for some in dict.fromkeys((min(20_000, len(records)), len(records))):
        syncing.small_syncs(report, folder, records[:some], "tantivy")


def _whoosh(report: Report, options: argparse.Namespace, folder: Path) -> None:
    records = corpus.records(options.whoosh)
    place = folder / "whoosh"
    report.has_bars = False
    generations = corpus.indexed(place, "whoosh", corpus.documents(records, len(records)))
    searching.measured(report, place, generations.searcher(), load.mixed(records))
    syncing.whole_sync(report, folder, records, "whoosh")
    syncing.small_syncs(report, folder, records, "whoosh", turns=20)
    harvesting.whoosh(report, options.whoosh)
    report.has_bars = True


_RUN = {"harvest": _harvest, "search": _search, "sync": _sync, "whoosh": _whoosh}

if __name__ == "__main__":
    main()
