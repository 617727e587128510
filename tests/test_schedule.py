"""Schedules: crontab(5), and the two days a year on which the clocks change."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harvester.errors import ConfigError
from harvester.schedule import next_due, parse_schedule, zone_named

LONDON = ZoneInfo("Europe/London")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(line: str, after: str, count: int, zone: tzinfo = UTC) -> list[str]:
    schedule, moment, found = parse_schedule(line), utc(after), []
    for _ in range(count):
        moment = next_due(schedule, moment, zone)
        found.append(f"{moment:%Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("every 6 hours", timedelta(hours=6)),
        ("every 1 minute", timedelta(minutes=1)),
        ("Every  2  DAYS", timedelta(days=2)),
        ("every 366 days", timedelta(days=366)),
    ],
)
def test_an_interval_counts_from_the_last_time(text, expected):
    after = utc("2026-03-28 12:34:56")
    assert next_due(parse_schedule(text), after, LONDON) == after + expected


@pytest.mark.parametrize(
    ("line", "after", "expected"),
    [
        ("0 3 * * *", "2026-01-01 03:00", ["2026-01-02 03:00", "2026-01-03 03:00"]),
        (
            "*/20 9-10 * * *",
            "2026-01-01 09:50",
            ["2026-01-01 10:00", "2026-01-01 10:20", "2026-01-01 10:40", "2026-01-02 09:00"],
        ),
        ("0 0-23/8 * * *", "2026-01-01 00:00", ["2026-01-01 08:00", "2026-01-01 16:00", "2026-01-02 00:00"]),
        ("5,1 4 * JAN-feb *", "2026-02-28 04:01", ["2026-02-28 04:05", "2027-01-01 04:01"]),
        ("0 0 29 2 *", "2026-01-01 00:00", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 12 * * 0", "2026-01-01 00:00", ["2026-01-04 12:00", "2026-01-11 12:00"]),
        ("0 12 * * 7", "2026-01-01 00:00", ["2026-01-04 12:00", "2026-01-11 12:00"]),
        (
            "0 12 * * sat,sun",
            "2026-01-01 00:00",
            ["2026-01-03 12:00", "2026-01-04 12:00", "2026-01-10 12:00"],
        ),
        (
            "0 12 * * 5-7",
            "2026-01-01 00:00",
            ["2026-01-02 12:00", "2026-01-03 12:00", "2026-01-04 12:00", "2026-01-09 12:00"],
        ),
        ("0 12 * * 1", "2026-01-01 00:00", ["2026-01-05 12:00"]),  # Monday, where APScheduler has Tuesday
        (
            "30 4 1,15 * 5",
            "2026-01-01 04:30",
            ["2026-01-02 04:30", "2026-01-09 04:30", "2026-01-15 04:30", "2026-01-16 04:30"],
        ),
        ("30 4 15 * *", "2026-01-01 04:30", ["2026-01-15 04:30", "2026-02-15 04:30"]),
        (
            "30 4 */2 * mon",
            "2026-01-01 04:30",
            ["2026-01-05 04:30", "2026-01-19 04:30"],
        ),  # a star does not restrict
    ],
)
def test_cron_lines_mean_what_crontab_says(line, after, expected):
    assert due(line, after, len(expected)) == expected


@pytest.mark.parametrize(
    ("line", "after", "expected"),
    [
        # 29 March 2026: 01:00 GMT is 02:00 BST. 25 October 2026: 02:00 BST is 01:00 GMT.
        ("30 2 * * *", "2026-03-28 12:00", ["2026-03-29 01:30", "2026-03-30 01:30"]),
        ("30 1 * * *", "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:30"]),
        ("0,20,40 1 * * *", "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:00"]),
        ("30 1 * * *", "2026-10-24 12:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
        ("30 1 * * *", "2026-10-25 01:10", ["2026-10-26 01:30"]),  # in the second coming of that hour
        ("0 0 * * *", "2026-10-24 22:00", ["2026-10-24 23:00", "2026-10-26 00:00"]),
        ("30 * * * *", "2026-03-29 00:00", ["2026-03-29 00:30", "2026-03-29 01:30"]),
        ("30 * * * *", "2026-10-25 00:00", ["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"]),
        ("30 */1 * * *", "2026-10-25 00:00", ["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"]),
    ],
)
def test_when_the_clocks_of_london_change(line, after, expected):
    assert due(line, after, len(expected), LONDON) == expected


@pytest.mark.parametrize(
    ("zone", "line", "after", "expected"),
    [
        # In Berlin the hour from 2 to 3 is missing on 29 March and doubled on 25 October 2026.
        ("Europe/Berlin", "0 */2 * * *", "2026-03-28 23:30", ["2026-03-29 01:00", "2026-03-29 02:00"]),
        ("Europe/Berlin", "0 */2 * * *", "2026-10-24 22:30", ["2026-10-25 00:00", "2026-10-25 03:00"]),
        ("Europe/Berlin", "*/30 2 * * *", "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:00"]),
        (
            "Europe/Berlin",
            "*/30 2 * * *",
            "2026-10-24 12:00",
            ["2026-10-25 00:00", "2026-10-25 00:30", "2026-10-26 01:00"],
        ),
        (
            "Africa/Cairo",
            "0 0 * * *",
            "2026-04-23 12:00",
            ["2026-04-23 22:00", "2026-04-24 21:00"],
        ),  # midnight is missing
    ],
)
def test_a_missing_or_doubled_hour_counts_once(zone, line, after, expected):
    assert due(line, after, len(expected), ZoneInfo(zone)) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "allowed: "),
        ("hourly", "allowed: "),
        ("@daily", "allowed: "),
        ("every 6 weeks", "every N days"),
        ("every hour on the hour", "every N hours"),
        ("every 0 hours", "from 1 minute"),
        ("every 367 days", "to 366 days"),
        ("every 999999 days", "to 366 days"),
        ("* * * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("60 * * * *", "'60' is no minute; allowed: 0 to 59"),
        ("* 24 * * *", "'24' is no hour"),
        ("* * 0 * *", "'0' is no day of the month"),
        ("* * * 13 *", "'13' is no month; allowed: 1 to 12 or jan to dec"),
        ("* * * * 8", "'8' is no day of the week; allowed: 0 to 7 or sun to sat"),
        ("* * * mon *", "'mon' is no month"),
        ("* * L * *", "'l' is no day of the month"),
        ("* * * * mon#1", "'mon#1' is no day of the week"),
        ("٣ * * * *", "is no minute"),
        ("1, * * * *", "'' is no minute"),
        ("5-1 * * * *", "'5-1' in the field minute runs backwards"),
        ("5/10 * * * *", "no range to go through"),
        ("5-5/10 * * * *", "no range to go through"),
        ("*/0 * * * *", "not from 1 to 59"),
        ("*/90 * * * *", "not from 1 to 59"),
        ("0 0 31 2,4,6 *", "no such day ever comes"),
    ],
)
def test_a_faulty_schedule_says_what_is_allowed(text, says):
    with pytest.raises(ConfigError) as caught:
        parse_schedule(text)
    assert says in caught.value.message


def test_a_zone_has_its_name_or_is_the_machine_s(monkeypatch):
    assert zone_named("Europe/London") is LONDON
    tzlocal = pytest.importorskip("tzlocal")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    monkeypatch.setattr("tzlocal.utils.assert_tz_offset", lambda *_args, **_kwargs: None)
    monkeypatch.setattr(tzlocal.unix, "_cache_tz", None)
    assert zone_named("") == ZoneInfo("Europe/Berlin")
    monkeypatch.setattr(tzlocal.unix, "_cache_tz", None)


# The fields read again, another way


def items(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).filter(lambda pair: pair[0] < pair[1])
    item = (
        number.map(str)
        | span.map(lambda pair: f"{pair[0]}-{pair[1]}")
        | st.builds(lambda pair, step: f"{pair[0]}-{pair[1]}/{step}", span, st.integers(1, high))
        | st.integers(1, high).map(lambda step: f"*/{step}")
    )
    return st.just("*") | st.lists(item, min_size=1, max_size=3).map(",".join)


LINES = st.tuples(items(0, 59), items(0, 23), items(1, 31), items(1, 12), items(0, 7)).map(" ".join)
ZONES = st.sampled_from(
    ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Tokyo"]
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
NEAR_CHANGES = st.builds(
    lambda day, minutes: utc(day) + timedelta(minutes=minutes),
    st.sampled_from(
        ["2026-03-08", "2026-03-29", "2026-04-04", "2026-04-23", "2026-10-03", "2026-10-25", "2026-11-01"]
    ),
    st.integers(-1440, 2880),
)


def numbers(field: str, low: int, high: int) -> set[int]:
    found = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        found |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    return found


def matches(line: str, at: datetime) -> bool:
    minute, hour, day, month, weekday = line.split()
    on_day = at.day in numbers(day, 1, 31)
    on_weekday = at.isoweekday() % 7 in {number % 7 for number in numbers(weekday, 0, 7)}
    both = day.startswith("*") or weekday.startswith("*")
    return (
        at.minute in numbers(minute, 0, 59)
        and at.hour in numbers(hour, 0, 23)
        and at.month in numbers(month, 1, 12)
        and (on_day and on_weekday if both else on_day or on_weekday)
    )


def skipped_before(moment: datetime, zone: tzinfo) -> list[datetime]:
    """The wall-clock minutes that the clocks left out just before `moment`."""
    shown = (moment - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None) + timedelta(minutes=1)
    now, left_out = moment.astimezone(zone).replace(tzinfo=None), []
    while shown < now:
        left_out.append(shown)
        shown += timedelta(minutes=1)
    return left_out


@given(LINES, MOMENTS | NEAR_CHANGES, ZONES)
def test_what_is_due_comes_later_and_matches(line, after, name):
    zone = ZoneInfo(name)
    try:
        moment = next_due(parse_schedule(line), after, zone)
    except ConfigError:
        assume(False)
    assert moment > after
    local = moment.astimezone(zone)
    assert moment.tzinfo is UTC
    assert matches(line, local) or any(matches(line, left_out) for left_out in skipped_before(moment, zone))


@given(
    st.tuples(items(0, 59), items(0, 23)).map(lambda pair: f"{pair[0]} {pair[1]} * * *"), NEAR_CHANGES, ZONES
)
def test_nothing_due_is_passed_over_and_no_wall_clock_minute_comes_twice(line, after, name):
    """Minute by minute through two days: what matches, or was left out and matches, runs once."""
    zone = ZoneInfo(name)
    moment = next_due(parse_schedule(line), after, zone)
    hourly = line.split()[1] in ("*", "*/1")
    minute = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minute < moment:
        local = minute.astimezone(zone)
        assert not matches(line, local) or (not hourly and local.fold == 1)
        assert hourly or not any(matches(line, left_out) for left_out in skipped_before(minute, zone))
        minute += timedelta(minutes=1)
    assert hourly or moment.astimezone(zone).fold == 0 or skipped_before(moment, zone)
