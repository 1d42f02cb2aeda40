"""Every strategy of configs/metric_phrases.yaml reads its examples, and is not taken for its near misses."""

from __future__ import annotations

import pytest

from gongkai import extract
from gongkai.resources import load_yaml
from gongkai.rules.metrics import PhraseFile, Strategy
from gongkai.types import Entity, Relation
from marking import unmark

STRATEGIES = load_yaml("metric_phrases.yaml", PhraseFile).strategies


def reading(marked: str) -> tuple[Entity, Relation] | None:
    """The METRIC of the marked number, with the relation that ties them."""
    text, (span,) = unmark(marked)
    record = extract(text, mode="rules")
    entities = {entity.id: entity for entity in record.entities}
    for relation in record.relations:
        head = entities[relation.head]
        if relation.label == "value_of" and (head.start, head.end) == span:
            return entities[relation.tail], relation
    return None


@pytest.mark.parametrize(
    ("row", "example"), [(r, e) for r in STRATEGIES for e in r.match], ids=lambda v: getattr(v, "name", v)
)
def test_strategy_reads_its_examples(row: Strategy, example: str) -> None:
    marked, _, expected = example.partition(" → ")
    found = reading(marked)
    assert found is not None
    metric, relation = found
    assert (metric.text, relation.by, relation.score) == (expected, f"rule:{row.name}", row.score)


@pytest.mark.parametrize(
    ("row", "example"), [(r, e) for r in STRATEGIES for e in r.reject], ids=lambda v: getattr(v, "name", v)
)
def test_strategy_leaves_its_near_misses(row: Strategy, example: str) -> None:
    found = reading(example)
    assert found is None or found[1].by != f"rule:{row.name}"
