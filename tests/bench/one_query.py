"""One search in a process of its own: `python -m tests.bench.one_query FOLDER OPTIONS`, OPTIONS being JSON.

Prints the milliseconds of CPU and by how many MB the process grew beyond a first, common search.
"""

import json
import sys
import time
from pathlib import Path

from harvester.errors import QueryError
from index.engine import Sort
from index.generations import Generations
from index.search import search


def main() -> None:
    folder, text = sys.argv[1:]
    options = json.loads(text)
    options["sort"] = Sort(options.get("sort", "relevance"))
    searcher = Generations(Path(folder) / "data" / "index").searcher()
    search(searcher, "language")
    before, began = _peak(), time.process_time()
    try:
        said = f"{search(searcher, **options).total:,} hits"
    except QueryError as error:
        said = error.message
    took = 1000 * (time.process_time() - began)
    print(json.dumps({"took": took, "grown": _peak() - before, "said": said}))


def _peak() -> float:
    """Not of getrusage: a child begins with the peak of its parent there."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1e3


if __name__ == "__main__":
    main()
