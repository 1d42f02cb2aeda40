"""Spans are paired one-to-one, only where they meet, alike from both sides, and in near-linear time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from time import process_time

import pytest
from hypothesis import given

from gongkai.evaluate.alignment import Pair, align, boundary
from gongkai.evaluate.types import Part
from random_spans import any_spans, nesting_spans


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (10, 20, "same"),
        (9, 20, "longer_left"),
        (10, 21, "longer_right"),
        (9, 21, "longer_both"),
        (11, 20, "shorter_left"),
        (10, 19, "shorter_right"),
        (11, 19, "shorter_both"),
        (8, 18, "shifted_left"),
        (12, 22, "shifted_right"),
    ],
)
def test_how_the_ends_lie(start: int, end: int, expected: str) -> None:
    assert boundary(Part("COUNT", 10, 20), Part("COUNT", start, end)) == expected


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        pytest.param(
            [Part("COUNT", 0, 4)],
            [Part("COUNT", 3, 9), Part("METRIC", 0, 4)],
            [(Part("COUNT", 0, 4), Part("METRIC", 0, 4)), (None, Part("COUNT", 3, 9))],
            id="the same ends go before the same label",
        ),
        pytest.param(
            [Part("COUNT", 0, 6)],
            [Part("COUNT", 0, 2), Part("COUNT", 2, 6)],
            [(None, Part("COUNT", 0, 2)), (Part("COUNT", 0, 6), Part("COUNT", 2, 6))],
            id="the larger overlap first",
        ),
        pytest.param(
            [Part("COUNT", 0, 6)],
            [Part("COUNT", 0, 3), Part("COUNT", 3, 6)],
            [(Part("COUNT", 0, 6), Part("COUNT", 0, 3)), (None, Part("COUNT", 3, 6))],
            id="of equal overlaps the earlier",
        ),
        pytest.param(
            [Part("COUNT", 0, 4)],
            [Part("METRIC", 0, 2)],
            [(Part("COUNT", 0, 4), Part("METRIC", 0, 2))],
            id="another label, half of it: a pair",
        ),
        pytest.param(
            [Part("COUNT", 0, 4)],
            [Part("METRIC", 1, 5), Part("PERIOD", 3, 9)],
            [(Part("COUNT", 0, 4), Part("METRIC", 1, 5)), (None, Part("PERIOD", 3, 9))],
            id="another label, three of five: a pair",
        ),
        pytest.param(
            [Part("COUNT", 0, 4)],
            [Part("METRIC", 2, 6)],
            [(Part("COUNT", 0, 4), None), (None, Part("METRIC", 2, 6))],
            id="another label, two of six: two mistakes",
        ),
        pytest.param(
            [Part("COUNT", 0, 4)],
            [Part("COUNT", 4, 8)],
            [(Part("COUNT", 0, 4), None), (None, Part("COUNT", 4, 8))],
            id="spans that only touch do not overlap",
        ),
        pytest.param(
            [Part("METRIC", 0, 4)],
            [Part("COUNT", 0, 4), Part("PERIOD", 0, 4)],
            [(Part("METRIC", 0, 4), Part("COUNT", 0, 4)), (None, Part("PERIOD", 0, 4))],
            id="of two other labels with the same ends the first by name",
        ),
        pytest.param(
            [Part("COUNT", 10, 14)],
            [Part("POLICY", 0, 30), Part("METRIC", 9, 14)],
            [(None, Part("POLICY", 0, 30)), (Part("COUNT", 10, 14), Part("METRIC", 9, 14))],
            id="one that lies over it does not hide the other",
        ),
        pytest.param(
            [Part("COUNT", 19, 20)],
            [Part("COUNT", 0, 20), *(Part("COUNT", i, i + 1) for i in range(1, 18))],
            [
                *((None, Part("COUNT", i, i + 1)) for i in range(1, 18)),
                (Part("COUNT", 19, 20), Part("COUNT", 0, 20)),
            ],
            id="many that have ended do not hide the one that goes on",
        ),
    ],
)
def test_what_is_paired(
    gold: list[Part], predicted: list[Part], expected: list[tuple[Part | None, Part | None]]
) -> None:
    assert align(gold, predicted) == expected


@given(any_spans(), any_spans())
def test_one_to_one_and_only_where_they_meet(gold: list[Part], predicted: list[Part]) -> None:
    pairs = align(gold, predicted)
    assert Counter(pair.gold for pair in pairs if pair.gold) == Counter(set(gold))
    assert Counter(pair.predicted for pair in pairs if pair.predicted) == Counter(set(predicted))
    for one, other in pairs:
        assert one or other
        if one and other:
            assert max(one.start, other.start) < min(one.end, other.end)


@given(any_spans(), any_spans())
def test_alike_from_both_sides(gold: list[Part], predicted: list[Part]) -> None:
    turned = {Pair(pair.predicted, pair.gold) for pair in align(predicted, gold)}
    assert turned == set(align(gold, predicted))


@given(nesting_spans(), nesting_spans())
def test_nothing_of_one_label_is_left_on_both_sides(gold: list[Part], predicted: list[Part]) -> None:
    pairs = align(gold, predicted)
    missed = [pair.gold for pair in pairs if pair.gold and not pair.predicted]
    spurious = [pair.predicted for pair in pairs if pair.predicted and not pair.gold]
    for one in missed:
        for other in spurious:
            assert one.label != other.label or one.end <= other.start or other.end <= one.start


def _far(number: int) -> int:
    return 1_000_000 - number


@pytest.mark.parametrize("many", [10_000, pytest.param(50_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        pytest.param(lambda i: (3 * i, 3 * i + 2), lambda i: (3 * i + 1, 3 * i + 3), id="shifted"),
        pytest.param(lambda i: (3 * i, 3 * i + 2), lambda i: (i, _far(i)), id="one side nested"),
        pytest.param(lambda i: (i, _far(i)), lambda i: (i + 1, _far(2 * i)), id="both nested"),
        pytest.param(lambda i: (0, 2 * i + 1), lambda i: (0, 2 * i + 2), id="all from the same place"),
    ],
)
def test_many_spans_however_they_overlap(
    gold: Callable[[int], tuple[int, int]], predicted: Callable[[int], tuple[int, int]], many: int
) -> None:
    one = [Part("COUNT", *gold(i)) for i in range(many)]
    other = [Part("COUNT", *predicted(i)) for i in range(many)]
    begun = process_time()
    pairs = align(one, other)
    # Looking at every pair takes two minutes for 10,000 on each side.
    assert process_time() - begun < many / 1000
    assert sum(pair.gold is not None for pair in pairs) == many
