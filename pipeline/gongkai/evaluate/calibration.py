"""How far scores can be believed: reliability, expected calibration error, risk and coverage, thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from math import ceil, inf
from typing import Literal

from gongkai.errors import BrokenPrediction
from gongkai.evaluate.result import Calibration, ReliabilityBin, RiskPoint
from gongkai.evaluate.types import Confidence

ScoredLevel = Literal["entities", "relations"]

BINS = 15
"""Equal-width reliability bins, as many as Guo et al. (2017) use."""

_CELLS = 3000
"""Cells of the histogram. A bin's edge is a cell's edge, and no two multiples of 1/1000 share a cell."""


@dataclass(slots=True)
class _Cell:
    """Predictions whose scores lie in one cell: how many, how many of them right, sum and lowest of the scores."""

    count: int = 0
    right: int = 0
    scores: float = 0.0
    lowest: float = inf

    def add(self, other: _Cell) -> None:
        self.count += other.count
        self.right += other.right
        self.scores += other.scores
        self.lowest = min(self.lowest, other.lowest)


_Histogram = dict[int, _Cell]
"""Number of a cell → what is in it; cell n holds scores in ((n - 1) / 3000, n / 3000]."""


class Reliability:
    """Gathers confidences of any number of documents in constant memory.

    Reliability and calibration error are exact. A threshold keeps or drops a cell of 1/3000 as a whole, so what is
    said of it is exact too; only thresholds between two scores of one cell are not looked at.
    """

    def __init__(self) -> None:
        self._histograms: dict[ScoredLevel, dict[str, _Histogram]] = {}

    def add(self, confidence: Confidence) -> None:
        """Count one prediction.

        Raises:
            BrokenPrediction: Its score is not between 0 and 1.
        """
        level, label, score, correct = confidence
        if not 0.0 <= score <= 1.0:
            raise BrokenPrediction(
                f"{level}, {label}", f"A prediction has the score {score}.", "Scores lie between 0 and 1."
            )
        histogram = self._histograms.setdefault(level, {}).setdefault(label, {})
        cell = histogram.setdefault(ceil(score * _CELLS), _Cell())
        cell.count += 1
        cell.right += correct
        cell.scores += score
        cell.lowest = min(cell.lowest, score)

    def merge(self, other: Reliability) -> None:
        """Take in what another has gathered."""
        for level, histograms in other._histograms.items():
            for label, histogram in histograms.items():
                _add(self._histograms.setdefault(level, {}).setdefault(label, {}), histogram)

    def labels(self, level: ScoredLevel) -> tuple[str, ...]:
        """The labels of which there are predictions, in alphabetical order."""
        return tuple(sorted(self._histograms.get(level, {})))

    def calibration(self, level: ScoredLevel, label: str | None = None) -> Calibration:
        """How well score and accuracy agree, of one label or of all (None).

        `ece` is that of Naeini et al. (2015), `bins` are those of Guo et al. (2017) that hold anything. `aurc` is that
        of Geifman, Uziel & El-Yaniv (2019): the mean, over all predictions, of the risk of keeping what scores no
        less. All 0 where there is no prediction.
        """
        histogram = self._gathered(level, label)
        count = sum(cell.count for cell in histogram.values())
        bins = _bins(histogram)
        points = _risk_coverage(histogram)
        coverages = (0.0, *(point.coverage for point in points))
        return Calibration(
            level=level,
            label=label,
            count=count,
            ece=sum(held.count * abs(held.accuracy - held.score) for held in bins) / max(count, 1),
            bins=bins,
            risk_coverage=points,
            aurc=sum(
                (point.coverage - before) * point.risk
                for point, before in zip(points, coverages, strict=False)
            ),
        )

    def threshold_for(self, precision: float, level: ScoredLevel, label: str | None = None) -> float | None:
        """The lowest threshold such that, of what scores no less, at least `precision` is right; None without one."""
        lowest = None
        for threshold, kept, right in _kept(self._gathered(level, label)):
            if right / kept >= precision:
                lowest = threshold
        return lowest

    def _gathered(self, level: ScoredLevel, label: str | None) -> _Histogram:
        histograms = self._histograms.get(level, {})
        if label is not None:
            return histograms.get(label, {})
        together: _Histogram = {}
        for histogram in histograms.values():
            _add(together, histogram)
        return together


def _add(histogram: _Histogram, other: Mapping[int, _Cell]) -> None:
    for number, cell in other.items():
        histogram.setdefault(number, _Cell()).add(cell)


def _bin(number: int) -> int:
    """The bin of a cell; a score of 0 goes with the lowest."""
    return max(0, number - 1) * BINS // _CELLS


def _bins(histogram: _Histogram) -> tuple[ReliabilityBin, ...]:
    return tuple(
        _reliability(place, [histogram[number] for number in numbers])
        for place, numbers in groupby(sorted(histogram), key=_bin)
    )


def _reliability(place: int, cells: Iterable[_Cell]) -> ReliabilityBin:
    held = _Cell()
    for cell in cells:
        held.add(cell)
    return ReliabilityBin(
        low=place / BINS,
        high=(place + 1) / BINS,
        count=held.count,
        score=held.scores / held.count,
        accuracy=held.right / held.count,
    )


def _kept(histogram: _Histogram) -> list[tuple[float, int, int]]:
    """From the surest on: threshold, how many score no less, how many of those are right."""
    points = []
    kept = right = 0
    for number in sorted(histogram, reverse=True):
        cell = histogram[number]
        kept += cell.count
        right += cell.right
        points.append((cell.lowest, kept, right))
    return points


def _risk_coverage(histogram: _Histogram) -> tuple[RiskPoint, ...]:
    points = _kept(histogram)
    return tuple(
        RiskPoint(threshold=threshold, coverage=kept / points[-1][1], risk=(kept - right) / kept)
        for threshold, kept, right in points
    )
