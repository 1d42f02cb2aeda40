"""Scores that can be believed: one temperature a label, fitted on dev (Guo et al. 2017).

A network's scores are surer than it is right. Dividing their logits by a temperature changes no decision of the model,
for it has decided before. On the dev parts of the gold a bias beside the temperature (Platt 1999) gained nothing: what
it was not fitted on became no likelier.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import nextafter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np

from gongkai.analysis import Analysis
from gongkai.errors import BrokenModel
from gongkai.evaluate.calibration import Reliability, ScoredLevel
from gongkai.evaluate.run import references
from gongkai.evaluate.types import Confidence
from gongkai.ingest import read_text
from gongkai.model.bundle import DESCRIPTION, encode, read_bundle
from gongkai.model.runtime import DocumentText, JointReader, Reading, cooled
from gongkai.model.scheme import ENTITY_LABELS, RELATION_LABELS
from gongkai.reading import Reader
from gongkai.structure import analyse
from gongkai.types import Record

from .artifacts import write_file

if TYPE_CHECKING:
    from rich.table import Table

LEAST: Final = 30
"""Items of a label from which it has a temperature of its own; those with fewer have that of their level."""

_LARGEST: Final = 20.0
_HALVINGS: Final = 50
_FIGURES: Final = ("items", "confidence", "precision", "ECE", "after", "cross-fitted", "temperature")
_LEVELS: Final[tuple[tuple[ScoredLevel, tuple[str, ...]], ...]] = (
    ("entities", ENTITY_LABELS),
    ("relations", RELATION_LABELS),
)

Confidences = Sequence[Confidence]
"""What the model found in one document."""


class Line(NamedTuple):
    """How well the scores of a label can be believed, or of a whole level (`label` None).

    Attributes:
        items: Found by the model.
        confidence: Mean score before.
        precision: Share of the items that are right, strictly.
        before, after: Expected calibration error.
        crossed: The same after, of each half of the documents by the temperatures that the other half gives: what to
            expect elsewhere, for `after` is measured where it was fitted.
        temperature: None of a level.
    """

    level: ScoredLevel
    label: str | None
    items: int
    confidence: float
    precision: float
    before: float
    after: float
    crossed: float
    temperature: float | None


def calibrate(folder: Path, gold: Sequence[Path], texts: Path | None = None) -> list[Line]:
    """Fit the temperatures of an exported model on dev, and write them into its description.

    Temperatures that it had are replaced; its graphs stay. Whatever was chosen by scores (configs/merge.yaml) is to be
    chosen again.

    Args:
        folder: As `gongkai train export` writes it.
        gold: Files of dev.
        texts: Folder of the texts of stand-off gold.

    Raises:
        BrokenModel: There is no exported model in the folder, or it finds nothing in the gold.
        GongkaiError: As for `gongkai.evaluate.run.references`.
    """
    bundle = read_bundle(folder)
    plain = bundle._replace(description=msgspec.structs.replace(bundle.description, temperatures={}))
    dev = [each.record for path in gold for each in references(path, texts)]
    documents = confidences(JointReader.of(plain), dev)
    temperatures = fit(documents)
    if not temperatures:
        raise BrokenModel(
            str(folder),
            "The model finds nothing in the gold.",
            "Calibrate a trained one, on the gold of dev.",
        )
    description = msgspec.structs.replace(bundle.description, temperatures=temperatures)
    write_file(folder / DESCRIPTION, encode(description))
    return reliability(documents, temperatures)


def confidences(reader: Reader, gold: Sequence[Record]) -> list[Confidences]:
    """What the model finds in each document, how sure it is, and whether that is right: label and spans agree."""
    readings = reader.read([_text(record.text) for record in gold])
    return [_judged(record, reading) for record, reading in zip(gold, readings, strict=True)]


def fit(documents: Iterable[Confidences]) -> dict[str, float]:
    """The temperature of every label of a level of which the model found anything."""
    found = [each for document in documents for each in document]
    temperatures: dict[str, float] = {}
    for level, labels in _LEVELS:
        alike = [each for each in found if each.level == level]
        if not alike:
            continue
        shared = temperature_of(alike)
        for label in labels:
            own = [each for each in alike if each.label == label]
            temperatures[label] = temperature_of(own) if len(own) >= LEAST else shared
    return temperatures


def temperature_of(found: Confidences) -> float:
    """The temperature under which what was right and wrong is likeliest, 1/20 to 20.

    1 where nothing was wrong, for then there is no best one, and no ground to doubt the scores.
    """
    if all(each.correct for each in found):
        return 1.0
    right = np.array([each.correct for each in found], np.float64)
    score = np.array([min(each.score, nextafter(1, 0)) for each in found])
    logit = np.log(score) - np.log1p(-score)
    # The negative log likelihood is convex in 1 / temperature: where its derivative is 0 it is least.
    low, high = 1 / _LARGEST, _LARGEST
    for _ in range(_HALVINGS):
        inverse = (low + high) / 2
        rises = logit @ (1 / (1 + np.exp(-inverse * logit)) - right) > 0
        low, high = (low, inverse) if rises else (inverse, high)
    return round(1 / low, 3)


def reliability(documents: Sequence[Confidences], temperatures: dict[str, float]) -> list[Line]:
    """Of each level and of each of its labels that was found."""
    halves = documents[::2], documents[1::2]
    before = _gathered(documents, {})
    after = _gathered(documents, temperatures)
    crossed = _gathered(halves[0], fit(halves[1]))
    crossed.merge(_gathered(halves[1], fit(halves[0])))
    lines = []
    for level, labels in _LEVELS:
        for label in (*labels, None):
            plain = before.calibration(level, label)
            if not plain.count:
                continue
            lines.append(
                Line(
                    level=level,
                    label=label,
                    items=plain.count,
                    confidence=sum(held.score * held.count for held in plain.bins) / plain.count,
                    precision=sum(held.accuracy * held.count for held in plain.bins) / plain.count,
                    before=plain.ece,
                    after=after.calibration(level, label).ece,
                    crossed=crossed.calibration(level, label).ece,
                    temperature=None if label is None else temperatures[label],
                )
            )
    return lines


def table(lines: Iterable[Line]) -> Table:
    """The lines for a terminal."""
    from rich import box
    from rich.table import Table

    drawn = Table(title="Calibration on dev", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    drawn.add_column("label", no_wrap=True)
    for heading in _FIGURES:
        drawn.add_column(heading, justify="right")
    for line in lines:
        shares = (line.confidence, line.precision, line.before, line.after, line.crossed)
        drawn.add_row(
            line.label or f"all {line.level}",
            f"{line.items:,}",
            *(f"{share:.3f}" for share in shares),
            "" if line.temperature is None else f"{line.temperature:.2f}",
            style="bold" if line.label is None else "",
        )
    return drawn


def _text(text: str) -> DocumentText:
    document = read_text(text)
    view = Analysis.of(document).view
    structure = analyse(document, view)
    return DocumentText(view, structure.paragraphs, structure.boilerplate)


def _judged(record: Record, reading: Reading) -> Confidences:
    place = {entity.id: (entity.label, entity.start, entity.end) for entity in record.entities}
    spans = set(place.values())
    relations = {(r.label, place[r.head], place[r.tail]) for r in record.relations}
    found = [(mention.label, mention.start, mention.end) for mention in reading.mentions]
    return [
        *(
            Confidence("entities", mention.label, mention.score, span in spans)
            for mention, span in zip(reading.mentions, found, strict=True)
        ),
        *(
            Confidence(
                "relations",
                link.label,
                link.score,
                (link.label, found[link.head], found[link.tail]) in relations,
            )
            for link in reading.links
        ),
    ]


def _gathered(documents: Iterable[Confidences], temperatures: dict[str, float]) -> Reliability:
    gathered = Reliability()
    for document in documents:
        for each in document:
            score = cooled(each.score, temperatures.get(each.label, 1))
            gathered.add(each._replace(score=score))
    return gathered
