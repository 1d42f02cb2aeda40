"""Entities of a document against gold: by the alignment of their spans, and by seqeval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import pairwise

from gongkai.evaluate.alignment import Pair, align, boundary, grouped
from gongkai.evaluate.outcomes import level_counts
from gongkai.evaluate.types import (
    Confidence,
    Counts,
    Kind,
    LabelCounts,
    Marks,
    Mistake,
    Outcome,
    Part,
    Reference,
)
from gongkai.spans import drop_overlapping
from gongkai.types import Entity, Record


def score_entities(reference: Reference, predicted: Record) -> Marks:
    """The entity levels of one document; a span that one side says twice counts once.

    entities.strict is plain set matching of (label, start, end). entities.seqeval is left out where seqeval is not
    installed (`pip install 'gongkai[evaluate]'`).
    """
    gold, said = _parts(reference.record.entities), _parts(predicted.entities)
    pairs = align(gold, said)
    outcomes = Counter(map(_outcome, pairs))
    counts = level_counts(outcomes)
    if seqeval_available():
        counts["entities.seqeval"] = count_by_seqeval(gold, said)
    return Marks(
        counts=counts,
        mistakes=tuple(_mistake(pair) for pair in pairs if pair.gold != pair.predicted),
        outcomes=outcomes,
        confidences=_confidences(predicted.entities, gold),
    )


@cache
def seqeval_available() -> bool:
    """Whether seqeval is installed."""
    return find_spec("seqeval") is not None


def count_by_seqeval(gold: Iterable[Part], predicted: Iterable[Part]) -> LabelCounts:
    """What seqeval counts in strict mode on IOB2, each label a layer of its own, for spans nest across labels.

    Of spans of one label that overlap on one side, which IOB2 cannot write, the longer stays (then the earlier), and
    an empty span is left out: there entities.seqeval counts fewer spans than entities.strict. On all else they agree.

    seqeval takes time quadratic in the length of a sequence: one span over 10,000 others of its label is a second, over
    100,000 a minute.
    """
    layers = grouped(
        filter(_has_characters, gold), filter(_has_characters, predicted), lambda span: span.label
    )
    return {
        label: _count_layer(drop_overlapping(golds), drop_overlapping(others))
        for label, (golds, others) in sorted(layers.items())
    }


def _count_layer(gold: Sequence[Part], predicted: Sequence[Part]) -> Counts:
    """One label.

    A tag stands for a stretch between neighbouring ends of either side rather than for a character: each span is a whole
    number of stretches, and two spans are the same stretches if and only if they are the same characters. The sequences
    are cut where no span of either side goes on (no I), which parts no span. Most pieces are then one or two tags long
    and alike, and seqeval reads each kind once.
    """
    ends = sorted({end for span in (*gold, *predicted) for end in (span.start, span.end)})
    stretch = {end: number for number, end in enumerate(ends)}
    gold_tags, predicted_tags = _iob2(gold, stretch), _iob2(predicted, stretch)
    cuts = [n for n, tags in enumerate(zip(gold_tags, predicted_tags, strict=True)) if "I" not in tags]
    pieces = [(gold_tags[a:b], predicted_tags[a:b]) for a, b in pairwise([*cuts, len(gold_tags)])]
    counts = Counts()
    for piece, times in Counter(pieces).items():
        correct, of_gold, of_predicted = _seqeval(*piece)
        counts = counts.plus(Counts(times * correct, times * of_gold, times * of_predicted))
    return counts


def _has_characters(span: Part) -> bool:
    return span.start < span.end


def _iob2(spans: Iterable[Part], stretch: dict[int, int]) -> str:
    """A letter for each stretch: B, I or O."""
    tags = ["O"] * (len(stretch) - 1)
    for span in spans:
        first, last = stretch[span.start], stretch[span.end]
        tags[first:last] = ["B"] + ["I"] * (last - first - 1)
    return "".join(tags)


@lru_cache(maxsize=4096)
def _seqeval(gold: str, predicted: str) -> Counts:
    """The sets that `seqeval.metrics.v1` counts (it hands out the ratios only)."""
    from seqeval.scheme import IOB2, Entities

    (in_gold,), (in_predicted,) = (Entities([list(tags)], IOB2).entities for tags in (gold, predicted))
    return Counts(len(set(in_gold) & set(in_predicted)), len(set(in_gold)), len(set(in_predicted)))


def _parts(entities: Iterable[Entity]) -> set[Part]:
    return {Part(entity.label, entity.start, entity.end) for entity in entities}


def _outcome(pair: Pair) -> Outcome:
    gold, predicted = pair
    return Outcome(
        gold and gold.label,
        predicted and predicted.label,
        boundary(gold, predicted) if gold and predicted else None,
    )


def _mistake(pair: Pair) -> Mistake:
    gold, predicted = pair
    outcome = _outcome(pair)
    return Mistake(
        level="entities",
        kind=_kind(outcome),
        label=outcome.gold or outcome.predicted or "",
        gold=(gold,) if gold else (),
        predicted=(predicted,) if predicted else (),
        boundary=None if outcome.boundary == "same" else outcome.boundary,
    )


def _kind(outcome: Outcome) -> Kind:
    if outcome.predicted is None:
        return "missed"
    if outcome.gold is None:
        return "spurious"
    if outcome.gold == outcome.predicted:
        return "boundary"
    return "label" if outcome.boundary == "same" else "label_and_boundary"


def _confidences(predicted: Iterable[Entity], gold: set[Part]) -> tuple[Confidence, ...]:
    """One for each distinct span; of a span said twice, the surer."""
    scores: dict[Part, float] = {}
    for entity in predicted:
        part = Part(entity.label, entity.start, entity.end)
        scores[part] = max(entity.score, scores.get(part, entity.score))
    return tuple(Confidence("entities", part.label, score, part in gold) for part, score in scores.items())
