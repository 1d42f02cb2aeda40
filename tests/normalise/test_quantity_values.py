"""Counts and percents as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.normalise.quantities import (
    Unit,
    lookup_unit,
    normalise_count,
    normalise_percent,
    printed_decimals,
    unit_table,
)
from gongkai.rules.quantities import tag_quantities
from gongkai.text import fold
from gongkai.types import CountNorm, PercentNorm
from marking import unmark


@pytest.mark.parametrize(
    ("surface", "value", "value_max", "qualifier", "unit"),
    [
        ("863条", 863, None, "exact", "条"),
        ("14 条", 14, None, "exact", "条"),
        ("108個", 108, None, "exact", "个"),
        ("300余条", 300, None, "more_than", "条"),
        ("超1000个", 1000, None, "more_than", "个"),
        ("近百家", 100, None, "approx", "家"),
        ("百余家", 100, None, "more_than", "家"),
        ("约50件", 50, None, "approx", "件"),
        ("不足20件", 20, None, "less_than", "件"),
        ("至少3次", 3, None, "at_least", "次"),
        ("5件以上", 5, None, "at_least", "件"),
        ("500万元及以下", 5_000_000, None, "at_most", "元"),
        ("不超过3个工作日", 3, None, "at_most", "工作日"),
        ("20日内", 20, None, "at_most", "日"),
        ("15分钟左右", 15, None, "approx", "分钟"),
        ("367.7万PV", 3_677_000, None, "exact", "PV"),
        ("1,125,246人次", 1_125_246, None, "exact", "人次"),
        ("63.6万亿元", 63_600_000_000_000, None, "exact", "元"),
        ("6.07亿吨", 607_000_000, None, "exact", "吨"),
        ("5角", 0.5, None, "exact", "元"),
        ("36万千瓦", 360_000, None, "exact", "千瓦"),
        ("3千元", 3_000, None, "exact", "元"),
        ("六部分", 6, None, "exact", "部分"),
        ("三个部分", 3, None, "exact", "部分"),
        ("三百二十五条", 325, None, "exact", "条"),
        ("三千多万人", 30_000_000, None, "more_than", "人"),
        ("3至5个", 3, 5, "exact", "个"),
        ("3~5天", 3, 5, "exact", "天"),
        ("3个至5个", 3, 5, "exact", "个"),
        ("3至5万元", 30_000, 50_000, "exact", "元"),
        ("3万元-5万元", 30_000, 50_000, "exact", "元"),
        ("3个多月", 3, None, "more_than", "个月"),
        ("10年以上", 10, None, "at_least", "年"),
        ("3.5万", 35_000, None, "exact", None),
        ("25", 25, None, "exact", None),
        ("5 6件", 56, None, "exact", "件"),
        ("11 ,382条", 11_382, None, "exact", "条"),
        ("3. 5万元", 35_000, None, "exact", "元"),
        ("437件（次）", 437, None, "exact", "件次"),
        ("100M", 100, None, "exact", "M"),
        ("68微克/立方米", 68, None, "exact", "微克/立方米"),
    ],
)
def test_counts(
    surface: str, value: float, value_max: float | None, qualifier: str, unit: str | None
) -> None:
    expected = CountNorm(value=value, value_max=value_max, qualifier=qualifier, unit=unit)  # type: ignore[arg-type]
    assert normalise_count(surface) == expected


@pytest.mark.parametrize(
    ("surface", "decimals"),
    [("863条", 0), ("1,125件", 0), ("98.50分", 2), ("6.07亿吨", None), ("三百条", None), ("近100家", None),
     ("300余条", None), ("3-5个", 0), ("5件以上", None), ("25", 0)],
)  # fmt: skip
def test_printed_decimals(surface: str, decimals: int | None) -> None:
    assert printed_decimals(surface) == decimals


@pytest.mark.parametrize(
    ("before", "surface", "expected"),
    [
        ("占", "41.67%", PercentNorm(value=0.4167, decimals=2)),
        ("", "100%", PercentNorm(value=1.0)),
        ("占", "55. 4%", PercentNorm(value=0.554, decimals=1)),
        ("占", "一半以上", PercentNorm(value=0.5, qualifier="at_least")),
        ("", "近半数", PercentNorm(value=0.5, qualifier="approx")),
        ("占", "六成五", PercentNorm(value=0.65, qualifier="approx")),
        ("", "接近翻两番", PercentNorm(value=3.0, qualifier="approx", direction="up")),
        ("同比下降", "1.23%", PercentNorm(value=0.0123, direction="down", decimals=2)),
        ("增长了", "5%", PercentNorm(value=0.05, direction="up")),
        ("办理时限压缩", "近70%", PercentNorm(value=0.7, qualifier="approx", direction="down")),
        ("下降到", "5%", PercentNorm(value=0.05)),
        ("压缩至法定时限", "50%以下", PercentNorm(value=0.5, qualifier="at_most")),
        ("增长率达到", "5%", PercentNorm(value=0.05, direction="up")),
        ("增长。满意率", "84%", PercentNorm(value=0.84)),
        ("增长", "-5.2%", PercentNorm(value=0.052, direction="down", decimals=1)),
        ("", "百分之九十八点五", PercentNorm(value=0.985, decimals=1)),
        ("", "百分之百", PercentNorm(value=1.0)),
        ("增长", "百分之五到六", PercentNorm(value=0.05, value_max=0.06, direction="up")),
        ("", "3‰", PercentNorm(value=0.003, decimals=1)),
        ("提高", "5个百分点", PercentNorm(value=0.05, direction="up")),
        ("占", "三成", PercentNorm(value=0.3, qualifier="approx")),
        ("", "九成以上", PercentNorm(value=0.9, qualifier="at_least")),
        ("占", "四分之三", PercentNorm(value=0.75, qualifier="approx")),
        ("", "翻一番", PercentNorm(value=1.0, direction="up")),
        ("", "翻番", PercentNorm(value=1.0, direction="up")),
        ("", "翻两番", PercentNorm(value=3.0, direction="up")),
        ("增长", "2倍", PercentNorm(value=2.0, direction="up")),
        ("压缩", "30至50%", PercentNorm(value=0.3, value_max=0.5, direction="down")),
    ],
)
def test_percents(before: str, surface: str, expected: PercentNorm) -> None:
    assert normalise_percent(surface, before) == expected


def test_units_of_table_heads() -> None:
    assert lookup_unit("万元") == ("元", 10_000)
    assert lookup_unit("亿元") == ("元", 100_000_000)
    assert lookup_unit("人次") == ("人次", 1)
    assert lookup_unit("備註") is None


@pytest.mark.parametrize("unit", unit_table().units, ids=lambda unit: unit.unit)
def test_each_unit_is_read_from_its_example(unit: Unit) -> None:
    text, [(start, end)] = unmark(unit.example)
    assert normalise_count(fold(text[start:end])).unit == unit.unit


@given(
    st.text(
        alphabet="0123456789一二三十百千万亿两约近不超过以上下至到个条件年元%.,-~ 余多来成倍番翻分之点内",
        max_size=40,
    )
)
def test_whatever_is_tagged_has_a_value(text: str) -> None:
    view = fold(text)
    for mention in tag_quantities(view):
        surface = view[mention.start : mention.end]
        if mention.label == "COUNT":
            assert normalise_count(surface).value >= 0
            printed_decimals(surface)
        else:
            assert normalise_percent(surface, view[: mention.start][-8:]).value >= 0
