"""What follows from outcomes: by hand, and that it adds up."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.evaluate.outcomes import (
    SCHEMAS,
    Confusion,
    Tally,
    boundary_errors,
    confusion,
    level_counts,
    semeval_counts,
)
from gongkai.evaluate.types import Counts, Outcome

RIGHT = Outcome("COUNT", "COUNT", "same")
LONGER = Outcome("COUNT", "COUNT", "longer_left")
MISREAD = Outcome("COUNT", "PERCENT", "same")
BOTH = Outcome("PERCENT", "COUNT", "shifted_right")
MISSED = Outcome("COUNT", None, None)
SPURIOUS = Outcome(None, "PERCENT", None)

OUTCOMES = {RIGHT: 5, LONGER: 2, MISREAD: 1, BOTH: 3, MISSED: 4, SPURIOUS: 6}
POSSIBLE, ACTUAL = 15, 17


def test_the_four_schemas() -> None:
    assert semeval_counts(OUTCOMES) == {
        "strict": {"COUNT": Tally(cor=5, inc=3, mis=4), "PERCENT": Tally(inc=3, spu=6)},
        "exact": {"COUNT": Tally(cor=6, inc=2, mis=4), "PERCENT": Tally(inc=3, spu=6)},
        "partial": {"COUNT": Tally(cor=6, par=2, mis=4), "PERCENT": Tally(par=3, spu=6)},
        "type": {"COUNT": Tally(cor=7, inc=1, mis=4), "PERCENT": Tally(inc=3, spu=6)},
    }


def test_possible_and_actual() -> None:
    tally = Tally(cor=1, inc=2, par=4, mis=8, spu=16)
    assert (tally.possible, tally.actual) == (15, 23)


@pytest.mark.parametrize(
    ("level", "count", "percent"),
    [
        # A predicted span counts under its own label: 5 + 2 + 3 COUNT, 1 + 6 PERCENT.
        ("entities.strict", Counts(5, 12, 10), Counts(0, 3, 7)),
        ("entities.type", Counts(7, 12, 10), Counts(0, 3, 7)),
        # A pair counts under its gold label on both sides: 5 + 2 + 1 COUNT, 3 + 6 PERCENT.
        ("entities.exact", Counts(6, 12, 8), Counts(0, 3, 9)),
        ("entities.partial", Counts(7, 12, 8), Counts(1.5, 3, 9)),
    ],
)
def test_the_counts_of_a_level(level: str, count: Counts, percent: Counts) -> None:
    counts = level_counts(OUTCOMES)[level]  # type: ignore[index]
    assert counts == {"COUNT": count, "PERCENT": percent}
    assert count.plus(percent)[1:] == (POSSIBLE, ACTUAL)


def test_the_confusion_matrix() -> None:
    assert confusion(OUTCOMES) == Confusion(
        labels=("COUNT", "PERCENT", None),
        matrix=((7, 1, 4), (3, 0, 0), (0, 6, 0)),
    )


def test_boundary_errors() -> None:
    assert boundary_errors(OUTCOMES) == {"COUNT": {"longer_left": 2}, "PERCENT": {"shifted_right": 3}}


def test_of_nothing() -> None:
    assert semeval_counts({}) == {schema: {} for schema in SCHEMAS}
    assert level_counts({}) == {level: {} for level in SCHEMAS.values()}
    assert confusion({}) == Confusion((None,), ((0,),))
    assert boundary_errors({}) == {}


_labels = st.sampled_from(["COUNT", "PERCENT", "PERIOD"])
_outcomes = st.dictionaries(
    st.builds(Outcome, _labels, _labels, st.sampled_from(["same", "longer_left", "shifted_right"]))
    | st.builds(Outcome, _labels, st.none(), st.none())
    | st.builds(Outcome, st.none(), _labels, st.none()),
    st.integers(1, 9),
)


@given(_outcomes)
def test_no_label_has_more_right_than_it_has(outcomes: dict[Outcome, int]) -> None:
    for by_label in level_counts(outcomes).values():
        for counts in by_label.values():
            assert 0 <= counts.correct <= min(counts.gold, counts.predicted)


@given(_outcomes)
def test_labels_add_up_to_the_published_figures(outcomes: dict[Outcome, int]) -> None:
    tallies, levels = semeval_counts(outcomes), level_counts(outcomes)
    for schema, level in SCHEMAS.items():
        together = [sum(column) for column in zip(*levels[level].values(), strict=True)] or [0, 0, 0]
        tally = Tally(*map(sum, zip(*tallies[schema].values(), strict=True)))
        assert together == [tally.cor + 0.5 * tally.par, tally.possible, tally.actual]


@given(_outcomes, _outcomes)
def test_documents_add_up(one: dict[Outcome, int], other: dict[Outcome, int]) -> None:
    apart, together = [level_counts(one), level_counts(other)], level_counts(Counter(one) + Counter(other))
    for level, by_label in together.items():
        for label, counts in by_label.items():
            first, second = (counts_of[level].get(label, Counts()) for counts_of in apart)
            assert counts == first.plus(second)
