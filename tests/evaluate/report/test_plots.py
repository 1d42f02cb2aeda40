"""The plots: the same bytes each time, well formed, in the page's colours, whatever the names."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from gongkai.errors import GongkaiError
from gongkai.evaluate.report import overall, plots
from gongkai.evaluate.result import LevelResult, Macro, Ratio
from gongkai.evaluate.types import Counts
from gongkai.show import visible
from handmade_evaluation import HOSTILE, evaluation, group, score

DRAWINGS: dict[str, Callable[[], str]] = {
    "labels": lambda: plots.f1_by_label(evaluation().all.levels["entities.strict"], "Entities"),
    "facets": lambda: plots.f1_by_facet(evaluation().groups, "entities.strict", "Entities"),
    "reliability": lambda: plots.reliability(overall(evaluation())[0]),
    "risk": lambda: plots.risk_coverage(overall(evaluation())),
}


def texts(svg: str) -> list[str]:
    """What is written in a plot."""
    root = etree.fromstring(svg.encode())
    return ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS.keys())
def test_two_runs_give_the_same_bytes(draw: Callable[[], str]) -> None:
    first = draw()
    assert first == draw()
    assert "<metadata" not in first
    assert "<style" not in first
    # A number sign left is a reference within the plot or a fallback colour behind its variable.
    assert not re.search(r"(?:fill|stroke): #", first)
    assert "var(--first, #1f5fa8)" in first


def test_another_process_gives_the_same_bytes(root: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from gongkai.evaluate.report import plots\nfrom handmade_evaluation import evaluation\n"
        "print(plots.f1_by_label(evaluation().all.levels['entities.strict'], 'Entities'), end='')"
    )
    other = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True, text=True)
    assert other.stdout == DRAWINGS["labels"]()


def test_plots_on_a_page_share_no_id() -> None:
    ids = [found for draw in DRAWINGS.values() for found in re.findall(r' id="([^"]*)"', draw())]
    assert ids
    assert len(ids) == len(set(ids))


def test_what_is_written() -> None:
    written = texts(DRAWINGS["labels"]())
    assert {"METRIC (1,608)", "micro (4,498)", "0.79", "0.91"} <= set(written)
    assert {"doc_type", "plan (9)", "Hant (4)"} <= set(texts(DRAWINGS["facets"]()))
    assert "entities · ECE 0.030" in texts(DRAWINGS["reliability"]())
    assert "relations · AURC 0.030" in texts(DRAWINGS["risk"]())


def test_interval_is_drawn_to_scale() -> None:
    """The bar of a label goes from low to high: its ends, read off against the ticks."""
    ratio = Ratio(value=0.8, low=0.6, high=0.9)
    one = score(Counts(8, 10, 10))
    labels = {"A": type(one)(counts=one.counts, precision=ratio, recall=ratio, f1=ratio)}
    empty = Macro(precision=Ratio(), recall=Ratio(), f1=Ratio())
    svg = plots.f1_by_label(LevelResult(labels=labels, micro=labels["A"], macro=empty), "x")
    ticks = dict(re.findall(r'text-anchor: middle[^>]* x="([\d.]+)"[^>]*>(\d\.\d)</text>', svg))
    place = {value: float(x) for x, value in ticks.items()}
    unit = (place["1.0"] - place["0.4"]) / 0.6
    bar = re.search(r'd="M ([\d.]+) [\d.]+ \nL ([\d.]+) [\d.]+ \n" [^>]*stroke-width: 5', svg)
    assert bar
    left, right = ((float(x) - place["0.4"]) / unit + 0.4 for x in bar.groups())
    assert (left, right) == (pytest.approx(0.6, abs=1e-4), pytest.approx(0.9, abs=1e-4))


@pytest.mark.parametrize("name", [HOSTILE, r"$\frac{$", "某区", "a\nb"])
def test_any_name_is_drawn_as_it_is(name: str) -> None:
    svg = plots.f1_by_facet({name: {name: group(3, 0.1)}}, "facts", name)
    assert "<script" not in svg
    assert "".join(texts(svg)).count(visible(name).splitlines()[0][:20]) >= 2


def test_without_matplotlib_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        GongkaiError, match=r"matplotlib is not installed\. Run: pip install 'gongkai\[evaluate\]'\."
    ):
        DRAWINGS["labels"]()
