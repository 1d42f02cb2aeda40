"""Values: is what was read off a span right, given the span?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isclose
from operator import attrgetter, eq
from typing import Any, Literal, NamedTuple, Protocol

from gongkai.evaluate.counting import MISSED, RIGHT, SPURIOUS, WRONG, by_label
from gongkai.evaluate.types import Counts, Kind, Marks, Mistake, Part, Reference
from gongkai.types import (
    CountNorm,
    DocnoNorm,
    EntityLabel,
    MetricNorm,
    Norm,
    PercentNorm,
    PeriodNorm,
    Record,
)

RELATIVE_TOLERANCE = 1e-9


class Quantity(Protocol):
    """Anything with a value, or a range of them."""

    @property
    def value(self) -> float: ...
    @property
    def value_max(self) -> float | None: ...


def same_value(first: Quantity, second: Quantity) -> bool:
    """Whether both ends of the ranges are equal, but for what floating point loses."""
    if not isclose(first.value, second.value, rel_tol=RELATIVE_TOLERANCE):
        return False
    if first.value_max is None or second.value_max is None:
        return first.value_max is second.value_max
    return isclose(first.value_max, second.value_max, rel_tol=RELATIVE_TOLERANCE)


def shown_value(quantity: Quantity) -> str:
    """A value as people read it, a range with a dash: 1125246, 0.4167, 3–5."""
    ends = (quantity.value,) if quantity.value_max is None else (quantity.value, quantity.value_max)
    return "–".join(f"{end:.15g}" for end in ends)


def shown_period(period: PeriodNorm) -> str:
    """First and last day, `2018-01-01/2018-12-31`; nothing stands on a side that is open."""
    return f"{period.start or ''}/{period.end or ''}"


class _Aspect(NamedTuple):
    """One thing that a normal form of type `of` says, counted under `label`.

    Attributes:
        unstated: What a prediction is where gold says nothing: wrong to say anything (spurious), or not judged; None
            where gold always says something.
    """

    label: str
    kind: Kind
    of: type
    same: Callable[[Any, Any], bool]
    shown: Callable[[Any], str | None]
    unstated: Literal["spurious", "unjudged"] | None = None


def _aspect(
    label: str, kind: Kind, of: type, name: str, unstated: Literal["spurious", "unjudged"]
) -> _Aspect:
    """An aspect that is one field, of text or None."""
    read = attrgetter(name)
    return _Aspect(label, kind, of, lambda first, second: eq(read(first), read(second)), read, unstated)


def _same_docno(first: DocnoNorm, second: DocnoNorm) -> bool:
    read = attrgetter("canonical", "year", "serial")
    return bool(read(first) == read(second))


def _shown_docno(docno: DocnoNorm) -> str:
    return f"{docno.canonical} ({docno.year or '–'}, {docno.serial or '–'})"


_ASPECTS: dict[EntityLabel, tuple[_Aspect, ...]] = {
    "COUNT": (
        _Aspect("COUNT.value", "value", CountNorm, same_value, shown_value),
        # A table's bare numbers: its heading may state no unit, and the ontology knows it all the same.
        _aspect("COUNT.unit", "unit", CountNorm, "unit", "unjudged"),
        _aspect("COUNT.qualifier", "qualifier", CountNorm, "qualifier", "spurious"),
    ),
    "PERCENT": (
        _Aspect("PERCENT.value", "value", PercentNorm, same_value, shown_value),
        _aspect("PERCENT.direction", "direction", PercentNorm, "direction", "spurious"),
    ),
    "PERIOD": (_Aspect("PERIOD", "period", PeriodNorm, eq, shown_period),),
    "DOCNO": (_Aspect("DOCNO", "docno", DocnoNorm, _same_docno, _shown_docno),),
}


class _Judged(NamedTuple):
    """One comparison: what it counts, and the mistake if it is one."""

    label: str
    counts: Counts
    mistake: Mistake | None


def score_values(reference: Reference, predicted: Record) -> Marks:
    """Level values: the normal forms of the spans that both sides have exactly.

    Labels: COUNT.value, COUNT.unit, COUNT.qualifier, PERCENT.value, PERCENT.direction, PERIOD, DOCNO, METRIC (the
    ontology's metric). What gold states is right or wrong; what neither side states (no direction, no row of the
    ontology) is not counted; what only the prediction states is spurious, but for the unit of a number whose text
    states none. A normal form that the prediction lacks is missed, but for a PERIOD that gold does not date either. No
    level where nobody wrote the normal forms by hand.
    """
    if not reference.has_values:
        return Marks(counts={})
    gold, found = _norms(reference.record), _norms(predicted)
    judged = [
        judgement
        for part in sorted(gold.keys() & found.keys(), key=attrgetter("start", "end", "label"))
        for judgement in _judged(part, gold[part], found[part])
    ]
    return Marks(
        counts={"values": by_label((one.label, one.counts) for one in judged)},
        mistakes=tuple(one.mistake for one in judged if one.mistake is not None),
    )


def _norms(record: Record) -> dict[Part, Norm | None]:
    """The normal form of every span; of a span said twice, the first that says anything."""
    norms: dict[Part, Norm | None] = {}
    for entity in record.entities:
        part = Part(entity.label, entity.start, entity.end)
        norms[part] = norms.get(part) or entity.norm
    return norms


def _judged(part: Part, gold: Norm | None, found: Norm | None) -> Iterator[_Judged]:
    if part.label == "METRIC":
        yield from _judged_metric(part, _metric_id(gold), _metric_id(found))
        return
    if found is None and part.label == "PERIOD":
        found = PeriodNorm()
    for aspect in _ASPECTS.get(part.label, ()):  # type: ignore[call-overload]
        if isinstance(gold, aspect.of):
            yield from _judged_aspect(part, aspect, gold, found if isinstance(found, aspect.of) else None)


def _judged_aspect(part: Part, aspect: _Aspect, gold: Norm, found: Norm | None) -> Iterator[_Judged]:
    stated = aspect.unstated is None or aspect.shown(gold) is not None
    if found is not None and aspect.same(gold, found):
        if stated:
            yield _Judged(aspect.label, RIGHT, None)
        return
    read = None if found is None else aspect.shown(found)
    if not stated and (read is None or aspect.unstated == "unjudged"):
        return
    counts = SPURIOUS if not stated else MISSED if read is None else WRONG
    yield _Judged(aspect.label, counts, _mistake(aspect.kind, part, aspect.shown(gold), read))


def _judged_metric(part: Part, gold: str | None, found: str | None) -> Iterator[_Judged]:
    if gold is None and found is None:
        return
    if gold == found:
        yield _Judged(part.label, RIGHT, None)
        return
    counts = SPURIOUS if gold is None else MISSED if found is None else WRONG
    yield _Judged(part.label, counts, _mistake("metric_id", part, gold, found))


def _metric_id(norm: Norm | None) -> str | None:
    return norm.metric_id if isinstance(norm, MetricNorm) else None


def _mistake(kind: Kind, part: Part, gold: str | None, found: str | None) -> Mistake:
    return Mistake(
        level="values",
        kind=kind,
        label=part.label,
        gold=(part,),
        predicted=(part,),
        gold_value=gold,
        predicted_value=found,
    )
