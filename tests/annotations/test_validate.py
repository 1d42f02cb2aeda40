"""Every breach of the scheme is found, and named with its document and characters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from gold_records import gold
from gongkai.errors import UnreadableInput
from gongkai.gold.records import GoldEntity, GoldRecord, GoldRelation, StandoffRecord, write
from gongkai_annotations.cli import app
from gongkai_annotations.validate import Located, check_record, validate

GOOD = gold(
    "good",
    "⟦POLICY#p 《深圳条例》⟧（⟦DOCNO#d 深府办〔2018〕14号⟧）。⟦PERIOD#y 2018年⟧，⟦METRIC#m 收到申请⟧⟦COUNT#n 5件⟧，"
    "其中⟦METRIC#o 网上申请⟧⟦COUNT#q 3件⟧，占⟦PERCENT#s 60%⟧。",
    "number_of d p",
    "value_of n m",
    "value_of q o",
    "part_of q n",
    "share_of s n",
    "during n y",
)


def with_entity(**fields: Any) -> GoldRecord:
    entity = GoldEntity(**({"id": "x", "label": "COUNT"} | fields))
    return msgspec.structs.replace(GOOD, entities=(*GOOD.entities, entity))


def with_relation(label: str, head: str, tail: str) -> GoldRecord:
    relation = GoldRelation(label=label, head=head, tail=tail)
    return msgspec.structs.replace(GOOD, relations=(*GOOD.relations, relation))


def messages(record: GoldRecord | StandoffRecord) -> list[str]:
    return [str(problem) for problem in check_record(record)]


def test_a_good_record() -> None:
    assert messages(GOOD) == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"start": 5, "end": 5}, "characters 5-5: Span x (COUNT) has no extent."),
        ({"start": 7, "end": 5}, "has no extent"),
        ({"start": -1, "end": 5}, "has no extent"),
        ({"start": 60, "end": 99}, f"ends after the text, at {len(GOOD.text)}"),
        ({"label": "DATE", "start": 0, "end": 2}, "Span x (DATE) has a label that the scheme does not know."),
        ({"id": "n", "label": "ORG", "start": 0, "end": 2}, "2 spans have the id n."),
        ({"label": "PERIOD", "start": 21, "end": 25}, "Span x (PERIOD) overlaps y of the same label, 21-26."),
    ],
)
def test_spans(fields: dict[str, Any], told: str) -> None:
    (message,) = messages(with_entity(**fields))
    assert message.startswith("document good")
    assert told in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (" 5件", "begins or ends in white space"),
        ("5件\n", "begins or ends in white space"),
        ("5件\u3000", "begins or ends in white space"),
        ("\u200b5件", "begins or ends in white space"),
        ("5\r\n\r\n件", "crosses an empty line"),
        ("5\n \n件", "crosses an empty line"),
    ],
)
def test_white_space(text: str, told: str) -> None:
    (message,) = messages(gold("d", f"共⟦COUNT#n {text}⟧。"))
    assert told in message


def test_a_span_over_one_line_break_is_damage_and_stands() -> None:
    assert messages(gold("d", "⟦DOCNO#n 深府办〔2018〕\r\n14号⟧")) == []


def test_nested_spans_of_two_labels_stand() -> None:
    record = gold("d", "《2018年⟦COUNT#n 5件⟧要点》")
    outer = GoldEntity(id="p", label="POLICY", start=0, end=len(record.text))
    assert messages(msgspec.structs.replace(record, entities=(*record.entities, outer))) == []


def test_an_overlap_over_a_span_between() -> None:
    spans = [(0, 9), (1, 2), (3, 4)]
    entities = tuple(GoldEntity(id=f"T{a}", label="COUNT", start=a, end=b) for a, b in spans)
    assert len(messages(GoldRecord(id="d", text="一二三四五六七八九", entities=entities))) == 2


@pytest.mark.parametrize(
    ("relation", "told"),
    [
        (("value_of", "m", "n"), "goes from METRIC to COUNT. It goes from COUNT, PERCENT to METRIC."),
        (("during", "y", "n"), "goes from PERIOD to COUNT"),
        (("share_of", "n", "s"), "goes from COUNT to PERCENT"),
        (("due_to", "n", "m"), "of a kind that the scheme does not know"),
        (("part_of", "n", "n"), "points to itself"),
        (("value_of", "n", "zz"), "names the span zz, which is not there"),
        (("value_of", "n", "m"), "is given 2 times"),
        (("value_of", "n", "o"), "n has 2 value_of relations"),
        (("part_of", "n", "q"), "part_of goes in a circle"),
    ],
)
def test_relations(relation: tuple[str, str, str], told: str) -> None:
    (message,) = messages(with_relation(*relation))
    assert told in message


def test_a_long_chain_of_totals_is_no_circle() -> None:
    entities = tuple(GoldEntity(id=f"T{i}", label="COUNT", start=i, end=i + 1) for i in range(5000))
    relations = tuple(GoldRelation(label="part_of", head=f"T{i}", tail=f"T{i + 1}") for i in range(4999))
    assert messages(GoldRecord(id="d", text="1" * 5000, entities=entities, relations=relations)) == []


def test_two_totals_of_one_part_are_no_circle() -> None:
    record = gold("d", "⟦COUNT#a 1⟧ ⟦COUNT#b 1⟧ ⟦COUNT#c 1⟧ ⟦COUNT#d 1⟧")
    pairs = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    relations = tuple(GoldRelation(label="part_of", head=head, tail=tail) for head, tail in pairs)
    assert messages(msgspec.structs.replace(record, relations=relations)) == []


def test_a_standoff_record_is_checked_without_its_text() -> None:
    record = StandoffRecord(
        id="d",
        sha256="0" * 64,
        entities=(GoldEntity(id="a", label="COUNT", start=3, end=3),),
        relations=(GoldRelation(label="during", head="a", tail="b"),),
    )
    assert [problem.structural for problem in check_record(record)] == [True, True]


def located(name: str, text: str, split: str | None, **meta: object) -> Located:
    return Located(record=GoldRecord(id=name, text=text, meta=dict(meta)), where=f"line {name}", split=split)


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([located("a", "一", None), located("a", "二", None)], "The id is given 2 times"),
        (
            [located("a", "一", "train"), located("b", "一", "test")],
            "Its text is in several splits: b in test, a in train",
        ),
        ([located("a", "一", "train"), located("b", "一", "train")], "Its text is also that of b"),
        (
            [
                located("a", "一", "train", issuer="甲市", source="own"),
                located("b", "二", "dev", issuer="甲市", source="own"),
            ],
            "Its issuer 甲市 has documents in several splits",
        ),
    ],
)
def test_between_documents(records: list[Located], told: str) -> None:
    (problem,) = validate(records)
    assert told in problem.what


def test_two_annotators_of_one_document_are_no_clash() -> None:
    a, b = (located("a", "一", "dev", annotator=name) for name in "AB")
    assert list(validate([a, b])) == []


def test_command(tmp_path: Path) -> None:
    write([GOOD], tmp_path / "train.jsonl")
    result = CliRunner().invoke(app, ["validate", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (0, "")
    bad = msgspec.json.encode(with_entity(start=3, end=3))
    (tmp_path / "dev.jsonl").write_bytes(b"\n" + bad + b'\n{"id": "x"}\n{"text": 3}\n')
    result = CliRunner().invoke(app, ["validate", str(tmp_path)])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    told = [
        ("line 3: document ?: ", "Object missing required field `sha256`."),
        ("line 4: document ?: ", "Expected `str`, got `int`"),
        ("line 2: document good, characters 3-3: ", "Span x (COUNT) has no extent."),
        ("train.jsonl line 1: document good: ", "The id is given 2 times"),
        ("line 2: document good: ", "Its text is in several splits: good in dev, good in train."),
    ]
    for line, (where, what) in zip(lines, told, strict=True):
        assert where in line
        assert what in line


def test_a_folder_without_gold(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["validate", str(tmp_path)])
    assert isinstance(result.exception, UnreadableInput)
