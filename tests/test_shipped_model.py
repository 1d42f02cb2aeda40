"""The model in models/zh_gongkai: small, opened by spaCy and by gongkai alike, and the leaderboard's."""

from __future__ import annotations

from pathlib import Path

import pytest
import spacy

import gongkai
from gongkai.analysis import Analysis

TEXT = (
    "2018年，我局收到政府信息公开申请12件，其中网上申请9件，占75%。新建改建农村公路36公里，较上年增长8.1%。"
)
LARGEST = 25_000_000


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "models" / "zh_gongkai"


def test_it_is_small(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.rglob("*")) < LARGEST


def test_it_names_no_folder_of_its_maker(folder: Path) -> None:
    assert "folder = null" in (folder / "config.cfg").read_text("utf8")


def test_spacy_and_gongkai_open_the_same(folder: Path) -> None:
    doc = spacy.load(folder)(TEXT)
    assert isinstance(doc._.gongkai, Analysis)
    ours = gongkai.extract(TEXT)
    assert (doc._.gongkai.entities, doc._.gongkai.relations) == (ours.entities, ours.relations)
    assert doc._.gongkai.facts == ours.facts


@pytest.mark.parametrize("mode", ["model", "hybrid"])
def test_it_reads_a_plain_sentence(mode: str) -> None:
    record = gongkai.extract(TEXT, mode=mode)
    metrics = {(fact.value, fact.unit): fact.metric or "" for fact in record.facts}
    assert "申请" in metrics[12.0, "件"]
    assert "申请" in metrics[9.0, "件"]
    assert any(entity.by == "model" for entity in record.entities)
