"""The relations of the numbers in a document's prose: during, change_from, part_of, share_of."""

from __future__ import annotations

from collections.abc import Sequence

from gongkai.rules.clauses import read_clauses
from gongkai.rules.cues import Cues
from gongkai.rules.ledger import Ledger
from gongkai.rules.parts import relate_parts
from gongkai.rules.shares import relate_shares
from gongkai.rules.times import relate_times
from gongkai.types import Entity, Relation


class NumberRelations:
    """Ties the numbers of one document's prose to periods, totals and what they are compared with.

    Args:
        masked: The masked view, METRICs unmasked.
        entities: All entities, with their norms, in text order.
        metric_of: Number id → METRIC entity.
        sentences, paragraphs: (start, end) pairs.
    """

    def __init__(
        self,
        masked: str,
        entities: Sequence[Entity],
        metric_of: dict[str, Entity],
        sentences: Sequence[tuple[int, int]],
        paragraphs: Sequence[tuple[int, int]],
        cues: Cues,
    ) -> None:
        self._ledger = Ledger(
            masked=masked,
            cues=cues,
            metric_of=metric_of,
            paragraphs=paragraphs,
            clauses=read_clauses(entities, sentences, paragraphs),
        )

    def relate(self) -> list[Relation]:
        """All relations found, each head with at most one tail a label.

        The order matters: a change is no part of a total, and a part's share is of its total.
        """
        relate_times(self._ledger)
        relate_parts(self._ledger)
        relate_shares(self._ledger)
        return self._ledger.relations
