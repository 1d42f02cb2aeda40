"""Spreads and percentiles, counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.evaluate.speed.results import Latency, Spread


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5.0], (5.0, 5.0, 5.0)),
        ([4.0, 1.0], (1.0, 2.5, 4.0)),
        ([3.0, 9.0, 1.0], (1.0, 3.0, 9.0)),
    ],
)
def test_spread(values: list[float], expected: tuple[float, float, float]) -> None:
    spread = Spread.of(values)
    assert (spread.min, spread.median, spread.max) == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param([7.0], (7.0, 7.0, 7.0), id="one"),
        pytest.param([2.0, 1.0], (1.0, 2.0, 2.0), id="half of two is the first"),
        pytest.param([float(n) for n in range(10, 0, -1)], (5.0, 9.0, 10.0), id="ten"),
        pytest.param([float(n) for n in range(1, 201)], (100.0, 180.0, 198.0), id="two hundred"),
    ],
)
def test_nearest_rank(times: list[float], expected: tuple[float, float, float]) -> None:
    latency = Latency.of(times)
    assert (latency.p50, latency.p90, latency.p99) == expected
    assert latency.documents == len(times)


@given(st.lists(st.floats(0, 100), min_size=1))
def test_so_many_are_no_slower(times: list[float]) -> None:
    latency = Latency.of(times)
    for percent, limit in ((50, latency.p50), (90, latency.p90), (99, latency.p99)):
        assert limit in times
        assert 100 * sum(time <= limit for time in times) >= percent * len(times)
        assert 100 * sum(time < limit for time in times) < percent * len(times)
