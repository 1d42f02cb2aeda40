"""Facts: one a number, with period, total, comparison and place."""

from __future__ import annotations

from typing import Any

import pytest

from gongkai import extract
from gongkai.types import Fact

REPORT = "某区2018年政府信息公开工作年度报告\n\n一、申请情况\n{}\n"


def fact(sentence: str, number: str) -> tuple[Fact, dict[str, Fact]]:
    record = extract(REPORT.format(sentence), mode="rules")
    by_words = {record.text[f.start : f.end]: f for f in record.facts}
    return by_words[number], by_words


@pytest.mark.parametrize(
    ("sentence", "number", "expected"),
    [
        ("收到申请12件。", "12件", {"value": 12.0, "unit": "件", "qualifier": "exact", "metric": "收到申请"}),
        ("安排经费3.5万元。", "3.5万元", {"value": 35000.0, "unit": "元", "decimals": None}),
        ("培训近200人次。", "近200人次", {"value": 200.0, "qualifier": "approx"}),
        ("答复率为98.5%。", "98.5%", {"value": 0.985, "unit": "%", "decimals": 1}),
        ("访问量同比下降12%。", "12%", {"value": 0.12, "direction": "down"}),
    ],
)
def test_value_unit_and_bound(sentence: str, number: str, expected: dict[str, Any]) -> None:
    found, _ = fact(sentence, number)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("sentence", "period"),
    [
        ("2017年收到申请12件。", ("2017-01-01", "2017-12-31")),
        ("上半年收到申请12件。", ("2018-01-01", "2018-06-30")),
        ("收到申请12件。", ("2018-01-01", "2018-12-31")),
    ],
)
def test_the_period_is_the_sentences_own_else_the_reports(sentence: str, period: tuple[str, str]) -> None:
    found, _ = fact(sentence, "12件")
    assert found.period is not None
    assert (found.period.start, found.period.end) == period


@pytest.mark.parametrize(
    ("text", "period"),
    [
        (
            "某区2018年政府信息公开工作年度报告\n\n一、下一步工作打算\n培训12人次。\n",
            ("2019-01-01", "2019-12-31"),
        ),
        (
            "某区2018年政府信息公开工作年度报告\n\n一、2020年安排\n培训12人次。\n",
            ("2020-01-01", "2020-12-31"),
        ),
        ("某大学2018—2019学年信息公开工作报告\n\n一、概述\n培训12人次。\n", ("2018-09-01", "2019-08-31")),
        ("某区2018年政务公开工作要点\n\n一、工作安排\n培训12人次。\n", ("2018-01-01", "2018-12-31")),
    ],
)
def test_the_period_is_the_headings_or_the_plans(text: str, period: tuple[str, str]) -> None:
    (found,) = (fact for fact in extract(text, mode="rules").facts if fact.value == 12)
    assert found.period is not None
    assert (found.period.start, found.period.end) == period


def test_parts_shares_and_comparisons_point_to_facts() -> None:
    part, facts = fact("收到申请50件，比2017年的40件增长25%，其中网上申请30件，占60%。", "30件")
    total = facts["50件"]
    assert part.part_of == total.id
    assert facts["60%"].share_of == total.id
    assert facts["25%"].compared_with == facts["40件"].id
    assert facts["25%"].direction == "up"
    assert facts["40件"].period is not None
    assert facts["40件"].period.start == "2017-01-01"


def test_a_change_of_a_count_has_its_direction_and_the_compared_period() -> None:
    found, _ = fact("收到申请50件，较2017年减少8件。", "8件")
    assert (found.direction, found.compared_with) == ("down", "2017-01-01/2017-12-31")


def test_every_fact_knows_its_place() -> None:
    record = extract(REPORT.format("收到申请12件。"), mode="rules")
    (only,) = [f for f in record.facts if f.unit == "件"]
    start, end = record.sentences[only.sentence or 0]
    assert start <= only.start < only.end <= end
    section = next(s for s in record.sections if s.id == only.section)
    assert (section.number, section.title) == ("一、", "申请情况")
    assert [e.label for e in record.entities if e.id in only.evidence] == ["METRIC", "COUNT"]
