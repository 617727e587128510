"""What there is to say beside the hits, on stderr: what was meant, what to try where nothing is found."""

from collections.abc import Iterator

import msgspec

from index.cli.talk import counted, tell
from index.cli.wrapping import one_line
from index.results import Results


def remark(results: Results) -> None:
    for line in _remarks(results):
        tell(line)


def without_remarks(results: Results) -> Results:
    """Of what is new, that there is nothing says nothing of the query."""
    return msgspec.structs.replace(results, suggestion="", words=(), looser=None)


def _remarks(results: Results) -> Iterator[str]:
    if results.words:
        yield "Records that have each of the words:"
        yield from (f"  {found.records:>8,}  {one_line(found.word)}" for found in results.words)
    if results.suggestion:
        yield f"Did you mean  {one_line(results.suggestion)}"
    if (offer := results.looser) is not None:
        found = counted(offer.total, "record")
        yield (
            f"A looser query finds {found}:  {one_line(offer.query)}"
            if offer.filters
            else (f"Without the filters it finds {found}.")
        )
