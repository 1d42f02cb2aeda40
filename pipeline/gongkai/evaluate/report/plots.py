"""The plots of an evaluation, as SVG to stand inside a page.

The same evaluation gives the same bytes. Colours are style variables of the page with a fallback, so that a plot
follows the page's colour scheme; writing stays text, in the page's own font.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from gongkai.errors import GongkaiError
from gongkai.evaluate.result import Calibration, Group, LevelResult, Ratio
from gongkai.evaluate.types import Level
from gongkai.show import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, LINE, FIRST, SECOND = "#22252a", "#6b7078", "#e3e0d8", "#1f5fa8", "#b4520a"
_VARIABLES = {INK: "ink", SOFT: "soft", LINE: "line", FIRST: "first", SECOND: "second"}
_SERIES = ((FIRST, "-", "o"), (SECOND, "--", "s"))
"""Told apart by colour, stroke and marker."""

_WIDTH = 4.6
"""Inches; a page scales the plot, so this sets how large the writing is against it."""

_SETTINGS: Mapping[Any, Any] = {
    "axes.edgecolor": LINE,
    "axes.grid": True,
    "axes.labelcolor": SOFT,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "font.size": 8.5,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "legend.edgecolor": LINE,
    "legend.facecolor": "none",
    "legend.labelcolor": INK,
    "svg.fonttype": "none",
    "text.color": INK,
    # A dollar sign in a name is a dollar sign.
    "text.parse_math": False,
    "xtick.color": SOFT,
    "xtick.major.size": 0,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
    "ytick.major.size": 0,
}

_LONGEST = 32
"""Characters of a name beside a plot; longer ones are cut, so that something is left of the plot."""

_STYLE = re.compile(r"\s*<style.*?</style>", re.S)
_FONT = re.compile(r" font-family: [^;]*;")
_ID = re.compile(r' id="([^"]*)"')
_REFERENCE = re.compile(r"""(?:href="|url\()#([^")]*)""")


class Line(NamedTuple):
    """A line of a plot of intervals; a heading has no ratio."""

    name: str
    ratio: Ratio | None


def f1_by_label(result: LevelResult, title: str) -> str:
    """F1 of each label with its interval, and of all of them."""
    lines = [Line(f"{label} ({score.counts.gold:,.12g})", score.f1) for label, score in result.labels.items()]
    lines.append(Line(f"micro ({result.micro.counts.gold:,.12g})", result.micro.f1))
    return _intervals(lines, f"{title}: F1 by label")


def f1_by_facet(groups: Mapping[str, Mapping[str, Group]], level: Level, title: str) -> str:
    """Micro F1 at a level of each facet's groups, with intervals and numbers of documents."""
    lines = []
    for facet, values in groups.items():
        lines.append(Line(facet, None))
        lines += [
            Line(f"{value} ({group.documents:,})", group.levels[level].micro.f1)
            for value, group in values.items()
            if level in group.levels
        ]
    return _intervals(lines, f"{title}: micro F1 by group")


def reliability(calibration: Calibration) -> str:
    """Share of right predictions by score, against what the scores claim; below, how many have such scores."""
    name = f"Reliability of the scores of {calibration.level}"
    with _drawing(name, 3.6) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
        widths = [one.high - one.low for one in calibration.bins]
        lefts = [one.low for one in calibration.bins]
        upper.plot((0, 1), (0, 1), color=SOFT, linestyle=":", linewidth=1)
        upper.bar(
            lefts,
            [one.accuracy for one in calibration.bins],
            widths,
            align="edge",
            color=FIRST,
            alpha=0.28,
            edgecolor=FIRST,
            linewidth=0.8,
        )
        upper.plot(
            [one.score for one in calibration.bins],
            [one.accuracy for one in calibration.bins],
            color=FIRST,
            linestyle="none",
            marker="o",
            markersize=4,
        )
        upper.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share that is right")
        lower.bar(lefts, [one.count for one in calibration.bins], widths, align="edge", color=SOFT, alpha=0.5)
        lower.set(xlabel="score", ylabel="count")
        _title(upper, f"{calibration.level} · ECE {calibration.ece:.3f}")
        return _svg(figure, name)


def risk_coverage(calibrations: Sequence[Calibration]) -> str:
    """Share of wrong predictions among the surest, by the share of predictions that is kept."""
    name = "Risk by coverage"
    with _drawing(name, 3.6) as figure:
        axes = figure.subplots()
        for (colour, stroke, marker), one in zip(_SERIES, calibrations, strict=False):
            axes.plot(
                [point.coverage for point in one.risk_coverage],
                [point.risk for point in one.risk_coverage],
                color=colour,
                linestyle=stroke,
                linewidth=1.6,
                marker=marker,
                markevery=0.2,
                markersize=4,
                label=f"{one.level} · AURC {one.aurc:.3f}",
                drawstyle="steps-pre",
            )
        axes.set(
            xlim=(0, 1), xlabel="coverage: share of predictions kept", ylabel="risk: share that is wrong"
        )
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper left")
        _title(axes, "Risk and coverage")
        return _svg(figure, name)


def _intervals(lines: Sequence[Line], title: str) -> str:
    with _drawing(title, 0.75 + 0.23 * len(lines)) as figure:
        axes = figure.subplots()
        for height, line in enumerate(lines):
            if line.ratio is not None:
                _interval(axes, height, line.ratio)
        lowest = _lowest(lines)
        # Beyond 1 there is room for the figures.
        axes.set(xlim=(lowest, 1.14 - 0.14 * lowest), ylim=(len(lines) - 0.4, -0.6))
        axes.set_xticks([fifth / 5 for fifth in range(round(5 * lowest), 6)])
        axes.set_yticks(range(len(lines)), [_short(line.name) for line in lines])
        for text, line in zip(axes.get_yticklabels(), lines, strict=True):
            text.set_fontweight("bold" if line.ratio is None else "normal")
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", visible=False)
        _title(axes, title)
        return _svg(figure, title)


def _lowest(lines: Sequence[Line]) -> float:
    """Where the axis begins: at 0, 0.2 or 0.4, below all intervals."""
    ends = [
        end for line in lines if line.ratio for end in (line.ratio.low, line.ratio.value) if end is not None
    ]
    return min(math.floor(5 * min(ends, default=0.0)) / 5, 0.4)


def _interval(axes: Axes, height: int, ratio: Ratio) -> None:
    said = "–" if ratio.value is None else f"{ratio.value:.2f}"
    axes.text(1, height, said, ha="right", va="center_baseline", transform=axes.get_yaxis_transform())
    if ratio.value is None:
        return
    if ratio.low is not None and ratio.high is not None:
        axes.plot(
            (ratio.low, ratio.high),
            (height, height),
            color=FIRST,
            linewidth=5,
            alpha=0.28,
            solid_capstyle="butt",
        )
    axes.plot(ratio.value, height, color=FIRST, marker="o", markersize=4.5, clip_on=False)


def _short(name: str) -> str:
    shown = visible(name)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _title(axes: Axes, title: str) -> None:
    axes.set_title(_short(title), loc="left", fontsize=9.5, fontweight="bold")


@contextmanager
def _drawing(name: str, height: float) -> Iterator[Figure]:
    """A figure under our settings; `name` keeps ids of one plot apart from those of another on the same page.

    Raises:
        GongkaiError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise GongkaiError(
            "plots", "matplotlib is not installed.", "Run: pip install 'gongkai[evaluate]'."
        ) from None
    with matplotlib.rc_context({**_SETTINGS, "svg.hashsalt": name}), warnings.catch_warnings():
        # The page's font draws the writing; here it is only measured.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield Figure(figsize=(_WIDTH, height), layout="constrained")


def _svg(figure: Figure, name: str) -> str:
    """The figure as an element for a page, without what a file needs, with the page's colours."""
    file = io.StringIO()
    no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=no_metadata)
    drawn = file.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = _STYLE.sub("", drawn)
    drawn = _FONT.sub("", drawn)
    used = set(_REFERENCE.findall(drawn))
    drawn = _ID.sub(lambda match: match[0] if match[1] in used else "", drawn)
    for colour, variable in _VARIABLES.items():
        drawn = drawn.replace(colour, f"var(--{variable}, {colour})")
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(visible(name))}" ', 1)
