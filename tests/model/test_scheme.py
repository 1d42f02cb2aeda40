"""The tables that decoding rests on say what the scheme says."""

from __future__ import annotations

from gongkai.model.scheme import ENTITY_LABELS, RELATION_LABELS, relation_pairs
from gongkai.types import RELATION_TYPES


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
