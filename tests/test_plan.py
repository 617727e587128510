"""What to request, and what may be said of the outcome: decisions without a network."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester import plan
from harvester.config import Source
from harvester.datestamp import format_datestamp, parse_datestamp
from harvester.oai.response import Identify
from harvester.plan import SKEW, Options
from harvester.store.harvests import Checkpoint, Harvest, Request
from harvester.store.sources import SourceState

NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
SECOND, DAY = "YYYY-MM-DDThh:mm:ssZ", "YYYY-MM-DD"
SOURCE = Source(name="test", url="https://x.example/oai")
DC = Request(metadata_prefix="oai_dc", full=True)


def state(**known: Any) -> SourceState:
    nothing = {"id": 1, "name": "test", "watermark": None, "last_full": None, "doubted": False}
    return SourceState(**{**nothing, "live": 0, "tombstones": 0, "quarantined": 0, **known})


def requested(
    options: Options | None = None,
    *,
    watermark: str | None = None,
    granularity: str = SECOND,
    skewed: bool = False,
) -> Request:
    said = format_datestamp(NOW + timedelta(hours=2 * skewed))
    identify = Identify(granularity=granularity, response_date=said, deleted_record="persistent")
    return plan.request(SOURCE, state(watermark=watermark), identify, options or Options(), NOW)


# What to request


MARK = "2026-05-28T10:00:00Z"


@pytest.mark.parametrize(
    ("granularity", "said", "asked"),
    [
        (DAY, "2000-01-01T10:00:00Z", "2000-01-01"),
        (SECOND, "2000-01-01", "2000-01-01T00:00:00Z"),
        (SECOND, "0000-00-00", ""),
        (DAY, "", ""),
    ],
)
def test_the_earliest_date_is_asked_for_in_the_granularity_of_the_others(
    granularity: str, said: str, asked: str
) -> None:
    identify = Identify(granularity=granularity, earliest=said)
    assert plan.request(SOURCE, state(), identify, Options(), NOW).earliest == asked


@pytest.mark.parametrize(
    ("options", "watermark", "granularity", "skewed", "window", "full", "bounded"),
    [
        (Options(), None, SECOND, False, ("", ""), True, False),
        (Options(), MARK, SECOND, False, ("2026-05-28T09:00:00Z", ""), False, False),
        (Options(), MARK, DAY, False, ("2026-05-27", ""), False, False),
        (Options(), MARK, "yyyy-mm-dd", False, ("2026-05-27", ""), False, False),
        (Options(), MARK, "", False, ("2026-05-27", ""), False, False),
        (Options(), MARK, "yyyy-MM-DDThh:mm:ssz", False, ("2026-05-28T09:00:00Z", ""), False, False),
        (Options(), MARK, SECOND, True, ("2026-05-27T08:00:00Z", ""), False, False),
        (Options(), MARK, DAY, True, ("2026-05-27", ""), False, False),
        (Options(), "0001-01-01T00:30:00Z", SECOND, False, ("0001-01-01T00:00:00Z", ""), False, False),
        (Options(full=True), MARK, SECOND, False, ("", ""), True, False),
        (Options(from_="2020-01-01"), MARK, SECOND, False, ("2020-01-01T00:00:00Z", ""), False, True),
        (Options(from_="2020-01-01T05:00:00Z"), MARK, DAY, False, ("2020-01-01", ""), False, True),
        (Options(until="2020-01-01"), None, SECOND, False, ("", "2020-01-01T23:59:59Z"), False, True),
        (Options(until="2020-01-01"), None, DAY, False, ("", "2020-01-01"), False, True),
    ],
)
def test_requests(
    options: Options,
    watermark: str | None,
    granularity: str,
    skewed: bool,
    window: tuple[str, str],
    full: bool,
    bounded: bool,
) -> None:
    found = requested(options, watermark=watermark, granularity=granularity, skewed=skewed)
    assert ((found.from_, found.until), found.full, found.bounded) == (window, full, bounded)


def test_empty_arguments_are_left_out() -> None:
    assert plan.list_arguments(DC) == {"metadataPrefix": "oai_dc"}
    whole = Request("oai_dc", set_spec="a", from_="2020-01-01", until="2020-01-02")
    assert plan.list_arguments(whole) == {
        "metadataPrefix": "oai_dc", "from": "2020-01-01", "until": "2020-01-02", "set": "a"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("theirs", "differ"),
    [
        ("2026-06-01T12:09:00Z", False),
        ("2026-06-01T11:51:00Z", False),
        ("2026-06-01T12:11:00Z", True),
        ("2020-01-01", True),
        ("soon", False),
        ("", False),
    ],
)
def test_clocks(theirs: str, differ: bool) -> None:
    assert plan.clocks_differ(theirs, NOW) is differ


# Going on


def run(verdict: str | None = "partial", token: str | None = "next", **changes: Any) -> Harvest:
    last = Harvest(
        id=1,
        source="test",
        fingerprint=plan.fingerprint(SOURCE),
        started="",
        request=DC,
        checkpoint=Checkpoint(token=token),
        verdict=verdict,
    )
    return msgspec.structs.replace(last, **changes)


@pytest.mark.parametrize("verdict", [None, "partial", "deferred"])
@pytest.mark.parametrize("token", ["next", ""])
def test_a_run_that_was_cut_off_is_gone_on_with(verdict: str | None, token: str) -> None:
    last = run(verdict, token)
    assert plan.resumable(last, SOURCE, Options()) is last


@pytest.mark.parametrize(
    ("last", "options"),
    [
        (None, Options()),
        (run("complete"), Options()),
        (run("verified"), Options()),
        (run("unproven"), Options()),
        (run("failed"), Options()),
        (run(token=None), Options()),
        (run(fingerprint="another address"), Options()),
        (run(), Options(from_="2020-01-01")),
        (run(), Options(until="2020-01-01")),
        (run(request=Request("oai_dc", from_="2020-01-01", bounded=True)), Options()),
        (run(request=Request("oai_dc", from_="2020-01-01")), Options(full=True)),
    ],
)
def test_another_run_is_not(last: Harvest | None, options: Options) -> None:
    assert plan.resumable(last, SOURCE, options) is None


def test_a_full_run_goes_on_with_a_full_one() -> None:
    assert plan.resumable(run(), SOURCE, Options(full=True))


# The watermark


DATES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
JUNK = st.sampled_from(["", "soon", "0000-00-00", "2026-02-30", "2026-06", "9999-12-31T23:59:59+00:00"])
STAMPS = DATES.map(format_datestamp) | DATES.map(lambda moment: format_datestamp(moment)[:10]) | JUNK


def seen(pages: list[tuple[list[str], str]], now: datetime) -> Checkpoint:
    """The checkpoint after these pages: (datestamps, responseDate)."""
    checkpoint = Checkpoint()
    for stamps, said in pages:
        response_date = checkpoint.response_date or plan.response_date(said, now)
        newest = plan.newest_acceptable(checkpoint.newest, stamps, response_date)
        checkpoint = msgspec.structs.replace(checkpoint, response_date=response_date, newest=newest)
    return checkpoint


PAGES = st.lists(st.tuples(st.lists(STAMPS, max_size=4), STAMPS), min_size=1, max_size=4)


@given(pages=PAGES, now=DATES, before=st.none() | DATES.map(format_datestamp))
def test_the_watermark_never_falls_and_never_leads(
    pages: list[tuple[list[str], str]], now: datetime, before: str | None
) -> None:
    mark = plan.next_watermark(state(watermark=before), DC, seen(pages, now))
    if mark is None:
        return
    assert before is None or mark >= before
    if mark != before:
        said = parse_datestamp(pages[0][1])
        moment = parse_datestamp(mark)
        assert moment is not None
        assert moment - now <= SKEW
        assert said is None or said - now > SKEW or moment <= said


@given(pages=PAGES, now=DATES)
def test_a_window_of_ones_own_moves_nothing(pages: list[tuple[list[str], str]], now: datetime) -> None:
    bounded = msgspec.structs.replace(DC, bounded=True)
    assert plan.next_watermark(state(), bounded, seen(pages, now)) is None


@given(stamps=st.lists(STAMPS, max_size=6), parts=st.integers(1, 3))
def test_pages_may_be_cut_anywhere(stamps: list[str], parts: int) -> None:
    said = format_datestamp(NOW)
    whole = seen([(stamps, said)], NOW)
    cut = seen([(stamps[at::parts], said) for at in range(parts)], NOW)
    assert cut.newest == whole.newest


@pytest.mark.parametrize(
    ("stamps", "said", "watermark"),
    [
        (["2026-05-01", "2026-05-28T10:00:00Z"], "2026-06-01T12:00:00Z", "2026-05-28T10:00:00Z"),
        (["2026-06-02T10:00:00Z"], "2026-06-01T12:00:00Z", "2026-06-01T12:00:00Z"),
        (["2099-01-01"], "2026-06-01T12:00:00Z", None),
        (["2099-01-01", "2026-05-01"], "2026-06-01T12:00:00Z", "2026-05-01T00:00:00Z"),
        (["2099-01-01", "2026-05-01"], "", "2026-05-01T00:00:00Z"),
        (["2099-01-01"], "9999-12-31T23:59:59Z", None),
        (["junk"], "2026-06-01T12:00:00Z", None),
        ([], "2026-06-01T12:00:00Z", None),
    ],
)
def test_watermarks(stamps: list[str], said: str, watermark: str | None) -> None:
    assert plan.next_watermark(state(), DC, seen([(stamps, said)], NOW)) == watermark


def test_restarts_are_few() -> None:
    assert [plan.may_restart(Checkpoint(restarts=count)) for count in range(5)] == [True] * 3 + [False] * 2


def test_a_fingerprint_is_of_what_is_requested() -> None:
    others = [
        msgspec.structs.replace(SOURCE, **change)
        for change in ({"url": "u"}, {"metadata_prefix": "p"}, {"set": "s"})
    ]
    prints = {plan.fingerprint(source) for source in [SOURCE, *others]}
    assert len(prints) == 4
    renamed = msgspec.structs.replace(SOURCE, name="n", schedule="every 6 hours", details="eprints")
    assert plan.fingerprint(renamed) == plan.fingerprint(SOURCE)


def test_the_time_is_the_repositorys_where_that_can_be() -> None:
    assert plan.response_date("2026-06-01T11:00:00+00:00", NOW) == "2026-06-01T11:00:00Z"
    assert plan.response_date("2020-01-01", NOW) == "2020-01-01T00:00:00Z"
    assert plan.response_date(format_datestamp(NOW + timedelta(hours=26)), NOW) == "2026-06-02T14:00:00Z"
    for junk in ("", "soon", "2027-01-01", "9999-12-31T23:59:59Z"):
        assert plan.response_date(junk, NOW) == "2026-05-31T12:00:00Z"
