"""Joint models that know two sentences by heart, as folders; needs torch."""

from __future__ import annotations

from pathlib import Path

import torch

from gongkai_training.artifacts import write_description, write_weights
from gongkai_training.batching import batch_of
from gongkai_training.config import Convolution, Data, Encoder, Relations, Spans, TrainSettings
from gongkai_training.data import Gold, Split, characters_of
from gongkai_training.evaluate import prepare
from gongkai_training.model import JointModel
from training_runs import TWO

LONGEST, OVERLAP = 40, 12


def trained(
    folder: Path,
    spans: Spans,
    relations: Relations,
    encoder: Encoder | None = None,
    steps: int = 60,
) -> Path:
    """A model after some steps on the two sentences; its embedding is one that half precision can hold."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    settings = TrainSettings(
        data=Data(train=(), dev=(), longest=LONGEST, overlap=OVERLAP),
        encoder=encoder or Convolution(width=48, dilations=(1, 2, 4), dropout=0),
        spans=spans,
        relations=relations,
        dropout=0,
    )
    characters = characters_of(TWO, least=1)
    model = JointModel(settings, len(characters))
    documents = prepare(TWO, characters, LONGEST, OVERLAP)
    batch = batch_of([example for document in documents for example in document.examples])
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        model.losses(model(torch.from_numpy(batch.ids)), batch).total.backward()
        optimizer.step()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("backbone.embedding.weight", "word_embeddings.weight")):
                weight.copy_(weight.half().float())
    write_description(folder, settings, characters, None, Gold(train=Split(files=()), dev=Split(files=())))
    write_weights(folder, model, {}, epoch=0)
    return folder
