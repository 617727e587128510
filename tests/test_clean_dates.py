from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.clean import dates


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("2021", "2021"),
        ("2021-03", "2021-03"),
        ("2021-03-09", "2021-03-09"),
        ("2021-3-9", "2021-03-09"),
        ("2004-00-00", "2004"),
        ("2011-02-30", "2011-02"),
        ("2011-13-01", "2011"),
        ("20110304", "2011-03-04"),
        ("May 2013", "2013-05"),
        ("9 March 2021", "2021-03-09"),
        ("March 9th, 2021", "2021-03-09"),
        ("12-20-2007", "2007-12-20"),
        ("20/12/2007", "2007-12-20"),
        ("05-06-2007", "2007"),
        ("(1876)", "1876"),
        ("[1876?]", "1876"),
        ("c. 1876", "1876"),
        ("2005?", "2005"),
        ("1940-1949", "1940"),
        ("2010/2014", "2010"),
        ("2025-07-13/2025-07-16", "2025-07-13"),
        ("2008 - Audio", "2008"),
        ("2010-03-15T08:00:00Z", "2010-03-15"),
        ("2010-03-01T08:00:00Z", "2010-03"),
        ("2010-01-01T07:00:00Z", "2010"),
        ("2010-01-01T00:00:00Z", "2010-01-01"),
        ("1960's", ""),
        ("undated", ""),
        ("N.D.", ""),
        ("December", ""),
        ("10000-01-01", ""),
        ("9999-12-31", ""),
        ("0000-00-00", ""),
        ("info:eu-repo/date/embargoEnd/2018-05-27", ""),
        ("MONTHS_WITHHELD:12", ""),
        ("", ""),
    ],
)
def test_a_date_is_no_more_precise_than_it_was_said(said: str, found: str) -> None:
    assert dates.read(said).date == found


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        (["2021-11-08T13:17:36Z", "2016-11-09", "2019-06-03T20:27:56Z"], "2016-11-09"),  # DSpace
        (["2018-03", "2017-11"], "2018-03"),
        (["2016-04-12T19:00:06Z", "2016-04-10T19:00:06Z"], "2016-04-10"),
        (["2007-01-03T06:14:31Z", "1980's"], ""),
        (["info:eu-repo/date/embargoEnd/2019-05-01", "2018-11"], "2018-11"),
        ([], ""),
    ],
)
def test_the_date_of_the_work_is_chosen(said: list[str], chosen: str) -> None:
    assert dates.choose(said).date == chosen


@given(st.dates(date(1000, 1, 1), date(2100, 12, 31)))
def test_every_day_is_read(day: date) -> None:
    assert dates.read(day.isoformat()).date == day.isoformat()
    assert dates.year(day.isoformat()) == day.year


@given(st.text(st.sampled_from("0123456789-/TZ:.?()[] maych")))
def test_what_is_read_is_read_again_the_same(said: str) -> None:
    found = dates.read(said).date
    assert dates.read(found).date == found


def test_no_date_has_no_year() -> None:
    assert dates.year("") is None
