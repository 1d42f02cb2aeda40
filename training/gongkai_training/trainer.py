"""Training of the joint model, reproducible and resumable to the same weights.

Every random draw is seeded by (seed, what it is for, step or epoch): the changes to the documents, the order of the
windows, dropout. A run that was killed and resumed therefore takes the very steps of one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from enum import IntEnum
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
import torch
from torch import nn

from gongkai.errors import ConfigError
from gongkai.gold.records import GoldRecord

from .artifacts import WEIGHTS, load_model, write_description, write_weights
from .augment import Augmenter, names_of
from .backbones import bert_configuration, load_embedding, load_pretrained
from .batching import Batch, batches
from .config import Convolution, Optimisation, Pretrained, TrainSettings
from .data import DocumentExamples, Example, Gold, characters_of, read_gold
from .devices import device_of
from .encoder.tokenizer import load_characters
from .evaluate import Scores, predict, prepare, score
from .model import JointModel, hide
from .runs import (
    CHECKPOINT,
    LOG,
    Draws,
    append_event,
    check_folder,
    check_loss,
    contents_of,
    identity_of,
    load_checkpoint,
)

_FREE: Final = frozenset(("device", "threads", "log_steps", "checkpoint_minutes"))
"""Settings that may change between a run and its resumption."""


class Step(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="step"):
    """One step: its losses, the peak's share and the rate of the heads, characters read a second since the start.

    Attributes:
        progress: Share of the run that is done.
    """

    step: int
    epoch: int
    progress: float
    loss: float
    span_loss: float
    relation_loss: float
    learning_rate: float
    gradient_norm: float
    characters_per_second: float


class Epoch(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="epoch"):
    """The end of an epoch: strict micro F1 on dev, of spans and relations together and apart; whether it is the best.

    Attributes:
        seconds: Of training it, and of measuring, since the run began or was resumed within it.
    """

    step: int
    epoch: int
    f1: float
    span_f1: float
    relation_f1: float
    best: bool
    seconds: float


Event = Step | Epoch


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to: its best epoch and that one's scores on all of dev."""

    path: Path
    steps: int
    epoch: int
    f1: float


class _Draw(IntEnum):
    """What a random draw is for; part of its seed."""

    WEIGHTS = 0
    ORDER = 1
    AUGMENT = 2
    DROPOUT = 3
    SILVER = 4


class _Position(msgspec.Struct, kw_only=True):
    """Where a run stands.

    Attributes:
        done: Batches of this epoch.
        best, best_epoch: Dev F1 and epoch of the weights in the folder; -1 before the first.
    """

    step: int = 0
    epoch: int = 0
    done: int = 0
    best: float = -1.0
    best_epoch: int = -1


def train(
    out: Path,
    *,
    settings: TrainSettings,
    resume: bool = False,
    force: bool = False,
    report: Callable[[Event], None] = lambda event: None,
) -> Finished:
    """Train a model into the folder `out` (see `gongkai_training.artifacts`); the best epoch's weights stay.

    Beside them lie `checkpoint.pt` (weights, optimiser, position) and `log.jsonl` (one Event a line).

    Args:
        resume: Go on from the checkpoint in `out`; without one, begin.
        force: Begin anew although `out` holds something.
        report: Called with every line of the log as it is written.

    Raises:
        EmptySplit, BadGold, LeakingSplit, MissingEncoder, BrokenTokenizer: Nothing was trained yet.
        ForeignCheckpoint: `resume`, and the checkpoint is of other settings or data.
        OutputError: `out` holds something, and neither `resume` nor `force` is given.
        DivergedTraining: The loss is no number any more.
    """
    check_folder(out, resume=resume, force=force)
    gold = read_gold(settings.data)
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    run = _Run(out, settings, gold, report)
    if resume and (out / CHECKPOINT).exists():
        run.resume()
    else:
        run.begin()
    return run.train()


def learning_rate_factor(progress: float, warm_up: float) -> float:
    """Share of the peak learning rate: up linearly over the share `warm_up` of the run, then down linearly to 0.

    >>> [round(learning_rate_factor(progress, 0.2), 3) for progress in (0, 0.1, 0.2, 0.6, 1)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return progress / warm_up if progress < warm_up else (1 - progress) / (1 - warm_up)


class _Run:
    """One run: the model, its optimiser, and where it is in the data."""

    def __init__(
        self, out: Path, settings: TrainSettings, gold: Gold, report: Callable[[Event], None]
    ) -> None:
        self.out, self.settings, self.gold, self.report = out, settings, gold, report
        self.device = device_of(settings.device)
        encoder = settings.encoder
        pretrained = encoder if isinstance(encoder, Pretrained) else None
        self.bert = None if pretrained is None else bert_configuration(pretrained)
        embedding = encoder.embedding if isinstance(encoder, Convolution) else ""
        known = pretrained.path if pretrained is not None else embedding
        self.characters = load_characters(Path(known)) if known else characters_of(gold.train.records)
        self.draws = Draws(settings.seed)
        self.draws.seed_torch(_Draw.WEIGHTS, 0)
        self.model = JointModel(settings, len(self.characters), self.bert)
        self._check_longest()
        if pretrained is not None:
            load_pretrained(self.model.backbone, pretrained)
        elif embedding:
            load_embedding(self.model.backbone, Path(embedding))
        if settings.initial:
            _begin_with(self.model, Path(settings.initial))
        self.begun_with = {folder: contents_of(Path(folder)) for folder in settings.folders}
        self.model.to(self.device)
        self.optimizer = torch.optim.AdamW(_groups(self.model, settings.optimisation))
        self.augmenter = Augmenter(settings.augmentation, names_of(gold.train.records))
        self.plain = self._prepare(gold.train.records)
        self.silver = [e for document in self._prepare(gold.silver.records) for e in document.examples]
        self.dev = self._prepare(gold.dev.records)
        self.at = _Position()

    def begin(self) -> None:
        """Describe the run and clear away what an earlier one left."""
        self._describe()
        for name in (LOG, CHECKPOINT, WEIGHTS):
            (self.out / name).unlink(missing_ok=True)

    def resume(self) -> None:
        """Stand where the checkpoint was written; what the log says of later steps is forgotten.

        The description is written again: what a resumption may change in the settings is what holds from now on.
        """
        saved = load_checkpoint(self.out, self._identity(), self.device)
        self._describe()
        self.at = msgspec.convert(saved["position"], _Position)
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        log = self.out / LOG
        log.touch()
        with log.open("r+b") as file:
            file.truncate(saved["log_bytes"])

    def _describe(self) -> None:
        write_description(self.out, self.settings, self.characters, self.bert, self.gold, self.begun_with)

    def train(self) -> Finished:
        """Take the steps that are left."""
        while self.at.epoch < self.settings.optimisation.epochs and not self._patience_is_over():
            self._train_epoch()
        return Finished(
            path=self.out, steps=self.at.step, epoch=self.at.best_epoch, f1=round(self.at.best, 4)
        )

    def _patience_is_over(self) -> bool:
        patience = self.settings.optimisation.patience
        return patience is not None and self.at.epoch - 1 - self.at.best_epoch >= patience

    def _train_epoch(self) -> None:
        began = saved = time.monotonic()
        characters = 0
        order = self.draws.rng(_Draw.ORDER, self.at.epoch)
        todo = list(batches(self._examples(), self.settings.optimisation.batch_characters, order))
        for batch in todo[self.at.done :]:
            event = self._take_step(batch, (self.at.epoch + self.at.done / len(todo)))
            characters += sum(batch.lengths)
            if self.at.step % self.settings.log_steps == 0:
                speed = round(characters / (time.monotonic() - began), 1)
                self._log(msgspec.structs.replace(event, characters_per_second=speed))
            if time.monotonic() - saved >= 60 * self.settings.checkpoint_minutes:
                self._save()
                saved = time.monotonic()
        self._finish_epoch(began)

    def _finish_epoch(self, began: float) -> None:
        scores = self._measure()
        whole = scores["dev"]
        best = whole.f1 > self.at.best
        if best:
            self.at.best, self.at.best_epoch = whole.f1, self.at.epoch
            write_weights(self.out, self.model, scores, self.at.epoch)
        self._log(
            Epoch(
                step=self.at.step,
                epoch=self.at.epoch,
                f1=round(whole.f1, 4),
                span_f1=round(whole.span_f1, 4),
                relation_f1=round(whole.relation_f1, 4),
                best=best,
                seconds=round(time.monotonic() - began, 1),
            )
        )
        self.at.epoch += 1
        self.at.done = 0
        self._save()

    def _examples(self) -> list[Example]:
        """This epoch's windows: of the documents as they are, or as they are changed for it, and of silver."""
        rng = self.draws.rng(_Draw.AUGMENT, self.at.epoch)
        found = self._drawn_silver()
        for record, plain in zip(self.gold.train.records, self.plain, strict=True):
            changed = self.augmenter(record, rng)
            found += plain.examples if changed is record else self._prepare([changed])[0].examples
        return found

    def _drawn_silver(self) -> list[Example]:
        rng = self.draws.rng(_Draw.SILVER, self.at.epoch)
        wanted = round(self.settings.data.silver_share * len(self.silver))
        return [self.silver[number] for number in rng.permutation(len(self.silver))[:wanted]]

    def _take_step(self, batch: Batch, epochs: float) -> Step:
        settings = self.settings.optimisation
        progress = epochs / settings.epochs
        factor = learning_rate_factor(progress, settings.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        self.draws.seed_torch(_Draw.DROPOUT, self.at.step)
        self.model.train()
        ids = hide(torch.from_numpy(batch.ids).to(self.device), self.settings.augmentation.unknown)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda"):
            outputs = self.model(ids)
        losses = self.model.losses(outputs, batch)
        check_loss(losses.total.item(), self.at.step)
        self.optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), settings.gradient_clip)
        self.optimizer.step()
        self.at.step += 1
        self.at.done += 1
        return Step(
            step=self.at.step,
            epoch=self.at.epoch,
            progress=round(progress, 4),
            loss=round(losses.total.item(), 4),
            span_loss=round(losses.spans.item(), 4),
            relation_loss=round(losses.relations.item(), 4),
            learning_rate=settings.head_rate * factor,
            gradient_norm=round(float(norm), 4),
            characters_per_second=0.0,
        )

    def _measure(self) -> dict[str, Scores]:
        """Scores on all of dev (`dev`), and on each of its files."""
        found = predict(self.model, self.dev, self.settings.optimisation.batch_characters)
        files = [file for file in self.gold.dev.files if file.records]
        scores = {file.path: score(file.records, islice(found, len(file.records))) for file in files}
        return {"dev": sum(scores.values(), Scores()), **scores}

    def _prepare(self, records: Sequence[GoldRecord]) -> list[DocumentExamples]:
        return prepare(records, self.characters, self.settings.data.longest, self.settings.data.overlap)

    def _check_longest(self) -> None:
        most = self.model.backbone.longest
        if most is not None and self.settings.data.longest > most:
            raise ConfigError(
                "data.longest",
                f"The encoder reads windows of {most} characters at most, not {self.settings.data.longest}.",
                f"Take {most} or fewer.",
            )

    def _log(self, event: Event) -> None:
        append_event(self.out, event)
        self.report(event)

    def _identity(self) -> dict[str, Any]:
        """What must not change between a run and its resumption."""
        files = {
            f"the text of {file.path}": f"{file.sha256}, {len(file.records)} documents"
            for split in (self.gold.train, self.gold.silver, self.gold.dev)
            for file in split.files
        }
        folders = {f"the model in {folder}": contents for folder, contents in self.begun_with.items()}
        return identity_of(self.settings, _FREE) | files | folders

    def _save(self) -> None:
        """Write the checkpoint as a whole; a kill leaves the one before."""
        log = self.out / LOG
        unfinished = self.out / f".{CHECKPOINT}.unfinished"
        torch.save(
            {
                "identity": self._identity(),
                "position": msgspec.to_builtins(self.at),
                "log_bytes": log.stat().st_size if log.exists() else 0,
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            },
            unfinished,
        )
        unfinished.replace(self.out / CHECKPOINT)


def _begin_with(model: JointModel, folder: Path) -> None:
    """Give a model the weights of a trained one.

    Raises:
        BrokenModel: There is none in the folder.
        ConfigError: It is of another shape.
    """
    try:
        model.load_state_dict(load_model(folder).model.state_dict())
    except RuntimeError:
        raise ConfigError(
            f"initial {folder}", "That model is of another shape.", "Take its encoder, spans and relations."
        ) from None


def _groups(model: JointModel, settings: Optimisation) -> list[dict[str, Any]]:
    """Parameters by learning rate and weight decay; biases, norms and other vectors do not decay."""
    layers = model.backbone.layers()
    rates = {
        id(parameter): settings.encoder_rate * settings.layer_decay ** (len(layers) - 1 - height)
        for height, layer in enumerate(layers)
        for parameter in layer.parameters()
    }
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        rate = rates.get(id(parameter), settings.head_rate)
        decay = settings.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": 0.0, "peak": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]
