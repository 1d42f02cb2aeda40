"""Every row of configs/relations.yaml finds the relations of its examples, and none in its near misses."""

from __future__ import annotations

import re

import pytest

from gongkai import extract
from gongkai.rules.cues import RelationRule, load_cues
from gongkai.types import Relation

RULES = tuple(load_cues().rules.values())
MARKS = str.maketrans("", "", "⟦⟧⟪⟫")


def marked(example: str, opening: str, closing: str) -> tuple[int, int]:
    """Span of the characters between the two marks, in the text without any marks."""
    match = re.search(f"{opening}([^{closing}]*){closing}", example)
    assert match is not None, f"{example} lacks {opening}{closing}"
    start = len(example[: match.start()].translate(MARKS))
    return start, start + len(match[1].translate(MARKS))


def found(rule: RelationRule, example: str) -> list[Relation]:
    """Relations of the rule's label from the marked head to the marked tail."""
    record = extract(example.translate(MARKS), mode="rules")
    span = {entity.id: (entity.start, entity.end) for entity in record.entities}
    ends = marked(example, "⟦", "⟧"), marked(example, "⟪", "⟫")
    return [r for r in record.relations if r.label == rule.label and (span[r.head], span[r.tail]) == ends]


@pytest.mark.parametrize(
    ("rule", "example"), [(r, e) for r in RULES for e in r.match], ids=lambda v: getattr(v, "name", v)
)
def test_rule_finds_its_examples(rule: RelationRule, example: str) -> None:
    by = [relation.by for relation in found(rule, example)]
    expected = "rule:metric." if rule.name == "value_of.metric" else f"rule:{rule.name}"
    assert len(by) == 1
    assert by[0].startswith(expected)


@pytest.mark.parametrize(
    ("rule", "example"), [(r, e) for r in RULES for e in r.reject], ids=lambda v: getattr(v, "name", v)
)
def test_near_misses_are_no_relation(rule: RelationRule, example: str) -> None:
    assert found(rule, example) == []


def test_all_eight_relations_have_rules() -> None:
    assert {rule.label for rule in RULES} == {
        "value_of", "during", "part_of", "share_of", "change_from", "number_of", "issued_by", "alias_of",
    }  # fmt: skip
