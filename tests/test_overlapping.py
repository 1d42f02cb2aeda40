from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gongkai.evaluate.types import Part
from gongkai.spans import Overlap, overlapping, shared

SPANS = st.lists(
    st.builds(
        lambda start, length: Part("COUNT", start, start + length), st.integers(0, 12), st.integers(0, 6)
    ),
    max_size=8,
)


def test_shared() -> None:
    span = Part("COUNT", 3, 6)
    others = [(0, 3), (0, 4), (4, 5), (3, 6), (5, 9), (6, 9), (0, 9), (4, 4)]
    assert [shared(span, Part("COUNT", *other)) for other in others] == [0, 1, 1, 3, 1, 0, 3, 0]


@given(SPANS, SPANS)
def test_overlapping_is_what_comparing_all_pairs_gives(first: list[Part], second: list[Part]) -> None:
    expected = [
        Overlap(i, j, common)
        for i, one in enumerate(first)
        for j, other in enumerate(second)
        if (common := len(set(range(one.start, one.end)) & set(range(other.start, other.end))))
    ]
    assert sorted(overlapping(first, second)) == expected
