"""The choice of a merge policy: the side that is right on dev gets the label, and nothing changes without a gain."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from evaluate.building import record
from gongkai.gold.records import from_record, write
from gongkai.ingest import read_text
from gongkai.merging import Choice, Policy, load_policy, uniform
from gongkai.pipeline import Extractor
from gongkai.reading import SHIPPED_MODEL, load_reader
from gongkai.resources import data_root
from gongkai_training.cli import app
from gongkai_training.merging import LEAST, Dev, Trial, choose_policy, write_policy
from planted import PlantedReader

GOLD = [
    record("⟦PERIOD 2018年⟧，⟦METRIC 全市窗口办结⟧⟦COUNT 863件⟧。", "value_of T3 T2", "during T3 T1"),
    record("⟦PERIOD 2019年⟧，⟦METRIC 全市窗口受理⟧⟦COUNT 12件⟧。", "value_of T3 T2", "during T3 T1"),
]
"""The rules take another METRIC (办结), and are right about all else."""


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "dev.jsonl"
    named = [msgspec.structs.replace(each, id=f"d{number}") for number, each in enumerate(GOLD)]
    write([from_record(each) for each in named], path)
    return path


def test_rules_alone_score_as_they_do_without_a_model(gold: Path) -> None:
    with_model, without = Dev([gold], PlantedReader(*GOLD)), Dev([gold], PlantedReader())
    assert with_model.score(uniform("rules")) == without.score(uniform("rules")) < 1
    assert with_model.score(uniform("model")) == 1
    assert without.score(uniform("model")) == 0


def test_parts_count_alike(gold: Path, tmp_path: Path) -> None:
    """Of two files the model knows one by heart and nothing of the other, which is longer."""
    other = tmp_path / "other.jsonl"
    text = "。".join("⟦PERIOD 全年⟧" for _ in range(9))
    write([from_record(msgspec.structs.replace(record(text), id="other"))], other)
    assert Dev([gold, other], PlantedReader(*GOLD)).score(uniform("model")) == 0.5


def test_a_label_goes_to_the_side_that_is_right(gold: Path) -> None:
    told: list[Trial] = []
    dev = Dev([gold], PlantedReader(*GOLD))
    best = choose_policy(dev, uniform("rules"), report=told.append)
    assert best.score == 1 == dev.score(best.policy)
    assert best.policy.spans["METRIC"].order[0] == "model"
    assert {label for label, choice in best.policy.spans.items() if "model" in choice.order} == {"METRIC"}
    assert [trial.score for trial in told] == sorted(trial.score for trial in told)
    assert told[-1] == best


def test_the_model_is_believed_from_where_it_is_right(tmp_path: Path) -> None:
    """It is sure (0.97) of an ORG that the rules do not see, and less (0.85) of one where there is none."""
    seen, wrong = record("据⟦ORG 甲乙丙社⟧电。"), record("据⟦ORG 天气⟧电。")
    wrong = msgspec.structs.replace(
        wrong, entities=tuple(msgspec.structs.replace(entity, id="W1") for entity in wrong.entities)
    )
    gold = [
        msgspec.structs.replace(seen, id="seen"),
        msgspec.structs.replace(wrong, id="none", entities=()),
    ]
    write([from_record(each) for each in gold], tmp_path / "dev.jsonl")
    dev = Dev([tmp_path / "dev.jsonl"], PlantedReader(seen, wrong, scores={"T1": 0.97, "W1": 0.85}))
    best = choose_policy(dev, uniform("rules"))
    org = best.policy.spans["ORG"]
    assert best.score == 1
    assert "model" in org.order
    assert 0.85 < org.model_least <= 0.97
    assert org.model_least in LEAST


def test_what_a_number_counts_is_taken_as_the_model_says(gold: Path) -> None:
    sure = dict.fromkeys(("T1", "T2", "T3"), 0.97)
    best = choose_policy(Dev([gold], PlantedReader(*GOLD, scores=sure)), uniform("rules"))
    assert best.policy.spans["METRIC"] == Choice(("model", "rules"))


def test_a_silent_model_changes_nothing_where_rules_are_right(tmp_path: Path) -> None:
    right = msgspec.structs.replace(
        Extractor("rules").extract(read_text("2018年，我局收到申请12件。")), id="right"
    )
    write([from_record(right)], tmp_path / "right.jsonl")
    best = choose_policy(Dev([tmp_path / "right.jsonl"], PlantedReader()), uniform("rules"))
    assert (best.policy, best.score) == (uniform("rules"), 1)


def test_a_written_policy_reads_the_same_and_keeps_its_comment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "configs" / "merge.yaml"
    path.parent.mkdir()
    path.write_text("# Who decides.\n#  order: who is asked\n\ntables: all\nspans: {}\n", "utf8")
    chosen = uniform("rules")
    chosen = msgspec.structs.replace(
        chosen,
        tables="forms",
        spans={**chosen.spans, "METRIC": Choice(("model", "rules"), 0.6), "ORG": Choice(("model",))},
        relations={**chosen.relations, "during": Choice(("rules", "model"), 0.95)},
    )
    write_policy(path, chosen)
    assert path.read_text("utf8").startswith("# Who decides.\n#  order: who is asked\n\ntables: forms\n")
    assert msgspec.yaml.decode(path.read_bytes(), type=Policy) == chosen
    monkeypatch.setattr("gongkai.resources.data_root", lambda: tmp_path)
    load_policy.cache_clear()
    assert load_policy("hybrid") == chosen
    load_policy.cache_clear()


def test_a_policy_may_be_written_where_none_was(tmp_path: Path) -> None:
    write_policy(tmp_path / "new.yaml", uniform("rules"))
    assert msgspec.yaml.decode((tmp_path / "new.yaml").read_bytes(), type=Policy) == uniform("rules")


def test_the_command(gold: Path, tmp_path: Path) -> None:
    path = tmp_path / "merge.yaml"
    path.write_text("# Who decides.\n", "utf8")
    model = data_root() / SHIPPED_MODEL
    result = CliRunner().invoke(app, ["policy", str(model), "--gold", str(gold), "-o", str(path)])
    assert result.exit_code == 0, result.output
    chosen = msgspec.yaml.decode(path.read_bytes(), type=Policy)
    assert f"{Dev([gold], load_reader(model)).score(chosen):.4f}" in result.output
