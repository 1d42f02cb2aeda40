"""Rule rows: what the loader refuses, and how pieces are filled in."""

from __future__ import annotations

from pathlib import Path

import pytest

from gongkai import resources
from gongkai.errors import ConfigError
from gongkai.rules import table

ROW = "rules:\n- {name: a, label: ORG, pattern: '%s', source: s, match: [⟦x⟧], reject: [%s]}\n"


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `configs/rules`; the caches of what was loaded are dropped."""
    (tmp_path / "configs" / "rules").mkdir(parents=True)
    monkeypatch.setattr(resources, "data_root", lambda: tmp_path)
    yield tmp_path / "configs" / "rules" / "x.yaml"
    table.load_rules.cache_clear()
    table.compile_rules.cache_clear()


def refused(rules: Path, written: str) -> str:
    rules.write_text(written, "utf8")
    table.load_rules.cache_clear()
    with pytest.raises(ConfigError) as error:
        table.compile_rules("x")
    return str(error.value)


def test_a_row_needs_both_kinds_of_example(rules: Path) -> None:
    assert "Rule a lacks a match or a reject example" in refused(rules, ROW % ("x", ""))


def test_unknown_keys_and_labels_are_refused(rules: Path) -> None:
    assert "x.yaml" in refused(rules, (ROW % ("x", "y")).replace("source", "sauce"))
    assert "ORGAN" in refused(rules, (ROW % ("x", "y")).replace("ORG", "ORGAN"))


def test_an_unknown_piece_names_the_known_ones(rules: Path) -> None:
    written = (ROW % ("{cod}", "y")).replace("rules:", "pieces: {code: '[0-9]'}\nrules:")
    assert "Unknown piece {cod}. Known: code." in refused(rules, written)


def test_a_broken_pattern_names_its_rule(rules: Path) -> None:
    assert "Rule a:" in refused(rules, ROW % ("(", "y"))


def test_a_missing_file_says_so(rules: Path) -> None:
    with pytest.raises(ConfigError, match="missing"):
        table.load_rules("nowhere")


def test_words_become_a_folded_alternative_the_longest_first() -> None:
    assert table.alternatives(("條例", "政府條例")) == "(?:政府条例|条例)"
