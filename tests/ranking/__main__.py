"""nDCG@10 of judged collections through store, index and search, beside plain tantivy on one joined field."""

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from tests.ranking.collections import FOLDER, NAMES, collection
from tests.ranking.measure import bare_tantivy, figures, indexed, windrow

ENGINES = ("tantivy", "whoosh")
_PLAIN = "bare tantivy"


def main() -> None:
    options = _options()
    if not FOLDER.is_dir():
        raise SystemExit(f"make quality needs the judged collections, which are not at {FOLDER}")
    with tempfile.TemporaryDirectory(prefix="windrow-ranking-") as folder:
        rows = _rows(options, Path(folder))
        if options.json:
            print(json.dumps(list(rows)))
        else:
            _print(rows)


def _print(rows: Iterable[dict[str, Any]]) -> None:
    print(f"{'collection':<12}{'by':<14}{'nDCG@10':>8}{'loosened':>10}{'ms a query':>12}")
    for row in rows:
        figures = f"{row['ndcg']:>8.4f}{row['loosened']:>10.1%}{row['milliseconds']:>12.2f}"
        print(f"{row['collection']:<12}{row['by']:<14}{figures}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.ranking", description=__doc__)
    parser.add_argument("--engine", action="append", choices=ENGINES, help="both without it")
    parser.add_argument("--collection", action="append", choices=NAMES, help="all without it")
    parser.add_argument("--json", action="store_true", help="each query's own figure, too")
    return parser.parse_args()


def _rows(options: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    for name in options.collection or NAMES:
        judged = collection(name)
        for by in (_PLAIN, *(options.engine or ENGINES)):
            answer = bare_tantivy(judged) if by == _PLAIN else windrow(indexed(judged, by, folder))
            yield {"collection": name, "by": by, **msgspec.structs.asdict(figures(judged, answer))}


if __name__ == "__main__":
    main()
