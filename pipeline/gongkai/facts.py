"""Facts: one row a number, with everything that the report says of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from gongkai.dating import SectionPeriods, coming_period
from gongkai.normalise.periods import reported_period
from gongkai.normalise.quantities import printed_decimals as printed_decimals_of
from gongkai.types import (
    Cell,
    CountNorm,
    Direction,
    Entity,
    Fact,
    MetricNorm,
    PercentNorm,
    PeriodNorm,
    Relation,
    RelationLabel,
    Section,
    Structure,
)

_UP = ("增长", "增加", "上升", "提高", "提升", "上涨", "净增", "新增", "多", "增")
_DOWN = ("下降", "减少", "降低", "回落", "下跌", "压缩", "缩短", "压减", "精简", "少", "减", "降")


printed_decimals = lru_cache(maxsize=1 << 14)(printed_decimals_of)


class _Links(NamedTuple):
    """Relations by label and head id."""

    tails: dict[RelationLabel, dict[str, str]]
    scores: dict[str, float]

    def tail(self, label: RelationLabel, head: str) -> str | None:
        return self.tails.get(label, {}).get(head)


class FactBuilder:
    """Builds the facts of one document.

    Args:
        view: Folded text.
        structure: For sections, sentences, tables and the report's year.
        entities: With norms, in text order.
        relations: All relations of the document.
    """

    def __init__(
        self, view: str, structure: Structure, entities: Sequence[Entity], relations: Sequence[Relation]
    ) -> None:
        self._view = view
        self._structure = structure
        self._by_id = {entity.id: entity for entity in entities}
        self._numbers = [e for e in entities if isinstance(e.norm, CountNorm | PercentNorm)]
        self._fact_id = {entity.id: f"F{place}" for place, entity in enumerate(self._numbers, 1)}
        self._links = _linked(relations)
        self._cells = {cell.start: (table, cell) for table in structure.tables for cell in table.cells}
        self._sentence_starts = [start for start, _ in structure.sentences]
        self._default = reported_period(structure.meta.year, structure.meta.title)
        self._sections = SectionPeriods(structure.sections, coming_period(structure.meta))
        for entity in entities:
            if isinstance(entity.norm, PeriodNorm):
                self._sections.state(entity.start, entity.end, entity.norm)

    def build(self) -> tuple[Fact, ...]:
        """One fact for each COUNT and PERCENT, in text order; fact ids F1, F2, …"""
        return tuple(self._fact(number) for number in self._numbers)

    def _fact(self, number: Entity) -> Fact:
        norm = number.norm
        assert isinstance(norm, CountNorm | PercentNorm)
        metric = self._linked_entity("value_of", number)
        during = self._linked_entity("during", number)
        table, cell = self._cells.get(number.start, (None, None))
        section = self._sections.holding(number.start)
        metric_id, certainty = _metric_id(metric, cell)
        percent = isinstance(norm, PercentNorm)
        return Fact(
            id=self._fact_id[number.id],
            metric=metric.text if metric else None,
            metric_id=metric_id,
            value=norm.value,
            value_max=norm.value_max,
            qualifier=norm.qualifier,
            unit="%" if isinstance(norm, PercentNorm) else norm.unit,
            decimals=norm.decimals
            if isinstance(norm, PercentNorm)
            else printed_decimals(self._view[number.start : number.end]),
            period=self._period(during, section),
            direction=self._direction(number),
            compared_with=self._compared_with(number),
            part_of=self._fact_of(self._links.tail("part_of", number.id)),
            share_of=self._fact_of(self._links.tail("share_of", number.id)) if percent else None,
            category=cell.category if cell else None,
            section=section.id if section else None,
            sentence=bisect_right(self._sentence_starts, number.start) - 1,
            table=table.id if table else None,
            evidence=tuple(entity.id for entity in (number, metric, during) if entity is not None),
            score=round(min(number.score, self._links.scores.get(number.id, 1.0)) * certainty, 3),
            by=number.by,
            start=number.start,
            end=number.end,
        )

    def _linked_entity(self, label: RelationLabel, number: Entity) -> Entity | None:
        tail = self._links.tail(label, number.id)
        return self._by_id[tail] if tail is not None else None

    def _fact_of(self, entity_id: str | None) -> str | None:
        return None if entity_id is None else self._fact_id.get(entity_id)

    def _period(self, during: Entity | None, section: Section | None) -> PeriodNorm | None:
        """The sentence's period, else the section's, else the report's year; one that nobody can date is none."""
        if during is not None and isinstance(during.norm, PeriodNorm) and during.norm != PeriodNorm():
            return during.norm
        stated = self._sections.of(section)
        return stated if stated is not None and stated != PeriodNorm() else self._default

    def _compared_with(self, number: Entity) -> str | None:
        tail = self._links.tail("change_from", number.id)
        if tail is None:
            return None
        norm = self._by_id[tail].norm
        if isinstance(norm, PeriodNorm):
            return f"{norm.start or ''}/{norm.end or ''}"
        return self._fact_id.get(tail)

    def _direction(self, number: Entity) -> Direction | None:
        if isinstance(number.norm, PercentNorm):
            return number.norm.direction
        if self._links.tail("change_from", number.id) is None:
            return None
        before = self._view[max(0, number.start - 4) : number.start].rstrip("了约近超过 ")
        if before.endswith(_UP):
            return "up"
        return "down" if before.endswith(_DOWN) else None


def _linked(relations: Sequence[Relation]) -> _Links:
    tails: dict[RelationLabel, dict[str, str]] = {}
    scores: dict[str, float] = {}
    for relation in relations:
        tails.setdefault(relation.label, {}).setdefault(relation.head, relation.tail)
        if relation.label == "value_of":
            scores[relation.head] = relation.score
    return _Links(tails, scores)


def _metric_id(metric: Entity | None, cell: Cell | None) -> tuple[str | None, float]:
    if cell is not None and cell.metric_id is not None:
        return cell.metric_id, 1.0
    if metric is not None and isinstance(metric.norm, MetricNorm):
        return metric.norm.metric_id, metric.norm.score
    return None, 1.0
