"""What runs have in common that can be killed and resumed to the same weights: their folder, draws and checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from gongkai.errors import GongkaiError, OutputError

if TYPE_CHECKING:
    import torch

CHECKPOINT: Final = "checkpoint.pt"
LOG: Final = "log.jsonl"

_NAMED: Final = 3
"""Differences that a refusal names."""

_MODEL_FILES: Final = (
    *("config.json", "tokenizer.json", "model.safetensors"),  # of an encoder
    *("encoder.json", "characters.json", "weights.safetensors"),  # of a trained model
)


class ForeignCheckpoint(GongkaiError):
    """A checkpoint is of another run: other settings, other data, another encoder."""


class DivergedTraining(GongkaiError):
    """The loss is no number any more."""


class Draws(NamedTuple):
    """Random draws, each seeded by (seed, what it is for, step or epoch)."""

    seed: int

    def rng(self, draw: int, number: int) -> np.random.Generator:
        """The generator of a draw."""
        return np.random.default_rng((self.seed, draw, number))

    def seed_torch(self, draw: int, number: int) -> None:
        """Seed torch for a draw."""
        import torch

        torch.manual_seed(int(self.rng(draw, number).integers(2**62)))


def check_folder(out: Path, *, resume: bool, force: bool) -> None:
    """Refuse a folder that holds something.

    Raises:
        OutputError: It does, and neither `resume` nor `force` is given.
    """
    if resume or force or not out.exists() or not any(out.iterdir()):
        return
    raise OutputError(str(out), "It is not empty.", "Go on with --resume, or begin anew with --force.")


def append_event(out: Path, event: msgspec.Struct) -> None:
    """Add a line to a run's log."""
    with (out / LOG).open("ab") as file:
        file.write(msgspec.json.encode(event) + b"\n")


def check_loss(loss: float, step: int) -> None:
    """Stop a run that has nothing more to learn from.

    Raises:
        DivergedTraining: The loss is no number.
    """
    if not np.isfinite(loss):
        raise DivergedTraining(
            f"step {step}", f"The loss is {loss}.", "Lower the learning rates and begin anew with --force."
        )


def identity_of(settings: msgspec.Struct, free: frozenset[str]) -> dict[str, Any]:
    """The settings that a checkpoint must agree in with the run that takes it up, by dotted name.

    Args:
        free: Those, of the first level, that may change in between.
    """
    chosen = {name: value for name, value in msgspec.to_builtins(settings).items() if name not in free}
    return dict(_flat(chosen))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def contents_of(folder: Path) -> str:
    """SHA-256 of the model or encoder in a folder, whatever else lies there."""
    digest = hashlib.sha256()
    for name in _MODEL_FILES:
        if (folder / name).is_file():
            digest.update(f"{name} {hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def load_checkpoint(out: Path, identity: Mapping[str, Any], device: torch.device) -> dict[str, Any]:
    """What a run saved, with its `identity` among it.

    Raises:
        ForeignCheckpoint: It is of another identity; the text says in what it differs.
    """
    import torch

    path = out / CHECKPOINT
    saved: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    before = saved["identity"]
    differences = [
        f"{name} was {before.get(name, 'not there')}, is {identity.get(name, 'not there')}"
        for name in {**identity, **before}
        if name not in before or name not in identity or before[name] != identity[name]
    ]
    if differences:
        more = f"; and {len(differences) - _NAMED} more" if len(differences) > _NAMED else ""
        raise ForeignCheckpoint(
            str(path),
            f"It is of other settings or other data: {'; '.join(differences[:_NAMED])}{more}.",
            "Resume with those that it was begun with, or begin anew with --force.",
        )
    return saved
