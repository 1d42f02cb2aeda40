from __future__ import annotations

from time import perf_counter

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evaluate.building import entity, gold, record, records, relation
from gongkai.errors import BrokenPrediction
from gongkai.evaluate.relations import score_relations, score_relations_given
from gongkai.evaluate.types import Confidence, Counts
from gongkai.types import Entity, Record

TEXT = "⟦PERIOD 2018年⟧⟦METRIC 收到申请⟧⟦COUNT 863件⟧，⟦METRIC 网上申请⟧⟦COUNT 12件⟧"
VALUE_OF = ("value_of T3 T2", "value_of T5 T4")
SHORTER = TEXT.replace("⟦METRIC 收到申请⟧", "收到⟦METRIC 申请⟧")
OTHER_LABEL = TEXT.replace("⟦METRIC 收到申请⟧", "收到⟦ORG 申请⟧")
OVERLAPPING_HEAD = "⟦PERIOD 2018年⟧⟦METRIC 收到申请⟧8⟦COUNT 63件⟧，⟦METRIC 网上申请⟧⟦COUNT 12件⟧"

CASES = {
    # name: (predicted, {label: (right, gold, predicted)}, [(kind, label)]); gold is TEXT with VALUE_OF
    "all right": (record(TEXT, *VALUE_OF), {"value_of": (2, 2, 2)}, []),
    "nothing predicted": (record(""), {"value_of": (0, 2, 0)}, [("missed", "value_of")] * 2),
    "spans but no relations": (record(TEXT), {"value_of": (0, 2, 0)}, [("missed", "value_of")] * 2),
    "one missed": (record(TEXT, VALUE_OF[0]), {"value_of": (1, 2, 1)}, [("missed", "value_of")]),
    "said twice counts once": (record(TEXT, *VALUE_OF, *VALUE_OF), {"value_of": (2, 2, 2)}, []),
    "wrong one said twice": (
        record(TEXT, *VALUE_OF, *["during T3 T1"] * 2),
        {"value_of": (2, 2, 2), "during": (0, 0, 1)},
        [("spurious", "during")],
    ),
    "other ids": (
        msgspec.structs.replace(
            record(TEXT),
            entities=tuple(
                msgspec.structs.replace(e, id=e.id.replace("T", "M")) for e in record(TEXT).entities
            ),
            relations=(relation("value_of M3 M2"), relation("value_of M5 M4")),
        ),
        {"value_of": (2, 2, 2)},
        [],
    ),
    "other tail": (
        record(TEXT, "value_of T3 T4", VALUE_OF[1]),
        {"value_of": (1, 2, 2)},
        [("head_or_tail", "value_of")],
    ),
    "other head": (
        record(TEXT, "value_of T1 T2", VALUE_OF[1]),
        {"value_of": (1, 2, 2)},
        [("spurious", "value_of"), ("missed", "value_of")],
    ),
    "other label": (
        record(TEXT, "change_from T3 T2", VALUE_OF[1]),
        {"value_of": (1, 2, 1), "change_from": (0, 0, 1)},
        [("label", "value_of")],
    ),
    "other label and other tail": (
        record(TEXT, "change_from T3 T4", VALUE_OF[1]),
        {"value_of": (1, 2, 1), "change_from": (0, 0, 1)},
        [("missed", "value_of"), ("spurious", "change_from")],
    ),
    "turned round": (
        record(TEXT, "value_of T2 T3", VALUE_OF[1]),
        {"value_of": (1, 2, 2)},
        [("spurious", "value_of"), ("missed", "value_of")],
    ),
    "tail too short": (record(SHORTER, *VALUE_OF), {"value_of": (1, 2, 2)}, [("boundary", "value_of")]),
    "head too short": (
        record(OVERLAPPING_HEAD, *VALUE_OF),
        {"value_of": (1, 2, 2)},
        [("boundary", "value_of")],
    ),
    "an end's label is other": (
        record(OTHER_LABEL, *VALUE_OF),
        {"value_of": (1, 2, 2)},
        [("head_or_tail", "value_of")],
    ),
    "the same spans beat near ones": (
        record(SHORTER, "value_of T3 T2", "change_from T5 T4"),
        {"value_of": (0, 2, 1), "change_from": (0, 0, 1)},
        [("boundary", "value_of"), ("label", "value_of")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_cases(name: str) -> None:
    predicted, counts, mistakes = CASES[name]
    marks = score_relations(gold(record(TEXT, *VALUE_OF)), predicted)
    assert marks.counts == {"relations.strict": {label: Counts(*c) for label, c in counts.items()}}
    assert [(mistake.kind, mistake.label) for mistake in marks.mistakes] == mistakes


def test_a_mistake_shows_the_spans_of_both_sides() -> None:
    [mistake] = score_relations(gold(record(TEXT, *VALUE_OF)), record(SHORTER, *VALUE_OF)).mistakes
    assert mistake.level == "relations"
    assert mistake.gold == (("COUNT", 9, 13), ("METRIC", 5, 9))
    assert mistake.predicted == (("COUNT", 9, 13), ("METRIC", 7, 9))


def test_nested_spans_are_told_apart_by_their_labels_and_ends() -> None:
    nested = "⟦DOCNO 府办〔2018〕4号⟧⟦POLICY 《⟦ORG 市府办⟧⟦POLICY 办法⟧》⟧"
    right = record(nested, "number_of T1 T2", "issued_by T2 T3")
    inner = record(nested, "number_of T1 T4", "issued_by T2 T3")
    marks = score_relations(gold(right), inner)
    assert marks.counts["relations.strict"] == {"number_of": Counts(0, 1, 1), "issued_by": Counts(1, 1, 1)}
    # The inner policy lies in the outer one: the tail overlaps, only its ends are wrong.
    assert [mistake.kind for mistake in marks.mistakes] == ["boundary"]


def test_of_two_near_relations_only_one_is_the_boundary_mistake() -> None:
    right = record("⟦COUNT 3件⟧⟦METRIC 收到申请⟧", "value_of T1 T2")
    split = record("⟦COUNT 3件⟧⟦METRIC 收⟧⟦METRIC 到申请⟧", "value_of T1 T2", "value_of T1 T3")
    marks = score_relations(gold(right), split)
    assert [mistake.kind for mistake in marks.mistakes] == ["boundary", "spurious"]
    assert marks.mistakes[0].predicted[1] == ("METRIC", 3, 6)


def test_empty_gold() -> None:
    assert score_relations(gold(record("")), record("")).counts == {"relations.strict": {}}
    marks = score_relations(gold(record(TEXT)), record(TEXT, *VALUE_OF))
    assert marks.counts["relations.strict"] == {"value_of": Counts(0, 0, 2)}
    assert [mistake.kind for mistake in marks.mistakes] == ["spurious", "spurious"]


def test_confidences_have_the_higher_score_of_a_relation_said_twice() -> None:
    predicted = record(TEXT, "value_of T3 T2 0.4", "value_of T3 T2 0.9", "value_of T5 T2 0.7")
    assert score_relations(gold(record(TEXT, *VALUE_OF)), predicted).confidences == (
        Confidence("relations", "value_of", 0.9, True),
        Confidence("relations", "value_of", 0.7, False),
    )


def test_given_has_counts_only() -> None:
    marks = score_relations_given(gold(record(TEXT, *VALUE_OF)), record(TEXT, VALUE_OF[0], "part_of T5 T3"))
    assert marks.counts == {"relations.given": {"value_of": Counts(1, 2, 1), "part_of": Counts(0, 0, 1)}}
    assert (marks.mistakes, marks.confidences) == ((), ())


@pytest.mark.parametrize("score", [score_relations, score_relations_given])
def test_an_unknown_entity_is_named_with_its_document(score) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BrokenPrediction) as error:
        score(gold(record(TEXT)), record(TEXT, "value_of T3 T9"))
    assert str(error.value).startswith(
        "document report: Its relation value_of T3 → T9 names an entity T9, which it does not hold."
    )


def test_an_id_of_two_entities_is_an_error() -> None:
    twice = msgspec.structs.replace(
        record(TEXT), entities=(entity("T1", "COUNT", 0, 1), entity("T1", "COUNT", 2, 3))
    )
    with pytest.raises(BrokenPrediction, match="document report: More than one entity has the id T1"):
        score_relations(gold(record(TEXT)), twice)


@given(records())
def test_gold_itself_is_perfect(same: Record) -> None:
    marks = score_relations(gold(same), same)
    assert marks.mistakes == ()
    assert all(counts.f1 == 1 for counts in marks.counts["relations.strict"].values())
    assert bool(marks.counts["relations.strict"]) == bool(same.relations)


@given(records(), records())
def test_swapping_the_sides_swaps_precision_and_recall(one: Record, other: Record) -> None:
    there = score_relations(gold(one), other).counts["relations.strict"]
    back = score_relations(gold(other), one).counts["relations.strict"]
    assert {label: (c.precision, c.recall) for label, c in there.items()} == {
        label: (c.recall, c.precision) for label, c in back.items()
    }


@given(records(), records())
def test_every_relation_is_right_or_in_exactly_one_mistake(one: Record, other: Record) -> None:
    marks = score_relations(gold(one), other)
    total = Counts()
    for counts in marks.counts["relations.strict"].values():
        total = total.plus(counts)
    for side, wanted in (("gold", total.gold), ("predicted", total.predicted)):
        shown = [getattr(mistake, side) for mistake in marks.mistakes if getattr(mistake, side)]
        assert len(shown) == wanted - total.correct


@given(records(), records(), st.data())
def test_a_further_wrong_relation_never_raises_precision(
    one: Record, other: Record, data: st.DataObject
) -> None:
    assume(other.entities)
    ends = st.sampled_from(other.entities)
    label, head, tail = data.draw(st.tuples(st.sampled_from(["value_of", "part_of"]), ends, ends))
    assume((label, _span(head), _span(tail)) not in _relations(one))
    more = relation(f"{label} {head.id} {tail.id}")
    worse = msgspec.structs.replace(other, relations=(*other.relations, more))
    before, after = (
        score_relations(gold(one), side).counts["relations.strict"].get(label, Counts()).precision
        for side in (other, worse)
    )
    assert after is not None
    assert after <= (1 if before is None else before)


def _span(of: Entity) -> tuple[str, int, int]:
    return of.label, of.start, of.end


def _relations(of: Record) -> set[tuple[object, ...]]:
    spans = {e.id: _span(e) for e in of.entities}
    return {(r.label, spans[r.head], spans[r.tail]) for r in of.relations}


def test_a_long_document_is_scored_in_time_that_grows_with_its_length() -> None:
    def document(shift: int) -> Record:
        entities = []
        for place in range(20_000):
            entities.append(entity(f"M{place}", "METRIC", 20 * place + shift, 20 * place + 8))
            entities.append(entity(f"C{place}", "COUNT", 20 * place + 8, 20 * place + 12))
        links = tuple(relation(f"value_of C{place} M{place}") for place in range(20_000))
        return msgspec.structs.replace(record(""), entities=tuple(entities), relations=links)

    right, near = document(0), document(1)
    began = perf_counter()
    marks = score_relations(gold(right), near)
    assert perf_counter() - began < 5
    assert {mistake.kind for mistake in marks.mistakes} == {"boundary"}
    assert len(marks.mistakes) == 20_000
