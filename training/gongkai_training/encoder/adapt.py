"""Adaptation of an encoder to the genre's language by masked language modelling, resumable to the same weights.

Every random draw is seeded by (seed, what it is for, step or epoch): the order of the windows, what is hidden,
dropout. A run that was killed and resumed therefore takes the very steps of one that was not.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from gongkai.errors import ConfigError, GongkaiError
from gongkai.model.characters import Characters
from gongkai.model.windows import by_length
from gongkai.text import fold

from ..config import Dropout, Positive, Rate, Settings
from ..devices import device_of
from ..runs import (
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
from .initial import ORIGIN
from .masking import IGNORED, MaskedBatch, mask_batch
from .texts import Corpus, read_corpus, windows
from .tokenizer import load_characters, save_characters

if TYPE_CHECKING:
    import torch
    from transformers import BertForMaskedLM

Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Windows = list[NDArray[np.int32]]

RUN: Final = "run.json"

_FREE: Final = frozenset(("checkpoint_minutes", "log_steps", "device", "texts", "exclude", "encoder"))
"""Settings that may change between a run and its resumption; of texts and encoder, the place."""

_HEAD_SCALE: Final = 0.3


class MlmSettings(Settings, frozen=True, kw_only=True):
    """`configs/training/mlm.yaml`.

    Attributes:
        encoder: Folder of the encoder to begin with: from `gongkai train init`, or adapted before.
        texts: Files and folders; HTML, text, gold JSONL and whatever else ingest reads.
        exclude: Gold files whose texts are cut out of `texts`.
        longest: Characters of a window at most; with [CLS] and [SEP] it must fit the encoder's positions.
        batch_characters: Characters of a batch at most, padding included.
        warm_up: Share of the steps in which the learning rate rises to its peak; then it falls linearly to 0.
        masked: Share of characters that are hidden.
        runs: Weights of hidden runs of 1, 2, … characters.
        dropout: While adapting; that of the encoder's own configuration stays as it is.
        held_out: Share of the documents that are measured on and never trained on.
        checkpoint_minutes: A checkpoint is written when this many minutes have passed, and at the end.
        log_steps: A line of the log every so many steps.
        device: `auto` takes a GPU if there is one (in bfloat16), else the CPU (in float32).
    """

    encoder: str
    texts: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    longest: Positive = 254
    batch_characters: Positive = 4096
    epochs: Positive = 3
    learning_rate: Rate = 1e-4
    weight_decay: Annotated[float, msgspec.Meta(ge=0)] = 0.01
    warm_up: Share = 0.05
    gradient_clip: Rate = 1.0
    masked: Share = 0.15
    runs: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)
    dropout: Dropout = 0.0
    held_out: Share = 0.05
    seed: int = 1
    checkpoint_minutes: Annotated[float, msgspec.Meta(ge=0)] = 15
    log_steps: Positive = 10
    device: str = "auto"


class Step(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="step"):
    """A training step: mean loss of its hidden characters, and characters read a second since the run began."""

    step: int
    steps: int
    epoch: int
    loss: float
    learning_rate: float
    gradient_norm: float
    characters_per_second: float


class HeldOut(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="held_out"):
    """Mean loss (nats) and accuracy over the hidden characters of the held-out documents, after `step` steps."""

    step: int
    loss: float
    accuracy: float
    hidden: int


Event = Step | HeldOut


class Adapted(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to."""

    path: Path
    steps: int
    before: HeldOut
    after: HeldOut


class EmptyCorpus(GongkaiError):
    """There is nothing to train on, or nothing to measure on."""


class _Draw(IntEnum):
    """What a random draw is for; part of its seed."""

    ORDER = 0
    MASK = 1
    DROPOUT = 2
    HELD_OUT = 3


@dataclass(frozen=True, kw_only=True)
class _Data:
    """Windows as ids, to train on and to measure on, with the SHA-256 of them all."""

    train: Windows
    held_out: Windows
    sha256: str


def adapt(
    out: Path,
    *,
    settings: MlmSettings,
    resume: bool = False,
    force: bool = False,
    report: Callable[[Event], None] = lambda event: None,
) -> Adapted:
    """Adapt an encoder; `out` is a `transformers` folder of it from the first checkpoint on.

    Beside it lie `checkpoint.pt` (weights, optimiser, step), `log.jsonl` (one Event a line) and `run.json`
    (settings, texts, versions).

    Args:
        resume: Go on from the checkpoint in `out`; without one, begin.
        force: Begin anew although `out` holds something.
        report: Called with every line of the log as it is written.

    Raises:
        EmptyCorpus, StaleExclusion, BrokenTokenizer: Nothing was trained yet.
        ForeignCheckpoint: `resume`, and the checkpoint is of other settings or texts, or of another encoder.
        OutputError: `out` holds something, and neither `resume` nor `force` is given.
        DivergedTraining: The loss is no number any more.
    """
    check_folder(out, resume=resume, force=force)
    encoder = Path(settings.encoder)
    characters = load_characters(encoder)
    corpus = read_corpus(map(Path, settings.texts), map(Path, settings.exclude))
    data = _data(corpus, characters, settings)
    run = _Run(out, settings, characters, data, report)
    if resume and (out / CHECKPOINT).exists():
        run.resume()
    else:
        (out / LOG).unlink(missing_ok=True)
    _write_run(out, settings, corpus, data)
    return run.train()


def _data(corpus: Corpus, characters: Characters, settings: MlmSettings) -> _Data:
    """Windows of the folded view, which is what the model reads.

    Documents are held out by the hash of their text, so that the choice stands when others are added.
    """
    train: Windows = []
    held_out: Windows = []
    digest = hashlib.sha256()
    for text in corpus.texts:
        key = hashlib.sha256("\0".join(text.parts).encode()).digest()
        digest.update(key)
        target = held_out if int.from_bytes(key[:4], "big") < settings.held_out * 2**32 else train
        target.extend(
            characters.encode(window)
            for part in text.parts
            for window in windows(fold(part), settings.longest)
        )
    if not train or not held_out:
        raise EmptyCorpus(
            ", ".join(settings.texts),
            f"{len(train):,} windows to train on, {len(held_out):,} held out, of {len(corpus.texts):,} documents.",
            "Name more texts, or change held_out.",
        )
    return _Data(train=train, held_out=held_out, sha256=digest.hexdigest())


def learning_rate_factor(step: int, steps: int, warm_up: float) -> float:
    """Share of the peak learning rate at a step: up linearly, then down linearly to 0.

    >>> [learning_rate_factor(step, 10, 0.2) for step in (0, 1, 2, 9)]
    [0.5, 1.0, 1.0, 0.125]
    """
    rising = max(1, round(warm_up * steps))
    if step < rising:
        return (step + 1) / rising
    return (steps - step) / max(1, steps - rising)


class _Run:
    """One run: the model, its optimiser, and where it is in the data."""

    def __init__(
        self,
        out: Path,
        settings: MlmSettings,
        characters: Characters,
        data: _Data,
        report: Callable[[Event], None],
    ) -> None:
        import torch

        self.out, self.settings, self.report = out, settings, report
        self.characters, self.data = characters, data
        self.device = device_of(settings.device)
        self.draws = Draws(settings.seed)
        self.encoder = contents_of(Path(settings.encoder))
        torch.manual_seed(settings.seed)
        self.model = load_masked_lm(Path(settings.encoder), data.train).to(self.device)
        _check_longest(settings, self.model)
        _set_dropout(self.model, settings.dropout)
        self.optimizer = torch.optim.AdamW(_groups(self.model, settings.weight_decay), lr=0.0)
        self.lengths = [len(window) for window in data.train]
        self.epoch_steps = len(by_length(self.lengths, settings.batch_characters))
        self.steps = self.epoch_steps * settings.epochs
        self.step = 0
        self.measured: list[HeldOut] = []

    def train(self) -> Adapted:
        if not self.measured:
            self._measure()
        started = saved = time.monotonic()
        characters = 0
        for batch in self._remaining():
            event = self._take_step(batch)
            characters += sum(map(len, batch))
            if self.step % self.settings.log_steps == 0 or self.step == self.steps:
                speed = round(characters / (time.monotonic() - started), 1)
                self._log(msgspec.structs.replace(event, characters_per_second=speed))
            if self.step % self.epoch_steps == 0:
                self._measure()
            if self.step == self.steps or time.monotonic() - saved >= 60 * self.settings.checkpoint_minutes:
                self._save()
                saved = time.monotonic()
        return Adapted(path=self.out, steps=self.step, before=self.measured[0], after=self.measured[-1])

    def _remaining(self) -> Iterator[Windows]:
        """The batches from where the run stands to its end."""
        budget = self.settings.batch_characters
        while self.step < self.steps:
            epoch, done = divmod(self.step, self.epoch_steps)
            for numbers in by_length(self.lengths, budget, self.draws.rng(_Draw.ORDER, epoch))[done:]:
                yield [self.data.train[number] for number in numbers]

    def _take_step(self, batch: Windows) -> Step:
        import torch

        settings = self.settings
        rate = settings.learning_rate * learning_rate_factor(self.step, self.steps, settings.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.draws.seed_torch(_Draw.DROPOUT, self.step)
        self.model.train()
        loss, _ = self._loss(self._masked(batch, self.draws.rng(_Draw.MASK, self.step)))
        value = loss.item()
        check_loss(value, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.gradient_clip)
        self.optimizer.step()
        self.step += 1
        return Step(
            step=self.step,
            steps=self.steps,
            epoch=(self.step - 1) // self.epoch_steps,
            loss=round(value, 4),
            learning_rate=rate,
            gradient_norm=round(float(norm), 4),
            characters_per_second=0.0,
        )

    def _masked(self, batch: Windows, rng: np.random.Generator) -> MaskedBatch:
        settings = self.settings
        return mask_batch(
            batch, vocabulary=len(self.characters), share=settings.masked, runs=settings.runs, rng=rng
        )

    def _loss(self, batch: MaskedBatch) -> tuple[torch.Tensor, int]:
        """Mean loss of the hidden characters, and how many were guessed right.

        Only they go through the head: its matrix is as wide as the vocabulary.
        """
        import torch

        ids, labels, attention = (torch.from_numpy(array).to(self.device) for array in batch)
        on_gpu = self.device.type == "cuda"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=on_gpu):
            hidden = self.model.bert(input_ids=ids, attention_mask=attention).last_hidden_state
            logits = self.model.cls(hidden[labels != IGNORED]).float()
        truth = labels[labels != IGNORED]
        loss = torch.nn.functional.cross_entropy(logits, truth)
        return loss, int((logits.argmax(-1) == truth).sum())

    def _measure(self) -> None:
        """The same characters are hidden each time."""
        import torch

        self.model.eval()
        rng = self.draws.rng(_Draw.HELD_OUT, 0)
        total, right, hidden = 0.0, 0, 0
        lengths = [len(window) for window in self.data.held_out]
        with torch.no_grad():
            for numbers in by_length(lengths, self.settings.batch_characters):
                batch = self._masked([self.data.held_out[number] for number in numbers], rng)
                count = int((batch.labels != IGNORED).sum())
                loss, correct = self._loss(batch)
                total, right, hidden = total + loss.item() * count, right + correct, hidden + count
        event = HeldOut(
            step=self.step,
            loss=round(total / hidden, 4),
            accuracy=round(right / hidden, 4),
            hidden=hidden,
        )
        self.measured.append(event)
        self._log(event)

    def _log(self, event: Event) -> None:
        append_event(self.out, event)
        self.report(event)

    def _save(self) -> None:
        """Checkpoint and model folder; each file is replaced as a whole, so a kill leaves the last ones."""
        import torch

        unfinished = self.out / ".unfinished"
        self.model.save_pretrained(unfinished)
        save_characters(self.characters, unfinished)
        torch.save(
            {
                "step": self.step,
                "identity": self._identity(),
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "measured": msgspec.to_builtins(self.measured),
            },
            unfinished / CHECKPOINT,
        )
        for file in unfinished.iterdir():
            file.replace(self.out / file.name)
        unfinished.rmdir()

    def resume(self) -> None:
        """Take up the checkpoint; the log is cut back to it."""
        saved = load_checkpoint(self.out, self._identity(), self.device)
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step = saved["step"]
        self.measured = msgspec.convert(saved["measured"], list[HeldOut])
        log = self.out / LOG
        events = log.read_bytes().splitlines(keepends=True) if log.exists() else []
        log.write_bytes(b"".join(line for line in events if msgspec.json.decode(line)["step"] <= self.step))

    def _identity(self) -> dict[str, Any]:
        """What a checkpoint must agree in with the run that takes it up."""
        return identity_of(self.settings, _FREE) | {"texts": self.data.sha256, "encoder": self.encoder}


def _check_longest(settings: MlmSettings, model: BertForMaskedLM) -> None:
    positions = model.config.max_position_embeddings
    if settings.longest + 2 > positions:
        raise ConfigError(
            f"longest: {settings.longest}",
            f"The encoder has {positions} positions, two of them for [CLS] and [SEP].",
            f"Take {positions - 2} at most.",
        )


def _set_dropout(model: torch.nn.Module, probability: float) -> None:
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = probability


def _groups(model: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices only."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]


def load_masked_lm(encoder: Path, train: Windows) -> BertForMaskedLM:
    """The encoder with a language modelling head; an encoder without one gets it initialised here.

    Args:
        train: Windows as ids; how often each id occurs in them is the head's first guess.
    """
    from transformers import BertForMaskedLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    model: BertForMaskedLM = BertForMaskedLM.from_pretrained(encoder)
    if "BertForMaskedLM" not in (model.config.architectures or ()):
        initialise_head(model, train)
    return model


def initialise_head(model: BertForMaskedLM, train: Windows) -> None:
    """A head for an encoder that never had one: the identity onto the tied embeddings, and log frequencies.

    Its scale keeps the first guesses near the frequencies: held-out loss 6.23 before the first step, where scale 1
    has 7.06, random weights with the frequencies 7.47, and random weights alone 10.24.
    """
    import torch

    counts = np.bincount(np.concatenate(train), minlength=model.config.vocab_size) + 1.0
    head = model.cls.predictions
    with torch.no_grad():
        torch.nn.init.eye_(head.transform.dense.weight)
        head.transform.dense.bias.zero_()
        head.transform.LayerNorm.weight.fill_(_HEAD_SCALE)
        head.transform.LayerNorm.bias.zero_()
        head.bias.copy_(torch.from_numpy(np.log(counts / counts.sum())))


def _write_run(out: Path, settings: MlmSettings, corpus: Corpus, data: _Data) -> None:
    """Settings, what was read and left out, versions, and where the encoder came from."""
    import torch
    import transformers

    out.mkdir(parents=True, exist_ok=True)
    origin = Path(settings.encoder) / ORIGIN
    if origin.exists():
        shutil.copyfile(origin, out / ORIGIN)
    described = {
        "settings": msgspec.to_builtins(settings),
        "texts": {
            "sha256": data.sha256,
            "documents": len(corpus.texts),
            "windows": len(data.train),
            "characters": sum(map(len, data.train)),
            "held_out_windows": len(data.held_out),
            "held_out_characters": sum(map(len, data.held_out)),
            "excluded": corpus.excluded,
            "unreadable": len(corpus.unreadable),
        },
        "versions": {
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "transformers": transformers.__version__,
        },
    }
    (out / RUN).write_bytes(msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n")
