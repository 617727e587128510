"""demo."""

import shutil
import sys
import tempfile
from pathlib import Path

import click

from harvester import config
from harvester.config import Source
from harvester.config_file import add_source
from index.cli.harvesting import harvest_sources
from index.cli.hits import put_results
from index.cli.talk import put_lines
from index.cli.wrapping import MARK
from index.program import Program
from index.search import search

_SOURCE = "demo"
_SEARCHES = (
    ("A keyword", "coproduction", (), ()),
    ("A phrase", '"service user perspectives"', (), ()),
    ("A field and a range", "author:khan year:2019..2026", (), ()),
    ("A facet, over all that is about health", "health", (), ("type", "year")),
)
_SHOWN = 3


@click.command()
def demo() -> int:
    """Harvest and search a bundled sample repository.

    It runs on this machine only, and everything goes into a temporary folder.
    """
    from index.demo.repository import DemoRepository, sample_records
    from index.demo.server import serve

    path = Path(tempfile.mkdtemp(prefix="windrow-demo-")) / "config.toml"
    with serve(DemoRepository(sample_records())) as url:
        _say("A sample repository answers at", url)
        add_source(path, Source(name=_SOURCE, url=url, metadata_prefix="eprints"))
        program = Program(config.load(path, {}))
        try:
            code = harvest_sources(program, list(program.settings.sources.values()))
            _searches(program)
        finally:
            program.close()
    _next_steps(path)
    return code


def _searches(program: Program) -> None:
    for title, query, filters, facets in _SEARCHES:
        asked = f"windrow search '{query}'" + "".join(f" --facet {facet}" for facet in facets)
        put_lines("")
        _say(f"{title}:", asked)
        found = search(program.searcher(), query, filters=filters, facets=facets, limit=_SHOWN, mark=MARK)
        put_results([found], _SHOWN)


def _next_steps(path: Path) -> None:
    windrow = _as_called()
    put_lines(
        "What to try next (the sample stays in this folder until you remove it; its repository has ended):",
        "",
        f"  cd {path.parent}",
        f"  {windrow} show 111396                      one record with all its facts",
        f"  {windrow} search health --filter type=thesis",
        f"  {windrow} status",
        f"  {windrow} changes --limit 3                the feed for other systems",
        "",
        "And with a real repository, in a folder of your own:",
        "",
        "  mkdir ~/harvest && cd ~/harvest",
        f"  {windrow} add https://kar.kent.ac.uk/cgi/oai2 --harvest",
    )


def _as_called() -> str:
    """`.venv/bin/windrow` is not on everybody's path."""
    called = Path(sys.argv[0])
    return "windrow" if shutil.which("windrow") or called.name != "windrow" else str(called.resolve())


def _say(what: str, value: str) -> None:
    put_lines(f"{what} {click.style(value, fg='cyan')}")
