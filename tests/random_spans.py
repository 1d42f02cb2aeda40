"""Random spans for the tests of what counts spans."""

from __future__ import annotations

from hypothesis import strategies as st

from gongkai.evaluate.types import Part

LABELS = ("METRIC", "COUNT", "PERIOD")
LENGTH = 24
"""Of the text that the spans lie in: short, so that they meet."""


@st.composite
def spans(draw: st.DrawFn, *, label: str | None = None) -> Part:
    """A span of any place, not empty."""
    start = draw(st.integers(0, LENGTH - 1))
    end = draw(st.integers(start + 1, min(LENGTH, start + 9)))
    return Part(label or draw(st.sampled_from(LABELS)), start, end)


def any_spans() -> st.SearchStrategy[list[Part]]:
    """Spans that may repeat and overlap, whatever their labels: what a prediction may be."""
    return st.lists(spans(), max_size=14)


def nesting_spans() -> st.SearchStrategy[list[Part]]:
    """Spans that overlap across labels, never within one: what annotation may be."""
    return any_spans().map(_without_overlap_within_label)


def _without_overlap_within_label(found: list[Part]) -> list[Part]:
    kept: list[Part] = []
    for span in found:
        if all(span.label != k.label or span.end <= k.start or span.start >= k.end for k in kept):
            kept.append(span)
    return kept
