"""Windows hold every paragraph, none is too long, and each stretch of text has the right owner."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.model.windows import Owners, Window, cut

Spans = list[tuple[int, int]]


@st.composite
def documents(draw: st.DrawFn) -> tuple[Spans, Spans]:
    """Paragraphs with gaps, some of them left out instead."""
    paragraphs: Spans = []
    left_out: Spans = []
    place = 0
    for gap, length, out in draw(
        st.lists(st.tuples(st.integers(1, 4), st.integers(1, 60), st.booleans()), max_size=12)
    ):
        place += gap
        (left_out if out else paragraphs).append((place, place + length))
        place += length
    return paragraphs, left_out


@given(documents(), st.integers(2, 40), st.integers(0, 30))
def test_windows_hold_all_that_is_read_and_nothing_that_is_left_out(
    document: tuple[Spans, Spans], longest: int, overlap: int
) -> None:
    paragraphs, left_out = document
    windows = cut(paragraphs, longest, overlap=overlap, left_out=left_out)
    assert all(0 < end - start <= longest for start, end in windows)
    assert all(a.start < b.start and a.end < b.end for a, b in pairwise(windows))
    covered = {place for start, end in windows for place in range(start, end)}
    assert covered >= {place for start, end in paragraphs for place in range(start, end)}
    assert not covered & {place for start, end in left_out for place in range(start, end)}


@given(documents(), st.integers(2, 40), st.integers(0, 30), st.integers(1, 60))
def test_every_character_and_paragraph_that_fits_has_an_owner(
    document: tuple[Spans, Spans], longest: int, overlap: int, width: int
) -> None:
    paragraphs, left_out = document
    owners = Owners(cut(paragraphs, longest, overlap=overlap, left_out=left_out))
    for start, end in paragraphs:
        assert all(owners.of(place, place + 1) is not None for place in range(start, end))
        if end - start <= longest:
            assert owners.of(start, end) is not None
        else:
            # Of a paragraph longer than a window, whatever is no longer than what its windows share.
            shared = min(max(overlap, longest // 4), longest - 1)
            assert all(
                owners.of(place, place + shared) is not None for place in range(start, end - shared + 1)
            )


@given(documents(), st.integers(4, 40), st.integers(0, 30), st.integers(0, 500), st.integers(1, 20))
def test_the_owner_is_the_window_with_most_room_around(
    document: tuple[Spans, Spans], longest: int, overlap: int, start: int, width: int
) -> None:
    windows = cut(document[0], longest, overlap=overlap, left_out=document[1])
    end = start + width
    rooms = [min(start - window.start, window.end - end) for window in windows]
    best = max((room for room in rooms if room >= 0), default=None)
    assert Owners(windows).of(start, end) == (None if best is None else rooms.index(best))


@pytest.mark.parametrize(
    ("paragraphs", "longest", "overlap", "left_out", "expected"),
    [
        pytest.param([], 10, 0, [], [], id="nothing"),
        pytest.param([(0, 4), (5, 9), (10, 14)], 9, 0, [], [(0, 9), (10, 14)], id="packed"),
        pytest.param(
            [(0, 4), (5, 9), (10, 14)], 9, 5, [], [(0, 9), (5, 14)], id="context is whole paragraphs"
        ),
        pytest.param([(0, 4), (5, 9), (10, 14)], 9, 4, [], [(0, 9), (10, 14)], id="context does not fit"),
        pytest.param([(0, 4), (8, 12)], 20, 0, [(5, 7)], [(0, 4), (8, 12)], id="boilerplate parts"),
        pytest.param(
            [(0, 3), (4, 20), (21, 23)], 8, 0, [], [(0, 3), (4, 12), (10, 18), (12, 20), (21, 23)], id="long"
        ),
        pytest.param([(0, 8)], 8, 3, [], [(0, 8)], id="exactly one"),
    ],
)
def test_cut(paragraphs: Spans, longest: int, overlap: int, left_out: Spans, expected: Spans) -> None:
    windows = cut(paragraphs, longest, overlap=overlap, left_out=left_out)
    assert windows == tuple(Window(*window) for window in expected)
