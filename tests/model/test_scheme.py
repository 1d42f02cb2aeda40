"""The tables that decoding rests on say what the scheme says."""

from __future__ import annotations

from gongkai.model.scheme import ENTITY_LABELS, RELATION_LABELS, Tag, relation_pairs, tag_transitions
from gongkai.types import RELATION_TYPES


def test_a_span_is_closed_before_anything_else() -> None:
    allowed = {(a.name + b.name) for a in Tag for b in Tag if tag_transitions()[a, b]}
    assert allowed == {"OO", "OB", "OS", "BI", "BE", "II", "IE", "EO", "EB", "ES", "SO", "SB", "SS"}


def test_relations_lead_from_and_to_the_labels_of_the_scheme() -> None:
    allowed = relation_pairs()
    for number, relation in enumerate(RELATION_LABELS):
        pairs = {
            (head, tail)
            for i, head in enumerate(ENTITY_LABELS)
            for j, tail in enumerate(ENTITY_LABELS)
            if allowed[number, i, j]
        }
        heads, tails = RELATION_TYPES[relation]
        assert pairs == {(head, tail) for head in heads for tail in tails}
