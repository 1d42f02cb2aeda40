"""Adding up documents: groups, totals, macro, examples; the same for any order and number of documents."""

from __future__ import annotations

import tracemalloc

import pytest

from gongkai.evaluate.evaluator import Evaluator, in_its_sentence
from gongkai.evaluate.result import Run
from gongkai.evaluate.types import Counts, DocumentScore, Mistake, Outcome, Part
from gongkai.types import Meta, Record, Source

RUN = Run(system="x", version="0", code=None, gold=(), resamples=200, seed=0)
TEXT = "第一句有12件。第二句有3件。第三句没有。"
SENTENCES = ((0, 8), (8, 15), (15, 21))
RECORD = Record(id="d", source=Source(), meta=Meta(), text=TEXT, sentences=SENTENCES)


def mistake(*parts: tuple[int, int], kind: str = "missed", label: str = "COUNT") -> Mistake:
    return Mistake(
        level="entities",
        kind=kind,
        label=label,
        gold=tuple(Part(label, start, end) for start, end in parts),  # type: ignore[arg-type]
    )


def score(
    place: int = 0, part: str = "own", mistakes: tuple[Mistake, ...] = (), **counts: Counts
) -> DocumentScore:
    return DocumentScore(
        id=f"d{place}",
        sha256="",
        characters=100,
        facets={"part": part, "doc_type": "plan", "form": "A", "script": "Hans", "length": "under 500"},
        counts={"entities.strict": counts} if counts else {},  # type: ignore[dict-item]
        mistakes=mistakes,
        outcomes=((Outcome("COUNT", "COUNT", "same"), 2),),
    )


def test_groups_micro_and_macro() -> None:
    evaluator = Evaluator(RUN)
    evaluator.add(score(0, "own", COUNT=Counts(2, 4, 4), ORG=Counts(1, 1, 1)), RECORD)
    evaluator.add(score(1, "real", COUNT=Counts(1, 4, 2), METRIC=Counts(0, 0, 1)), RECORD)
    found = evaluator.evaluation()
    whole = found.all.levels["entities.strict"]
    assert list(whole.labels) == ["METRIC", "COUNT", "ORG"]
    assert whole.labels["COUNT"].counts == Counts(3, 8, 6)
    assert whole.micro.counts == Counts(4, 9, 8)
    assert whole.micro.f1.value == pytest.approx(8 / 17)
    assert whole.macro.f1.value == pytest.approx((0 + 6 / 14 + 1) / 3)
    assert whole.macro.recall.value == pytest.approx((3 / 8 + 1) / 2), "METRIC has no gold, so no recall"
    assert (found.all.documents, found.all.characters) == (2, 200)
    assert list(found.groups["part"]) == ["own", "real"]
    own = found.groups["part"]["own"].levels["entities.strict"]
    assert list(own.labels) == ["COUNT", "ORG"]
    assert own.micro.counts == Counts(3, 5, 5)
    assert found.outcomes == ((Outcome("COUNT", "COUNT", "same"), 4),)


def test_a_level_without_anything_is_there_and_one_never_scored_is_absent() -> None:
    evaluator = Evaluator(RUN)
    only = score(0)
    evaluator.add(
        DocumentScore(
            id="d",
            sha256="",
            characters=1,
            facets=only.facets,
            counts={"findings": {}},
            mistakes=(),
            outcomes=(),
        ),
        RECORD,
    )
    found = evaluator.evaluation()
    assert found.all.levels["findings"].micro.counts == Counts()
    assert "values" in found.absent
    assert "findings" not in found.absent


def test_no_document_at_all() -> None:
    found = Evaluator(RUN).evaluation()
    assert (found.all.documents, found.all.levels, found.mistakes) == (0, {}, 0)


@pytest.mark.parametrize(
    ("parts", "text", "offset"),
    [
        pytest.param([(4, 7)], "第一句有12件。", 0, id="one sentence"),
        pytest.param([(4, 7), (12, 14)], "第一句有12件。第二句有3件。", 0, id="a relation over two"),
        pytest.param([(12, 14)], "第二句有3件。", 8, id="the second"),
    ],
)
def test_an_example_is_the_sentences_of_its_spans(
    parts: list[tuple[int, int]], text: str, offset: int
) -> None:
    found = in_its_sentence(mistake(*parts), RECORD)
    assert (found.text, found.offset) == (text, offset)
    for part in found.mistake.gold:
        assert found.text[part.start - offset : part.end - offset] == TEXT[part.start : part.end]


def test_examples_are_bounded_for_each_kind_and_counted_all() -> None:
    evaluator = Evaluator(RUN, examples_each=3)
    for place in range(10):
        evaluator.add(score(place, mistakes=(mistake((4, 7)), mistake((4, 7), kind="label"))), RECORD)
    found = evaluator.evaluation()
    assert found.mistakes == 20
    assert [example.mistake.kind for example in found.examples] == ["missed", "label"] * 3


def test_memory_does_not_grow_with_documents() -> None:
    def peak(documents: int) -> int:
        evaluator = Evaluator(RUN)
        tracemalloc.start()
        for place in range(documents):
            evaluator.add(score(place, mistakes=(mistake((4, 7)),), COUNT=Counts(2, 4, 4)), RECORD)
        evaluator.evaluation()
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(6000) < 1.3 * peak(2000)
