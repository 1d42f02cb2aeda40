"""Documents to tasks and back: nothing is lost, whatever the text and wherever it is parted."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gold_records import gold, random_gold
from gongkai.gold.records import GoldEntity, GoldRecord, GoldRelation, canonical
from gongkai.types import RELATION_TYPES
from gongkai_annotations import tasks
from gongkai_annotations.tasks import TaskData

TEXTS = st.text(
    st.one_of(
        st.sampled_from("收到申请5件，。\n\r\t 　\u200b\x00𠮷😀é"),
        st.characters(exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=300,
)


@st.composite
def records(draw: st.DrawFn) -> GoldRecord:
    """Any text with any spans (no order, overlaps and all) and relations of any kind between them."""
    text = draw(TEXTS)
    places = st.integers(0, len(text) - 1)
    ids = draw(st.lists(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1), unique=True))
    entities = []
    for name in ids:
        start = draw(places)
        end = draw(st.integers(start + 1, len(text)))
        label = draw(st.sampled_from(["METRIC", "COUNT", "PERIOD"]))
        entities.append(GoldEntity(id=name, label=label, start=start, end=end))
    pairs = (
        st.tuples(st.sampled_from(sorted(RELATION_TYPES)), *[st.sampled_from(ids)] * 2)
        if ids
        else st.nothing()
    )
    relations = draw(st.lists(pairs, unique=True, max_size=8)) if ids else []
    return GoldRecord(
        id="d",
        text=text,
        entities=tuple(entities),
        relations=tuple(GoldRelation(label=label, head=head, tail=tail) for label, head, tail in relations),
        meta={"year": 2018},
    )


def there_and_back(record: GoldRecord, borders: tuple[int, ...]) -> tasks.Joined:
    """Through JSON, as the server keeps it."""
    readings = []
    for data in tasks.tasks(record, borders):
        kept: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(data))
        result = msgspec.json.decode(msgspec.json.encode(tasks.result(record, data)))
        readings.append(tasks.read_result(result, msgspec.convert(kept, TaskData)))
    return tasks.join(readings)


@given(records(), st.integers(1, 120))
@settings(deadline=None)
def test_identity(record: GoldRecord, longest: int) -> None:
    borders = tasks.split(record, longest)
    joined = there_and_back(record, borders)
    assert joined.faults == ()
    assert joined.record.text == record.text
    assert joined.record.meta == record.meta
    places = {(e.label, e.start, e.end) for e in record.entities}
    assert {(e.label, e.start, e.end) for e in joined.record.entities} == places
    if len(places) == len(record.entities):
        assert joined.record == canonical(record)


@given(records(), st.integers(1, 120))
@settings(deadline=None)
def test_borders(record: GoldRecord, longest: int) -> None:
    borders = tasks.split(record, longest)
    assert borders[0] == 0
    assert borders[-1] == len(record.text)
    assert all(a < b for a, b in pairwise(borders))
    for entity in record.entities:
        assert not any(entity.start < border < entity.end for border in borders)


@given(TEXTS)
def test_shown_text_has_the_length_of_the_text(text: str) -> None:
    assert len(tasks.shown(text)) == len(text)


@pytest.mark.parametrize("seed", range(5))
def test_identity_of_dense_documents(seed: int) -> None:
    record = random_gold("r", seed)
    borders = tasks.split(record, 200)
    assert len(borders) > 3
    joined = there_and_back(record, borders)
    assert joined.record == canonical(record)
    assert joined.crossing_kept > 0
    assert joined.crossing_dropped == 0


def test_parts_end_at_sections() -> None:
    sections = [
        f"{number}、第{number}节标题\n" + "本节有一些文字，说明情况。" * 8 + "\n" for number in "一二三四"
    ]
    record = GoldRecord(id="d", text="".join(sections))
    borders = tasks.split(record, 260)
    parts = [record.text[start:end] for start, end in pairwise(borders)]
    assert [part[0] for part in parts] == ["一", "三"]
    assert [data.place for data in tasks.tasks(record, borders)] == [
        "第1部分，共2部分 · 第一节标题",
        "第2部分，共2部分 · 第三节标题",
    ]


def test_of_equal_borders_the_one_that_parts_no_pair() -> None:
    lines = (
        "⟦METRIC#m 申请⟧情况说明如下文所列。\n"
        + "⟦COUNT#n 5件⟧"
        + "已经全部办结并且答复。\n"
        + "其他情况另行说明。\n"
    )
    record = gold("d", lines, "value_of n m")
    borders = tasks.split(record, 30)
    assert record.text[: borders[1]].count("\n") == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("一\r\n二", "一\u200b\n二"),
        ("一\r二", "一\r二"),
        ("一\n\r\n\r二", "一\n\u200b\n\r二"),
        ("一\x00二", "一\ufffd二"),
    ],
)
def test_shown(text: str, expected: str) -> None:
    assert tasks.shown(text) == expected


def annotation(*items: dict[str, Any]) -> tasks.Reading:
    record = gold("d", "2018年⟦METRIC#m 收到申请⟧⟦COUNT#n 5件⟧，𠮷办结⟦COUNT#o 4件⟧。", "value_of n m")
    data = tasks.tasks(record, (0, len(record.text)))[0]
    return tasks.read_result([*tasks.result(record, data), *items], data)


def region(start: int, end: int, *labels: str, name: str = "x", **more: object) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": list(labels), **more}
    return {"id": name, "from_name": "label", "to_name": "text", "type": "labels", "value": value}


def relation(head: str, tail: str, *labels: str, direction: str = "right") -> dict[str, Any]:
    return {
        "type": "relation", "from_id": head, "to_id": tail, "direction": direction, "labels": list(labels)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        (region(0, 99, "COUNT"), "outside the text"),
        (region(3, 3, "COUNT"), "outside the text"),
        (region(0, 5), "no label"),
        (region(0, 5, "DATE"), "'DATE', which is not ours"),
        (region(0, 5, "PERIOD", text="2019年"), "marked in another text"),
        ({"id": "x", "from_name": "label", "to_name": "text", "value": {}}, "no offsets"),
        ({"id": "x", "from_name": "mood", "to_name": "text", "value": {}}, "'mood', which is not ours"),
        (relation("n", "zz", "value_of"), "does not join"),
        (relation("n", "m"), "no label"),
        (relation("n", "m", "due_to"), "'due_to', which is not ours"),
        (relation("n", "m", "value_of", direction="bi"), "both ways"),
    ],
)
def test_what_cannot_be_read_is_named(item: dict[str, Any], fault: str) -> None:
    reading = annotation(item)
    assert [fault in each.what for each in reading.faults] == [True]
    assert len(reading.relations) == 1


def test_a_relation_drawn_backwards() -> None:
    reading = annotation(relation("n", "o", "part_of", direction="left"))
    assert reading.relations[-1] == GoldRelation(label="part_of", head="o", tail="n")


def test_two_labels_on_one_region_are_two_spans() -> None:
    reading = annotation(region(0, 5, "PERIOD", "METRIC"))
    assert [(e.id, e.label) for e in reading.entities[-2:]] == [("x", "PERIOD"), ("x.2", "METRIC")]


def test_a_span_over_a_line_break_as_the_editor_writes_it() -> None:
    record = GoldRecord(id="d", text="深府办\r\n〔2018〕1号")
    data = tasks.tasks(record, (0, len(record.text)))[0]
    marked = region(0, len(record.text), "DOCNO", text="深府办\u200b\\n〔2018〕1号")
    assert tasks.read_result([marked], data).faults == ()


def test_rejection_and_note() -> None:
    verdict = {"id": "v", "from_name": "verdict", "to_name": "text", "value": {"choices": ["reject"]}}
    note = {"id": "w", "from_name": "note", "to_name": "text", "value": {"text": ["乱码"]}}
    reading = annotation(verdict, note)
    assert reading.rejected
    assert reading.note == "乱码"


def parted() -> tuple[GoldRecord, list[tasks.Reading]]:
    record = gold("d", "⟦COUNT#total 9件⟧。\n⟦COUNT#part 4件⟧。", "part_of part total")
    made = tasks.tasks(record, (0, 4, 8))
    return record, [tasks.read_result(tasks.result(record, data), data) for data in made]


def moved(reading: tasks.Reading, *entities: GoldEntity) -> tasks.Reading:
    return msgspec.structs.replace(reading, entities=entities)


def test_a_relation_between_parts_follows_a_span_whose_ends_moved() -> None:
    _, (first, second) = parted()
    shorter = GoldEntity(id="new", label="COUNT", start=4, end=5)
    joined = tasks.join([first, moved(second, shorter)])
    assert joined.record.relations == (GoldRelation(label="part_of", head="new", tail="total"),)


def test_a_relation_between_parts_falls_with_its_span() -> None:
    _, (first, second) = parted()
    joined = tasks.join([first, moved(second)])
    assert joined.record.relations == ()
    assert (joined.crossing_kept, joined.crossing_dropped) == (0, 1)


def test_ids_that_two_parts_share() -> None:
    _, (first, second) = parted()
    same = msgspec.structs.replace(second.entities[0], id="total")
    joined = tasks.join([first, moved(second, same)])
    assert [entity.id for entity in joined.record.entities] == ["total", "total.2"]


def test_a_million_characters() -> None:
    block = "一、概述\n2018年，⟦COUNT#n 5件⟧申请。本节有一些文字，说明情况。\n"
    base = gold("d", block)
    copies = 30_000
    entities = tuple(
        msgspec.structs.replace(
            base.entities[0], id=f"T{i}", start=base.entities[0].start + i * len(base.text),
            end=base.entities[0].end + i * len(base.text),
        )
        for i in range(copies)
    )  # fmt: skip
    record = GoldRecord(id="d", text=base.text * copies, entities=entities)
    borders = tasks.split(record)
    assert max(b - a for a, b in pairwise(borders)) <= tasks.LONGEST_PART
