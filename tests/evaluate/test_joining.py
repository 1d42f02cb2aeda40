"""Documents of two sides come together by id; one that is missing is an error that names it, never a silent zero."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.errors import Unpaired
from gongkai.evaluate.joining import join, pair
from gongkai.evaluate.types import Reference
from gongkai.types import Meta, Record, Source

SIDES = ("gold", "predictions")


def same(key: str) -> str:
    return key


def record(key: str, text: str = "全年收到申请12件。") -> Record:
    return Record(id=key, source=Source(), meta=Meta(), text=text)


@given(st.permutations([f"d{place}" for place in range(9)]))
def test_any_order(second: list[str]) -> None:
    first = sorted(second)
    assert sorted(join(first, second, same, same, SIDES)) == [(key, key) for key in first]


@pytest.mark.parametrize(
    ("gold", "predictions", "message"),
    [
        pytest.param(
            ["a", "b"], ["a"], "1 documents of the gold: They are not in the predictions: b.", id="missed"
        ),
        pytest.param(["a"], ["a", "b", "c"], "2 documents of the predictions: .* gold: b, c.", id="too many"),
        pytest.param(["a", "b"], ["b", "c"], "1 documents of the gold.*: a.", id="another"),
        pytest.param(["a", "b", "b"], ["x", "a", "b"], "b.*twice in the gold", id="twice"),
        pytest.param(["a", "b"], ["a", "b", "a"], "1 documents of the predictions.*: a.", id="twice, later"),
        pytest.param([], ["a"], "1 documents of the predictions", id="no gold"),
        pytest.param(
            list("abcdefg"), [], "7 documents of the gold.*: a, b, c, d, e, ….", id="named are five"
        ),
    ],
)
def test_what_has_no_partner(gold: list[str], predictions: list[str], message: str) -> None:
    with pytest.raises(Unpaired, match=message):
        list(join(gold, predictions, same, same, SIDES))


def test_in_one_order_nothing_waits() -> None:
    """A partner comes out before the next document is asked for: memory is constant."""
    asked: list[str] = []

    def told(name: str) -> Iterator[str]:
        for place in range(1000):
            asked.append(f"{name}{place}")
            yield str(place)

    pairs = join(told("a"), told("b"), same, same, SIDES)
    for place in range(1000):
        assert next(pairs) == (str(place), str(place))
        assert len(asked) == 2 * (place + 1)


def test_another_text_is_refused() -> None:
    gold = Reference(record=record("a"))
    with pytest.raises(Unpaired, match=re.escape("document a: Its text is not that of the gold")):
        list(pair([gold], [record("a", "全年收到申请13件。")]))
    assert list(pair([gold], [record("a")])) == [(gold, record("a"))]
