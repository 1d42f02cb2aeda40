"""Periods as first and last day."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.normalise.periods import normalise_period
from gongkai.rules.periods import tag_periods
from gongkai.text import fold
from gongkai.types import PeriodNorm


@pytest.mark.parametrize(
    ("surface", "start", "end"),
    [
        ("2018年", "2018-01-01", "2018-12-31"),
        ("二〇一七年", "2017-01-01", "2017-12-31"),
        ("2018年度", "2018-01-01", "2018-12-31"),
        ("2018年全年", "2018-01-01", "2018-12-31"),
        ("2018年12月31日", "2018-12-31", "2018-12-31"),
        ("2018 年 3 月 5 日", "2018-03-05", "2018-03-05"),
        ("2017年1月1日至2017年12月31日", "2017-01-01", "2017-12-31"),
        ("2017年1月1日起至12月31日", "2017-01-01", "2017-12-31"),
        ("20181月1日起至201812月31日", "2018-01-01", "2018-12-31"),
        ("2018年1-12月", "2018-01-01", "2018-12-31"),
        ("2018年1月至2019年3月", "2018-01-01", "2019-03-31"),
        ("2018-2020年", "2018-01-01", "2020-12-31"),
        ("2018年至2020年", "2018-01-01", "2020-12-31"),
        ("1至12月", "2018-01-01", "2018-12-31"),
        ("1-6月", "2018-01-01", "2018-06-30"),
        ("一至三月", "2018-01-01", "2018-03-31"),
        ("3月1日-15日", "2018-03-01", "2018-03-15"),
        ("3月15日", "2018-03-15", "2018-03-15"),
        ("2月", "2018-02-01", "2018-02-28"),
        ("7月初", "2018-07-01", "2018-07-10"),
        ("2月底", "2018-02-28", "2018-02-28"),
        ("9月下旬", "2018-09-21", "2018-09-30"),
        ("十二月三十一日", "2018-12-31", "2018-12-31"),
        ("2019-03-11", "2019-03-11", "2019-03-11"),
        ("2021-07-12 10:22", "2021-07-12", "2021-07-12"),
        ("2018.3.15", "2018-03-15", "2018-03-15"),
        ("2019/3/11", "2019-03-11", "2019-03-11"),
        ("2019-01-01至2019-12-31", "2019-01-01", "2019-12-31"),
        ("2018年3月5日上午9:30", "2018-03-05", "2018-03-05"),
        ("全年", "2018-01-01", "2018-12-31"),
        ("上半年", "2018-01-01", "2018-06-30"),
        ("2019年下半年", "2019-07-01", "2019-12-31"),
        ("一季度", "2018-01-01", "2018-03-31"),
        ("2018年第三季度", "2018-07-01", "2018-09-30"),
        ("第三季度末", "2018-09-30", "2018-09-30"),
        ("前三季度", "2018-01-01", "2018-09-30"),
        ("三、四季度", "2018-07-01", "2018-12-31"),
        ("去年", "2017-01-01", "2017-12-31"),
        ("今年上半年", "2018-01-01", "2018-06-30"),
        ("上一年度", "2017-01-01", "2017-12-31"),
        ("上年末", "2017-12-31", "2017-12-31"),
        ("下年度", "2019-01-01", "2019-12-31"),
        ("本年度", "2018-01-01", "2018-12-31"),
        ("年初", "2018-01-01", "2018-01-01"),
        ("年底", "2018-12-31", "2018-12-31"),
        ("2019年底", "2019-12-31", "2019-12-31"),
        ("今年年底", "2018-12-31", "2018-12-31"),
        ("去年同期", "2017-01-01", "2017-12-31"),
        ("“十三五”时期", "2016-01-01", "2020-12-31"),
        ("十四五末", "2025-01-01", "2025-12-31"),
        ("“一五”时期", "1953-01-01", "1957-12-31"),
        ("“二五”时期", "1958-01-01", "1962-12-31"),
        ("“五五”末期", "1980-01-01", "1980-12-31"),
        ("“十五”期间", "2001-01-01", "2005-12-31"),
        ("“十一五”前四年", "2006-01-01", "2009-12-31"),
        ("2004年4月和9月", "2004-04-01", "2004-09-30"),
        ("今年3月、6月、9月", "2018-03-01", "2018-09-30"),
        ("一九七九和一九八○两年", "1979-01-01", "1980-12-31"),
        ("2016、2017、2018年", "2016-01-01", "2018-12-31"),
        ("一九八○", "1980-01-01", "1980-12-31"),
        ("2003年12月18日晚8时40分", "2003-12-18", "2003-12-18"),
        ("五年", "2014-01-01", "2018-12-31"),
        ("过去的三年", "2016-01-01", "2018-12-31"),
        ("今后五年", "2019-01-01", "2023-12-31"),
        ("前五年", None, None),
        ("19日晚8时35分", None, None),
        ("20世纪90年代", "1990-01-01", "1999-12-31"),
        ("八十年代初", "1980-01-01", "1989-12-31"),
        ("2018年2月30日", None, None),
        ("2018年3月1日至2018年3月32日", "2018-03-01", None),
        ("月底", None, None),
        ("本月", None, None),
    ],
)
def test_periods_of_a_2018_report(surface: str, start: str | None, end: str | None) -> None:
    assert normalise_period(surface, year=2018) == PeriodNorm(start=start, end=end)


@pytest.mark.parametrize("surface", ["全年", "去年", "1至12月", "3月15日", "年底", "一季度", "去年同期"])
def test_without_a_year_nothing_is_known(surface: str) -> None:
    assert normalise_period(surface, year=None) == PeriodNorm()


def test_anchor_completes_the_same_period() -> None:
    anchor = PeriodNorm(start="2018-01-01", end="2018-06-30")
    found = normalise_period("去年同期", year=2018, anchor=anchor)
    assert found == PeriodNorm(start="2017-01-01", end="2017-06-30")
    leap = PeriodNorm(start="2020-02-29", end="2020-02-29")
    assert normalise_period("去年同期", year=2020, anchor=leap).start == "2019-02-28"


def test_anchor_gives_a_bare_month_its_year() -> None:
    anchor = PeriodNorm(start="2017-01-01", end="2017-12-31")
    assert normalise_period("3月15日", year=2018, anchor=anchor).start == "2017-03-15"


def test_anchor_gives_a_bare_day_its_month() -> None:
    anchor = PeriodNorm(start="2003-12-18", end="2003-12-18")
    assert normalise_period("19日晚8时35分", year=2018, anchor=anchor).start == "2003-12-19"


@given(st.dates(date(1978, 1, 1), date(2099, 12, 31)))
def test_every_day_in_every_spelling(day: date) -> None:
    spellings = [
        f"{day.year}年{day.month}月{day.day}日",
        day.isoformat(),
        f"{day.year}.{day.month}.{day.day}",
    ]
    for spelling in spellings:
        found = normalise_period(spelling, year=None)
        assert found == PeriodNorm(start=day.isoformat(), end=day.isoformat())


@given(
    st.text(
        alphabet="0123456789一二三十〇年月日号至到起-~/.: 去今上下全半季度底初末旬同期五时期", max_size=40
    )
)
def test_whatever_is_tagged_is_in_order_or_unknown(text: str) -> None:
    view = fold(text)
    for mention in tag_periods(view):
        found = normalise_period(view[mention.start : mention.end], year=2018)
        for side in (found.start, found.end):
            assert side is None or date.fromisoformat(side)
