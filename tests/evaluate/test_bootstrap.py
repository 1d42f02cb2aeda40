"""Intervals: streaming equals what the definition gives on all documents at once; coverage is near 95 %."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongkai.evaluate.bootstrap import BATCH, Resampler, coin, f1, precision, ratio, recall
from gongkai.evaluate.types import Counts

documents = st.lists(
    st.dictionaries(
        st.sampled_from("abc"),
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)).map(
            lambda three: Counts(min(three), *three[1:])
        ),
    ),
    min_size=1,
    max_size=2 * BATCH // 64,
)


@settings(max_examples=50, deadline=None)
@given(documents)
def test_sums_are_the_weighted_sums(counts: list[dict[str, Counts]]) -> None:
    resampler: Resampler[str, str] = Resampler(20, seed=3)
    for each in counts:
        resampler.add("g", each)
    weights = np.random.default_rng(3).poisson(1.0, (len(counts), 20))
    for key in "abc":
        expected = sum(np.outer(w, each.get(key, Counts())) for w, each in zip(weights, counts, strict=True))
        np.testing.assert_allclose(resampler.sums("g", key), expected)
        assert resampler.total("g", key) == reduce(
            Counts.plus, (each.get(key, Counts()) for each in counts), Counts()
        )
    np.testing.assert_allclose(
        resampler.sums("g", "a", "b"), resampler.sums("g", "a") + resampler.sums("g", "b")
    )


def test_reading_the_sums_early_changes_nothing() -> None:
    early: Resampler[str, str] = Resampler(10, seed=0)
    late: Resampler[str, str] = Resampler(10, seed=0)
    for place in range(2 * BATCH + 7):
        counts = {"a": Counts(1, 2, 3), str(place % 3): Counts(place, place, place)}
        early.add("g", counts)
        late.add("g", counts)
        if place in (0, 5, BATCH, BATCH + 1):
            early.sums("g", "a")
    for key in ("a", "0", "1", "2"):
        np.testing.assert_allclose(early.sums("g", key), late.sums("g", key))


def test_the_interval_covers_the_truth_about_95_times_in_100() -> None:
    """Documents whose share of right answers varies around 0.7: the truth is known."""
    random = np.random.default_rng(7)
    covered = 0
    for trial in range(200):
        resampler: Resampler[str, str] = Resampler(400, seed=trial)
        correct = gold = 0
        for _ in range(60):
            size = int(random.integers(5, 30))
            right = int(random.binomial(size, random.beta(7, 3)))
            resampler.add("g", {"a": Counts(right, size, size)})
            correct, gold = correct + right, gold + size
        found = ratio(correct / gold, f1(resampler.sums("g", "a")))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.7 <= found.high
    assert 180 <= covered <= 198


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        ([2.0, 4.0, 5.0], (0.4, 0.5, 4 / 9)),
        ([0.0, 4.0, 0.0], (None, 0.0, 0.0)),
        ([0.0, 0.0, 3.0], (0.0, None, 0.0)),
        ([0.0, 0.0, 0.0], (None, None, None)),
    ],
)
def test_ratios_of_replicates_agree_with_those_of_counts(
    sums: list[float], expected: tuple[float | None, float | None, float | None]
) -> None:
    counts = Counts(*sums)
    assert (counts.precision, counts.recall, counts.f1) == pytest.approx(expected)
    for function, value in zip((precision, recall, f1), expected, strict=True):
        replicate = function(np.array([sums]))[0]
        assert np.isnan(replicate) if value is None else replicate == pytest.approx(value)


def test_an_undefined_ratio_has_no_interval() -> None:
    found = ratio(None, np.array([np.nan, np.nan]))
    assert (found.value, found.low, found.high) == (None, None, None)


def test_a_coin_swaps_about_half() -> None:
    swaps: Resampler[str, str] = Resampler(500, seed=1, weights=coin)
    for _ in range(100):
        swaps.add("g", {"b": Counts(1, 0, 1)})
    assert 45 < swaps.sums("g", "b")[:, 0].mean() < 55


def test_groups_are_summed_apart_with_the_same_weights() -> None:
    """A group's replicates are those of its documents in the whole: intervals of groups can be compared."""
    resampler: Resampler[str, str] = Resampler(50, seed=2)
    for place in range(BATCH + 50):
        resampler.add(["all", "even" if place % 2 == 0 else "odd"], {"a": Counts(place, place, 1)})
    apart = resampler.sums("even", "a") + resampler.sums("odd", "a")
    np.testing.assert_allclose(apart, resampler.sums("all", "a"))
    assert resampler.total("even", "a").predicted == (BATCH + 50) / 2
    assert resampler.keys("none") == []
