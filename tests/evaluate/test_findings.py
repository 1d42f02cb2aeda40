from __future__ import annotations

from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.building import finding, gold, record
from gongkai.evaluate.findings import score_findings
from gongkai.evaluate.types import Counts, Marks
from gongkai.types import Finding

A, B, C = (0, 3), (10, 13), (20, 23)

CASES = {
    # name: (gold, predicted, counts, [(kind, label)])
    "right": ([finding("sum", A)], [finding("sum", A, B)], {"sum": (1, 1, 1)}, []),
    "gold's number is not the one doubted": ([finding("sum", A)], [finding("sum", B, A)], {"sum": (1, 1, 1)}, []),
    "number overlaps": ([finding("sum", A)], [finding("sum", (2, 5))], {"sum": (1, 1, 1)}, []),
    "number only touches": (
        [finding("sum", A)],
        [finding("sum", (3, 5))],
        {"sum": (0, 1, 1)},
        [("missed", "sum"), ("spurious", "sum")],
    ),
    "other check": (
        [finding("sum", A)],
        [finding("share", A)],
        {"sum": (0, 1, 0), "share": (0, 0, 1)},
        [("missed", "sum"), ("spurious", "share")],
    ),
    "said twice": (
        [finding("sum", A)],
        [finding("sum", A, B), finding("sum", B, A)],
        {"sum": (1, 1, 2)},
        [("spurious", "sum")],
    ),
    "one answers for one": (
        [finding("sum", A), finding("sum", B)],
        [finding("sum", A, B)],
        {"sum": (1, 2, 1)},
        [("missed", "sum")],
    ),
    "as many pairs as can be": (
        [finding("sum", A), finding("sum", B), finding("sum", C)],
        [finding("sum", A, B), finding("sum", B, C), finding("sum", A)],
        {"sum": (3, 3, 3)},
        [],
    ),
    "nothing predicted": ([finding("rate", A)], [], {"rate": (0, 1, 0)}, [("missed", "rate")]),
    "nothing in gold": ([], [finding("rate", A)], {"rate": (0, 0, 1)}, [("spurious", "rate")]),
    "nothing at all": ([], [], {}, []),
    "a finding that points nowhere": ([finding("sum", A)], [finding("sum")], {"sum": (0, 1, 1)}, [
        ("missed", "sum"), ("spurious", "sum"),
    ]),
}  # fmt: skip


def score(right: list[Finding], predicted: list[Finding], arguable: tuple[Finding, ...] = ()) -> Marks:
    return score_findings(
        gold(record("", findings=tuple(right)), has_findings=True, arguable=arguable),
        record("", findings=tuple(predicted)),
    )


@pytest.mark.parametrize("name", CASES)
def test_cases(name: str) -> None:
    right, predicted, counts, mistakes = CASES[name]
    marks = score(right, predicted)
    assert marks.counts == {"findings": {check: Counts(*c) for check, c in counts.items()}}
    assert [(m.kind, m.label) for m in marks.mistakes] == mistakes


def test_arguable_findings_count_neither_way() -> None:
    marks = score(
        [finding("sum", A)],
        [finding("sum", C, B), finding("sum", C), finding("rate", B)],
        (finding("sum", B),),
    )
    # (C, B) rests on the arguable number; C alone does not, and the rate is another check.
    assert marks.counts["findings"] == {"sum": Counts(0, 1, 1), "rate": Counts(0, 0, 1)}


def test_a_finding_that_is_right_is_not_excused_as_arguable() -> None:
    marks = score([finding("sum", A)], [finding("sum", A, B)], (finding("sum", B),))
    assert marks.counts["findings"] == {"sum": Counts(1, 1, 1)}


def test_no_level_without_findings_by_hand() -> None:
    doubtful = record("", findings=(finding("sum", A),))
    assert score_findings(gold(doubtful), doubtful).counts == {}


def test_a_mistake_shows_the_doubtful_number_and_the_contradiction() -> None:
    missed, spurious = score(
        [finding("sum", A, reported=1200, expected=1300)],
        [finding("share", B, C, reported=0.6, expected=0.58)],
    ).mistakes
    assert (missed.gold, missed.gold_value) == ((("sum", *A),), "1200 ≠ 1300")
    assert (spurious.predicted, spurious.predicted_value) == ((("share", *B),), "0.6 ≠ 0.58")


FINDINGS = st.lists(
    st.builds(
        lambda check, spans: finding(check, *((5 * place, 5 * place + 3) for place in spans)),
        st.sampled_from(["sum", "share"]),
        st.lists(st.integers(0, 3), min_size=1, max_size=3),
    ),
    max_size=4,
)


@given(FINDINGS)
def test_gold_itself_is_perfect(same: list[Finding]) -> None:
    marks = score([msgspec.structs.replace(one, spans=one.spans[:1]) for one in same], same)
    assert marks.mistakes == ()


@given(FINDINGS, FINDINGS)
def test_no_other_pairing_makes_more_right(right: list[Finding], predicted: list[Finding]) -> None:
    padded = [*predicted, *[finding("rate")] * len(right)]
    best = max(
        sum(a.check == b.check and a.spans[0] in b.spans for a, b in zip(right, chosen, strict=False))
        for chosen in permutations(padded, len(right))
    )
    counts = score(right, predicted).counts["findings"].values()
    assert sum(c.correct for c in counts) == best
