"""Which side decides what in mode `hybrid`: chosen on dev, label by label, by what the pipeline then scores.

`gongkai train policy`, after a model is exported and calibrated: a calibration moves the thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import reduce
from pathlib import Path
from typing import Final, NamedTuple, get_args

import msgspec

from gongkai.analysis import Analysis
from gongkai.evaluate.entities import score_entities
from gongkai.evaluate.facts import score_facts
from gongkai.evaluate.relations import score_relations
from gongkai.evaluate.run import references
from gongkai.evaluate.types import Counts, Level, Marks, Reference
from gongkai.facts import FactBuilder
from gongkai.ingest import read_text
from gongkai.merging import Choice, Policy, Source, Tables
from gongkai.pipeline import analysis_of, load, name_entities, relate, settle_mentions
from gongkai.reading import Reader
from gongkai.types import EntityLabel, RelationLabel

LEAST: Final = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Scores from which the model may be believed."""

_ROUGHLY: Final = (0.0, 0.9)
"""Those of them with which each order is tried first."""

_TAKEN_AS_IT_IS: Final = frozenset({"METRIC", "value_of"})
"""Of which the model's score is not asked, and rules only fill where it is silent. The rules were written with dev in
view, most of all what a number counts; a threshold fitted there would believe them too much elsewhere."""

_LEVELS: Final[tuple[Level, ...]] = ("entities.strict", "relations.strict")
_MERGING: Final = (
    "gongkai_metrics",
    "gongkai_entities",
    "gongkai_relations",
    "gongkai_facts",
    "gongkai_checks",
)
_WORTH_IT: Final = 2e-4
"""Gain of the objective below which the simpler choice stays: a span or two of dev."""

_TABLES: Final[tuple[Tables, ...]] = ("marked", "forms", "all")
_ORDERS: Final[tuple[tuple[Source, ...], ...]] = (
    ("rules",),
    ("rules", "model"),
    ("model", "rules"),
    ("model",),
)

Part = Sequence[tuple[Reference, Analysis]]


class _Settled(NamedTuple):
    """A part of dev with its spans merged."""

    documents: Part
    spans: Counts


class Trial(NamedTuple):
    """A policy with what it scores.

    Attributes:
        score: As `Dev.score`.
        changed: What was tried in the policy before it.
    """

    policy: Policy
    score: float
    changed: str


def choose_policy(dev: Dev, start: Policy, *, report: Callable[[Trial], object] | None = None) -> Trial:
    """The best policy that changing one label's choice after another leads to, from `start`.

    Every label is tried with rules, the model, or both in either order, then with every threshold of `LEAST`; what
    is chosen for one label holds while the next is tried. Last come the tables. Then all are tried again, until none
    changes, for what is best for one label hangs on the others. From `uniform("rules")` on, a label goes to the model
    only where dev gains by it.

    Args:
        report: Told of each policy that is better than those before it.
    """
    best = Trial(start, dev.score(start), "start")
    while (better := _pass(dev, best, report)) != best:
        best = better
    return best


def _pass(dev: Dev, best: Trial, report: Callable[[Trial], object] | None) -> Trial:
    """Every label once, then the tables."""

    def tried(options: Iterable[Policy], changed: str) -> Trial:
        found = best
        for policy in options:
            score = dev.score(policy)
            if score > found.score + _WORTH_IT:
                found = Trial(policy, score, changed)
                if report is not None:
                    report(found)
        return found

    for label in (*get_args(EntityLabel), *get_args(RelationLabel)):
        fixed = label in _TAKEN_AS_IT_IS
        choices = [
            Choice(order, least)
            for order in _ORDERS
            for least in (_ROUGHLY if "model" in order and not fixed else (0.0,))
        ]
        best = tried((_deciding(best.policy, label, choice) for choice in choices), label)
        order = _order(best.policy, label)
        if "model" in order and not fixed:
            best = tried((_deciding(best.policy, label, Choice(order, least)) for least in LEAST), label)
    return tried((msgspec.structs.replace(best.policy, tables=tables) for tables in _TABLES), "tables")


class Dev:
    """Documents with gold, and what rules and model say of them before the merge.

    Args:
        gold: Files; each counts alike.
        reader: The model.
        texts: Folder of the texts of stand-off gold.

    Raises:
        GongkaiError: As for `gongkai.evaluate.run.references`.
    """

    def __init__(self, gold: Sequence[Path], reader: Reader, texts: Path | None = None) -> None:
        self._parts = [_read(path, texts, reader) for path in gold]
        self._settled: list[_Settled] = []
        self._settled_by: object = None

    def score(self, policy: Policy) -> float:
        """Mean over the files of two: the micro F1 of spans and relations together, strict, and that of facts."""
        settling = (policy.tables, policy.spans, policy.relations["value_of"])
        if settling != self._settled_by:
            self._settled = [_settle(part, policy) for part in self._parts]
            self._settled_by = settling
        return sum(_score(part, policy) for part in self._settled) / len(self._settled)


def write_policy(path: Path, policy: Policy) -> None:
    """Write a policy; the comment on top of the one that was in the file (configs/merge.yaml) stays."""
    before = path.read_text("utf8") if path.exists() else ""
    comment = []
    for line in before.splitlines():
        if line and not line.startswith("#"):
            break
        comment.append(line)
    lines = [*comment, f"tables: {policy.tables}"]
    for name, choices in (("spans", policy.spans), ("relations", policy.relations)):
        lines += ["", f"{name}:", *(f"  {label}: {_choice(choice)}" for label, choice in choices.items())]
    path.write_text("\n".join(lines) + "\n", "utf8")


def _choice(choice: Choice) -> str:
    least = f", model_least: {choice.model_least}" if choice.model_least and "model" in choice.order else ""
    return f"{{order: [{', '.join(choice.order)}]{least}}}"


def _read(path: Path, texts: Path | None, reader: Reader) -> Part:
    """Each document with everything that does not depend on the policy: structure, rules' mentions, the reading."""
    nlp = load("hybrid", model=reader)
    part = []
    with nlp.select_pipes(disable=_MERGING):
        for each in references(path, texts):
            doc = nlp.make_doc(each.record.text)
            doc._.gongkai = Analysis.of(
                msgspec.structs.replace(read_text(each.record.text), id=each.record.id)
            )
            part.append((each, analysis_of(nlp(doc))))
    return part


def _settle(part: Part, policy: Policy) -> _Settled:
    """The part with its spans merged, and their counts."""
    documents, spans = [], Counts()
    for reference, read in part:
        state = _fresh(read)
        settle_mentions(state, policy)
        name_entities(state)
        documents.append((reference, state))
        spans = _plus(spans, score_entities(reference, state.record()))
    return _Settled(documents, spans)


def _score(part: _Settled, policy: Policy) -> float:
    """Of a part, once its relations are merged and its facts built, too; without facts that of the rest."""
    strict, facts = part.spans, Counts()
    for reference, state in part.documents:
        relate(state, policy)
        state.facts = FactBuilder(state.view, state.structure, state.entities, state.relations).build()
        record = state.record()
        strict = _plus(strict, score_relations(reference, record))
        facts = _plus(facts, score_facts(reference, record), ("facts",))
    scores = [counts.f1 for counts in (strict, facts) if counts.f1 is not None]
    return sum(scores) / max(1, len(scores))


def _plus(total: Counts, marks: Marks, levels: Sequence[Level] = _LEVELS) -> Counts:
    chosen = (marks.counts.get(level, {}) for level in levels)
    return reduce(Counts.plus, (counts for by_label in chosen for counts in by_label.values()), total)


def _fresh(read: Analysis) -> Analysis:
    """A copy that the later stages may fill."""
    state = copy(read)
    state.mentions = list(read.mentions)
    state.readings, state.parts, state.unit_at, state.metric_at = [], [], {}, {}
    return state


def _order(policy: Policy, label: str) -> tuple[Source, ...]:
    decided = (*policy.spans.items(), *policy.relations.items())
    return next(choice.order for name, choice in decided if name == label)


def _deciding(policy: Policy, label: str, choice: Choice) -> Policy:
    """The policy with another choice for one label."""
    kind = "spans" if label in policy.spans else "relations"
    return msgspec.structs.replace(policy, **{kind: {**getattr(policy, kind), label: choice}})
