"""What stands in for real model files has their size and kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from gongkai.evaluate.speed.systems import ALTERNATIVES, find, vocabulary


def test_vocabulary_is_of_the_size_and_kind_of_bert_base_chinese() -> None:
    pieces = vocabulary()
    assert len(pieces) == len(set(pieces)) == 21_128
    assert pieces[0] == "[PAD]"
    assert {"政", "府", "〔", "1", "##18", "##8"} <= set(pieces)


@pytest.mark.parametrize("name", [*ALTERNATIVES, "gongkai:rules", "gongkai:hybrid:processes"])
def test_weights_are_random_only_where_they_are_made_here(name: str) -> None:
    system = find(name)
    assert system.name == name
    assert (system.weights == "random") == (system.prepare is not None)


@pytest.mark.parametrize(
    ("name", "with_model"),
    [("gongkai:rules", False), ("gongkai:model", True), ("gongkai:hybrid:processes", True), ("jieba", False)],
)
def test_which_read_with_the_model(name: str, with_model: bool) -> None:
    assert find(name).with_model == with_model


@pytest.mark.slow
def test_long_documents_are_read_to_their_end(tmp_path: Path) -> None:
    """A window holds 510 tokens; what stands behind it is tagged too."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    system = find("bert-base")
    assert system.prepare is not None
    system.prepare(tmp_path)
    run = system.load(tmp_path, 1).run
    short, long = run(["公开" * 200]), run(["公开" * 600])
    assert long > 2 * short > 0
