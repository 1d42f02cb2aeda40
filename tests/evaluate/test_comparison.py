"""Is B better than A: the tests give the p that enumeration gives, and say can't tell where there is nothing to tell."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from gongkai.errors import Unpaired
from gongkai.evaluate.comparison import Comparer, change, compare
from gongkai.evaluate.result import Comparison, Difference, Run
from gongkai.evaluate.types import Counts, DocumentScore, Mistake, Part

A, B = (Run(system=name, version="0", code=None, gold=(), resamples=100, seed=0) for name in ("old", "new"))
MISSED = Mistake(level="entities", kind="missed", label="COUNT", gold=(Part("COUNT", 3, 6),))
SPURIOUS = Mistake(level="entities", kind="spurious", label="ORG", predicted=(Part("ORG", 0, 2),))


def score(place: int, *counts: float, sha256: str = "", mistakes: tuple[Mistake, ...] = ()) -> DocumentScore:
    return DocumentScore(
        id=f"d{place}",
        sha256=sha256,
        characters=100,
        facets={},
        counts={"entities.strict": {"COUNT": Counts(*counts)}} if counts else {},
        mistakes=mistakes,
    )


def micro(comparison: Comparison) -> Difference:
    return next(each for each in comparison.differences if each.label is None)


def compared(a: list[tuple[float, ...]], b: list[tuple[float, ...]]) -> Difference:
    before = [score(place, *counts) for place, counts in enumerate(a)]
    after = [score(place, *counts) for place, counts in enumerate(b)]
    return micro(compare(before, after, A, B, resamples=20_000))


def test_p_is_what_enumerating_all_swaps_gives() -> None:
    a = [(5, 9, 8), (3, 10, 9), (7, 8, 8), (2, 5, 7), (6, 6, 9), (4, 8, 8)]
    b = [(7, 9, 8), (6, 10, 9), (7, 8, 9), (5, 5, 7), (5, 6, 9), (7, 8, 8)]

    def f1(rows: list[tuple[int, ...]]) -> float:
        correct, gold, predicted = np.sum(rows, axis=0)
        return float(2 * correct / (gold + predicted))

    observed = f1(b) - f1(a)
    as_far = 0
    for swaps in product((False, True), repeat=len(a)):
        one = [y if swap else x for x, y, swap in zip(a, b, swaps, strict=True)]
        two = [x if swap else y for x, y, swap in zip(a, b, swaps, strict=True)]
        as_far += abs(f1(two) - f1(one)) >= abs(observed) - 1e-12
    found = compared(a, b)
    assert found.f1.value == pytest.approx(observed)
    assert found.p == pytest.approx(as_far / 2 ** len(a), abs=0.01)


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        pytest.param((5, 10, 10), (8, 10, 10), "better", id="three more right on every document"),
        pytest.param((8, 10, 10), (5, 10, 10), "worse", id="three fewer"),
        pytest.param((8, 10, 10), (8, 10, 10), "can't tell", id="the same"),
    ],
)
def test_a_steady_difference(a: tuple[float, ...], b: tuple[float, ...], verdict: str) -> None:
    found = compared([a] * 20, [b] * 20)
    assert found.verdict == verdict
    assert found.f1.low == pytest.approx(found.f1.value)
    assert found.f1.high == pytest.approx(found.f1.value)


def test_one_document_that_gains_a_lot_proves_nothing() -> None:
    found = compared([(0, 50, 50)] + [(5, 10, 10)] * 9, [(50, 50, 50)] + [(5, 10, 10)] * 9)
    assert found.f1.value is not None
    assert found.f1.value > 0.3
    assert found.verdict == "can't tell"


def test_a_level_that_only_one_side_has_is_not_compared() -> None:
    found = micro(compare([score(0)], [score(0, 1, 1, 1)], A, B))
    assert (found.f1.value, found.p, found.verdict) == (None, None, "can't tell")


def test_what_changed() -> None:
    a, b = score(0, mistakes=(MISSED, MISSED)), score(0, mistakes=(MISSED, SPURIOUS))
    found = change(a, b)
    assert found is not None
    assert (found.mended, found.broken) == ((MISSED,), (SPURIOUS,))
    assert change(a, a) is None


def test_documents_that_changed_most_come_first() -> None:
    a = [score(place, 1, 1, 1, mistakes=(MISSED,) * place) for place in range(5)]
    b = [score(place, 1, 1, 1) for place in range(5)]
    found = compare(a, reversed(b), A, B)
    assert [each.document for each in found.changes] == ["d4", "d3", "d2", "d1"]
    assert (found.documents, found.changed) == (5, 4)


def test_order_of_the_files_does_not_matter() -> None:
    a = [score(place, place, 9, 9) for place in range(9)]
    b = [score(place, 9 - place, 9, 9) for place in range(9)]
    assert compare(a, reversed(b), A, B).documents == 9


def test_another_text_or_a_missing_document_is_an_error() -> None:
    with pytest.raises(Unpaired, match="document d0: A and B were scored on different texts"):
        Comparer().add(score(0, sha256="1"), score(0, sha256="2"))
    with pytest.raises(Unpaired, match="1 documents of the scores of A: They are not in the scores of B: d1"):
        compare([score(0), score(1)], [score(0)], A, B)
