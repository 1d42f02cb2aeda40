"""What a printed number may stand for; shares and changes printed as offices print them."""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gongkai.checks import check
from gongkai.checks.rounding import (
    ANYTHING,
    Interval,
    fact_interval,
    printed_decimals,
    printed_interval,
)
from gongkai.types import Fact, Qualifier
from marked_facts import read

COUNTS = st.integers(1, 10**6)
PLACES = st.integers(0, 3)


@pytest.mark.parametrize(
    ("value", "decimals", "qualifier", "interval"),
    [
        (300.0, 0, "exact", (299.5, 300.5)),
        (25000.0, -3, "exact", (24500.0, 25500.0)),
        (300.0, 0, "more_than", (300.0, math.inf)),
        (300.0, 0, "at_least", (300.0, math.inf)),
        (300.0, 0, "less_than", (-math.inf, 300.0)),
        (300.0, 0, "at_most", (-math.inf, 300.0)),
        (300.0, None, "exact", ANYTHING),
    ],
)
def test_printed_interval(
    value: float, decimals: int | None, qualifier: Qualifier, interval: tuple[float, float]
) -> None:
    assert printed_interval(value, decimals, qualifier) == interval


def test_printed_interval_of_range_and_approximation() -> None:
    assert printed_interval(3, 0, value_max=5) == Interval(3, 5)
    assert printed_interval(300, 0, "approx", approximation=0.2) == Interval(240, 360)


@pytest.mark.parametrize(
    ("printed", "value", "unit", "decimals"),
    [
        ("863条", 863, "条", 0),
        ("1,087条", 1087, "条", 0),
        ("２５５２０條", 25520, "条", 0),
        ("2.5万条", 25000, "条", -3),
        ("25万条", 250000, "条", -4),
        ("12.35万元", 123500, "元", -2),
        ("12.35", 123500, "元", -2),
        ("41.67%", 0.4167, "%", 4),
        ("6.2 %", 0.062, "%", 3),
        ("0%", 0, "%", 2),
        ("0件", 0, "件", 0),
        ("百分之五", 0.05, "%", 2),
        ("三成", 0.3, "%", 1),
        ("2倍", 2, "%", 0),
        ("五十二件", 52, "件", 0),
        ("三百件", 300, "件", -2),
        ("1万2千", 12000, "人", -3),
    ],
)
def test_printed_decimals(printed: str, value: float, unit: str, decimals: int) -> None:
    fact = Fact(id="a", value=value, unit=unit, start=0, end=len(printed))
    assert printed_decimals(fact, printed) == decimals


def test_counts_are_exact() -> None:
    fact = Fact(id="a", value=863, unit="条", start=0, end=4)
    assert fact_interval(fact, "863条") == (863, 863)


def _percent(part: int, total: int, decimals: int, rounding: str, off: int = 0) -> str:
    unit = Decimal(1).scaleb(-decimals)
    exact = Decimal(100 * part) / Decimal(total)
    return f"{exact.quantize(unit, rounding) + off * unit:f}%"


def _share(part: int, total: int, printed: str) -> list[str]:
    facts, text = read(f"信息⟦t|{total}条⟧，职能类⟦a part=t|{part}条⟧，占⟦p share=t metric_of=a|{printed}⟧。")
    return [found.severity for found in check(facts, text, ()) if found.check == "share"]


@given(COUNTS, COUNTS, PLACES)
def test_rounded_share_is_right(a: int, b: int, decimals: int) -> None:
    part, total = sorted((a, b))
    assert _share(part, total, _percent(part, total, decimals, ROUND_HALF_UP)) == []


@given(COUNTS, COUNTS, PLACES)
def test_truncated_share_is_at_most_a_notice(a: int, b: int, decimals: int) -> None:
    part, total = sorted((a, b))
    assert _share(part, total, _percent(part, total, decimals, ROUND_DOWN)) in ([], ["notice"])


@given(COUNTS, COUNTS, PLACES, st.integers(2, 30), st.booleans())
def test_share_off_by_two_units_is_an_error(a: int, b: int, decimals: int, off: int, more: bool) -> None:
    part, total = sorted((a, b))
    printed = _percent(part, total, decimals, ROUND_HALF_UP, off if more else -off)
    assume(not printed.startswith("-"))
    assert _share(part, total, printed) == ["error"]


@given(COUNTS, COUNTS, PLACES)
def test_rounded_change_is_right(now: int, before: int, decimals: int) -> None:
    up = now >= before
    printed = _percent(abs(now - before), before, decimals, ROUND_HALF_UP)
    direction = "up" if up else "down"
    facts, text = read(
        f"信息⟦n|{now}条⟧，比上年的⟦o metric_of=n|{before}条⟧变化"
        f"⟦c compared=o direction={direction} metric_of=n|{printed}⟧。"
    )
    assert check(facts, text, ()) == ()
