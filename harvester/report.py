"""What a run has to say: progress while it goes, its report at the end."""

from math import ceil

import msgspec

from harvester.store.harvests import Checkpoint, Harvest


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `windrow harvest --json` prints for a source. `received` … `repaired` as in `Counts`.

    A run that went on did so after `resumed_after` records; at which page, of about how many, is None where
    nobody can tell.
    """

    source: str
    verdict: str
    reason: str
    pages: int
    received: int
    created: int
    updated: int
    unchanged: int
    deleted: int
    quarantined: int
    vanished: int
    held: int
    repaired: int
    requests: int
    seconds: float
    watermark: str | None
    finished: str | None
    error: str
    resumed_after: int | None
    resumed_at_page: int | None
    expected_pages: int | None

    @property
    def exit_code(self) -> int:
        if self.verdict == "failed":
            return 1
        return 0 if self.verdict in ("complete", "verified") and not self.held else 3

    @property
    def advice(self) -> str:
        """Of `error`, what its reason does not say."""
        return "; ".join(part for part in self.error.split("; ") if part not in self.reason)


def report(harvest: Harvest) -> Report:
    checkpoint = harvest.checkpoint
    return Report(
        source=harvest.source,
        verdict=harvest.verdict or "partial",
        reason=harvest.reason if harvest.verdict else "it was cut off, or is still running",
        pages=checkpoint.pages,
        requests=checkpoint.requests,
        seconds=round(checkpoint.seconds, 3),
        watermark=harvest.watermark,
        finished=harvest.finished,
        error=harvest.error,
        resumed_after=checkpoint.records_before or None,
        resumed_at_page=checkpoint.pages_before + 1 if checkpoint.pages_before else None,
        expected_pages=_expected_pages(checkpoint) if checkpoint.pages_before else None,
        **msgspec.structs.asdict(checkpoint.counts),
    )


def _expected_pages(checkpoint: Checkpoint) -> int | None:
    if checkpoint.splits:
        return None
    if checkpoint.token == "":
        return checkpoint.window_pages
    stated = ceil((checkpoint.list_size or 0) / checkpoint.page_size) if checkpoint.page_size else 0
    return max(stated, checkpoint.window_pages) if stated else None


class Progress(msgspec.Struct, frozen=True):
    """`received` and `expected` are records of this pass over the list; `stage` is list or verify."""

    source: str
    stage: str
    received: int
    expected: int | None
