"""Entities against gold: hand-worked texts, plain set matching, seqeval and nervaluate."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nervaluate import Evaluator
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from gongkai.evaluate import entities
from gongkai.evaluate.entities import score_entities
from gongkai.evaluate.outcomes import SCHEMAS, Tally, semeval_counts
from gongkai.evaluate.types import Confidence, Counts, Marks, Mistake, Part, Reference
from gongkai.types import Entity, Meta, Record, Source
from handmade import marked
from random_spans import LABELS, LENGTH, any_spans, nesting_spans


def unmark(text: str) -> tuple[str, list[Part]]:
    """The text without its marks, `⟦COUNT 5件⟧`, which may nest, and the spans that they enclose."""
    plain, spans, begun = "", [], []
    for piece in re.split(r"(⟦[A-Z]+ |⟧)", text):
        if piece.startswith("⟦"):
            begun.append((piece[1:-1], len(plain)))
        elif piece == "⟧":
            label, start = begun.pop()
            spans.append(Part(label, start, len(plain)))
        else:
            plain += piece
    return plain, spans


def score(gold: str, predicted: str) -> Marks:
    (text, own), (same_text, other) = unmark(gold), unmark(predicted)
    assert text == same_text
    return score_entities(Reference(record=marked(text, *own)), marked(text, *other))


def score_spans(gold: list[Part], predicted: list[Part]) -> Marks:
    text = "字" * LENGTH
    return score_entities(Reference(record=marked(text, *gold)), marked(text, *predicted))


def micro(marks: Marks, level: str) -> Counts:
    counts = Counts()
    for of_label in marks.counts[level].values():  # type: ignore[index]
        counts = counts.plus(of_label)
    return counts


def short(mistake: Mistake) -> str:
    told = mistake.predicted[0].label if mistake.gold and mistake.predicted else None
    other = f">{told}" if told and told != mistake.label else ""
    return " ".join(filter(None, (mistake.kind, mistake.label + other, mistake.boundary)))


@dataclass
class Case:
    """`correct`: by schema strict, exact, partial, type; `of`: gold and predicted spans."""

    reason: str
    gold: str
    predicted: str
    mistakes: tuple[str, ...]
    correct: tuple[float, float, float, float]
    of: tuple[int, int]


CASES = [
    Case(
        "all right, nested",
        "印发⟦POLICY 《⟦PERIOD 2018年⟧工作要点》⟧，公开⟦COUNT 5件⟧",
        "印发⟦POLICY 《⟦PERIOD 2018年⟧工作要点》⟧，公开⟦COUNT 5件⟧",
        (),
        (3, 3, 3, 3),
        (3, 3),
    ),
    Case(
        "a span inside one that both have is missed, whatever grazes it",
        "印发⟦POLICY 《⟦PERIOD 2018年⟧工作要点》⟧",
        "印发⟦POLICY 《2018⟦METRIC 年工作⟧要点》⟧",
        ("missed PERIOD", "spurious METRIC"),
        (1, 1, 1, 1),
        (2, 2),
    ),
    Case(
        "the outer span is missed, the inner one is right",
        "印发⟦POLICY 《⟦PERIOD 2018年⟧工作要点》⟧",
        "印发《⟦PERIOD 2018年⟧工作要点》",
        ("missed POLICY",),
        (1, 1, 1, 1),
        (2, 1),
    ),
    Case(
        "inner and outer confused with each other's ends",
        "印发⟦POLICY 《⟦PERIOD 2018年⟧工作要点》⟧",
        "印发⟦PERIOD 《⟦POLICY 2018年⟧工作要点》⟧",
        ("label POLICY>PERIOD", "label PERIOD>POLICY"),
        (0, 2, 2, 0),
        (2, 2),
    ),
    Case("nothing predicted", "收到⟦COUNT 5件⟧", "收到5件", ("missed COUNT",), (0, 0, 0, 0), (1, 0)),
    Case("nothing in gold", "收到5件", "收到⟦COUNT 5件⟧", ("spurious COUNT",), (0, 0, 0, 0), (0, 1)),
    Case("nothing at all", "收到5件", "收到5件", (), (0, 0, 0, 0), (0, 0)),
    Case("label", "增长⟦PERCENT 2倍⟧", "增长⟦COUNT 2倍⟧", ("label PERCENT>COUNT",), (0, 1, 1, 0), (1, 1)),
    Case(
        "longer_left",
        "受理约⟦COUNT 5件⟧",
        "受理⟦COUNT 约5件⟧",
        ("boundary COUNT longer_left",),
        (0, 0, 0.5, 1),
        (1, 1),
    ),
    Case(
        "shorter_both",
        "受理⟦COUNT 约5件次⟧",
        "受理约⟦COUNT 5件⟧次",
        ("boundary COUNT shorter_both",),
        (0, 0, 0.5, 1),
        (1, 1),
    ),
    Case(
        "shifted_right",
        "受理⟦COUNT 约5⟧件",
        "受理约⟦COUNT 5件⟧",
        ("boundary COUNT shifted_right",),
        (0, 0, 0.5, 1),
        (1, 1),
    ),
    Case(
        "label and boundary",
        "增长⟦PERCENT 约2倍⟧",
        "增长约⟦COUNT 2倍⟧",
        ("label_and_boundary PERCENT>COUNT shorter_left",),
        (0, 0, 0.5, 0),
        (1, 1),
    ),
    Case(
        "one gold span told as two: the larger part answers it",
        "⟦METRIC 主动公开政府信息⟧",
        "⟦METRIC 主动公开⟧⟦METRIC 政府信息⟧",
        ("boundary METRIC shorter_right", "spurious METRIC"),
        (0, 0, 0.5, 1),
        (1, 2),
    ),
    Case(
        "two gold spans told as one",
        "⟦COUNT 97期⟧|⟦COUNT 111版⟧",
        "⟦COUNT 97期|111版⟧",
        ("missed COUNT", "boundary COUNT longer_left"),
        (0, 0, 0.5, 1),
        (2, 1),
    ),
    Case(
        "said twice, counted once",
        "收到⟦COUNT 5件⟧",
        "收到⟦COUNT ⟦COUNT 5件⟧⟧",
        (),
        (1, 1, 1, 1),
        (1, 1),
    ),
    Case(
        "a prediction that overlaps itself within a label",
        "收到⟦COUNT 约5件⟧",
        "收到⟦COUNT 约⟦COUNT 5件⟧⟧",
        ("spurious COUNT",),
        (1, 1, 1, 1),
        (1, 2),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
def test_by_hand(case: Case) -> None:
    marks = score(case.gold, case.predicted)
    assert tuple(map(short, marks.mistakes)) == case.mistakes
    for level, correct in zip(SCHEMAS.values(), case.correct, strict=True):
        assert micro(marks, level) == Counts(correct, *case.of), level


def test_the_spans_of_a_mistake() -> None:
    (mistake,) = score("受理约⟦COUNT 5件⟧", "受理⟦COUNT 约5件⟧").mistakes
    assert mistake == Mistake(
        level="entities",
        kind="boundary",
        label="COUNT",
        gold=(Part("COUNT", 3, 5),),
        predicted=(Part("COUNT", 2, 5),),
        boundary="longer_left",
    )


def test_of_spans_of_one_label_that_overlap_seqeval_is_given_the_longer() -> None:
    marks = score("收到⟦COUNT 约5件⟧", "收到⟦COUNT 约⟦COUNT 5件⟧⟧")
    assert marks.counts["entities.seqeval"] == {"COUNT": Counts(1, 1, 1)}


def test_an_empty_span_is_nothing_that_seqeval_could_be_given() -> None:
    marks = score("收到⟦COUNT ⟧", "收到⟦COUNT ⟧")
    assert marks.counts["entities.strict"] == {"COUNT": Counts(1, 1, 1)}
    assert marks.counts["entities.seqeval"] == {}


def test_without_seqeval_its_level_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entities, "seqeval_available", lambda: False)
    assert set(score("收到⟦COUNT 5件⟧", "收到5件").counts) == set(SCHEMAS.values())


def test_confidence_is_of_distinct_spans_and_the_surer() -> None:
    def said(label: str, start: int, end: int, sure: float) -> Entity:
        return Entity(id="T", label=label, start=start, end=end, text="", score=sure, by="model")  # type: ignore[arg-type]

    predicted = Record(
        id="d",
        source=Source(),
        meta=Meta(),
        text="收到5件",
        entities=(said("COUNT", 2, 4, 0.9), said("COUNT", 2, 4, 0.6), said("COUNT", 3, 4, 0.2)),
    )
    marks = score_entities(Reference(record=marked("收到5件", Part("COUNT", 2, 4))), predicted)
    assert marks.confidences == (
        Confidence("entities", "COUNT", 0.9, True),
        Confidence("entities", "COUNT", 0.2, False),
    )


@given(any_spans(), any_spans())
def test_strict_is_plain_set_matching(gold: list[Part], predicted: list[Part]) -> None:
    def of(label: str, spans: set[Part]) -> int:
        return sum(span.label == label for span in spans)

    one, other = set(gold), set(predicted)
    assert score_spans(gold, predicted).counts["entities.strict"] == {
        label: Counts(of(label, one & other), of(label, one), of(label, other))
        for label in {span.label for span in one | other}
    }


@given(nesting_spans(), nesting_spans())
def test_seqeval_agrees_with_strict_where_no_label_overlaps_itself(
    gold: list[Part], predicted: list[Part]
) -> None:
    counts = score_spans(gold, predicted).counts
    assert counts["entities.seqeval"] == counts["entities.strict"]


@given(any_spans(), any_spans())
def test_sides_exchanged_exchange_precision_and_recall(gold: list[Part], predicted: list[Part]) -> None:
    there, back = score_spans(gold, predicted), score_spans(predicted, gold)
    for level in there.counts:
        correct, of_gold, of_predicted = micro(there, level)
        assert micro(back, level) == Counts(correct, of_predicted, of_gold)


# Flat annotation: a run of (label or nothing, how many characters).
_runs = st.lists(st.tuples(st.sampled_from((None, *LABELS)), st.integers(1, 4)), max_size=8)


def _written(runs: list[tuple[str | None, int]], length: int) -> tuple[list[str], list[Part]]:
    tags: list[str] = []
    spans = []
    for label, size in runs:
        if label:
            spans.append(Part(label, len(tags), len(tags) + size))
        tags += [f"B-{label}"] + [f"I-{label}"] * (size - 1) if label else ["O"] * size
    return tags + ["O"] * (length - len(tags)), spans


@given(_runs, _runs)
def test_as_seqeval_itself_says_of_iob2_over_characters(
    gold: list[tuple[str | None, int]], predicted: list[tuple[str | None, int]]
) -> None:
    length = max(sum(size for _, size in runs) for runs in (gold, predicted))
    (tags, spans), (other_tags, others) = _written(gold, length), _written(predicted, length)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of labels that one side lacks
        ratios = precision_recall_fscore_support([tags], [other_tags], average=None, scheme=IOB2)
    marks = score_spans(spans, others)
    for level in ("entities.seqeval", "entities.strict"):
        counts = [of_label for _, of_label in sorted(marks.counts[level].items())]
        assert list(ratios[0]) == pytest.approx([c.precision or 0 for c in counts])
        assert list(ratios[1]) == pytest.approx([c.recall or 0 for c in counts])
        assert list(ratios[2]) == pytest.approx([c.f1 or 0 for c in counts])
        assert list(ratios[3]) == [c.gold for c in counts]


SLOT = 8


@st.composite
def one_to_one(draw: st.DrawFn) -> tuple[list[Part], list[Part]]:
    """Sides on which a span overlaps one of the other side at most: each stays in a slot of its own.

    nervaluate takes predictions in the order given and each schema pairs anew, so that with several overlaps it may
    give a span away before the one comes that it is the same as; and it pairs spans of two labels however little they
    share, which nesting forbids us. Both are left out here: one overlap each, and of two labels at least half.
    """
    gold, predicted = [], []
    for slot in range(draw(st.integers(0, 6))):
        one, other = (
            Part(draw(st.sampled_from(LABELS)), slot * SLOT + ends[0], slot * SLOT + ends[1])
            for ends in (draw(_ends), draw(_ends))
        )
        shared = min(one.end, other.end) - max(one.start, other.start)
        covered = max(one.end, other.end) - min(one.start, other.start)
        if one.label != other.label and 0 < 2 * shared < covered:
            other = other._replace(label=one.label)
        kept = draw(st.sampled_from(["both", "gold", "predicted"]))
        gold += [one] if kept != "predicted" else []
        predicted += [other] if kept != "gold" else []
    return gold, predicted


_ends = st.tuples(st.integers(0, SLOT), st.integers(0, SLOT)).filter(lambda e: e[0] != e[1]).map(sorted)
_NERVALUATE = {"strict": "strict", "exact": "exact", "partial": "partial", "type": "ent_type"}


@settings(max_examples=200)
@given(one_to_one())
def test_as_nervaluate_says(sides: tuple[list[Part], list[Part]]) -> None:
    # Its ends are inclusive.
    gold, predicted = (
        [[{"label": span.label, "start": span.start, "end": span.end - 1} for span in side]] for side in sides
    )
    theirs = Evaluator(gold, predicted, tags=list(LABELS), loader="dict").evaluate()["overall"]
    text = "字" * LENGTH * SLOT
    marks = score_entities(Reference(record=marked(text, *sides[0])), marked(text, *sides[1]))
    tallies = semeval_counts(marks.outcomes)
    for schema, level in SCHEMAS.items():
        their = theirs[_NERVALUATE[schema]]
        tally = Tally(*map(sum, zip(*tallies[schema].values(), strict=True)))
        assert tally == (their.correct, their.incorrect, their.partial, their.missed, their.spurious)
        counts = micro(marks, level)
        assert (counts.precision or 0, counts.recall or 0) == pytest.approx((their.precision, their.recall))
        assert (counts.f1 or 0) == pytest.approx(their.f1)
