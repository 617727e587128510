"""Datestamps as repositories write them → moments, and back (FAULTS 2.5)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.datestamp import Granularity, format_datestamp, parse_datestamp


@pytest.mark.parametrize(
    ("said", "granularity"),
    [
        ("YYYY-MM-DDThh:mm:ssZ", Granularity.SECOND),
        (" yyyy-mm-ddThh:mm:ssz\n", Granularity.SECOND),
        ("YYYY-MM-DD", Granularity.DAY),
        ("yyyy-mm-dd", Granularity.DAY),
        ("YYYY-MM-DDThh:mmZ", Granularity.DAY),
        ("second", Granularity.DAY),
        ("", Granularity.DAY),
    ],
)
def test_granularity(said: str, granularity: Granularity) -> None:
    """D02, P10: in any case; what is unknown counts as day."""
    assert Granularity.parse(said) is granularity


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2024-01-01T00:00:00.067+02:00", "2023-12-31T22:00:00Z"),
        ("2024-01-01T10:00:21.067Z", "2024-01-01T10:00:21Z"),
        ("2024-01-01T10:00:21,9Z", "2024-01-01T10:00:21Z"),
        ("2024-01-01T10:00:00-0730", "2024-01-01T17:30:00Z"),
        ("2024-01-01 10:00", "2024-01-01T10:00:00Z"),
        ("2024-01-01t10:00:00z", "2024-01-01T10:00:00Z"),
        (" 2024-01-01\n", "2024-01-01T00:00:00Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z"),
    ],
)
def test_fractions_offsets_and_short_forms(said: str, moment: str) -> None:
    """D07, D03."""
    found = parse_datestamp(said)
    assert found is not None
    assert format_datestamp(found) == moment


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("2016-12-31T24:00:00Z", "2016-12-31T23:59:59Z"),
        ("2023-02-29", "2023-02-28T00:00:00Z"),
        ("2024-02-30T10:00:00Z", "2024-02-29T10:00:00Z"),
        ("2023-04-31", "2023-04-30T00:00:00Z"),
    ],
)
def test_what_is_just_beyond_is_the_moment_before(said: str, moment: str) -> None:
    """D17."""
    found = parse_datestamp(said)
    assert found is not None
    assert format_datestamp(found) == moment


@pytest.mark.parametrize(
    "said",
    [
        "", "0000-00-00", "0000-01-01", "2023-13-01", "2023-00-10", "2023-01-00", "2023-01-32",
        "2023-01-01T25:00:00Z", "2023-01-01T24:00:01Z", "2023-01-01T10:60:00Z", "2023-01-01T10:00:61Z",
        "2023-01-01T10:00:00+99:99", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "20240101",
        "2024-W01-1", "２０２４-01-01", "yesterday", "2024-01-01T", "2024-01-01Z", "1704067200",
    ],
)  # fmt: skip
def test_what_is_no_moment(said: str) -> None:
    """D03, D08: it is kept as sent, and moves no watermark."""
    assert parse_datestamp(said) is None


moments = st.datetimes(min_value=datetime(1, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)


@given(moments)
def test_what_we_write_we_read(moment: datetime) -> None:
    assert parse_datestamp(format_datestamp(moment)) == moment


@given(moments)
def test_a_day_is_written_as_its_beginning(moment: datetime) -> None:
    day = parse_datestamp(format_datestamp(moment, Granularity.DAY))
    assert day is not None
    assert timedelta(0) <= moment - day < timedelta(days=1)


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_an_offset_moves_nothing(moment: datetime, minutes: int) -> None:
    """D07: the same moment, as a clock elsewhere shows it."""
    try:
        shown = moment + timedelta(minutes=minutes)
    except OverflowError:
        return
    sign, hours, rest = "-" if minutes < 0 else "+", *divmod(abs(minutes), 60)
    assert parse_datestamp(f"{format_datestamp(shown)[:-1]}{sign}{hours:02}:{rest:02}") == moment


fields = st.tuples(*(st.integers(0, 99) for _ in range(5)), st.integers(0, 9999))


@given(fields)
def test_any_figures_are_a_moment_near_them_or_none(figures: tuple[int, ...]) -> None:
    """D17: nothing raises, and clamping moves nothing into another month or year."""
    month, day, hour, minute, second, year = figures
    found = parse_datestamp(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    if found is not None:
        assert (found.year, found.month) == (year, month)
        assert found.day <= day
        assert found.second <= second or hour == 24


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_none(text: str) -> None:
    found = parse_datestamp(text)
    assert found is None or found.tzinfo is UTC
