"""What a period without a year takes from what is said around it."""

from __future__ import annotations

import re

import pytest

from gongkai.dating import PeriodReader, config, cues
from gongkai.rules.periods import tag_periods
from gongkai.rules.policies import tag_policies
from gongkai.structure.patterns import PatternRow
from gongkai.structure.sections import tree
from gongkai.text import fold
from gongkai.types import Meta

REPORT = Meta(title="某区2019年政府信息公开工作年度报告", year=2019, doc_type="annual_report_b")
NOTICE = Meta(title="某区2019年政务公开工作要点", year=2019, doc_type="plan")
WORK_REPORT = Meta(title="2020年某市人民政府工作报告", year=2019)
SCHOOL = Meta(title="某大学2019—2020学年信息公开工作报告", year=2019, doc_type="annual_report_b")
UNDATED = Meta()

_ROWS = config().rows
_AT_THE_END = {"compared_before", "aimed_before", "recurring"}
_ANYWHERE = {"plans_begin", "looks_back", "runs_on"}


def matches(row: PatternRow, text: str) -> bool:
    pattern = cues()[row.name]
    searched = row.name in _AT_THE_END | _ANYWHERE
    return bool((pattern.search if searched else pattern.match)(fold(text)))


@pytest.mark.parametrize(("row", "text"), [(row, text) for row in _ROWS for text in row.match])
def test_row_takes_its_examples(row: PatternRow, text: str) -> None:
    assert matches(row, text)


@pytest.mark.parametrize(("row", "text"), [(row, text) for row in _ROWS for text in row.reject])
def test_row_leaves_its_near_misses(row: PatternRow, text: str) -> None:
    assert not matches(row, text)


def periods(text: str, meta: Meta) -> list[tuple[str, str | None]]:
    """Every PERIOD with its last day."""
    view = fold(text)
    sentences = [m.span() for m in re.finditer(r"[^。\n]*[。\n]+|[^。\n]+\Z", view)]
    paragraphs = [m.span() for m in re.finditer(r"[^\n]+", view)]
    reader = PeriodReader(view, meta, tree(view, paragraphs, text), sentences, paragraphs)
    mentions = sorted([*tag_periods(view), *tag_policies(view)], key=lambda m: (m.start, -m.end))
    return [(text[mention.start : mention.end], norm.end) for mention, norm in reader.read(mentions).items()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("全年公开3件", [("全年", "2019-12-31")]),
        ("2018年，6月底前公布，全年3期", ["2018-12-31", ("6月底", "2018-06-30"), ("全年", "2018-12-31")]),
        ("2018年公开3件。上半年1件", ["2018-12-31", ("上半年", "2018-06-30")]),
        ("2018年公开3件。\n上半年1件", ["2018-12-31", ("上半年", "2019-06-30")]),
        ("2018年，\n上半年1件", ["2018-12-31", ("上半年", "2018-06-30")]),
        ("比2018年下降，全年3件", ["2018-12-31", ("全年", "2019-12-31")]),
        ("恢复到2017年的58%，全年3件", ["2017-12-31", ("全年", "2019-12-31")]),
        ("对2018年的件逐案复盘，7月底形成报告", ["2018-12-31", ("7月底", "2019-07-31")]),
        ("2008年以来，上半年3件", ["2008-12-31", ("上半年", "2019-06-30")]),
        ("2016—2018年，6月公布", ["2018-12-31", ("6月", "2019-06-30")]),
        ("根据《2018年公园工作要点》，6月公布", ["2018-12-31", ("6月", "2019-06-30")]),
        ("2018年上半年3件，比去年同期增长", ["2018-06-30", ("去年同期", "2017-06-30")]),
        ("2016年3件，比上年增长", ["2016-12-31", ("上年", "2015-12-31")]),
        ("上半年3件，比2017年同期增长", [("上半年", "2019-06-30"), ("2017年同期", "2017-06-30")]),
        ("2018年12月18日晚8时和19日晚8时", ["2018-12-18", ("19日晚8时", "2018-12-19")]),
        ("12月7日公布，月底3件", ["2019-12-07", ("月底", "2019-12-31")]),
        ("2018年公开3件，去年2件", ["2018-12-31", ("去年", "2018-12-31")]),
    ],
)
def test_year_of_a_period_without_one(text: str, expected: list[str | tuple[str, str]]) -> None:
    found = periods(text, REPORT)
    assert len(found) == len(expected)
    for (surface, end), wanted in zip(found, expected, strict=True):
        assert (end if isinstance(wanted, str) else (surface, end)) == wanted


@pytest.mark.parametrize(
    ("meta", "text", "expected"),
    [
        (REPORT, "一、2020年安排\n6月底前公开", "2020-06-30"),
        (REPORT, "一、2020年安排\n今年6月底前公开", "2020-06-30"),
        (REPORT, "一、下一步工作打算\n6月底前公开", "2020-06-30"),
        (REPORT, "一、存在问题及下一步打算\n全年公开3件", "2019-12-31"),
        (REPORT, "一、主要问题及2020年安排\n全年公开3件", "2019-12-31"),
        (REPORT, "一、改进措施\n6月底前公开", "2019-06-30"),
        (REPORT, "整改不够。下一步，6月底前公开", "2020-06-30"),
        (REPORT, "2020年拟做好以下工作：\n1．制度\n2．一季度公开", "2020-03-31"),
        (REPORT, "2020年拟做好以下工作：\n1．制度\n本机关\n2．一季度公开", "2019-03-31"),
        (NOTICE, "一、下一步工作打算\n6月底前公开", "2019-06-30"),
        (WORK_REPORT, "五年来", "2019-12-31"),
        (WORK_REPORT, "今年", "2020-12-31"),
        (WORK_REPORT, "去年", "2019-12-31"),
        (WORK_REPORT, "比前五年增长", "2014-12-31"),
        (SCHOOL, "2019—2020学年，6月底公开", "2020-06-30"),
        (SCHOOL, "2019—2020学年。\n上学年", "2019-08-31"),
        (SCHOOL, "2019—2020学年。\n10月公开", "2019-10-31"),
        (UNDATED, "6月底前公开", None),
        (UNDATED, "2017年公开。\n6月底", "2017-06-30"),
        (UNDATED, "2017年公开，2025年底前建成。\n去年", "2016-12-31"),
        (UNDATED, "2017年公开，力争到2025年建成。\n去年", "2016-12-31"),
        (UNDATED, "各位代表！2017年公开。\n去年", "2017-12-31"),
        (UNDATED, "自2017年1月1日起施行。\n6月底", None),
    ],
)
def test_year_of_the_last_period(meta: Meta, text: str, expected: str | None) -> None:
    assert periods(text, meta)[-1][1] == expected
