"""PERIOD mentions as first and last day, resolved against the year that the report is about."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

import msgspec

from gongkai.normalise.numerals import parse_number
from gongkai.text import ZERO_WIDTH, fold
from gongkai.types import PeriodNorm

_ISO = re.compile(r"((?:19|20)\d{2})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_SPLIT_ISO = re.compile(r"(?<=-\d) (?=\d-)")
_CLOCK = re.compile(
    r"(?<=[日号])T?(?:上午|下午|早上|晚上|中午|傍晚|清晨|凌晨|深夜|早|晚)?\d{1,2}[:时点][\d:分整半]*"
)
_SAME_YEAR = re.compile(r"(?<=[至到])同年")
_LOST_YEAR_SIGN = re.compile(r"((?:19|20)\d{2})(?=(?:1[0-2]|0?[1-9])月)")
_WORDS_YEAR = re.compile(r"[〇零一二三四五六七八九]{4}(?=年|$|[-~至到、和与及两三])")
_WORDS = re.compile(
    r"[一二三四五六七八九十]+(?=[月日号季]|[、至到~-][一二三四五六七八九十]+[月季]|年代|世纪)"
)
_QUARTERS = re.compile(r"(?P<first>\d)[、至到~-](?P<last>\d)季度")
_TO = re.compile(r"(?:算?起)?,?(?:--|[-~至到]|截至|截止到?)")
_LIST = re.compile(r"(?<=[\d月])[、和与及](?:.*[、和与及])?(?=\d{4}|\d{1,2}月)")
_SHARED_YEAR_SIGN = re.compile(r"(?<=\d{4})[两二三四五]年$")
_COUNTED_YEARS = re.compile(
    r"(?P<side>过去的?|最近|近|这|未来|今后|前|后)?(?P<years>[1-9]\d?|[一二两三四五六七八九十]{1,3})年"
)
_BLANKS = str.maketrans("", "", f" {ZERO_WIDTH}")
_FROM_NOW = {"前年": -2, "去年": -1, "今年": 0, "明年": 1}
_FROM_REPORT = {"本年": 0, "下一年": 1, "下年": 1}
_FROM_LAST = {"上一年": -1, "上年": -1, "次年": 1}
_RELATIVE = _FROM_NOW | _FROM_REPORT | _FROM_LAST
"""Years counted from that of writing, from the report's, from the one spoken of last."""
_POINT = re.compile(
    rf"(?:(?P<year>\d{{4}})(?:年|$)|(?P<relative>{'|'.join(_RELATIVE)}))?的?度?"
    r"(?:(?P<month>\d{1,2})(?:月份?|$))?(?:(?P<day>\d{1,2})[日号])?(?P<rest>.*)",
    re.DOTALL,
)
_DECADE = re.compile(r"(?:(?P<century>\d{2})世纪)?(?P<decade>\d0)年代")
_PLAN = re.compile(
    r"(?P<number>十[一二三四五六七]?|[一二三四五六七八九])五[“‘”’\"]?"
    r"(?:(?P<part>[初末]|期末)|(?P<side>[前后])(?P<years>[两二三四])年|中?期|时期)"
)
_SCHOOL_YEAR = re.compile(
    r"(?:(?P<opening>\d{4})年?(?:[-~至到]\d{2,4})?|[本全当]|(?P<before>上一?)|(?P<after>下一?))?学年度?[内中]?"
)
_NO_MONTH = re.compile(r"(?:[本当同]月|(?=月[初中底末])|(?=[上中下]旬|\d{1,2}[日号]))")
"""Before a part of a month that is not named."""
_HOLIDAYS = {"五一": (5, 1), "十一": (10, 1)}
_HOLIDAY = re.compile(r"[“\"](五一|十一)[”\"](?P<when>.*)")
_OLD_PLANS = {"一": 1957, "二": 1962}
"""Last years of the plans before the rhythm of 1966–1970, 1971–1975, …"""
_PARTS_OF_MONTH = {
    "初": (1, 10),
    "上旬": (1, 10),
    "中旬": (11, 20),
    "下旬": (21, 31),
    "底": (31, 31),
    "末": (31, 31),
}
_PARTS_OF_YEAR = {
    "上半年": (1, 1, 6, 30),
    "下半年": (7, 1, 12, 31),
    "初": (1, 1, 1, 1),
    "中": (6, 1, 6, 30),
    "底": (12, 31, 12, 31),
    "末": (12, 31, 12, 31),
}
UNKNOWN = PeriodNorm()


class _Point(msgspec.Struct, frozen=True):
    """One side of a period: what is printed of it, the rest completed from the other side."""

    year: int | None
    month: int | None
    day: int | None
    rest: str


def normalise_period(
    surface: str,
    *,
    year: int | None,
    now: int | None = None,
    anchor: PeriodNorm | None = None,
    last: PeriodNorm | None = None,
) -> PeriodNorm:
    """First and last day that a PERIOD names, both inclusive.

    年初 is the first day of the year and 年底 its last; 月初 and 上旬 are the first ten days of a month; 学年 runs
    from 1 September to 31 August. What needs a year that nobody gives, or names no real day (2月30日), is None
    on that side.

    Args:
        surface: The span, as in the folded view.
        year: The report's year: what 本年度, 全年, a bare month, and the end of 过去五年 refer to.
        now: The year that 今年 means; the report's unless given.
        anchor: The period spoken of here: its year goes before the report's for what has none of its own.
        last: The period that the sentence states before this one, the anchor unless given: 去年同期 is the same
            days a year earlier, 上年 the year before it, 后三年 its last three years, 月底 the end of its month.

    >>> normalise_period("2018年上半年", year=None)
    PeriodNorm(start='2018-01-01', end='2018-06-30')
    >>> normalise_period("上年度", year=2018), normalise_period("1至12月", year=2018)
    (PeriodNorm(start='2017-01-01', end='2017-12-31'), PeriodNorm(start='2018-01-01', end='2018-12-31'))
    """
    now = year if now is None else now
    last = last or anchor
    if holiday := _HOLIDAY.fullmatch(fold(surface)):
        return _holiday(holiday, year)
    text = _digits(fold(surface))
    if school := _SCHOOL_YEAR.fullmatch(text):
        return _school_year(school, year, anchor)
    if "同期" in text:
        return _same_period(text, year, now, last)
    if plan := _PLAN.search(text):
        return _plan(plan)
    if counted := _COUNTED_YEARS.fullmatch(text):
        return _counted_years(counted, year, last)
    if decade := _DECADE.search(text):
        opening = _decade(int(decade["decade"]), decade["century"])
        return _years(opening, opening + 9)
    if unnamed := _NO_MONTH.match(text):
        month = _single_month(last)
        if month is None:
            return UNKNOWN
        anchor, text = last, f"{month}月{text[unnamed.end() :].removeprefix('月')}"
    quarters = _QUARTERS.search(text)
    if quarters:
        text = _QUARTERS.sub(f"{quarters['last']}季度", text)
    parts = _TO.split(_LIST.sub("-", text), maxsplit=1)
    spoken = single_year(last) or year
    first = closing = _point(parts[0], year, now, spoken)
    if len(parts) > 1:
        closing = _point(parts[1], year, now, first.year or spoken)
    first, closing = _completed(first, closing, year, anchor)
    start, end = _days(first)[0], _days(closing)[1]
    if quarters and first.year is not None:
        start = _iso(first.year, 3 * int(quarters["first"]) - 2, 1)
    return PeriodNorm(start=start, end=end)


def reported_period(year: int | None, title: str | None) -> PeriodNorm | None:
    """What a report on `year` is about: the calendar year, or the school year that its title names.

    >>> reported_period(2011, "某大学2011—2012学年信息公开工作报告")
    PeriodNorm(start='2011-09-01', end='2012-08-31')
    """
    if year is None:
        return None
    return _school(year) if "学年" in fold(title or "") else _years(year, year)


def _digits(text: str) -> str:
    """One spelling: 年月日 with digits, no time of day, the lost 年 of 20181月 put back."""
    text = _SPLIT_ISO.sub("", text)
    text = _ISO.sub(r"\1年\3月\4日", text).translate(_BLANKS)
    text = _SAME_YEAR.sub("", text)
    text = _LOST_YEAR_SIGN.sub(r"\1年", text)
    text = _WORDS_YEAR.sub(lambda match: str(int(parse_number(match[0]))), text)
    text = _WORDS.sub(lambda match: str(int(parse_number(match[0]))), text)
    return _SHARED_YEAR_SIGN.sub("年", _CLOCK.sub("", text))


def _point(text: str, report: int | None, now: int | None, last: int | None) -> _Point:
    match = _POINT.fullmatch(text)
    if match is None:
        return _Point(None, None, None, text)
    year = int(match["year"]) if match["year"] else None
    if word := match["relative"]:
        base = now if word in _FROM_NOW else report if word in _FROM_REPORT else last
        year = None if base is None else base + _RELATIVE[word]
    month, day = match["month"], match["day"]
    return _Point(year, int(month) if month else None, int(day) if day else None, match["rest"])


def _completed(
    first: _Point, last: _Point, year: int | None, anchor: PeriodNorm | None
) -> tuple[_Point, _Point]:
    """Each side with what only the other prints (2018年1-12月, 3月1日至15日), else with what came before."""
    first_month = first.month or (_single_month(anchor) if first.day else None)
    last_month = last.month or (first_month if last.day else None)
    first_year = first.year or last.year or _year_within(anchor, first_month) or year
    last_year = last.year or first_year
    return (
        _Point(first_year, first_month, first.day, first.rest),
        _Point(last_year, last_month, last.day, last.rest),
    )


def _days(point: _Point) -> tuple[str | None, str | None]:
    """First and last day of a point that is complete; None where its year or day is not known."""
    if point.year is None:
        return None, None
    if point.month is None and point.day is None:
        return _part_of_year(point.year, point.rest)
    if point.month is None:
        return None, None
    if point.day is not None:
        day = _iso(point.year, point.month, point.day)
        return day, day
    length = monthrange(point.year, point.month)[1] if 1 <= point.month <= 12 else 31
    first, last = _PARTS_OF_MONTH.get(point.rest, (1, 31))
    return _iso(point.year, point.month, min(first, length)), _iso(point.year, point.month, min(last, length))


def _part_of_year(year: int, rest: str) -> tuple[str | None, str | None]:
    if quarter := re.search(r"(前?)第?(\d)季度", rest):
        last = 3 * int(quarter[2])
        opening = _iso(year, 1 if quarter[1] else last - 2, 1)
        closing = _iso(year, last, monthrange(year, last)[1])
        if rest.endswith("初"):
            return opening, opening
        return (closing, closing) if rest.endswith(("末", "底")) else (opening, closing)
    if re.search(r"月|季度", rest):
        return None, None
    for words, (month, day, last_month, last_day) in _PARTS_OF_YEAR.items():
        if rest.endswith(words):
            return _iso(year, month, day), _iso(year, last_month, last_day)
    return _iso(year, 1, 1), _iso(year, 12, 31)


def _same_period(text: str, year: int | None, now: int | None, last: PeriodNorm | None) -> PeriodNorm:
    """去年同期 and 2017年同期: the same days in that year; the whole year if no period was stated before it."""
    point = text.partition("同期")[0].rstrip("的")
    spoken = single_year(last)
    named = _point(point, year, spoken or now, spoken or year).year
    if named is None:
        return UNKNOWN
    if last is None or last.start is None or last.end is None:
        return _years(named, named)
    if spoken is None and not point[:4].isdecimal():
        named = int(last.start[:4]) - 1
    span = int(last.end[:4]) - int(last.start[:4])
    return PeriodNorm(start=_moved(last.start, named), end=_moved(last.end, named + span))


def _moved(day: str, year: int) -> str | None:
    """The same day in another year; 29 February becomes 28."""
    month, number = int(day[5:7]), int(day[8:10])
    return _iso(year, month, min(number, monthrange(year, month)[1]))


def _decade(decade: int, century: str | None) -> int:
    if century:
        return (int(century) - 1) * 100 + decade
    return (1900 if decade >= 30 else 2000) + decade


def _plan(plan: re.Match[str]) -> PeriodNorm:
    """A five-year plan, its first or last year, or its first or last few years."""
    number = plan["number"]
    closing = _OLD_PLANS.get(number) or 1955 + 5 * int(parse_number(number))
    opening = closing - 4
    if plan["part"]:
        return _years(opening, opening) if plan["part"] == "初" else _years(closing, closing)
    if plan["side"]:
        beyond = int(parse_number(plan["years"])) - 1
        return (
            _years(opening, opening + beyond) if plan["side"] == "前" else _years(closing - beyond, closing)
        )
    return _years(opening, closing)


def _counted_years(counted: re.Match[str], year: int | None, last: PeriodNorm | None) -> PeriodNorm:
    """Some of the years stated just before (前三年, 后三年), else years back from the report's, it included, or on."""
    side, beyond = counted["side"], int(parse_number(counted["years"])) - 1
    opening, closing = _whole_years(last) or (year, year)
    if opening is None or closing is None:
        return UNKNOWN
    stated = closing - opening
    if side == "前" and stated > beyond:
        return _years(opening, opening + beyond)
    if side == "后":
        return _years(closing - beyond, closing) if stated > beyond else UNKNOWN
    if side in (None, "这") and stated == beyond:
        return _years(opening, closing)
    if year is None:
        return UNKNOWN
    if side in ("未来", "今后"):
        return _years(year + 1, year + 1 + beyond)
    return _years(year - beyond, year)


def _school_year(school: re.Match[str], year: int | None, anchor: PeriodNorm | None) -> PeriodNorm:
    """A school year by its number, else the one spoken of, the one before or the one after."""
    if school["opening"]:
        return _school(int(school["opening"]))
    opening = int(anchor.start[:4]) if is_school_year(anchor) and anchor and anchor.start else year
    if opening is None:
        return UNKNOWN
    return _school(opening - bool(school["before"]) + bool(school["after"]))


def _school(opening: int) -> PeriodNorm:
    return PeriodNorm(start=_iso(opening, 9, 1), end=_iso(opening + 1, 8, 31))


def is_school_year(period: PeriodNorm | None) -> bool:
    return period is not None and period.start is not None and period == _school(int(period.start[:4]))


def _holiday(holiday: re.Match[str], year: int | None) -> PeriodNorm:
    """The day itself; how long its holidays last is decreed anew every year."""
    if year is None or holiday["when"] not in ("", "当天", "当日"):
        return UNKNOWN
    day = _iso(year, *_HOLIDAYS[holiday[1]])
    return PeriodNorm(start=day, end=day)


def _single_month(period: PeriodNorm | None) -> int | None:
    """The period's month, if it lies in one."""
    if period is None or period.start is None or period.end is None or period.start[:7] != period.end[:7]:
        return None
    return int(period.start[5:7])


def single_year(period: PeriodNorm | None) -> int | None:
    """The period's year, if it lies in one."""
    if period is None or period.start is None or period.end is None or period.start[:4] != period.end[:4]:
        return None
    return int(period.start[:4])


def _whole_years(period: PeriodNorm | None) -> tuple[int, int] | None:
    """First and last year of a period of calendar years, more than one."""
    if period is None or period.start is None or period.end is None or single_year(period):
        return None
    opening, closing = int(period.start[:4]), int(period.end[:4])
    return (opening, closing) if period == _years(opening, closing) else None


def _year_within(period: PeriodNorm | None, month: int | None) -> int | None:
    """The period's year; of a school year, the one that the month falls in."""
    if period is None or period.start is None:
        return None
    opening = int(period.start[:4])
    return opening + (is_school_year(period) and month is not None and month < 9)


def _years(first: int, last: int) -> PeriodNorm:
    return PeriodNorm(start=_iso(first, 1, 1), end=_iso(last, 12, 31))


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
