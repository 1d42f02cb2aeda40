"""Alpha against its definition, with the coincidences counted one by one."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.gold.records import Annotated, GoldEntity
from gongkai_annotations.alpha import Alpha


def annotation(marked: str) -> Annotated:
    """`x` for a character inside an ORG."""
    return Annotated(
        id="d",
        entities=tuple(
            GoldEntity(id=f"T{place}", label="ORG", start=place, end=place + 1)
            for place, sign in enumerate(marked)
            if sign == "x"
        ),
    )


def by_definition(documents: list[list[str]]) -> Fraction | None:
    """1 - observed / expected disagreement, from the coincidence matrix."""
    matrix = dict.fromkeys(((a, b) for a in "x." for b in "x."), Fraction(0))
    for annotators in documents:
        if len(annotators) < 2:
            continue
        for unit in zip(*annotators, strict=True):
            for pair in permutations(unit, 2):
                matrix[pair] += Fraction(1, len(unit) - 1)
    totals = {value: matrix[value, "x"] + matrix[value, "."] for value in "x."}
    if not all(totals.values()):
        return None
    n = sum(totals.values())
    observed = (matrix["x", "."] + matrix[".", "x"]) / n
    expected = 2 * totals["x"] * totals["."] / (n * (n - 1))
    return 1 - observed / expected


@st.composite
def annotated_documents(draw: st.DrawFn) -> list[list[str]]:
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    return [
        draw(st.lists(st.text("x.", min_size=length, max_size=length), min_size=1, max_size=4))
        for length in lengths
    ]


@given(annotated_documents())
def test_alpha_is_as_defined(documents: list[list[str]]) -> None:
    alpha = Alpha(["ORG"])
    for annotators in documents:
        alpha.add([annotation(marked) for marked in annotators], len(annotators[0]))
    expected = by_definition(documents)
    assert alpha.of("ORG") == (None if expected is None else pytest.approx(float(expected)))


@pytest.mark.parametrize(
    ("annotators", "expected"),
    [
        (["xx..", "xx.."], 1.0),
        (["xx..", "..xx"], 1 - 7 * 4 / 16),
        (["....", "...."], None),
        (["xxxx", "xxxx"], None),
        (["x...", "x...", "...."], 1 - 11 * 1 / 20),
    ],
)
def test_alpha_by_hand(annotators: list[str], expected: float | None) -> None:
    alpha = Alpha(["ORG", "COUNT"])
    alpha.add([annotation(marked) for marked in annotators], 4)
    assert alpha.of("ORG") == (None if expected is None else pytest.approx(expected))
    assert alpha.of("COUNT") is None
