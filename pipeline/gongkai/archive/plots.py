"""Where the marks of small plots stand; the page's template draws them as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 300, 120
"""Of a plot's inner area, in the units of the drawing."""


class Bar(NamedTuple):
    """A year's bar, measured from the upper left."""

    year: int
    value: int
    x: float
    y: float
    width: float
    height: float


class YearBars(NamedTuple):
    """One bar a year; years without a value leave a gap."""

    bars: list[Bar]
    top: int


class Point(NamedTuple):
    """A year's middle value."""

    year: int
    value: float
    x: float
    y: float


class Line(NamedTuple):
    """Values over years with the band between their quartiles, as the `points` of SVG.

    Attributes:
        top: The value at the upper edge; 0 is at the lower.
        runs: One polyline for each run of years without a gap.
        bands: One polygon for each.
    """

    points: list[Point]
    runs: list[str]
    bands: list[str]
    top: float


def year_bars(values: Mapping[int, int]) -> YearBars:
    """A bar plot of counts by year."""
    if not values:
        return YearBars([], 0)
    first, last, top = min(values), max(values), max(values.values())
    step = WIDTH / (last - first + 1)
    bars = [
        Bar(
            year,
            value,
            (year - first + 0.1) * step,
            HEIGHT * (1 - value / top),
            0.8 * step,
            HEIGHT * value / top,
        )
        for year, value in sorted(values.items())
    ]
    return YearBars(bars, top)


def line(values: Sequence[tuple[int, float, float, float]]) -> Line:
    """A line plot of (year, lower quartile, median, upper quartile), by year."""
    first, last = values[0][0], values[-1][0]
    top = max(high for *_, high in values) or 1.0

    def x(year: int) -> float:
        return WIDTH * (year - first) / (last - first) if last > first else WIDTH / 2

    def y(value: float) -> float:
        return HEIGHT * (1 - max(value, 0.0) / top)

    points = [Point(year, middle, x(year), y(middle)) for year, _, middle, _ in values]
    runs, bands = [], []
    for run in _without_gaps(values):
        runs.append(_points([(x(year), y(middle)) for year, _, middle, _ in run]))
        upper = [(x(year), y(high)) for year, _, _, high in run]
        lower = [(x(year), y(low)) for year, low, _, _ in reversed(run)]
        bands.append(_points(upper + lower))
    return Line(points, runs, bands, top)


def _without_gaps(
    values: Sequence[tuple[int, float, float, float]],
) -> list[list[tuple[int, float, float, float]]]:
    runs: list[list[tuple[int, float, float, float]]] = []
    for value in values:
        if runs and runs[-1][-1][0] == value[0] - 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return runs


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
