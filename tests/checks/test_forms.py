"""The identities of the standard forms over tables of their own generation."""

from __future__ import annotations

import msgspec
import pytest

from gongkai.checks import check
from gongkai.normalise.identities import Identity, load_identities
from gongkai.types import Fact


def _table(values: dict[str, float], axis: str, table: str = "t") -> tuple[list[Fact], str]:
    facts, text = [], ""
    for number, (term, value) in enumerate(values.items()):
        printed = f"{value:g}"
        metric_id, category = (term, "total") if axis == "metric" else ("requests.received", term)
        facts.append(
            Fact(
                id=f"{table}.{number}",
                value=value,
                unit="件",
                start=len(text),
                end=len(text) + len(printed),
                metric=term,
                metric_id=metric_id,
                category=category,
                table=table,
            )
        )
        text += printed + "\n"
    return facts, text


@pytest.mark.parametrize("identity", load_identities(), ids=lambda identity: identity.name)
def test_example_of_each_identity_holds_and_its_damage_is_found(identity: Identity) -> None:
    facts, text = _table(identity.example, identity.axis)
    assert check(facts, text, load_identities()) == ()
    term = identity.left[0] if identity.axis == "metric" else "total"
    damaged = [
        msgspec.structs.replace(fact, value=fact.value + 1)
        if term in (fact.metric_id, fact.category) and fact.metric == term
        else fact
        for fact in facts
    ]
    findings = check(damaged, text, (identity,))
    assert [(found.check, found.severity) for found in findings] == [("balance", "error")]
    assert identity.statement in findings[0].message
    assert abs(findings[0].reported - findings[0].expected) == 1


def test_older_sum_is_not_asked_of_a_newer_table() -> None:
    """行政复议 of the later forms counts 尚未审结, which the form of 2014 has not."""
    values = {"upheld": 4, "corrected": 1, "other": 1, "pending": 1, "total": 7}
    facts, text = _table({f"reconsideration.{term}": value for term, value in values.items()}, "metric")
    assert check(facts, text, load_identities()) == ()
