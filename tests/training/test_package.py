"""The folder that ships: an exported model with the pipeline around it."""

from __future__ import annotations

from pathlib import Path

import pytest
import spacy

from gongkai.errors import BrokenModel, OutputError
from gongkai.pipeline import analysis_of, load
from gongkai.reading import SHIPPED_MODEL
from gongkai.resources import data_root
from gongkai_training.package import package

TEXT = "2018年，我局收到申请12件，比上年增长12.5%。"


def test_spacy_opens_it_wherever_it_lies(tmp_path: Path) -> None:
    model = data_root() / SHIPPED_MODEL
    package(model, tmp_path / "made")
    moved = (tmp_path / "made").rename(tmp_path / "moved")
    found, expected = (analysis_of(nlp(TEXT)).record() for nlp in (spacy.load(moved), load(model=model)))
    assert found == expected
    assert found.entities
    assert str(model) not in (moved / "config.cfg").read_text("utf8")
    with pytest.raises(OutputError, match="not empty"):
        package(model, moved)
    package(model, moved, force=True)


def test_a_model_that_was_not_exported_is_not_shipped(tmp_path: Path) -> None:
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "settings.yaml").write_text("data: {}", "utf8")
    with pytest.raises(BrokenModel, match=r"model\.json"):
        package(tmp_path / "trained", tmp_path / "made")
    assert not (tmp_path / "made").exists()
