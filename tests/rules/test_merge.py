"""Which of overlapping mentions stay: the annotation scheme's rules of nesting."""

from __future__ import annotations

import pytest

from gongkai.rules.masking import PLACEHOLDER, mask
from gongkai.rules.merge import merge
from gongkai.types import EntityLabel, Mention


def mention(label: EntityLabel, start: int, end: int) -> Mention:
    return Mention(label, start, end, "rule:x", 1.0)


@pytest.mark.parametrize(
    ("inner", "outer", "stays"),
    [
        ("ORG", "POLICY", False),
        ("ORG", "DOCNO", False),
        ("PERIOD", "POLICY", True),
        ("PERIOD", "DOCNO", False),
        ("COUNT", "POLICY", False),
        ("COUNT", "PERIOD", False),
        ("PERCENT", "ORG", True),
    ],
)
def test_what_may_nest(inner: EntityLabel, outer: EntityLabel, stays: bool) -> None:
    inside, outside = mention(inner, 3, 6), mention(outer, 0, 10)
    assert merge([inside, outside]) == ([outside, inside] if stays else [outside])


def test_nothing_is_tagged_in_boilerplate() -> None:
    kept = mention("ORG", 20, 24)
    assert merge([mention("ORG", 2, 5), kept], [(0, 10)]) == [kept]


def test_the_mask_shows_the_outermost_and_keeps_the_length() -> None:
    view = "《2018年要点》3件"
    masked = mask(view, [mention("POLICY", 0, 9), mention("PERIOD", 1, 6), mention("COUNT", 9, 11)])
    assert masked == PLACEHOLDER["POLICY"] * 9 + PLACEHOLDER["COUNT"] * 2
