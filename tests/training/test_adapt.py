"""Masked language modelling on a tiny encoder: real steps, and a kill that leaves no trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from gongkai.errors import ConfigError, GongkaiError, OutputError  # noqa: E402
from gongkai.model.characters import Characters  # noqa: E402
from gongkai_training.encoder.adapt import (  # noqa: E402
    EmptyCorpus,
    Event,
    HeldOut,
    MlmSettings,
    Step,
    adapt,
    learning_rate_factor,
)
from gongkai_training.encoder.tokenizer import load_characters, save_characters  # noqa: E402
from gongkai_training.runs import ForeignCheckpoint  # noqa: E402

SENTENCE = "{year}年，我局共收到政府信息公开申请{count}件，比上年增加{more}件，均已按期答复。\n"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    characters = Characters(sorted(set(SENTENCE) | set("0123456789")))
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=len(characters),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    save_characters(characters, folder)
    return folder


@pytest.fixture(scope="module")
def settings(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> MlmSettings:
    corpus = tmp_path_factory.mktemp("corpus")
    for year in range(2008, 2020):
        text = "".join(SENTENCE.format(year=year, count=year % 7 + n, more=n) for n in range(4))
        (corpus / f"{year}.txt").write_text(text, encoding="utf-8")
    return MlmSettings(
        encoder=str(encoder),
        texts=(str(corpus),),
        longest=64,
        batch_characters=512,
        epochs=2,
        learning_rate=0.01,
        held_out=0.3,
        dropout=0.1,
        checkpoint_minutes=0,
        log_steps=1,
    )


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(transformers.BertForMaskedLM.from_pretrained(folder).state_dict())


def _stop_after(step: int) -> Callable[[Event], None]:
    def report(event: Event) -> None:
        if isinstance(event, Step) and event.step > step:
            raise KeyboardInterrupt

    return report


def test_a_killed_and_resumed_run_has_the_weights_of_one_that_ran_through(
    settings: MlmSettings, tmp_path: Path
) -> None:
    through = adapt(tmp_path / "through", settings=settings)
    assert through.steps > 5
    for killed_after in (3, 4):
        with pytest.raises(KeyboardInterrupt):
            adapt(tmp_path / "killed", settings=settings, resume=True, report=_stop_after(killed_after))
    resumed = adapt(tmp_path / "killed", settings=settings, resume=True)
    ours, theirs = _weights(tmp_path / "killed"), _weights(tmp_path / "through")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert (resumed.before, resumed.after) == (through.before, through.after)
    logs = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("through", "killed")]
    events = [[json.loads(line) | {"characters_per_second": 0} for line in log] for log in logs]
    assert events[0] == events[1]
    assert adapt(tmp_path / "killed", settings=settings, resume=True) == resumed


def test_it_learns_and_leaves_an_encoder(settings: MlmSettings, tmp_path: Path) -> None:
    events: list[Event] = []
    longer = msgspec.structs.replace(settings, epochs=12)
    adapted = adapt(tmp_path / "out", settings=longer, report=events.append)
    assert adapted.after.loss < adapted.before.loss - 0.5
    assert adapted.after.accuracy > adapted.before.accuracy
    assert [event.step for event in events if isinstance(event, Step)] == list(range(1, adapted.steps + 1))
    assert [event for event in events if isinstance(event, HeldOut)][-1] == adapted.after
    model = transformers.AutoModel.from_pretrained(tmp_path / "out", add_pooling_layer=False)
    assert model.embeddings.word_embeddings.weight.shape[0] == len(load_characters(tmp_path / "out"))
    # The dropout of the run is not that of whoever trains on.
    assert model.config.hidden_dropout_prob == transformers.BertConfig().hidden_dropout_prob
    described = json.loads((tmp_path / "out" / "run.json").read_bytes())
    assert described["settings"]["epochs"] == 12
    assert described["texts"]["documents"] == 12


def test_an_adapted_encoder_keeps_its_head(settings: MlmSettings, tmp_path: Path) -> None:
    first = adapt(tmp_path / "first", settings=settings)
    again = msgspec.structs.replace(settings, encoder=str(tmp_path / "first"))
    assert adapt(tmp_path / "again", settings=again).before.loss == first.after.loss


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"longest": 65}, ConfigError, "66 positions.*64 at most"),
        ({"held_out": 1e-9}, EmptyCorpus, "0 held out"),
        ({"texts": ()}, EmptyCorpus, "0 windows to train on"),
    ],
)
def test_what_cannot_work_stops_before_the_first_step(
    settings: MlmSettings, tmp_path: Path, change: dict[str, object], error: type[GongkaiError], says: str
) -> None:
    with pytest.raises(error, match=says):
        adapt(tmp_path, settings=msgspec.structs.replace(settings, **change))
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_checkpoint_of_another_run_is_refused(settings: MlmSettings, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        adapt(tmp_path, settings=settings, report=_stop_after(1))
    other = msgspec.structs.replace(settings, learning_rate=0.02)
    with pytest.raises(ForeignCheckpoint, match=r"learning_rate was 0\.01, is 0\.02"):
        adapt(tmp_path, settings=other, resume=True)
    weights = Path(settings.encoder) / "model.safetensors"
    before = weights.read_bytes()
    weights.write_bytes(before[:-4] + b"\0\0\0\0")
    with pytest.raises(ForeignCheckpoint, match=r"data: encoder was \w+, is \w+\. "):
        adapt(tmp_path, settings=settings, resume=True)
    weights.write_bytes(before)
    adapt(tmp_path, settings=settings, resume=True)
    with pytest.raises(OutputError, match="--resume"):
        adapt(tmp_path, settings=settings)


@pytest.mark.parametrize("warm_up", [0.01, 0.3, 0.99])
@pytest.mark.parametrize("steps", [1, 2, 7, 1000])
def test_the_learning_rate_rises_then_falls(steps: int, warm_up: float) -> None:
    factors = [learning_rate_factor(step, steps, warm_up) for step in range(steps)]
    top = factors.index(max(factors))
    assert max(factors) == pytest.approx(1)
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)
    assert min(factors) > 0
