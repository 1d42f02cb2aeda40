"""Stand-off gold joins with its texts, agreement is counted as by hand, the shipped gold obeys the scheme."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from gongkai.errors import MissingText
from gongkai.gold.records import (
    GoldEntity,
    GoldRecord,
    GoldRelation,
    StandoffRecord,
    read_lines,
    write,
)
from gongkai.gold.standoff import hydrate, standoff, without_text
from gongkai_annotations.agreement import Unpaired, agreement
from gongkai_annotations.card import check_card
from gongkai_annotations.cli import app
from gongkai_annotations.validate import validate_files

TEXT = "序言。\r\n2018年，我局收到申请12件。𠮷"
PART = (5, 22)


def record(text: str = TEXT[slice(*PART)]) -> GoldRecord:
    count = text.index("12件")
    return GoldRecord(
        id="d1",
        text=text,
        entities=(
            GoldEntity(id="T1", label="METRIC", start=count - 4, end=count),
            GoldEntity(id="T2", label="COUNT", start=count, end=count + 3),
        ),
        relations=(GoldRelation(label="value_of", head="T2", tail="T1"),),
        meta={"source": "real"},
    )


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "a.txt").write_text(TEXT, "utf8", newline="")
    return tmp_path


def test_a_record_without_its_text_comes_back_whole(texts: Path) -> None:
    away = standoff(record(), "reports/a.txt", PART)
    assert "我局" not in msgspec.json.encode(away).decode()
    (back,) = hydrate([away], texts)
    assert isinstance(back, GoldRecord)
    assert (back.text, back.entities, back.relations) == (
        record().text,
        record().entities,
        record().relations,
    )
    assert without_text(back) == away


def test_a_missing_text_names_its_document(texts: Path) -> None:
    (error,) = hydrate([standoff(record(), "reports/b.txt", PART)], texts)
    assert isinstance(error, MissingText)
    assert "document d1" in str(error)
    assert "is not there" in str(error)


def test_another_text_under_the_name_is_refused(texts: Path) -> None:
    (texts / "reports" / "a.txt").write_text(TEXT.replace("12", "13"), "utf8", newline="")
    (error,) = hydrate([standoff(record(), "reports/a.txt", PART)], texts)
    assert isinstance(error, MissingText)
    assert "SHA-256 differs" in str(error)


def test_agreement_counts_spans_and_relations() -> None:
    first = record()
    shifted = GoldEntity(id="X", label="METRIC", start=first.entities[0].start + 1, end=first.entities[0].end)
    second = msgspec.structs.replace(
        first,
        entities=(shifted, first.entities[1]),
        relations=(GoldRelation(label="value_of", head="T2", tail="X"),),
    )
    counts = agreement([first], [second])
    assert (counts.both["COUNT"], counts.first_only["METRIC"], counts.second_only["METRIC"]) == (1, 1, 1)
    assert counts.f1("METRIC") == 0
    assert counts.f1("ORG") is None
    assert counts.micro(relations=False) == pytest.approx(2 / 4)
    assert counts.micro(relations=True) == 0
    assert agreement([first], [first]).micro(relations=True) == 1


def test_agreement_wants_the_same_documents() -> None:
    with pytest.raises(Unpaired, match="document d1"):
        agreement([], [record()])


def test_shipped_gold_obeys_the_scheme(root: Path) -> None:
    count, problems = validate_files([root / "annotations" / "gold"])
    assert problems == []
    assert count > 0


def test_the_data_card_counts_what_is_there(root: Path) -> None:
    check_card(root / "annotations" / "gold")


@pytest.mark.shared
def test_stand_off_gold_joins_with_the_real_texts(root: Path, shared: Path) -> None:
    for part in ("dev", "test"):
        lines = [item for _, item in read_lines(root / "annotations" / "gold" / "real" / f"{part}.jsonl")]
        records = [item for item in lines if isinstance(item, StandoffRecord)]
        assert len(records) == len(lines) > 0
        assert [str(item) for item in hydrate(records, shared) if isinstance(item, MissingText)] == []


def test_a_record_that_does_not_know_its_text_cannot_lose_it() -> None:
    with pytest.raises(MissingText, match=r"meta\.path"):
        without_text(record())


def test_hydrate_and_dehydrate_on_the_command_line_are_inverse(root: Path, texts: Path) -> None:
    away = texts / "away.jsonl"
    write([standoff(record(), "reports/a.txt", PART)], away)
    run = CliRunner().invoke
    assert (
        run(app, ["hydrate", str(away), "--texts", str(texts), "-o", str(texts / "whole.jsonl")]).exit_code
        == 0
    )
    assert (
        run(app, ["dehydrate", str(texts / "whole.jsonl"), "-o", str(texts / "again.jsonl")]).exit_code == 0
    )
    assert (texts / "again.jsonl").read_bytes() == away.read_bytes()
