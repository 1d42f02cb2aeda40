from __future__ import annotations

from time import perf_counter
from typing import Any

import msgspec
import pytest

from evaluate.building import YEAR, gold, record, with_facts
from gongkai.errors import BrokenPrediction
from gongkai.evaluate.facts import score_facts
from gongkai.evaluate.types import Counts
from gongkai.types import Fact, PeriodNorm, Record

TEXT = "⟦METRIC 收到信息公开申请⟧⟦COUNT 863余件⟧，占⟦PERCENT 60%⟧"
FACT: dict[str, Any] = {"evidence": "T2 T1", "value": 863, "metric_id": "requests"}
BARE: dict[str, Any] = {"evidence": "T3", "value": 0.6, "unit": "%"}
RIGHT, WRONG = (1, 1, 1), (0, 1, 1)

CASES = {
    # name: (predicted text and facts, facts counts, facts.metric_id counts, [(kind, gold value, predicted value)])
    "right": (TEXT, [FACT, BARE], (2, 2, 2), (2, 2, 2), []),
    "in any order": (TEXT, [BARE, FACT], (2, 2, 2), (2, 2, 2), []),
    "number and metric overlap": (
        TEXT.replace("⟦METRIC 收到信息公开申请⟧⟦COUNT 863余件⟧", "收到⟦METRIC 信息公开申请⟧⟦COUNT 863⟧余件"),
        [FACT, BARE],
        (2, 2, 2),
        (2, 2, 2),
        [],
    ),
    "other metric span": (
        TEXT.replace("⟦METRIC 收到信息公开申请⟧", "收到信息公开申请") + "⟦METRIC 其他⟧",
        [FACT | {"evidence": "T1 T3"}, BARE | {"evidence": "T2"}],
        (1, 2, 2),
        (1, 2, 2),
        [("metric", "收到信息公开申请", "其他")],
    ),
    "metric missing, and so not looked further": (
        TEXT,
        [FACT | {"evidence": "T2", "value": 1}, BARE],
        (1, 2, 2),
        (1, 2, 2),
        [("metric", "收到信息公开申请", None)],
    ),
    "metric where there is none": (
        TEXT,
        [FACT, BARE | {"evidence": "T3 T1"}],
        (1, 2, 2),
        (1, 2, 2),
        [("metric", None, "收到信息公开申请")],
    ),
    "value": (TEXT, [FACT | {"value": 86, "unit": "x"}, BARE], (1, 2, 2), (1, 2, 2), [("value", "863", "86")]),
    "range": (TEXT, [FACT | {"value_max": 900}, BARE], (1, 2, 2), (1, 2, 2), [("value", "863", "863–900")]),
    "unit": (TEXT, [FACT | {"unit": "宗", "period": None}, BARE], (1, 2, 2), (1, 2, 2), [("unit", "件", "宗")]),
    "period": (
        TEXT,
        [FACT | {"period": None}, BARE],
        (1, 2, 2),
        (1, 2, 2),
        [("period", "2018-01-01/2018-12-31", "/")],
    ),
    "metric id": (
        TEXT,
        [FACT | {"metric_id": None}, BARE],
        (2, 2, 2),
        (1, 2, 2),
        [("metric_id", "requests", None)],
    ),
    "not compared: qualifier, direction, score": (
        TEXT,
        [FACT | {"qualifier": "approx", "direction": "up", "score": 0.1}, BARE],
        (2, 2, 2),
        (2, 2, 2),
        [],
    ),
    "missed": (TEXT, [FACT], (1, 2, 1), (1, 2, 1), [("missed", "0.6", None)]),
    "said twice": (TEXT, [FACT, FACT, BARE], (2, 2, 3), (2, 2, 3), [("spurious", None, "863")]),
    "said twice, once rightly": (
        TEXT,
        [FACT | {"value": 8}, FACT, BARE],
        (2, 2, 3),
        (2, 2, 3),
        [("spurious", None, "8")],
    ),
    "said twice, once all but rightly": (
        TEXT,
        [FACT | {"value": 8}, FACT | {"metric_id": None}, BARE],
        (2, 2, 3),
        (1, 2, 3),
        [("metric_id", "requests", None), ("spurious", None, "8")],
    ),
    "nothing predicted": (TEXT, [], (0, 2, 0), (0, 2, 0), [("missed", "863", None), ("missed", "0.6", None)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_cases(name: str) -> None:
    text, facts, counts, with_id, mistakes = CASES[name]
    reference = gold(with_facts(record(TEXT), FACT, BARE))
    marks = score_facts(reference, with_facts(record(text), *facts))
    assert marks.counts == {
        "facts": {"prose": Counts(*counts)},
        "facts.metric_id": {"prose": Counts(*with_id)},
    }
    assert [(m.kind, m.gold_value, m.predicted_value) for m in marks.mistakes] == mistakes
    assert {(m.level, m.label) for m in marks.mistakes} <= {("facts", "prose")}


def test_a_mistake_shows_the_numbers() -> None:
    reference = gold(with_facts(record(TEXT), FACT, BARE))
    predicted = with_facts(record(TEXT.replace("863余件", "863余") + "件"), FACT | {"value": 1}, BARE)
    [mistake] = score_facts(reference, predicted).mistakes
    assert (mistake.gold, mistake.predicted) == ((("COUNT", 8, 13),), (("COUNT", 8, 12),))


def test_the_same_number_comes_before_one_that_overlaps() -> None:
    text = "⟦COUNT 3⟦COUNT 0⟧⟧"
    reference = gold(with_facts(record(text), {"evidence": "T2", "value": 0}))
    predicted = with_facts(record(text), {"evidence": "T1", "value": 0}, {"evidence": "T2", "value": 5})
    kinds = [mistake.kind for mistake in score_facts(reference, predicted).mistakes]
    assert kinds == ["value", "spurious"]


def test_of_numbers_that_overlap_the_one_that_shares_more_is_the_partner() -> None:
    reference = gold(with_facts(record("⟦COUNT 3000件⟧"), {"evidence": "T1", "value": 3000}))
    predicted = with_facts(
        record("⟦COUNT 3⟧⟦COUNT 000件⟧"), {"evidence": "T1", "value": 3}, {"evidence": "T2", "value": 0}
    )
    mistakes = score_facts(reference, predicted).mistakes
    assert [(m.kind, m.predicted_value) for m in mistakes] == [("value", "0"), ("spurious", "3")]


def test_nested_numbers_are_two_facts() -> None:
    same = with_facts(
        record("⟦COUNT 3⟦COUNT 0⟧⟧"), {"evidence": "T1", "value": 30}, {"evidence": "T2", "value": 0}
    )
    assert score_facts(gold(same), same).counts["facts"] == {"prose": Counts(2, 2, 2)}


def test_prose_and_tables_are_counted_apart_under_the_label_of_gold() -> None:
    text = "⟦COUNT 1⟧⟦COUNT 2⟧⟦COUNT 3⟧"
    one, two, three = ({"evidence": f"T{n}", "value": n} for n in (1, 2, 3))
    reference = gold(with_facts(record(text), one, two | {"table": "X1"}))
    predicted = with_facts(
        record(text), one | {"table": "X1"}, two | {"table": "X1"}, three | {"table": "X1"}
    )
    marks = score_facts(reference, predicted)
    assert marks.counts["facts"] == {"prose": Counts(1, 1, 1), "table": Counts(1, 1, 2)}
    assert [(m.kind, m.label) for m in marks.mistakes] == [("spurious", "table")]


def test_a_period_without_days_is_none() -> None:
    one, other = (with_facts(record(TEXT), FACT | {"period": period}) for period in (None, PeriodNorm()))
    assert score_facts(gold(one), other).mistakes == ()


def test_empty_gold() -> None:
    assert score_facts(gold(record("")), record("")).counts == {"facts": {}, "facts.metric_id": {}}
    marks = score_facts(gold(record(TEXT)), with_facts(record(TEXT), FACT))
    assert marks.counts["facts"] == marks.counts["facts.metric_id"] == {"prose": Counts(0, 0, 1)}


def test_evidence_of_nothing_is_named_with_its_document() -> None:
    broken = with_facts(record(TEXT), FACT)
    broken = msgspec.structs.replace(broken, entities=broken.entities[1:])
    with pytest.raises(BrokenPrediction) as error:
        score_facts(gold(record(TEXT)), broken)
    assert str(error.value).startswith("document report: The evidence of its fact F1 names an entity T1")


def test_a_hundred_thousand_facts_are_scored_in_seconds() -> None:
    facts = tuple(
        Fact(id=f"F{n}", value=n, unit="件", period=YEAR, start=10 * n, end=10 * n + 4)
        for n in range(100_000)
    )
    shifted = tuple(msgspec.structs.replace(fact, start=fact.start + 1) for fact in facts)
    began = perf_counter()
    marks = score_facts(gold(_of(facts)), _of(shifted))
    assert perf_counter() - began < 10
    assert marks.counts["facts"] == {"prose": Counts(100_000, 100_000, 100_000)}


def _of(facts: tuple[Fact, ...]) -> Record:
    return msgspec.structs.replace(record(""), facts=facts)
