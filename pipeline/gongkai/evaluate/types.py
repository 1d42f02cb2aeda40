"""What evaluation works on and what it gives: references, counts, outcomes, mistakes, scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from gongkai.types import Finding, Record

Level = Literal[
    "entities.strict",
    "entities.exact",
    "entities.partial",
    "entities.type",
    "entities.seqeval",
    "relations.strict",
    "relations.given",
    "values",
    "facts",
    "facts.metric_id",
    "findings",
]
"""What is counted.

entities.strict: label, start and end agree. The other entity levels are the rest of SemEval-2013 task 9.1's schemas:
exact (the boundaries, whatever the label), partial (any overlap is half right), type (the label, with any overlap);
entities.seqeval is strict as seqeval counts it on IOB2.
relations.strict: label and both spans agree. relations.given: the same, the gold spans having been given.
values: the normal form of a span that both sides have. facts: metric (overlapping spans), value, unit and period
agree; facts.metric_id: and the ontology's metric. findings: check and doubtful number agree.
"""

Kind = Literal[
    "missed",
    "spurious",
    "label",
    "boundary",
    "label_and_boundary",
    "value",
    "unit",
    "qualifier",
    "direction",
    "period",
    "docno",
    "metric_id",
    "metric",
    "head_or_tail",
]
"""How something is wrong.

missed: gold has it, the prediction has nothing there; spurious: the other way round. label, boundary,
label_and_boundary: a span of both, with another label or other ends. head_or_tail: a relation of the same label from the
same head to another tail. The rest name the part of a value or fact that differs.
"""

Boundary = Literal[
    "same",
    "longer_left",
    "longer_right",
    "longer_both",
    "shorter_left",
    "shorter_right",
    "shorter_both",
    "shifted_left",
    "shifted_right",
]
"""How the predicted ends lie to the gold ends, e.g. longer_left: starts too early, ends right."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """A gold document, complete: what a perfect system would have said.

    Attributes:
        record: The annotation with normal forms, facts and findings.
        part: Where it came from: own, real, …
        has_values: The normal forms were written by hand; without, there is nothing to judge values by.
        has_findings: What does not add up was listed by hand.
        arguable: Findings that are neither asked for nor counted as wrong.
    """

    record: Record
    part: str = ""
    has_values: bool = False
    has_findings: bool = False
    arguable: tuple[Finding, ...] = ()


class Counts(NamedTuple):
    """How many are right, of how many in gold and of how many predicted; partial credit makes `correct` fractional."""

    correct: float = 0.0
    gold: float = 0.0
    predicted: float = 0.0

    def plus(self, other: Counts) -> Counts:
        """The counts of both together."""
        return Counts(self.correct + other.correct, self.gold + other.gold, self.predicted + other.predicted)

    @property
    def precision(self) -> float | None:
        """Share of the predicted that is right; None where nothing was predicted."""
        return self.correct / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """Share of gold that was found; None where gold has none."""
        return self.correct / self.gold if self.gold else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of the two; None where neither side has any."""
        both = self.gold + self.predicted
        return 2 * self.correct / both if both else None


LabelCounts = Mapping[str, Counts]
"""Counts by label."""


class Part(NamedTuple):
    """A span that a mistake is about."""

    label: str
    start: int
    end: int


class Mistake(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that gold and prediction do not agree on.

    Attributes:
        label: The gold label, or the predicted one where gold has nothing.
        gold, predicted: The spans of each side: one for an entity, value, fact or finding, head and tail for a relation.
        boundary: For kinds boundary and label_and_boundary.
        gold_value, predicted_value: What was read, for values, facts and findings.
        gold_words, predicted_words: The words of the spans, filled in when the document's score is put together.
    """

    level: Literal["entities", "relations", "values", "facts", "findings"]
    kind: Kind
    label: str
    gold: tuple[Part, ...] = ()
    predicted: tuple[Part, ...] = ()
    boundary: Boundary | None = None
    gold_value: str | None = None
    predicted_value: str | None = None
    gold_words: tuple[str, ...] = ()
    predicted_words: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What became of a span: the pair of labels (None: nothing on that side) and how the ends lie (None: no pair)."""

    gold: str | None
    predicted: str | None
    boundary: Boundary | None


class Confidence(NamedTuple):
    """A predicted entity or relation: how sure the system was, and whether it was right (strict)."""

    level: Literal["entities", "relations"]
    label: str
    score: float
    correct: bool


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """What one scorer says of one document.

    Attributes:
        counts: Level → label → counts. A level that cannot be judged here (no values by hand) is left out.
        outcomes: Of entities: each kind of outcome and how often.
        confidences: Of entities and relations.
    """

    counts: Mapping[Level, LabelCounts]
    mistakes: tuple[Mistake, ...] = ()
    outcomes: Mapping[Outcome, int] = {}
    confidences: tuple[Confidence, ...] = ()


class DocumentScore(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of one document: one line of the file that `gongkai evaluate compare` reads.

    Attributes:
        facets: Facet → its value for this document, e.g. doc_type → plan (see `gongkai.evaluate.facets`).
        outcomes: (outcome, how often).
    """

    id: str
    sha256: str
    characters: int
    facets: dict[str, str]
    counts: dict[Level, dict[str, Counts]]
    mistakes: tuple[Mistake, ...] = ()
    outcomes: tuple[tuple[Outcome, int], ...] = ()
    confidences: tuple[Confidence, ...] = ()
