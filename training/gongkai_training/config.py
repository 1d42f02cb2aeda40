"""`gongkai train CONFIG`: what a run of the joint model is made of, as typed YAML; every unknown key is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from gongkai.errors import ConfigError

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""Of a whole; for augmentations, the probability that a place where one is possible gets it."""

Positive = Annotated[int, msgspec.Meta(ge=1)]
Rate = Annotated[float, msgspec.Meta(gt=0)]
Dropout = Annotated[float, msgspec.Meta(ge=0, lt=1)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all settings have in common."""


class Tagged(Settings, frozen=True, kw_only=True, tag_field="type"):
    """Settings of which there are several kinds, told apart by `type`."""


class Pretrained(Tagged, frozen=True, kw_only=True, tag="pretrained"):
    """A `transformers` BERT with one token a character, as `gongkai train init` and `adapt` write it.

    Attributes:
        path: Its folder; also given by `--encoder DIR`.
        layers: Its layers to keep, evenly spaced and the last among them; None for all.
    """

    path: str = ""
    layers: Positive | None = None
    dropout: Dropout = 0.1


class Transformer(Tagged, frozen=True, kw_only=True, tag="transformer"):
    """A BERT with random weights."""

    layers: Positive = 4
    width: Positive = 256
    heads: Positive = 4
    dropout: Dropout = 0.1


class Convolution(Tagged, frozen=True, kw_only=True, tag="convolution"):
    """Gated dilated convolutions of three characters with random weights, one layer for each dilation.

    Attributes:
        embedding: Folder of an encoder whose characters the model is to know, with the principal axes of their
            embeddings as first weights; empty for the characters of the training documents, with random ones.
    """

    embedding: str = ""
    width: Positive = 128
    dilations: tuple[Positive, ...] = (1, 2, 4, 8, 16, 1)
    dropout: Dropout = 0.1


Encoder = Pretrained | Transformer | Convolution


class TagSpans(Tagged, frozen=True, kw_only=True, tag="tags"):
    """Five tags a character for each label (BIOES); the best sequence that they allow is the spans."""


class PointerSpans(Tagged, frozen=True, kw_only=True, tag="pointer"):
    """A score for each start and end of a span (efficient global pointer).

    Attributes:
        size: Of the rotated vectors; even.
        longest: Characters of a span at most.
    """

    size: Positive = 64
    longest: Positive = 64


Spans = TagSpans | PointerSpans


class BiaffineRelations(Tagged, frozen=True, kw_only=True, tag="biaffine"):
    """Learned on pairs of gold spans: for each head, its tails against all other spans that may be one.

    Attributes:
        size: Of the rotated vectors; even.
    """

    size: Positive = 32


class PointerRelations(Tagged, frozen=True, kw_only=True, tag="pointer"):
    """Learned on all pairs of characters, one score for the starts of head and tail and one for their ends.

    Attributes:
        size: Of the rotated vectors; even.
    """

    size: Positive = 32


Relations = BiaffineRelations | PointerRelations


class Data(Settings, frozen=True, kw_only=True):
    """Gold files; paths count from the working folder.

    Attributes:
        portion: Of the documents of each training file, those learned from; the smaller portion is within the larger.
        held_out: Gold files of which only ids and checksums are read: no document of theirs may be in the others.
        silver: Files that `gongkai train label` wrote: spans and relations with probabilities.
        silver_share: Of the windows of silver, those read in an epoch, drawn anew for each.
        texts: Folder of the texts of stand-off gold; a stand-off file is left out if there is no such folder.
        longest: Characters of a window at most.
        overlap: Characters that a window shares with the one before it (see `gongkai.model.windows.cut`).
    """

    train: tuple[str, ...]
    dev: tuple[str, ...]
    portion: Share = 1
    held_out: tuple[str, ...] = ()
    silver: tuple[str, ...] = ()
    silver_share: Share = 1
    texts: str | None = None
    longest: Positive = 256
    overlap: Annotated[int, msgspec.Meta(ge=0)] = 0


class Augmentation(Settings, frozen=True, kw_only=True):
    """Changes to the training documents, drawn anew each epoch; each is off at 0.

    Attributes:
        documents: Share of the documents that are changed at all; the others stay as they are.
        brackets: Of 〔〕《》()[]: lost, or of another kind.
        spaces: Between a digit and a Chinese character: a space in between.
        numerals: Of numbers in COUNT and PERCENT: other digits; among them thousands with commas, small ones in
            Chinese.
        names: Of ORG, POLICY and DOCNO: another one of the training set.
        first_characters: Of lines: the first character lost.
        unknown: Of characters of the model's input: unknown to it.
    """

    documents: Share = 0
    brackets: Share = 0
    spaces: Share = 0
    numerals: Share = 0
    names: Share = 0
    first_characters: Share = 0
    unknown: Share = 0


class Optimisation(Settings, frozen=True, kw_only=True):
    """AdamW; the learning rates rise linearly to these, then fall linearly to 0.

    Attributes:
        encoder_rate, head_rate: Peak learning rates of the encoder and of the layers above it.
        layer_decay: Of a transformer: each layer learns at this share of the rate of the layer above it.
        warm_up: Share of the run in which the rates rise.
        relation_weight: Of the loss of relations; that of spans has 1.
        patience: Epochs without a better dev F1 after which the run stops; None to run to the end.
    """

    epochs: Positive = 20
    batch_characters: Positive = 4096
    encoder_rate: Rate = 5e-5
    head_rate: Rate = 1e-3
    layer_decay: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    weight_decay: Annotated[float, msgspec.Meta(ge=0)] = 0.01
    warm_up: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.1
    gradient_clip: Rate = 1.0
    relation_weight: Rate = 1.0
    patience: Positive | None = None


class TrainSettings(Settings, frozen=True, kw_only=True):
    """A file such as `configs/training/tiny.yaml`.

    Attributes:
        dropout: Between the encoder and the layers above it.
        initial: Folder of a trained model of the same shape, whose weights this run begins with; empty for none.
        checkpoint_minutes: A checkpoint is written when this many minutes have passed, and after each epoch.
        device: `auto` takes a GPU if there is one (in bfloat16), else the CPU (in float32).
        threads: Of the CPU; None for all of them.
    """

    data: Data
    encoder: Encoder
    spans: Spans = TagSpans()
    relations: Relations = BiaffineRelations()
    augmentation: Augmentation = Augmentation()
    optimisation: Optimisation = Optimisation()
    dropout: Dropout = 0.1
    initial: str = ""
    seed: int = 1
    checkpoint_minutes: Annotated[float, msgspec.Meta(ge=0)] = 10
    log_steps: Positive = 10
    device: str = "auto"
    threads: Positive | None = None

    @property
    def folders(self) -> tuple[str, ...]:
        """Those of the encoder and of the trained model that the run begins with, as far as there are any."""
        encoder = self.encoder
        pretrained = encoder.path if isinstance(encoder, Pretrained) else ""
        embedding = encoder.embedding if isinstance(encoder, Convolution) else ""
        return tuple(filter(None, (pretrained, embedding, self.initial)))

    def with_encoder(self, folder: Path) -> TrainSettings:
        """The same with the pretrained encoder of another folder.

        Raises:
            ConfigError: The settings ask for an encoder with random weights.
        """
        if not isinstance(self.encoder, Pretrained):
            raise ConfigError(
                "--encoder",
                f"The settings ask for an encoder of type {type(self.encoder).__struct_config__.tag}.",
                "Leave it out, or take settings with an encoder of type pretrained.",
            )
        encoder = msgspec.structs.replace(self.encoder, path=str(folder))
        return msgspec.structs.replace(self, encoder=encoder)
