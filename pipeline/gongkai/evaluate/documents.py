"""One document, scored at every level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec

from gongkai.evaluate.entities import score_entities
from gongkai.evaluate.facets import facets
from gongkai.evaluate.facts import score_facts
from gongkai.evaluate.findings import score_findings
from gongkai.evaluate.relations import score_relations, score_relations_given
from gongkai.evaluate.types import DocumentScore, Marks, Mistake, Reference
from gongkai.evaluate.values import score_values
from gongkai.gold.records import text_sha256
from gongkai.types import Record

Scorer = Callable[[Reference, Record], Marks]
SCORERS: tuple[Scorer, ...] = (score_entities, score_relations, score_values, score_facts, score_findings)


def score_document(
    reference: Reference, predicted: Record, predicted_given: Record | None = None
) -> DocumentScore:
    """Score a document.

    Args:
        predicted_given: What the system says when it is given the gold spans, for relations.given.
    """
    marks = [score(reference, predicted) for score in SCORERS]
    if predicted_given is not None:
        marks.append(score_relations_given(reference, predicted_given))
    return DocumentScore(
        id=reference.record.id,
        sha256=text_sha256(reference.record.text),
        characters=len(reference.record.text),
        facets=facets(reference),
        counts={level: dict(counts) for mark in marks for level, counts in mark.counts.items()},
        mistakes=tuple(
            _quoted(mistake, reference.record.text) for mark in marks for mistake in mark.mistakes
        ),
        outcomes=tuple(sum((Counter(mark.outcomes) for mark in marks), Counter()).items()),
        confidences=tuple(confidence for mark in marks for confidence in mark.confidences),
    )


def _quoted(mistake: Mistake, text: str) -> Mistake:
    """The mistake with the words of its spans."""
    gold, predicted = (
        tuple(text[part.start : part.end] for part in parts) for parts in (mistake.gold, mistake.predicted)
    )
    return msgspec.structs.replace(mistake, gold_words=gold, predicted_words=predicted)
