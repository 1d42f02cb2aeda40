"""A trained model as a folder: weights, settings, characters, where they come from and what they score.

weights.safetensors  settings.yaml  characters.json  encoder.json (of a BERT)  run.json  scores.json
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from gongkai.errors import BrokenModel
from gongkai.model.characters import Characters

from .config import Pretrained, TrainSettings
from .data import Gold
from .evaluate import Scores
from .model import JointModel
from .settings import read_settings

WEIGHTS: Final = "weights.safetensors"
SETTINGS: Final = "settings.yaml"
CHARACTERS: Final = "characters.json"
ENCODER: Final = "encoder.json"
RUN: Final = "run.json"
SCORES: Final = "scores.json"

_PACKAGES: Final = ("gongkai", "torch", "transformers", "numpy", "msgspec", "safetensors")


class Trained(NamedTuple):
    """A model ready to read, with the settings that made it."""

    model: JointModel
    characters: Characters
    settings: TrainSettings


def write_file(path: Path, data: bytes) -> None:
    """Write a file as a whole or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(data)
    unfinished.replace(path)


def write_description(
    out: Path,
    settings: TrainSettings,
    characters: Characters,
    bert: dict[str, Any] | None,
    gold: Gold,
    begun_with: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Everything of a model's folder that is known before its first step.

    Args:
        begun_with: SHA-256 of what the folders of the settings hold, by folder.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_file(out / SETTINGS, msgspec.yaml.encode(settings))
    write_file(out / CHARACTERS, msgspec.json.encode("".join(characters.characters)))
    (out / ENCODER).unlink(missing_ok=True)
    if bert is not None:
        write_file(out / ENCODER, json.dumps(bert, indent=1, sort_keys=True).encode())
    write_file(out / RUN, json.dumps(_run(gold, begun_with), indent=1, ensure_ascii=False).encode())


def _run(gold: Gold, begun_with: Mapping[str, str]) -> dict[str, Any]:
    return {
        "data": {
            part: [
                {
                    "path": file.path,
                    "sha256": file.sha256,
                    "documents": len(file.records),
                    "characters": sum(len(record.text) for record in file.records),
                }
                for file in split.files
            ]
            for part, split in (("train", gold.train), ("silver", gold.silver), ("dev", gold.dev))
        },
        "begun_with": dict(begun_with),
        "environment": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            "packages": {name: _version(name) for name in _PACKAGES},
        },
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def write_weights(out: Path, model: JointModel, scores: dict[str, Scores], epoch: int) -> None:
    """The weights, and what they score on each part of dev after this epoch."""
    write_file(
        out / WEIGHTS, save({name: tensor.contiguous() for name, tensor in model.state_dict().items()})
    )
    report = {
        "epoch": epoch,
        **{
            part: {
                "f1": round(each.f1, 4),
                "span_f1": round(each.span_f1, 4),
                "relation_f1": round(each.relation_f1, 4),
                **msgspec.to_builtins(each),
            }
            for part, each in scores.items()
        },
    }
    write_file(out / SCORES, json.dumps(report, indent=1, ensure_ascii=False).encode())


def load_model(folder: Path, device: torch.device | str = "cpu") -> Trained:
    """A model as training left it at its best epoch, in evaluation mode.

    Raises:
        BrokenModel: A file is missing or damaged, or the weights are of another model.
        ConfigError: The settings are none.
    """
    settings = read_settings(folder / SETTINGS, TrainSettings)
    try:
        characters = Characters(msgspec.json.decode((folder / CHARACTERS).read_bytes(), type=str))
        needs_bert = isinstance(settings.encoder, Pretrained)
        bert = json.loads((folder / ENCODER).read_bytes()) if needs_bert else None
        model = JointModel(settings, len(characters), bert)
        model.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, ValueError, msgspec.DecodeError, SafetensorError, RuntimeError) as error:
        raise BrokenModel(
            str(folder), f"It is no trained model: {error}.", "Name a folder that `gongkai train` finished."
        ) from None
    return Trained(model.to(device).eval(), characters, settings)
