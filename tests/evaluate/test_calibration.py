from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.errors import BrokenPrediction
from gongkai.evaluate.calibration import BINS, Reliability
from gongkai.evaluate.result import ReliabilityBin, RiskPoint
from gongkai.evaluate.types import Confidence

Scored = list[tuple[float, bool]]


def reliability(scored: Iterable[tuple[float, bool]], label: str = "COUNT") -> Reliability:
    gathered = Reliability()
    for score, right in scored:
        gathered.add(Confidence("entities", label, score, right))
    return gathered


def test_four_predictions_by_hand() -> None:
    # Sorted: 0.9 right, 0.9 wrong, 0.5 right, 0.1 wrong.
    found = reliability([(0.9, True), (0.1, False), (0.5, True), (0.9, False)]).calibration(
        "entities", "COUNT"
    )
    assert (found.level, found.label, found.count) == ("entities", "COUNT", 4)
    assert found.bins == (
        ReliabilityBin(low=1 / 15, high=2 / 15, count=1, score=0.1, accuracy=0),
        ReliabilityBin(low=7 / 15, high=8 / 15, count=1, score=0.5, accuracy=1),
        ReliabilityBin(low=13 / 15, high=14 / 15, count=2, score=0.9, accuracy=0.5),
    )
    assert found.ece == pytest.approx((0.1 + 0.5 + 2 * 0.4) / 4)
    assert found.risk_coverage == (
        RiskPoint(threshold=0.9, coverage=0.5, risk=0.5),
        RiskPoint(threshold=0.5, coverage=0.75, risk=1 / 3),
        RiskPoint(threshold=0.1, coverage=1, risk=0.5),
    )
    assert found.aurc == pytest.approx((0.5 + 0.5 + 1 / 3 + 0.5) / 4)


def test_scores_that_are_all_the_same() -> None:
    found = reliability([(0.8, True)] * 3 + [(0.8, False)]).calibration("entities")
    assert found.ece == pytest.approx(0.05)
    assert found.risk_coverage == (RiskPoint(threshold=0.8, coverage=1, risk=0.25),)
    assert found.aurc == 0.25


def test_nothing_predicted() -> None:
    found = Reliability().calibration("relations", "value_of")
    assert (found.count, found.ece, found.bins, found.risk_coverage, found.aurc) == (0, 0, (), (), 0)
    assert Reliability().threshold_for(0.5, "relations") is None


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0.0, 0),
        (0.0001, 0),
        (1 / 15, 0),
        (0.067, 1),
        (0.2, 2),
        (0.6, 8),
        (0.60001, 9),
        (14 / 15, 13),
        (1.0, 14),
    ],
)
def test_a_bin_holds_its_upper_edge(score: float, expected: int) -> None:
    [held] = reliability([(score, True)]).calibration("entities").bins
    assert (held.low, held.high) == (expected / BINS, (expected + 1) / BINS)


@pytest.mark.parametrize(
    ("precision", "threshold"),
    # 0.9 is right 2 of 2, 0.8: 3 of 4, 0.7: 5 of 6, 0.2: 5 of 10.
    [(1.0, 0.9), (0.9, 0.9), (0.8, 0.7), (5 / 6, 0.7), (0.75, 0.7), (0.6, 0.7), (0.5, 0.2), (0.0, 0.2)],
)
def test_threshold_for(precision: float, threshold: float) -> None:
    scored = [(0.9, True)] * 2 + [(0.8, True), (0.8, False)] + [(0.7, True)] * 2 + [(0.2, False)] * 4
    assert reliability(scored).threshold_for(precision, "entities") == threshold


def test_no_threshold_reaches_the_precision() -> None:
    assert reliability([(0.9, False), (0.5, True)]).threshold_for(0.6, "entities", "COUNT") is None


def test_labels_apart_and_together() -> None:
    both = reliability([(0.9, True)])
    both.merge(reliability([(0.9, False)], "METRIC"))
    both.add(Confidence("relations", "value_of", 0.3, True))
    assert both.labels("entities") == ("COUNT", "METRIC")
    assert both.labels("relations") == ("value_of",)
    risks = [
        both.calibration("entities", label).risk_coverage[-1].risk for label in (None, "COUNT", "METRIC")
    ]
    assert risks == [0.5, 0, 1]
    assert both.calibration("entities", "value_of").count == 0


def test_edges_are_where_floating_point_puts_them() -> None:
    for place in range(BINS):
        [held] = reliability([((place + 1) / BINS, True)]).calibration("entities").bins
        assert held.high == (place + 1) / BINS


@pytest.mark.parametrize("scores", [(0.9001, 0.9002), (0.9002, 0.9001)])
def test_scores_of_one_cell_are_kept_together(scores: tuple[float, float]) -> None:
    one, other = (reliability([(score, score > 0.90015)]) for score in scores)
    one.merge(other)
    assert one.calibration("entities").risk_coverage == (RiskPoint(threshold=0.9001, coverage=1, risk=0.5),)


@pytest.mark.parametrize("score", [-0.1, 1.01, float("nan")])
def test_a_score_that_is_none_is_refused(score: float) -> None:
    with pytest.raises(BrokenPrediction, match="entities, COUNT: A prediction has the score"):
        reliability([(score, True)])


THOUSANDTHS = st.lists(st.tuples(st.integers(0, 1000).map(lambda n: n / 1000), st.booleans()), min_size=1)
ANY = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1)


def brute_ece(scored: Scored) -> float:
    """Straight from the definition, in exact arithmetic on the decimals that the scores print as."""
    bins: dict[int, Scored] = {}
    for score, right in scored:
        edge = Fraction(str(score)) * BINS
        place = max(0, -(-edge.numerator // edge.denominator) - 1)
        bins.setdefault(place, []).append((score, right))
    gaps = (abs(sum(score - right for score, right in held)) for held in bins.values())
    return sum(gaps) / len(scored)


def brute_risk(scored: Scored, threshold: float) -> float:
    kept = [right for score, right in scored if score >= threshold]
    return kept.count(False) / len(kept)


@given(THOUSANDTHS)
def test_against_brute_force(scored: Scored) -> None:
    gathered = reliability(scored)
    found = gathered.calibration("entities", "COUNT")
    assert found.ece == pytest.approx(brute_ece(scored), abs=1e-9)
    assert found.aurc == pytest.approx(sum(brute_risk(scored, s) for s, _ in scored) / len(scored))
    assert [point.threshold for point in found.risk_coverage] == sorted({s for s, _ in scored}, reverse=True)
    for point in found.risk_coverage:
        assert point.risk == brute_risk(scored, point.threshold)
        assert point.coverage == sum(score >= point.threshold for score, _ in scored) / len(scored)
    for precision in (0.5, 0.75, 0.9, 1.0):
        reached = [s for s, _ in scored if 1 - brute_risk(scored, s) >= precision - 1e-12]
        assert gathered.threshold_for(precision, "entities", "COUNT") == min(reached, default=None)


@given(ANY, st.floats(0, 1))
def test_what_is_said_of_a_threshold_holds_for_any_scores(scored: Scored, precision: float) -> None:
    gathered = reliability(scored)
    found = gathered.calibration("entities")
    for point in found.risk_coverage:
        assert point.risk == pytest.approx(brute_risk(scored, point.threshold))
    threshold = gathered.threshold_for(precision, "entities")
    if threshold is not None:
        assert 1 - brute_risk(scored, threshold) >= precision - 1e-12
    coverages = [point.coverage for point in found.risk_coverage]
    assert all(before < after for before, after in pairwise([0, *coverages]))
    assert coverages[-1] == 1
    assert sum(held.count for held in found.bins) == found.count == len(scored)
    assert 0 <= found.aurc <= 1


@given(THOUSANDTHS, THOUSANDTHS)
def test_merging_is_adding(first: Scored, second: Scored) -> None:
    merged, other = reliability(first), reliability(second)
    merged.merge(other)
    together = reliability([*first, *second])
    for name in ("count", "risk_coverage", "aurc"):
        assert getattr(merged.calibration("entities"), name) == getattr(
            together.calibration("entities"), name
        )
    assert merged.calibration("entities").ece == pytest.approx(together.calibration("entities").ece, abs=1e-9)
    assert other.calibration("entities").count == len(second)


def test_scores_that_are_what_they_say_have_little_error() -> None:
    chance = Random(0)
    honest = [(score := chance.random(), chance.random() < score) for _ in range(100_000)]
    boasting = [(min(1.0, score + 0.2), right) for score, right in honest]
    assert reliability(honest).calibration("entities").ece < 0.01
    assert reliability(boasting).calibration("entities").ece == pytest.approx(0.18, abs=0.01)


def test_memory_does_not_grow() -> None:
    chance = Random(0)
    gathered = reliability((chance.random(), True) for _ in range(50_000))
    assert len(gathered.calibration("entities").risk_coverage) <= 3001
