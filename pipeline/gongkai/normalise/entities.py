"""From mentions to entities: ids in text order, exact text, and the normal form of each label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

import msgspec

from gongkai.normalise.docnos import parse_docno
from gongkai.normalise.metrics import MetricMatcher
from gongkai.normalise.periods import normalise_period
from gongkai.normalise.policies import normalise_policy
from gongkai.normalise.quantities import lookup_unit, normalise_count, normalise_percent
from gongkai.types import CountNorm, Entity, EntityLabel, Mention, Norm, OrgNorm

_count = lru_cache(maxsize=1 << 14)(normalise_count)
"""The same few hundred surfaces (0件, 1次, 100条) make up most of an archive's numbers."""

_CONTEXT = 8
"""Characters before a percent in which its direction is looked for."""


class Normaliser:
    """Normalises the mentions of one document.

    Args:
        text: The document.
        view: Its folded view.
        year: The year that the report is about; resolves 全年 and 上半年.
        matcher: The metric ontology.
        number_of_metric: METRIC mention → a number that it has, for the unit that the metric must allow.
        unit_at: Start of a table cell's bare number → the unit that its row or form gives it.
    """

    def __init__(
        self,
        text: str,
        view: str,
        year: int | None,
        matcher: MetricMatcher,
        number_of_metric: dict[Mention, Mention],
        unit_at: Mapping[int, str],
    ) -> None:
        self._text = text
        self._view = view
        self._year = year
        self._matcher = matcher
        self._number_of_metric = number_of_metric
        self._unit_at = unit_at
        self._by_label: dict[EntityLabel, Callable[[Mention, str], Norm | None]] = {
            "COUNT": self._count,
            "PERCENT": self._percent,
            "PERIOD": lambda mention, surface: normalise_period(surface, year=self._year),
            "DOCNO": lambda mention, surface: parse_docno(surface),
            "POLICY": lambda mention, surface: normalise_policy(surface),
            "ORG": lambda mention, surface: OrgNorm(name=surface),
            "METRIC": self._metric,
        }

    def entities(self, mentions: Iterable[Mention]) -> tuple[Entity, ...]:
        """Entities T1, T2, … in text order, the outer before the inner."""
        ordered = sorted(mentions, key=lambda mention: (mention.start, -mention.end, mention.label))
        return tuple(self._entity(f"T{place}", mention) for place, mention in enumerate(ordered, 1))

    def _entity(self, entity_id: str, mention: Mention) -> Entity:
        return Entity(
            id=entity_id,
            label=mention.label,
            start=mention.start,
            end=mention.end,
            text=self._text[mention.start : mention.end],
            score=mention.score,
            by=mention.by,
            norm=self._by_label[mention.label](mention, self._view[mention.start : mention.end]),
        )

    def _count(self, mention: Mention, surface: str) -> CountNorm:
        norm = _count(surface)
        known = lookup_unit(self._unit_at.get(mention.start, "")) if norm.unit is None else None
        if known is None:
            return norm
        unit, factor = known
        return msgspec.structs.replace(norm, value=norm.value * factor, unit=unit)

    def _percent(self, mention: Mention, surface: str) -> Norm:
        return normalise_percent(surface, self._view[max(0, mention.start - _CONTEXT) : mention.start])

    def _metric(self, mention: Mention, surface: str) -> Norm | None:
        number = self._number_of_metric.get(mention)
        return self._matcher.match(surface, unit=self._unit(number) if number else None)

    def _unit(self, number: Mention) -> str | None:
        if number.label == "PERCENT":
            return "%"
        return self._count(number, self._view[number.start : number.end]).unit
