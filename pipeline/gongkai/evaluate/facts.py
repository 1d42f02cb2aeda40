"""Facts end to end: the right number of the right thing, in the right unit, for the right time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gongkai.errors import BrokenPrediction
from gongkai.evaluate.counting import MISSED, RIGHT, SPURIOUS, WRONG, by_label
from gongkai.evaluate.relations import entities_by_id
from gongkai.evaluate.types import Counts, Kind, Marks, Mistake, Part, Reference
from gongkai.evaluate.values import same_value, shown_period, shown_value
from gongkai.spans import overlapping, shared
from gongkai.types import Entity, Fact, PeriodNorm, Record

_UNPAIRED: dict[Kind, Counts] = {"missed": MISSED, "spurious": SPURIOUS}


class _Sourced(NamedTuple):
    """A fact with the span that names its metric."""

    fact: Fact
    metric: Entity | None

    @property
    def number(self) -> Part:
        """Where its number stands."""
        return Part("PERCENT" if self.fact.unit == "%" else "COUNT", self.fact.start, self.fact.end)


class _Difference(NamedTuple):
    """The first part in which two facts differ, and what each says."""

    kind: Kind
    gold: str | None
    predicted: str | None


class _Pair(NamedTuple):
    """A gold and a predicted fact of the same number (places in their lists)."""

    gold: int
    predicted: int
    difference: _Difference | None


def score_facts(reference: Reference, predicted: Record) -> Marks:
    """Levels facts and facts.metric_id, labels prose and table.

    Facts are paired one to one by their numbers' spans: those that are the same first, then those that overlap; of
    several, first a fact that is right, then the one that shares more. A pair is right when the metrics' spans
    overlap (or neither has one), and value, unit (where gold's text states one) and period are equal; for
    facts.metric_id also the ontology's metric.
    A mistake of a pair is the first of metric, value, unit, period, metric_id that differs. A pair counts under the
    gold fact's label.

    Raises:
        BrokenPrediction: A fact's evidence names an entity that its record does not hold, or two entities share an id.
    """
    gold, found = _sourced(reference.record), _sourced(predicted)
    facts: list[tuple[str, Counts]] = []
    with_id: list[tuple[str, Counts]] = []
    mistakes = []
    for one, other, difference in _aligned(gold, found):
        facts.append((_label(one, other), _judgement(difference, lenient="metric_id")))
        with_id.append((_label(one, other), _judgement(difference)))
        if difference is not None:
            mistakes.append(_mistake(one, other, difference))
    return Marks(
        counts={"facts": by_label(facts), "facts.metric_id": by_label(with_id)}, mistakes=tuple(mistakes)
    )


def _judgement(difference: _Difference | None, lenient: Kind | None = None) -> Counts:
    if difference is None or difference.kind == lenient:
        return RIGHT
    return _UNPAIRED.get(difference.kind, WRONG)


def _label(gold: _Sourced | None, found: _Sourced | None) -> str:
    """Prose and tables are counted apart: a form is full of zeros that are easily right."""
    either = gold or found
    assert either is not None
    return "prose" if either.fact.table is None else "table"


def _sourced(record: Record) -> list[_Sourced]:
    entities = entities_by_id(record)
    sourced = []
    for fact in record.facts:
        try:
            evidence = [entities[key] for key in fact.evidence]
        except KeyError as unknown:
            raise BrokenPrediction(
                f"document {record.id}",
                f"The evidence of its fact {fact.id} names an entity {unknown.args[0]}, which it does not hold.",
                "Write the entity into the record, or leave it out of the evidence.",
            ) from None
        metric = next((entity for entity in evidence if entity.label == "METRIC"), None)
        sourced.append(_Sourced(fact, metric))
    return sorted(sourced, key=lambda one: (one.fact.start, one.fact.end))


def _aligned(
    gold: Sequence[_Sourced], found: Sequence[_Sourced]
) -> Iterator[tuple[_Sourced | None, _Sourced | None, _Difference | None]]:
    """Every fact of both sides once, with its partner if it has one, in text order of gold, then of the spurious."""
    pairs = {pair.gold: pair for pair in _paired(gold, found)}
    for place, one in enumerate(gold):
        if pair := pairs.get(place):
            yield one, found[pair.predicted], pair.difference
        else:
            yield one, None, _Difference("missed", shown_value(one.fact), None)
    taken = {pair.predicted for pair in pairs.values()}
    for place, other in enumerate(found):
        if place not in taken:
            yield None, other, _Difference("spurious", None, shown_value(other.fact))


def _paired(gold: Sequence[_Sourced], found: Sequence[_Sourced]) -> Iterator[_Pair]:
    """One-to-one pairs: those of the very same number first, then those that overlap, the best first."""
    there = {one.fact.start: place for place, one in enumerate(found)}
    alone = len(there) == len(found) and len({one.fact.start for one in gold}) == len(gold)
    taken: dict[int, int] = {}
    for place, one in enumerate(gold) if alone else ():
        other = there.get(one.fact.start)
        if other is not None and found[other].fact.end == one.fact.end:
            taken[place] = other
            yield _Pair(place, other, _difference(one, found[other]))
    left = [place for place in range(len(gold)) if place not in taken]
    others = sorted(set(range(len(found))) - set(taken.values()))
    yield from _paired_by_overlap(gold, found, left, others)


def _paired_by_overlap(
    gold: Sequence[_Sourced], found: Sequence[_Sourced], left: Sequence[int], others: Sequence[int]
) -> Iterator[_Pair]:
    candidates = []
    for one, two, common in overlapping([gold[p].fact for p in left], [found[p].fact for p in others]):
        place, other = left[one], others[two]
        pair = _Pair(place, other, _difference(gold[place], found[other]))
        exact = gold[place].number[1:] == found[other].number[1:]
        candidates.append((not exact, _severity(pair.difference), -common, place, other, pair))
    gold_taken: set[int] = set()
    found_taken: set[int] = set()
    for *_, pair in sorted(candidates, key=lambda candidate: candidate[:-1]):
        if pair.gold not in gold_taken and pair.predicted not in found_taken:
            gold_taken.add(pair.gold)
            found_taken.add(pair.predicted)
            yield pair


def _severity(difference: _Difference | None) -> int:
    if difference is None:
        return 0
    return 1 if difference.kind == "metric_id" else 2


def _difference(gold: _Sourced, found: _Sourced) -> _Difference | None:
    one, other = gold.fact, found.fact
    if not _same_metric(gold.metric, found.metric):
        return _Difference("metric", _text(gold.metric), _text(found.metric))
    if not same_value(one, other):
        return _Difference("value", shown_value(one), shown_value(other))
    if one.unit is not None and one.unit != other.unit:
        return _Difference("unit", one.unit, other.unit)
    periods = (one.period or PeriodNorm(), other.period or PeriodNorm())
    if periods[0] != periods[1]:
        return _Difference("period", *map(shown_period, periods))
    if one.metric_id != other.metric_id:
        return _Difference("metric_id", one.metric_id, other.metric_id)
    return None


def _same_metric(gold: Entity | None, found: Entity | None) -> bool:
    if gold is None or found is None:
        return gold is found
    return shared(gold, found) > 0


def _text(metric: Entity | None) -> str | None:
    return metric.text if metric else None


def _mistake(gold: _Sourced | None, found: _Sourced | None, difference: _Difference) -> Mistake:
    return Mistake(
        level="facts",
        kind=difference.kind,
        label=_label(gold, found),
        gold=(gold.number,) if gold else (),
        predicted=(found.number,) if found else (),
        gold_value=difference.gold,
        predicted_value=difference.predicted,
    )
