"""What a run may call itself, and when a list has gone on for too long. Pure: facts in, words out.

The completeness ladder is FAULTS section 3 of the design, the verdicts are its DESIGN section 5.
"""

from datetime import timedelta
from hashlib import blake2b
from math import ceil

import msgspec

from harvester.datestamp import parse_datestamp
from harvester.errors import EndlessList, ResponseError
from harvester.oai.response import Page
from harvester.store.harvests import Checkpoint, Request
from harvester.store.sources import SourceState

_MOST_PAGES = 1_000_000
_MOST_EMPTY = 10
_FEW_STRANGE = 10  # one of so many
_OUT_OF_STEP = timedelta(hours=1)


class Judgement(msgspec.Struct, frozen=True):
    """`stopped`: not the repository ended the run, we did."""

    verdict: str
    reason: str = ""
    stopped: bool = False

    @property
    def is_proven(self) -> bool:
        return self.verdict in ("complete", "verified")


def judge_end(request: Request, checkpoint: Checkpoint, state: SourceState) -> Judgement:
    """The list was read to its end: is there a doubt?"""
    doubt = _doubt(request, checkpoint, state)
    said = "; ".join(filter(None, (doubt or checkpoint.note, _held(checkpoint))))
    return Judgement("unproven" if doubt else "complete", said)


def _held(checkpoint: Checkpoint) -> str:
    if not checkpoint.held_tombstones:
        return ""
    return (
        f"{checkpoint.held_tombstones:,} deletions are held back, too many to be believed at once: "
        "none of them is made without --allow-deletions"
    )


def _doubt(request: Request, checkpoint: Checkpoint, state: SourceState) -> str:
    stated, listed = checkpoint.list_size, checkpoint.total
    if is_short(listed, stated):
        return f"the list stopped after {listed:,} of {stated:,}"
    if checkpoint.doubt:
        return checkpoint.doubt
    if checkpoint.ended_by == "no records match" and checkpoint.listed and stated is None:
        return f"the list broke off after {listed:,} records: the repository then said that nothing matches"
    if request.full and state.last_full and listed < 0.8 * state.last_full:
        return f"the list has {listed:,} records, last time it had {state.last_full:,}"
    if stated is None and _ended_on_full_page(checkpoint):
        return f"the list ended on a full page of {checkpoint.last_page} without a sign that it was the last"
    if request.full and listed == 0:
        return "the repository says that it has no records"
    return ""


def is_short(listed: int, stated: int | None) -> bool:
    return stated is not None and stated - listed > tolerance(stated)


def tolerance(records: int) -> int:
    """So many may come and go while a list is read."""
    return max(10, records // 100)


def _ended_on_full_page(checkpoint: Checkpoint) -> bool:
    """A list of one page tells no page size: then only a round number of records is suspicious."""
    full = checkpoint.last_page >= checkpoint.page_size and checkpoint.last_page > 0
    if checkpoint.window_pages == 1:
        full = full and checkpoint.last_page % 50 == 0
    return checkpoint.ended_by == "no token" and full


def doubt_of_page(page: Page, checkpoint: Checkpoint) -> str:
    """What a last page, or one of any place, says against its list."""
    if page.repaired and not page.token and not page.more and checkpoint.list_size is None:
        return "the last page had to be repaired, and no number of records is stated to hold it against"
    if may_have_lost_a_page(page, checkpoint):
        return "an answer was lost on its way, and the repository's one token does not ask for it again"
    before, now = parse_datestamp(checkpoint.response_date), parse_datestamp(page.response_date)
    if before and now and before - now > _OUT_OF_STEP:
        return f"a page is older than the one before it ({page.response_date}): it comes from a cache"
    return ""


def may_have_lost_a_page(page: Page, checkpoint: Checkpoint) -> bool:
    """Where one token stands for all pages, the server counts them, those that never came too (K01b)."""
    is_one_token = checkpoint.same_token or (bool(page.token) and page.token == checkpoint.token)
    return page.replayed and is_one_token


def judge_break(
    checkpoint: Checkpoint, reason: str, *, deferred: bool = False, stopped: bool = False
) -> Judgement:
    """The end was not reached."""
    if deferred:
        return Judgement("deferred", reason)
    return Judgement("partial" if checkpoint.pages or checkpoint.singles else "failed", reason, stopped)


def failures(before: int, judgement: Judgement, *, progressed: bool) -> int:
    """Runs in a row that brought nothing; one that we ended says nothing about the repository."""
    if judgement.stopped:
        return before
    came_to_nothing = judgement.verdict in ("failed", "deferred", "partial") and not progressed
    return before + 1 if came_to_nothing else 0


def told(trouble: str, checkpoint: Checkpoint) -> str:
    """What broke the list off, what came before that, and how much had come."""
    if not checkpoint.pages:
        return trouble
    before = f"{checkpoint.note}; then: " if checkpoint.note and trouble not in checkpoint.note else ""
    stated = f" of {checkpoint.list_size:,}" if checkpoint.total <= (checkpoint.list_size or 0) else ""
    return f"{before}{trouble}, after {checkpoint.total:,}{stated} records"


def must_verify(judgement: Judgement, request: Request, state: SourceState) -> bool:
    """A list that sweeps, or a doubt that stands a second time."""
    return request.sweeps or (judgement.verdict == "unproven" and state.doubted)


def is_cheap(first: Page, checkpoint: Checkpoint) -> bool:
    """Would a ListIdentifiers pass cost under a tenth of the list itself, by its first page?"""
    if not first.token:
        return checkpoint.pages >= 10
    pages = ceil(max(checkpoint.total, checkpoint.list_size or 0) / max(1, len(first.items)))
    return pages * 10 <= checkpoint.pages


def check_agreement(identifiers: int, checkpoint: Checkpoint) -> None:
    """A ListIdentifiers pass that is shorter than the list proves nothing, and deletes nothing."""
    if checkpoint.total - identifiers > tolerance(checkpoint.total):
        raise ResponseError(
            f"ListIdentifiers has {identifiers:,} records, ListRecords had {checkpoint.total:,}",
            "nothing can be done from here: tell the repository",
        )


def check_length(requests: int, page_size: int, expected: int, allowed: int = 0) -> None:
    """Three requests a page of the stated or the last list, plus 30, plus what was `allowed`."""
    most = 3 * ceil(expected / page_size) + 30 + allowed if expected and page_size else _MOST_PAGES
    if requests >= most:
        raise EndlessList(
            f"the list does not end: {requests:,} requests were made, {expected or 'fewer'} records expected",
            "what came is kept; run it again to go on, and tell the repository if it stays so",
        )


def names_set(page: Page, set_spec: str) -> bool:
    """Does each live record name the set that was asked for, or one within it?"""
    live = (item.header.sets for item in page.items if not item.header.deleted)
    return not set_spec or all(is_within(sets, set_spec) for sets in live)


def is_within(sets: tuple[str, ...], set_spec: str) -> bool:
    """Does one of them name the set, or one within it?"""
    return any(spec == set_spec or spec.startswith(set_spec + ":") for spec in sets)


def check_same_list(page: Page, checkpoint: Checkpoint, set_spec: str) -> None:
    """A token may lead into another list: of other sets, or of headers alone (FAULTS K16, P09)."""
    if not checkpoint.window_pages:
        return
    live = [item for item in page.items if not item.header.deleted and not item.fault]
    if live and all(item.metadata is None for item in live):
        raise ResponseError("the list goes on with headers alone", "tell the repository")
    check_same_set(page, set_spec, named=checkpoint.names_set)


def check_same_set(page: Page, set_spec: str, *, named: bool) -> None:
    """`named`: each live record of the pages before named the set. Of this page, nearly all have to."""
    if not (set_spec and named):
        return
    live = [item.header.sets for item in page.items if not item.header.deleted and not item.fault]
    outside = sum(not is_within(sets, set_spec) for sets in live)
    if outside * _FEW_STRANGE > len(live):
        raise ResponseError(f"the list goes on outside of the set {set_spec}", "tell the repository")


def check_emptiness(pages: int) -> None:
    if pages > _MOST_EMPTY:
        raise EndlessList(
            f"the list goes on without records: {pages} empty pages, one after the other",
            "tell the repository",
        )


def print_of(page: Page) -> str:
    """Tells a page from another: by its token and its headers."""
    headers = [(item.header.identifier, item.header.datestamp) for item in page.items]
    return blake2b(msgspec.json.encode([page.token, headers]), digest_size=16).hexdigest()


def landmark(previous: str, print_of_page: str, pages: int) -> str:
    """The print to hold later pages against: Brent's way to find a circle of any length in flat memory."""
    return print_of_page if pages & (pages - 1) == 0 else previous
