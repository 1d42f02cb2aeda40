"""Values stand beside their gold: they must be of its text and its spans."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from gongkai.errors import BrokenRecord
from gongkai.gold.records import GoldEntity, GoldRecord, write
from gongkai.gold.values import GoldFinding, GoldValue, GoldValues, mismatches, read_values, values_path
from gongkai.types import CountNorm
from gongkai_annotations.validate import validate_files

TEXT = "全年收到申请12件。"
GOLD = GoldRecord(
    id="a",
    text=TEXT,
    entities=(
        GoldEntity(id="T1", label="PERIOD", start=0, end=2),
        GoldEntity(id="T2", label="METRIC", start=2, end=6),
        GoldEntity(id="T3", label="COUNT", start=6, end=9),
    ),
)
VALUES = GoldValues(
    id="a",
    sha256=GOLD.sha256,
    values=(
        GoldValue(label="PERIOD", start=0, end=2, norm=None),
        GoldValue(label="METRIC", start=2, end=6, norm=None),
        GoldValue(label="COUNT", start=6, end=9, norm=CountNorm(value=12, unit="件")),
    ),
    findings=(GoldFinding(check="sum", start=6, end=9, reported=12, expected=13),),
)
assert VALUES.values is not None


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        pytest.param(VALUES, [], id="all there"),
        pytest.param(msgspec.structs.replace(VALUES, values=None), [], id="findings only"),
        pytest.param(
            msgspec.structs.replace(VALUES, sha256="0"),
            ["Its values were read off another text."],
            id="other text",
        ),
        pytest.param(
            msgspec.structs.replace(VALUES, values=VALUES.values[:2]),
            ["No value is given for COUNT 6-9."],
            id="missing",
        ),
        pytest.param(
            msgspec.structs.replace(
                VALUES, values=(*VALUES.values, GoldValue(label="COUNT", start=1, end=2, norm=None))
            ),
            ["A value is given for COUNT 1-2, which is not marked."],
            id="too many",
        ),
    ],
)
def test_mismatches(values: GoldValues, problems: list[str]) -> None:
    assert list(mismatches(GOLD, values)) == problems


def test_file_round_trip_and_validation(tmp_path: Path) -> None:
    gold = tmp_path / "dev.jsonl"
    write([GOLD], gold)
    beside = values_path(gold)
    assert beside.name == "dev.values.jsonl"
    beside.write_bytes(msgspec.json.encode(VALUES) + b"\n")
    assert read_values(beside) == {"a": VALUES}
    assert validate_files([tmp_path]) == (1, [])

    stranger = msgspec.structs.replace(VALUES, id="b")
    moved = msgspec.structs.replace(VALUES, sha256="0")
    beside.write_bytes(msgspec.json.encode(moved) + b"\n" + msgspec.json.encode(stranger) + b"\n")
    count, problems = validate_files([tmp_path])
    assert count == 1
    assert [(p.document, p.what) for p in problems] == [
        ("a", "Its values were read off another text."),
        ("b", "Its gold has no such document."),
    ]


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "dev.values.jsonl"
    path.write_text(json.dumps({"id": "a", "sha256": "0", "findings": [{"check": "total"}]}) + "\n")
    with pytest.raises(BrokenRecord, match=r"dev\.values\.jsonl line 1: Invalid enum value 'total'"):
        read_values(path)
