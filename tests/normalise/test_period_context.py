"""What a period without a year takes from the periods before it in its sentence and paragraph."""

from __future__ import annotations

import re

import pytest

from gongkai.normalise.entities import Normaliser
from gongkai.normalise.metrics import load_matcher
from gongkai.rules.periods import tag_periods
from gongkai.rules.policies import tag_policies
from gongkai.text import fold
from gongkai.types import PeriodNorm


def periods(text: str) -> list[tuple[str, str | None]]:
    """Every PERIOD with its last day, in a report on 2019."""
    view = fold(text)
    sentences = [m.span() for m in re.finditer(r"[^。\n]*[。\n]+|[^。\n]+\Z", view)]
    paragraphs = [m.span() for m in re.finditer(r"[^\n]+", view)]
    normaliser = Normaliser(text, view, 2019, load_matcher(), {}, {}, sentences, paragraphs)
    entities = normaliser.entities([*tag_periods(view), *tag_policies(view)])
    return [(e.text, e.norm.end) for e in entities if isinstance(e.norm, PeriodNorm)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("全年公开3件", [("全年", "2019-12-31")]),
        ("2018年，6月底前公布，全年3期", ["2018-12-31", ("6月底", "2018-06-30"), ("全年", "2018-12-31")]),
        ("2018年公开3件。上半年1件", ["2018-12-31", ("上半年", "2018-06-30")]),
        ("2018年公开3件。\n上半年1件", ["2018-12-31", ("上半年", "2019-06-30")]),
        ("比2018年下降，全年3件", ["2018-12-31", ("全年", "2019-12-31")]),
        ("2008年以来，上半年3件", ["2008-12-31", ("上半年", "2019-06-30")]),
        ("2016—2018年，6月公布", ["2018-12-31", ("6月", "2019-06-30")]),
        ("根据《2018年公园工作要点》，6月公布", ["2018-12-31", ("6月", "2019-06-30")]),
        ("2018年上半年3件，比去年同期增长", ["2018-06-30", ("去年同期", "2018-06-30")]),
        ("上半年3件，比2017年同期增长", [("上半年", "2019-06-30"), ("2017年同期", "2017-06-30")]),
        ("2018年12月18日晚8时和19日晚8时", ["2018-12-18", ("19日晚8时", "2018-12-19")]),
        ("2018年公开3件，去年2件", ["2018-12-31", ("去年", "2018-12-31")]),
    ],
)
def test_year_of_a_period_without_one(text: str, expected: list[str | tuple[str, str]]) -> None:
    found = periods(text)
    assert len(found) == len(expected)
    for (surface, end), wanted in zip(found, expected, strict=True):
        assert (end if isinstance(wanted, str) else (surface, end)) == wanted
