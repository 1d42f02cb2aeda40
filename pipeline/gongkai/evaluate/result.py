"""What an evaluation comes to: scores with intervals, by group; calibration; examples of mistakes. JSON for machines."""

from __future__ import annotations

from typing import Literal

import msgspec

from gongkai.evaluate.types import Counts, Level, Mistake, Outcome

Verdict = Literal["better", "worse", "can't tell"]


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """A ratio with its 95 % bootstrap interval over documents; None where it is not defined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Counts and what follows from them."""

    counts: Counts
    precision: Ratio
    recall: Ratio
    f1: Ratio


class Macro(msgspec.Struct, frozen=True, kw_only=True):
    """Means over the labels that are defined."""

    precision: Ratio
    recall: Ratio
    f1: Ratio


class LevelResult(msgspec.Struct, frozen=True, kw_only=True):
    """One level's scores: by label in the scheme's order, all labels together, and the mean over them."""

    labels: dict[str, Score]
    micro: Score
    macro: Macro


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of a set of documents."""

    documents: int
    characters: int
    levels: dict[Level, LevelResult]


class ReliabilityBin(msgspec.Struct, frozen=True, kw_only=True):
    """Predictions whose score lies in (low, high]: how many, their mean score, and the share that is right."""

    low: float
    high: float
    count: int
    score: float
    accuracy: float


class RiskPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Keeping what scores `threshold` or more keeps `coverage` of the predictions, of which `risk` are wrong."""

    threshold: float
    coverage: float
    risk: float


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How far the scores can be believed, for one label or for all of a level (label None).

    Attributes:
        ece: Expected calibration error over the bins (Naeini et al. 2015).
        risk_coverage: From the surest prediction to all of them.
        aurc: Area under the risk-coverage curve.
    """

    level: Literal["entities", "relations"]
    label: str | None
    count: int
    ece: float
    bins: tuple[ReliabilityBin, ...]
    risk_coverage: tuple[RiskPoint, ...]
    aurc: float


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A mistake in its sentence.

    Attributes:
        text: The sentence, or the sentences that its spans lie in.
        offset: Where `text` begins in the document: spans of the mistake minus `offset` point into it.
    """

    document: str
    text: str
    offset: int
    mistake: Mistake


class GoldFile(msgspec.Struct, frozen=True, kw_only=True):
    """A gold file that was scored against."""

    name: str
    sha256: str
    documents: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What was evaluated, on what, with what.

    Attributes:
        system: Name of the pipeline or predictions, e.g. rules.
        version: Of gongkai.
        code: Digest of the configs (and model) that made the predictions; None for a predictions file.
        resamples, seed: Of the bootstrap.
    """

    system: str
    version: str
    code: str | None
    gold: tuple[GoldFile, ...]
    resamples: int
    seed: int


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one evaluation found.

    Attributes:
        groups: Facet → value → scores, e.g. doc_type → plan.
        absent: Levels that could not be judged, and why.
        outcomes: Of entities: what became of every gold and predicted span, with counts.
        examples: Mistakes in their sentences, at most so many of each kind and label; `mistakes` counts them all.
    """

    run: Run
    all: Group
    groups: dict[str, dict[str, Group]]
    absent: dict[Level, str]
    outcomes: tuple[tuple[Outcome, int], ...]
    calibration: tuple[Calibration, ...]
    mistakes: int
    examples: tuple[Example, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """F1 of B minus F1 of A at one level and label (None: micro).

    Attributes:
        f1: The difference with its paired 95 % bootstrap interval.
        p: Two-sided, by approximate randomisation over documents (Noreen 1989; Yeh 2000).
        verdict: better or worse where the interval leaves out 0 and p < 0.05.
    """

    level: Level
    label: str | None
    a: Counts
    b: Counts
    f1: Ratio
    p: float | None
    verdict: Verdict


class DocumentChange(msgspec.Struct, frozen=True, kw_only=True):
    """A document on which A and B do not make the same mistakes: those B no longer makes, and those it newly makes."""

    document: str
    mended: tuple[Mistake, ...]
    broken: tuple[Mistake, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """B against A over the same documents.

    Attributes:
        changes: Documents that changed most first, at most so many; `changed` counts them all.
    """

    a: Run
    b: Run
    documents: int
    differences: tuple[Difference, ...]
    changed: int
    changes: tuple[DocumentChange, ...]
