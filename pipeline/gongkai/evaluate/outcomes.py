"""What follows from the outcomes of entities: the schemas of SemEval-2013, the confusion matrix, boundary errors.

Outcomes add up over documents, and so does all that is derived from them: sum first or derive first, it is the same.

The schemas are those of SemEval-2013 task 9.1 (Segura-Bedmar, Martínez and Herrero-Zazo 2013), which took the five
categories from MUC-5 (Chinchor and Sundheim 1993).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from gongkai.evaluate.types import Boundary, Counts, LabelCounts, Level, Outcome

Schema = Literal["strict", "exact", "partial", "type"]
Category = Literal["cor", "inc", "par", "mis", "spu"]

SCHEMAS: Mapping[Schema, Level] = {
    "strict": "entities.strict",
    "exact": "entities.exact",
    "partial": "entities.partial",
    "type": "entities.type",
}
"""Each schema and the level that it is counted at."""


class Tally(NamedTuple):
    """How many are correct, incorrect, partially correct, missed and spurious."""

    cor: int = 0
    inc: int = 0
    par: int = 0
    mis: int = 0
    spu: int = 0

    @property
    def possible(self) -> int:
        """POSSIBLE: what gold has."""
        return self.cor + self.inc + self.par + self.mis

    @property
    def actual(self) -> int:
        """ACTUAL: what was predicted."""
        return self.cor + self.inc + self.par + self.spu


class Confusion(NamedTuple):
    """How often gold's label (row) met the predicted label (column).

    Attributes:
        labels: Of rows and columns alike, in order; None, the last, stands for nothing on that side.
    """

    labels: tuple[str | None, ...]
    matrix: tuple[tuple[int, ...], ...]


def category(schema: Schema, outcome: Outcome) -> Category:
    """What an outcome is by a schema.

    >>> category("partial", Outcome("COUNT", "METRIC", "longer_left"))
    'par'
    """
    if outcome.predicted is None:
        return "mis"
    if outcome.gold is None:
        return "spu"
    same_label, same_ends = outcome.gold == outcome.predicted, outcome.boundary == "same"
    if schema == "partial":
        return "cor" if same_ends else "par"
    right = {"strict": same_label and same_ends, "exact": same_ends, "type": same_label}[schema]
    return "cor" if right else "inc"


def semeval_counts(outcomes: Mapping[Outcome, int]) -> dict[Schema, dict[str, Tally]]:
    """Schema → label → tally; a pair stands under its gold label, a spurious span under its own.

    POSSIBLE of a label is therefore all that gold has of it; ACTUAL is all that was predicted over the labels together.
    """
    tallies: dict[Schema, dict[str, Counter[Category]]] = {schema: defaultdict(Counter) for schema in SCHEMAS}
    for outcome, times in outcomes.items():
        for schema, by_label in tallies.items():
            by_label[_own_label(outcome)][category(schema, outcome)] += times
    return {
        schema: {
            label: Tally(*(tally[name] for name in get_args(Category)))
            for label, tally in sorted(by_label.items())
        }
        for schema, by_label in tallies.items()
    }


def level_counts(outcomes: Mapping[Outcome, int]) -> dict[Level, LabelCounts]:
    """The counts of the four schemas: COR + 0.5 PAR of POSSIBLE (gold) and of ACTUAL (predicted).

    strict and type ask for the label, so a gold span counts under its label and a predicted span under its own, and an
    INC pair of two labels under both. exact and partial ignore the predicted label, so a pair counts on both sides under
    its gold label: nothing else keeps a label's `correct` within its `gold` and its `predicted`. Either way the sums
    over the labels are the published figures.
    """
    predicted: Counter[str] = Counter()
    for outcome, times in outcomes.items():
        if outcome.predicted is not None:
            predicted[outcome.predicted] += times
    counts: dict[Level, LabelCounts] = {}
    for schema, tallies in semeval_counts(outcomes).items():
        asks_label = schema in ("strict", "type")
        actual = predicted if asks_label else {label: tally.actual for label, tally in tallies.items()}
        counts[SCHEMAS[schema]] = {
            label: _counts(tallies.get(label, Tally()), actual.get(label, 0))
            for label in sorted(tallies.keys() | actual.keys())
        }
    return counts


def confusion(outcomes: Mapping[Outcome, int]) -> Confusion:
    """The confusion matrix over the labels that occur. A pair counts whatever its ends."""
    met: Counter[tuple[str | None, str | None]] = Counter()
    for outcome, times in outcomes.items():
        met[outcome.gold, outcome.predicted] += times
    labels = (*sorted({label for pair in met for label in pair if label is not None}), None)
    return Confusion(labels, tuple(tuple(met[gold, predicted] for predicted in labels) for gold in labels))


def boundary_errors(outcomes: Mapping[Outcome, int]) -> dict[str, dict[Boundary, int]]:
    """Gold label → how the ends of a pair differ → how often, under whatever label it was predicted."""
    errors: dict[str, Counter[Boundary]] = defaultdict(Counter)
    for outcome, times in outcomes.items():
        if outcome.boundary is not None and outcome.boundary != "same":
            errors[_own_label(outcome)][outcome.boundary] += times
    return {label: dict(kinds) for label, kinds in sorted(errors.items())}


def _counts(tally: Tally, actual: int) -> Counts:
    return Counts(tally.cor + 0.5 * tally.par, tally.possible, actual)


def _own_label(outcome: Outcome) -> str:
    label = outcome.gold or outcome.predicted
    assert label is not None
    return label
