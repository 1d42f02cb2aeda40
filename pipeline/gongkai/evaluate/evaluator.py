"""Documents in, one by one; scores with intervals out. Memory does not grow with the number of documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, get_args

import numpy as np

from gongkai.evaluate import bootstrap
from gongkai.evaluate.bootstrap import Array, Resampler, ratio
from gongkai.evaluate.calibration import Reliability, ScoredLevel
from gongkai.evaluate.facets import FACETS, LENGTHS
from gongkai.evaluate.result import (
    Evaluation,
    Example,
    Group,
    LevelResult,
    Macro,
    Ratio,
    Run,
    Score,
)
from gongkai.evaluate.types import Counts, DocumentScore, Level, Mistake, Outcome
from gongkai.types import EntityLabel, Record, RelationLabel

LEVELS: tuple[Level, ...] = get_args(Level)
LABELS: tuple[str, ...] = (*get_args(EntityLabel), *get_args(RelationLabel))
"""The order of labels in tables; others (of values, facts, findings) follow by name."""
REASONS: Mapping[Level, str] = {
    "entities.seqeval": "seqeval is not installed: pip install 'gongkai[evaluate]'",
    "relations.given": "only a pipeline can be given the gold spans, a predictions file cannot",
    "values": "the gold has no normal forms written by hand",
    "findings": "the gold has no list of findings written by hand",
}
"""Why a level may be absent."""
EXAMPLES_EACH = 200
"""Examples kept of each level, label and kind of mistake."""

_ALL = ("", "")
"""The group of all documents."""


class Cell(NamedTuple):
    """What one sum is of."""

    level: Level
    label: str


class Evaluator:
    """Adds up the scores of documents.

    Args:
        run: What is being evaluated; says resamples and seed.
        examples_each: How many mistakes of each level, label and kind to keep as examples.
    """

    def __init__(self, run: Run, *, examples_each: int = EXAMPLES_EACH) -> None:
        self._run = run
        self._examples_each = examples_each
        self._resampler: Resampler[tuple[str, str], Cell] = Resampler(run.resamples, run.seed)
        self._seen: set[Level] = set()
        self._documents: Counter[tuple[str, str]] = Counter()
        self._characters: Counter[tuple[str, str]] = Counter()
        self._outcomes: Counter[Outcome] = Counter()
        self._reliability = Reliability()
        self._kept: Counter[tuple[str, str, str]] = Counter()
        self._examples: list[Example] = []
        self._mistakes = 0

    def add(self, score: DocumentScore, record: Record) -> None:
        """Add one document; `record` is its text and sentences, for examples."""
        groups = [_ALL, *score.facets.items()]
        self._resampler.add(groups, cells(score))
        self._seen.update(score.counts)
        for group in groups:
            self._documents[group] += 1
            self._characters[group] += score.characters
        self._outcomes.update(dict(score.outcomes))
        for confidence in score.confidences:
            self._reliability.add(confidence)
        self._mistakes += len(score.mistakes)
        self._examples += self._new_examples(score.mistakes, record)

    def evaluation(self) -> Evaluation:
        """The scores of all documents so far."""
        groups: dict[str, dict[str, Group]] = {}
        for facet in FACETS:
            values = sorted((value for name, value in self._documents if name == facet), key=_facet_order)
            groups[facet] = {value: self._group((facet, value)) for value in values}
        everything = self._group(_ALL)
        return Evaluation(
            run=self._run,
            all=everything,
            groups=groups,
            absent={level: reason for level, reason in REASONS.items() if level not in everything.levels},
            outcomes=tuple(sorted(self._outcomes.items(), key=lambda each: str(each[0]))),
            calibration=tuple(
                self._reliability.calibration(level, label)
                for level in get_args(ScoredLevel)
                for label in (None, *in_order(self._reliability.labels(level)))
            ),
            mistakes=self._mistakes,
            examples=tuple(self._examples),
        )

    def _group(self, group: tuple[str, str]) -> Group:
        labels: dict[Level, list[str]] = {level: [] for level in LEVELS}
        for cell in self._resampler.keys(group):
            labels[cell.level].append(cell.label)
        return Group(
            documents=self._documents[group],
            characters=self._characters[group],
            levels={
                level: self._level(group, [Cell(level, label) for label in in_order(names)])
                for level, names in labels.items()
                if names or (level in self._seen and group == _ALL)
            },
        )

    def _level(self, group: tuple[str, str], held: Sequence[Cell]) -> LevelResult:
        return LevelResult(
            labels={cell.label: self._score(group, cell) for cell in held},
            micro=self._score(group, *held),
            macro=self._macro(group, held),
        )

    def _score(self, group: tuple[str, str], *held: Cell) -> Score:
        counts, sums = self._resampler.total(group, *held), self._resampler.sums(group, *held)
        return Score(
            counts=counts,
            precision=ratio(counts.precision, bootstrap.precision(sums)),
            recall=ratio(counts.recall, bootstrap.recall(sums)),
            f1=ratio(counts.f1, bootstrap.f1(sums)),
        )

    def _macro(self, group: tuple[str, str], held: Sequence[Cell]) -> Macro:
        counts = [self._resampler.total(group, cell) for cell in held]
        sums = np.stack([self._resampler.sums(group, cell) for cell in held]) if held else np.zeros((0, 1, 3))
        return Macro(
            precision=_mean([c.precision for c in counts], bootstrap.precision(sums)),
            recall=_mean([c.recall for c in counts], bootstrap.recall(sums)),
            f1=_mean([c.f1 for c in counts], bootstrap.f1(sums)),
        )

    def _new_examples(self, mistakes: Iterable[Mistake], record: Record) -> list[Example]:
        examples = []
        for mistake in mistakes:
            group = (mistake.level, mistake.label, mistake.kind)
            self._kept[group] += 1
            if self._kept[group] <= self._examples_each:
                examples.append(in_its_sentence(mistake, record))
        return examples


def in_order(labels: Iterable[str]) -> list[str]:
    """Labels as tables list them."""
    return sorted(labels, key=lambda label: (LABELS.index(label) if label in LABELS else len(LABELS), label))


def _facet_order(value: str) -> tuple[int, str]:
    """By name, lengths by length."""
    return (LENGTHS.index(value) if value in LENGTHS else 0), value


def cells(score: DocumentScore) -> dict[Cell, Counts]:
    """A document's counts by level and label."""
    return {
        Cell(level, label): counts
        for level, by_label in score.counts.items()
        for label, counts in by_label.items()
    }


def in_its_sentence(mistake: Mistake, record: Record) -> Example:
    """The mistake with the sentences that its spans lie in."""
    parts = mistake.gold + mistake.predicted
    start = min((part.start for part in parts), default=0)
    end = max((part.end for part in parts), default=0)
    touched = [(s, e) for s, e in record.sentences if s < end and e > start]
    first = min((s for s, _ in touched), default=start)
    last = max((e for _, e in touched), default=end)
    text = record.text[first : max(last, end)]
    return Example(document=record.id, text=text, offset=first, mistake=mistake)


def _mean(values: Sequence[float | None], replicates: Array) -> Ratio:
    """The mean over the labels that are defined, in all documents and in each replicate (labels, resamples)."""
    defined = [value for value in values if value is not None]
    if not defined:
        return Ratio()
    known = ~np.isnan(replicates)
    number = known.sum(axis=0)
    sums = np.where(known, replicates, 0.0).sum(axis=0)
    means = np.divide(sums, number, out=np.full(number.shape, np.nan), where=number > 0)
    return ratio(sum(defined) / len(defined), means)
