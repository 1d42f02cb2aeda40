"""Many judgements, one by one, as counts by label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gongkai.evaluate.types import Counts

RIGHT = Counts(1.0, 1.0, 1.0)
"""Both sides have it, and agree."""
WRONG = Counts(0.0, 1.0, 1.0)
"""Both sides have it, and do not agree."""
MISSED = Counts(0.0, 1.0, 0.0)
"""Only gold has it."""
SPURIOUS = Counts(0.0, 0.0, 1.0)
"""Only the prediction has it."""


def by_label(judged: Iterable[tuple[str, Counts]]) -> dict[str, Counts]:
    """Add up (label, judgement) by label.

    >>> by_label([("sum", RIGHT), ("sum", MISSED), ("rate", SPURIOUS)])
    {'sum': Counts(correct=1.0, gold=2.0, predicted=1.0), 'rate': Counts(correct=0.0, gold=0.0, predicted=1.0)}
    """
    counts: dict[str, Counts] = {}
    # Few judgements differ: counting them first spares most of the adding.
    for (label, one), times in Counter(judged).items():
        counts[label] = counts.get(label, Counts()).plus(Counts(*(times * number for number in one)))
    return counts
