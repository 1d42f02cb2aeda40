"""The curves of a run, drawn from its log."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from matplotlib.figure import Figure

from .runs import LOG
from .trainer import Epoch, Event, Step

FILE: Final = "curves.svg"

_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def read_log(folder: Path) -> tuple[list[Step], list[Epoch]]:
    """The steps and the epochs of a run's log."""
    with (folder / LOG).open("rb") as file:
        events = [_decoder.decode(line) for line in file]
    return [e for e in events if isinstance(e, Step)], [e for e in events if isinstance(e, Epoch)]


def draw_curves(folder: Path) -> Path:
    """Draw losses, learning rate and dev F1 over the steps into the run's folder."""
    steps, epochs = read_log(folder)
    figure = Figure(figsize=(8, 7), layout="constrained")
    losses, rates, scores = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1, 3))
    at = [step.step for step in steps]
    losses.plot(at, [step.span_loss for step in steps], label="spans")
    losses.plot(at, [step.relation_loss for step in steps], label="relations")
    losses.set_yscale("log")
    losses.set_ylabel("loss")
    rates.plot(at, [step.learning_rate for step in steps])
    rates.set_ylabel("rate")
    at = [epoch.step for epoch in epochs]
    for name in ("f1", "span_f1", "relation_f1"):
        label = name.removesuffix("f1").removesuffix("_") or "both"
        scores.plot(at, [getattr(epoch, name) for epoch in epochs], marker=".", label=label)
    scores.set_ylabel("dev F1")
    scores.set_xlabel("step")
    losses.legend()
    scores.legend()
    path = folder / FILE
    figure.savefig(path)
    return path
