"""Silver: unlabelled texts as trained models, or the rules, would label them, for a smaller model to learn from.

What models say is kept with its probability, the mean over the models, down to what they think unlikely (soft
targets, after Hinton et al. 2015, https://arxiv.org/abs/1503.02531): a span that the teacher wavers about is worth
more as that than as a decision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import log
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from gongkai.batching import batches as in_batches
from gongkai.gold.records import GoldEntity, GoldRecord, GoldRelation, from_record, write
from gongkai.ingest import read_text
from gongkai.model.decode import Vectors, links_above, span_vectors, spans_of_tags
from gongkai.model.scheme import ENTITY_LABELS
from gongkai.model.windows import Owners, Window
from gongkai.pipeline import Extractor
from gongkai.text import fold
from gongkai.types import EntityLabel, Mention, RelationLabel

from .artifacts import Trained, load_model
from .batching import batches
from .data import Example, windows_of
from .devices import device_of
from .encoder.texts import read_corpus
from .heads.tags import TagHead

LEAST: Final = 0.05
"""Probability below which a span or a relation is none."""

_LEAST_LOGIT: Final = log(LEAST / (1 - LEAST))

_GROUP: Final = 32_768
"""Characters of the documents that are labelled together."""

_BATCH: Final = 4_096

Place = tuple[EntityLabel, int, int]
Pair = tuple[RelationLabel, int, int]
"""Relation, head and tail by number."""


class Labelled(NamedTuple):
    """What was written.

    Attributes:
        excluded: Gold documents that were cut out of the texts.
        unreadable: Files, or parts of them, that are no texts.
    """

    path: Path
    documents: int
    characters: int
    spans: int
    relations: int
    excluded: int
    unreadable: int


class _Read(NamedTuple):
    """A window as a model sees it: spans with their probability, offsets into the document."""

    spans: dict[Place, float]
    vectors: Vectors


def label(
    out: Path,
    *,
    models: Sequence[Path],
    texts: Iterable[Path],
    exclude: Iterable[Path] = (),
    force: bool = False,
    report: Callable[[int, int], object] = lambda done, all_: None,
) -> Labelled:
    """Label texts, to be learned from as `data.silver`; each is written as soon as it is labelled.

    Until the last of them is, what there is lies beside `out` as `.NAME.unfinished`.

    Args:
        out: File to write: gold records whose spans and relations carry probabilities.
        models: Folders of trained models; the rules label if there is none.
        texts: Files and folders; of a text that is there twice the first is labelled.
        exclude: Gold files whose texts are cut out.
        force: Replace `out` if it exists.
        report: Told how many of how many characters are done.

    Raises:
        BrokenModel: There is no trained model in a folder.
        OutputError: `out` exists and `force` is not given, or it cannot be written.
        StaleExclusion, BrokenRecord, UnreadableInput: As `read_corpus`.
    """
    teachers = [load_model(folder, device_of()) for folder in models]
    corpus = read_corpus(texts, exclude)
    documents = _distinct(
        GoldRecord(id=f"{text.name}#{number}", text=part)
        for text in corpus.texts
        for number, part in enumerate(text.parts)
    )
    everything = sum(len(document.text) for document in documents)
    tally = _Tally(lambda characters: report(characters, everything))
    labelled = _by_models(teachers, documents) if teachers else _by_rules(documents)
    out.parent.mkdir(parents=True, exist_ok=True)
    write(tally.of(labelled), out, force=force)
    return Labelled(
        path=out,
        documents=tally.documents,
        characters=tally.characters,
        spans=tally.spans,
        relations=tally.relations,
        excluded=len(corpus.excluded),
        unreadable=len(corpus.unreadable),
    )


def _distinct(documents: Iterable[GoldRecord]) -> list[GoldRecord]:
    """Those whose text none before them has."""
    by_text: dict[str, GoldRecord] = {}
    for document in documents:
        by_text.setdefault(document.text, document)
    return list(by_text.values())


class _Tally:
    """Counts the records that pass, and reports their characters."""

    def __init__(self, report: Callable[[int], object]) -> None:
        self.documents = self.characters = self.spans = self.relations = 0
        self.report = report

    def of(self, records: Iterable[GoldRecord]) -> Iterator[GoldRecord]:
        self.report(0)
        for record in records:
            yield record
            self.documents += 1
            self.characters += len(record.text)
            self.spans += len(record.entities)
            self.relations += len(record.relations)
            self.report(self.characters)


def _by_rules(documents: Iterable[GoldRecord]) -> Iterator[GoldRecord]:
    extractor = Extractor("rules")
    for document in documents:
        found = extractor.extract(read_text(document.text, document.id))
        yield msgspec.structs.replace(from_record(found), id=document.id)


def _by_models(teachers: Sequence[Trained], documents: Iterable[GoldRecord]) -> Iterator[GoldRecord]:
    for group in in_batches(documents, lambda document: len(document.text), _GROUP):
        yield from _label(teachers, group)


def _label(teachers: Sequence[Trained], documents: Sequence[GoldRecord]) -> Iterator[GoldRecord]:
    views = [fold(document.text) for document in documents]
    cut: list[list[tuple[Window, ...]]] = []
    read: list[list[list[_Read]]] = []
    for teacher in teachers:
        data = teacher.settings.data
        cut.append([windows_of(view, data.longest, data.overlap) for view in views])
        read.append(_read(teacher, views, cut[-1]))
    for number, document in enumerate(documents):
        windows = [each[number] for each in cut]
        seen = [each[number] for each in read]
        yield _labelled(document, windows, seen)


def _labelled(
    document: GoldRecord, windows: Sequence[tuple[Window, ...]], read: Sequence[Sequence[_Read]]
) -> GoldRecord:
    """A document with the means of what each teacher says in its windows."""
    spans: dict[Place, float] = defaultdict(float)
    for each in read:
        for one in each:
            for place, probability in one.spans.items():
                spans[place] += probability / len(read)
    kept = sorted((place for place in spans if spans[place] >= LEAST), key=lambda p: (p[1], -p[2], p[0]))
    likely = [Mention(*place, "model", spans[place]) for place in kept if spans[place] >= 0.5]
    number = {(m.label, m.start, m.end): n for n, m in enumerate(likely)}
    ids = {place: f"e{n}" for n, place in enumerate(kept)}
    names = {n: ids[place] for place, n in number.items()}
    pairs: dict[Pair, float] = defaultdict(float)
    for own, each in zip(windows, read, strict=True):
        vectors = span_vectors(likely, own, [one.vectors for one in each])
        for link in links_above(_LEAST_LOGIT, likely, own, vectors):
            pairs[link.label, link.head, link.tail] += link.score / len(read)
    return GoldRecord(
        id=document.id,
        text=document.text,
        entities=tuple(
            GoldEntity(
                id=ids[place], label=place[0], start=place[1], end=place[2], score=_rounded(spans[place])
            )
            for place in kept
        ),
        relations=tuple(
            GoldRelation(label=relation, head=names[head], tail=names[tail], score=_rounded(probability))
            for (relation, head, tail), probability in sorted(pairs.items())
            if probability >= LEAST
        ),
    )


def _read(teacher: Trained, views: Sequence[str], windows: Sequence[tuple[Window, ...]]) -> list[list[_Read]]:
    """Each window of each document, windows of all of them batched by length."""
    examples = [
        Example(teacher.characters.encode(view[window.start : window.end]), (), ())
        for view, own in zip(views, windows, strict=True)
        for window in own
    ]
    numbered = {id(example): number for number, example in enumerate(examples)}
    seen: dict[int, tuple[dict[Place, float], Vectors]] = {}
    model, device = teacher.model, next(teacher.model.parameters()).device
    for batch in batches(examples, _BATCH):
        with torch.inference_mode():
            outputs = model(torch.from_numpy(batch.ids).to(device))
        spans, heads, tails = (tensor.float().cpu().numpy() for tensor in outputs)
        found = _tagged if isinstance(model.span_head, TagHead) else _pointed
        for row, example in enumerate(batch.examples):
            # Copies, for a view would keep the batch.
            vectors = Vectors(heads[row].copy(), tails[row].copy())
            seen[numbered[id(example)]] = found(spans[row], len(example.ids) - 2), vectors
    place = 0
    read = []
    for own in windows:
        owners = Owners(own)
        read.append(
            [
                _Read(_owned(seen[place + n][0], window.start, owners, n), seen[place + n][1])
                for n, window in enumerate(own)
            ]
        )
        place += len(own)
    return read


def _owned(spans: dict[Place, float], start: int, owners: Owners, number: int) -> dict[Place, float]:
    """The spans for which the window answers, offsets into the document."""
    moved = {(name, begin + start, end + start): p for (name, begin, end), p in spans.items()}
    return {place: p for place, p in moved.items() if owners.of(place[1], place[2]) == number}


def _pointed(scores: NDArray[np.float32], length: int) -> dict[Place, float]:
    """Of (characters, widths, labels) logits: the spans that are not too unlikely."""
    firsts, widths, labels = np.nonzero(scores > _LEAST_LOGIT)
    chances = 1 / (1 + np.exp(-scores[firsts, widths, labels].astype(np.float64)))
    return {
        (ENTITY_LABELS[name], first, first + width + 1): chance
        for first, width, name, chance in zip(
            firsts.tolist(), widths.tolist(), labels.tolist(), chances.tolist(), strict=True
        )
        if first + width < length
    }


def _tagged(scores: NDArray[np.float32], length: int) -> dict[Place, float]:
    """Of (characters, labels, tags) log probabilities: the spans of the best tags, likely therefore, every one."""
    (mentions,) = spans_of_tags(scores[None], [length])
    return {(m.label, m.start, m.end): max(m.score, 0.5) for m in mentions}


def _rounded(probability: float) -> float:
    return round(probability, 4)
