"""Span arithmetic against brute force over all short intervals."""

from __future__ import annotations

from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from gongkai.spans import IntervalIndex, drop_overlapping
from gongkai.types import Mention

SHORT = [(a, b) for a, b in product(range(7), repeat=2) if a < b]
DISJOINT = [[one, two] for one, two in product(SHORT, repeat=2) if one[1] <= two[0]]


def test_index_agrees_with_brute_force_on_all_short_intervals() -> None:
    for spans in DISJOINT:
        index = IntervalIndex(spans)
        for position in range(-1, 8):
            holding = [n for n, (a, b) in enumerate(spans) if a <= position < b]
            assert index.find(position) == (holding[0] if holding else None)
        for start, end in SHORT:
            assert index.overlaps(start, end) == any(a < end and start < b for a, b in spans)


def test_an_empty_index_holds_nothing() -> None:
    assert IntervalIndex([]).find(0) is None
    assert not IntervalIndex([]).overlaps(0, 9)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=12))
def test_what_is_kept_is_disjoint_in_order_and_was_there(drawn: list[tuple[int, int]]) -> None:
    mentions = [Mention("ORG", start, start + length, "rule:x", 1.0) for start, length in drawn]
    kept = drop_overlapping(mentions)
    assert set(kept) <= set(mentions)
    assert all(a.end <= b.start for a, b in pairwise(kept))
    if mentions:
        assert max(m.end - m.start for m in kept) == max(m.end - m.start for m in mentions)


def test_the_longer_stays_and_on_a_tie_the_earlier() -> None:
    short, long, tie = (Mention("ORG", a, b, "rule:x", 1.0) for a, b in ((0, 3), (2, 7), (6, 11)))
    assert drop_overlapping([short, long]) == [long]
    assert drop_overlapping([long, tie]) == [long]
