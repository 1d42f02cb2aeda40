from __future__ import annotations

import pytest

from evaluate.building import gold, record
from gongkai.evaluate.types import Counts
from gongkai.evaluate.values import same_value, score_values, shown_value
from gongkai.types import CountNorm, DocnoNorm, MetricNorm, Norm, OrgNorm, PercentNorm, PeriodNorm

COUNT = CountNorm(value=863, unit="件")
PERCENT = PercentNorm(value=0.4167, decimals=2, direction="down")
PERIOD = PeriodNorm(start="2018-01-01", end="2018-12-31")
DOCNO = DocnoNorm(canonical="深府办〔2018〕14号", code="深府办", year=2018, serial=14)
METRIC = MetricNorm(metric_id="requests.received", score=1.0)

RIGHT, WRONG = Counts(1, 1, 1), Counts(0, 1, 1)
MISSED = Counts(0, 1, 0)
COUNT_WRONG = {"COUNT.value": WRONG, "COUNT.unit": WRONG, "COUNT.qualifier": WRONG}

CASES = {
    # name: (label, gold, predicted, counts, [(kind, gold value, predicted value)])
    "count": ("COUNT", COUNT, COUNT, dict.fromkeys(COUNT_WRONG, RIGHT), []),
    "count, other value": (
        "COUNT",
        COUNT,
        CountNorm(value=86, unit="件"),
        {**dict.fromkeys(COUNT_WRONG, RIGHT), "COUNT.value": WRONG},
        [("value", "863", "86")],
    ),
    "count, a range read as its lower end": (
        "COUNT",
        CountNorm(value=3, value_max=5, unit="个"),
        CountNorm(value=3, unit="个"),
        {**dict.fromkeys(COUNT_WRONG, RIGHT), "COUNT.value": WRONG},
        [("value", "3–5", "3")],
    ),
    "count, unit and qualifier": (
        "COUNT",
        CountNorm(value=300, unit="宗", qualifier="more_than"),
        CountNorm(value=300),
        {"COUNT.value": RIGHT, "COUNT.unit": MISSED, "COUNT.qualifier": WRONG},
        [("unit", "宗", None), ("qualifier", "more_than", "exact")],
    ),
    "count, nothing read": (
        "COUNT",
        COUNT,
        None,
        dict.fromkeys(COUNT_WRONG, MISSED),
        [("value", "863", None), ("unit", "件", None), ("qualifier", "exact", None)],
    ),
    "count, read as another thing": (
        "COUNT",
        COUNT,
        PERCENT,
        dict.fromkeys(COUNT_WRONG, MISSED),
        [("value", "863", None), ("unit", "件", None), ("qualifier", "exact", None)],
    ),
    "count, no unit in the text": (
        "COUNT",
        CountNorm(value=863),
        COUNT,
        {"COUNT.value": RIGHT, "COUNT.qualifier": RIGHT},
        [],
    ),
    "percent, no change on either side": (
        "PERCENT",
        PercentNorm(value=0.6),
        PercentNorm(value=0.6),
        {"PERCENT.value": RIGHT},
        [],
    ),
    "percent, a change that gold does not state": (
        "PERCENT",
        PercentNorm(value=0.6),
        PercentNorm(value=0.6, direction="up"),
        {"PERCENT.value": RIGHT, "PERCENT.direction": Counts(0, 0, 1)},
        [("direction", None, "up")],
    ),
    "count, gold has nothing": ("COUNT", None, COUNT, {}, []),
    "percent": (
        "PERCENT",
        PERCENT,
        PercentNorm(value=0.4167, decimals=0, direction="down", qualifier="approx"),
        {"PERCENT.value": RIGHT, "PERCENT.direction": RIGHT},
        [],
    ),
    "percent, printed as 41.67": (
        "PERCENT",
        PERCENT,
        PercentNorm(value=41.67),
        {"PERCENT.value": WRONG, "PERCENT.direction": MISSED},
        [("value", "0.4167", "41.67"), ("direction", "down", None)],
    ),
    "period": ("PERIOD", PERIOD, PERIOD, {"PERIOD": RIGHT}, []),
    "period, open": (
        "PERIOD",
        PERIOD,
        PeriodNorm(start="2018-01-01"),
        {"PERIOD": WRONG},
        [("period", "2018-01-01/2018-12-31", "2018-01-01/")],
    ),
    "period, nothing read": (
        "PERIOD",
        PERIOD,
        None,
        {"PERIOD": WRONG},
        [("period", "2018-01-01/2018-12-31", "/")],
    ),
    "period that nobody can date": ("PERIOD", PeriodNorm(), None, {"PERIOD": RIGHT}, []),
    "docno, only canonical, year and serial count": (
        "DOCNO",
        DOCNO,
        DocnoNorm(canonical="深府办〔2018〕14号", issuer="深圳市", year=2018, serial=14, repaired=True),
        {"DOCNO": RIGHT},
        [],
    ),
    "docno, other serial": (
        "DOCNO",
        DOCNO,
        DocnoNorm(canonical="深府办〔2018〕14号", year=2018),
        {"DOCNO": WRONG},
        [("docno", "深府办〔2018〕14号 (2018, 14)", "深府办〔2018〕14号 (2018, –)")],
    ),
    "metric": (
        "METRIC",
        METRIC,
        MetricNorm(metric_id="requests.received", score=0.6),
        {"METRIC": RIGHT},
        [],
    ),
    "metric, other row": (
        "METRIC",
        METRIC,
        MetricNorm(metric_id="requests.online", score=1.0),
        {"METRIC": WRONG},
        [("metric_id", "requests.received", "requests.online")],
    ),
    "metric, no row on either side": ("METRIC", None, None, {}, []),
    "metric, row where there is none": (
        "METRIC",
        None,
        METRIC,
        {"METRIC": Counts(0, 0, 1)},
        [("metric_id", None, "requests.received")],
    ),
    "metric, row not found": (
        "METRIC",
        METRIC,
        None,
        {"METRIC": Counts(0, 1, 0)},
        [("metric_id", "requests.received", None)],
    ),
    "labels without values": ("ORG", OrgNorm(name="市府办"), OrgNorm(name="府办"), {}, []),
}


@pytest.mark.parametrize("name", CASES)
def test_cases(name: str) -> None:
    label, right, read, counts, mistakes = CASES[name]
    marks = score_values(
        gold(record(f"⟦{label} 收到⟧", norms=_norms(right)), has_values=True),
        record(f"⟦{label} 收到⟧", norms=_norms(read)),
    )
    assert marks.counts == {"values": counts}
    assert [(m.kind, m.gold_value, m.predicted_value) for m in marks.mistakes] == mistakes
    assert all(m.gold == m.predicted == ((label, 0, 2),) and m.label == label for m in marks.mistakes)


def _norms(norm: Norm | None) -> dict[str, Norm]:
    return {} if norm is None else {"T1": norm}


def test_no_level_without_values_by_hand() -> None:
    same = record("⟦COUNT 863件⟧", norms={"T1": COUNT})
    assert score_values(gold(same), same).counts == {}


@pytest.mark.parametrize("predicted", ["", "⟦COUNT 863⟧件", "⟦PERCENT 863件⟧"])
def test_spans_of_one_side_only_are_not_judged(predicted: str) -> None:
    right = gold(record("⟦COUNT 863件⟧", norms={"T1": COUNT}), has_values=True)
    assert score_values(right, record(predicted, norms={"T1": COUNT})).counts == {"values": {}}


def test_nested_spans_are_judged_each_by_its_label() -> None:
    text = "⟦POLICY 《⟦PERIOD 2018年⟧办法》⟧"
    right = gold(record(text, norms={"T2": PERIOD}), has_values=True)
    assert score_values(right, record(text, norms={"T2": PERIOD})).counts == {"values": {"PERIOD": RIGHT}}


@pytest.mark.parametrize("read", ["T1", "T2"])
def test_a_span_said_twice_is_judged_once_by_what_was_read(read: str) -> None:
    right = gold(record("⟦DOCNO 深府办⟧", norms={"T1": DOCNO}), has_values=True)
    twice = record("⟦DOCNO ⟦DOCNO 深府办⟧⟧", norms={read: DOCNO})
    assert score_values(right, twice).counts == {"values": {"DOCNO": RIGHT}}


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ((0.1 + 0.2, None), (0.3, None), True),
        ((1e12, None), (1e12 + 1, None), True),
        ((1e6, None), (1e6 + 1, None), False),
        ((0, None), (1e-12, None), False),
        ((0, None), (0, None), True),
        ((3, 5), (3, 5 + 1e-12), True),
        ((3, 5), (3, 6), False),
        ((3, None), (3, 3), False),
    ],
)
def test_same_value(
    first: tuple[float, float | None], second: tuple[float, float | None], same: bool
) -> None:
    one, other = (CountNorm(value=value, value_max=most) for value, most in (first, second))
    assert same_value(one, other) is same_value(other, one) is same


def test_shown_value() -> None:
    values = [CountNorm(value=1125246), CountNorm(value=0.1 + 0.2), CountNorm(value=3, value_max=5.5)]
    assert [shown_value(value) for value in values] == ["1125246", "0.3", "3–5.5"]
