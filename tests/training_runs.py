"""Small runs for tests: gold files of made-up reports, and settings to train on them."""

from __future__ import annotations

import random
from pathlib import Path

import torch
from transformers import BertConfig, BertModel

from gold_records import gold
from gongkai.gold.records import GoldRecord, write
from gongkai.model.characters import Characters
from gongkai_training.config import (
    Augmentation,
    BiaffineRelations,
    Convolution,
    Data,
    Optimisation,
    PointerRelations,
    PointerSpans,
    Relations,
    Spans,
    TagSpans,
    TrainSettings,
)
from gongkai_training.encoder.tokenizer import save_characters

DESIGNS: list[tuple[Spans, Relations]] = [
    (TagSpans(), BiaffineRelations(size=16)),
    (PointerSpans(size=16, longest=24), PointerRelations(size=16)),
    (TagSpans(), PointerRelations(size=16)),
    (PointerSpans(size=16, longest=24), BiaffineRelations(size=16)),
]

TWO = (
    gold(
        "one",
        "⟦PERIOD#t 2018年⟧，我区⟦METRIC#m 收到⟧⟦COUNT#c 863件⟧，其中⟦METRIC#w 网上申请⟧⟦COUNT#d 12件⟧，"
        "占⟦PERCENT#p 1.39%⟧。",
        "during c t",
        "value_of c m",
        "value_of d w",
        "part_of d c",
        "share_of p c",
    ),
    gold(
        "two",
        "根据⟦POLICY#p 《政府信息公开条例》⟧（⟦DOCNO#n 国务院令第711号⟧）和⟦ORG#o 市府办⟧⟦POLICY#q 《工作要点》⟧。",
        "number_of n p",
        "issued_by q o",
    ),
)


def report(name: str, seed: int) -> GoldRecord:
    """A made-up report of a few lines."""
    chance = random.Random(seed)
    lines = []
    relations = []
    for number in range(chance.randint(3, 7)):
        metric = chance.choice(["收到申请", "主动公开政府信息", "网上申请", "发布信息"])
        value = chance.randint(1, 9999)
        lines.append(
            f"{number}、⟦PERIOD#t{number} 201{number}年⟧⟦METRIC#m{number} {metric}⟧⟦COUNT#c{number} {value}件⟧。"
        )
        relations += [f"value_of c{number} m{number}", f"during c{number} t{number}"]
    return gold(name, f"{seed}号\n" + "\n".join(lines), *relations)


def encoder(folder: Path, seed: int) -> None:
    """A tiny BERT of the reports' characters, with random weights."""
    characters = Characters(sorted({character for n in range(16) for character in report("", n).text}))
    torch.manual_seed(seed)
    configuration = BertConfig(
        vocab_size=len(characters),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
    )
    BertModel(configuration, add_pooling_layer=False).save_pretrained(folder)
    save_characters(characters, folder)


def settings(folder: Path, *, epochs: int = 3, seed: int = 1) -> TrainSettings:
    """A run on made-up reports with every random draw there is."""
    for part, seeds in (("train", range(12)), ("dev", range(12, 16))):
        write((report(f"{part}{n}", n) for n in seeds), folder / f"{part}.jsonl", force=True)
    return TrainSettings(
        data=Data(train=(str(folder / "train.jsonl"),), dev=(str(folder / "dev.jsonl"),), longest=64),
        encoder=Convolution(width=24, dilations=(1, 2), dropout=0.1),
        relations=BiaffineRelations(size=8),
        augmentation=Augmentation(documents=0.5, numerals=0.5, spaces=0.3, unknown=0.05),
        optimisation=Optimisation(epochs=epochs, batch_characters=256, encoder_rate=5e-3, head_rate=5e-3),
        seed=seed,
        threads=1,
        device="cpu",
        log_steps=1,
        checkpoint_minutes=0,
    )
