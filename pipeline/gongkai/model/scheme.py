"""The annotation scheme as the model sees it: which output stands for which label, and what may meet what."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from gongkai.types import RELATION_TYPES, EntityLabel, RelationLabel

ENTITY_LABELS: Final[tuple[EntityLabel, ...]] = get_args(EntityLabel)
"""In the order of the model's outputs."""

RELATION_LABELS: Final[tuple[RelationLabel, ...]] = get_args(RelationLabel)
"""In the order of the model's outputs."""

MAY_HOLD: Final[frozenset[tuple[EntityLabel, EntityLabel]]] = frozenset(
    {("METRIC", "ORG"), ("METRIC", "PERIOD"), ("METRIC", "POLICY"), ("POLICY", "PERIOD")}
)
"""(outer, inner): spans that may nest. Any other two that share a character contradict each other."""

MANY_TAILS: Final[frozenset[RelationLabel]] = frozenset({"issued_by"})
"""Relations of which one head may have several; of all others it has one (a policy may have several issuers)."""

ACYCLIC: Final[frozenset[RelationLabel]] = frozenset({"part_of", "alias_of"})
"""Relations between spans of one label that never lead back to their head."""


class Tag(IntEnum):
    """A character's place in a span of one label: outside, its beginning, inside, its end, or all of it."""

    O = 0  # noqa: E741 (the name in the field)
    B = 1
    I = 2  # noqa: E741
    E = 3
    S = 4


def relation_pairs() -> NDArray[np.bool_]:
    """(relations, entity labels, entity labels): whether a relation may lead from the first label to the second."""
    allowed = np.zeros((len(RELATION_LABELS), len(ENTITY_LABELS), len(ENTITY_LABELS)), np.bool_)
    for number, relation in enumerate(RELATION_LABELS):
        heads, tails = RELATION_TYPES[relation]
        for head in heads:
            for tail in tails:
                allowed[number, ENTITY_LABELS.index(head), ENTITY_LABELS.index(tail)] = True
    return allowed
