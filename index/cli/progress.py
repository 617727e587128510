"""Progress bars: on stderr, and only where that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harvester.clean.text import printable

if TYPE_CHECKING:
    from harvester.report import Progress


@contextmanager
def counting(what: str, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """A function that takes how many more are done."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,.0f}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.advance(task, done)


@contextmanager
def harvest_bar(source: str, *, quiet: bool = False) -> Iterator["Callable[[Progress], None]"]:
    """Records of the stated total where the repository states one: EPrints' own cursor is no count.

    Before the first of them it says that the repository is asked: that may take long.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _progress: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        asking = bar.add_task(f"{printable(source)} asking", total=None)
        tasks: dict[tuple[str, str], TaskID] = {}

        def show(progress: "Progress") -> None:
            key = (progress.source, progress.stage)
            bar.update(asking, visible=False)
            if key not in tasks:
                tasks[key] = bar.add_task(" ".join(map(printable, key)), total=None)
            bar.update(tasks[key], completed=progress.received, total=progress.expected)

        yield show
