"""Gold as a whole record: facts follow from spans, relations and normal forms, hand-written ones first."""

from __future__ import annotations

import msgspec
import pytest

from gongkai.errors import BrokenRecord, MismatchedValues
from gongkai.evaluate.references import prediction, reference
from gongkai.gold.records import GoldEntity, GoldRecord, GoldRelation
from gongkai.gold.values import GoldFinding, GoldValue, GoldValues
from gongkai.types import CountNorm, MetricNorm, PeriodNorm

TEXT = "2018年，我局收到信息公开申请十二件，其中网上申请9件。"
SPANS = [
    ("PERIOD", "2018年"),
    ("ORG", "我局"),
    ("METRIC", "收到信息公开申请"),
    ("COUNT", "十二件"),
    ("METRIC", "网上申请"),
    ("COUNT", "9件"),
]
GOLD = GoldRecord(
    id="a",
    text=TEXT,
    entities=tuple(
        GoldEntity(id=f"T{place}", label=label, start=TEXT.index(words), end=TEXT.index(words) + len(words))
        for place, (label, words) in enumerate(SPANS, start=1)
    ),
    relations=(
        GoldRelation(label="value_of", head="T4", tail="T3"),
        GoldRelation(label="value_of", head="T6", tail="T5"),
        GoldRelation(label="during", head="T4", tail="T1"),
        GoldRelation(label="part_of", head="T6", tail="T4"),
    ),
    meta={"source": "own", "doc_type": "plan", "script": "Hans"},
)
NORMS = {
    "T1": PeriodNorm(start="2018-01-01", end="2018-12-31"),
    "T3": None,
    "T4": CountNorm(value=13, unit="件"),
    "T5": MetricNorm(metric_id="requests.channel.network", score=1.0),
    "T6": CountNorm(value=9, unit="件"),
}


def values(**changes: object) -> GoldValues:
    by_id = {entity.id: entity for entity in GOLD.entities}
    made = GoldValues(
        id="a",
        sha256=GOLD.sha256,
        values=tuple(
            GoldValue(label=by_id[key].label, start=by_id[key].start, end=by_id[key].end, norm=norm)  # type: ignore[arg-type]
            for key, norm in NORMS.items()
        ),
        findings=(
            GoldFinding(check="sum", start=16, end=19, reported=12, expected=9),
            GoldFinding(check="share", start=16, end=19, reported=12, expected=9, arguable=True),
        ),
    )
    return msgspec.structs.replace(made, **changes)


def test_facts_follow_from_the_annotation() -> None:
    found = reference(GOLD)
    total, part = found.record.facts
    assert (total.metric, total.value, total.unit) == ("收到信息公开申请", 12, "件")
    assert (part.metric, part.value, part.part_of) == ("网上申请", 9, total.id)
    assert total.period == PeriodNorm(start="2018-01-01", end="2018-12-31")
    assert (found.part, found.record.meta.doc_type) == ("own", "plan")
    assert (found.has_values, found.has_findings, found.record.findings) == (False, False, ())


def test_what_a_reader_wrote_goes_before_what_the_normaliser_reads() -> None:
    found = reference(GOLD, values())
    total, part = found.record.facts
    assert (total.value, total.metric_id) == (13, None)
    assert part.metric_id == "requests.channel.network"
    assert (found.has_values, found.has_findings) == (True, True)
    assert [finding.check for finding in found.record.findings] == ["sum"]
    assert [finding.check for finding in found.arguable] == ["share"]


def test_findings_alone_leave_values_unjudged() -> None:
    found = reference(GOLD, values(values=None))
    assert (found.has_values, found.has_findings) == (False, True)
    assert found.record.facts[0].value == 12


def test_a_span_system_becomes_a_record() -> None:
    found = prediction(GOLD)
    assert [fact.value for fact in found.facts] == [12, 9]
    assert [entity.text for entity in found.entities] == [words for _, words in SPANS]


def test_values_of_another_text_are_refused() -> None:
    with pytest.raises(MismatchedValues, match="document a: Its values were read off another text"):
        reference(GOLD, values(sha256="0"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"entities": (GoldEntity(id="T1", label="DATE", start=0, end=5),)},
            r"Entity T1 \(DATE 0-5\)",
            id="label",
        ),
        pytest.param(
            {"entities": (GoldEntity(id="T1", label="COUNT", start=0, end=500),)},
            "Entity T1",
            id="beyond the text",
        ),
        pytest.param({"entities": ()}, "Relation value_of T4 → T3", id="relation without its ends"),
        pytest.param(
            {"relations": (GoldRelation(label="counts", head="T4", tail="T3"),)},
            "Relation counts",
            id="relation label",
        ),
    ],
)
def test_what_is_not_of_the_scheme_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BrokenRecord, match=message):
        reference(msgspec.structs.replace(GOLD, **changes))
