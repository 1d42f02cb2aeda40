"""From mentions to entities: ids in text order, exact text, and the normal form of each label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

import msgspec

from gongkai.dating import PeriodReader
from gongkai.normalise.docnos import parse_docno
from gongkai.normalise.metrics import MetricMatcher
from gongkai.normalise.places import Surroundings
from gongkai.normalise.policies import normalise_policy
from gongkai.normalise.quantities import lookup_unit, normalise_count, normalise_percent
from gongkai.types import (
    CountNorm,
    Entity,
    EntityLabel,
    Mention,
    MetricNorm,
    Norm,
    OrgNorm,
    PeriodNorm,
)

_count = lru_cache(maxsize=1 << 14)(normalise_count)
"""The same few hundred surfaces (0件, 1次, 100条) make up most of an archive's numbers."""

_CONTEXT = 8
"""Characters before a percent in which its direction is looked for."""


class Normaliser:
    """Normalises the mentions of one document.

    Args:
        text: The document.
        view: Its folded view.
        matcher: The metric ontology.
        number_of_metric: METRIC mention → a number that it has, for the unit that the metric must allow.
        unit_at: Start of a table cell's bare number → the unit that its row or form gives it.
        periods: Reads the document's periods.
        surroundings: Tells what is spoken of where a METRIC stands.
        metric_at: Start of a standard form's label → its row of the ontology; None for one of several.
    """

    def __init__(
        self,
        text: str,
        view: str,
        matcher: MetricMatcher,
        number_of_metric: dict[Mention, Mention],
        unit_at: Mapping[int, str],
        periods: PeriodReader,
        surroundings: Surroundings,
        metric_at: Mapping[int, str | None],
    ) -> None:
        self._text = text
        self._view = view
        self._matcher = matcher
        self._number_of_metric = number_of_metric
        self._unit_at = unit_at
        self._metric_at = metric_at
        self._surroundings = surroundings
        self._periods = periods
        self._by_label: dict[EntityLabel, Callable[[Mention, str], Norm | None]] = {
            "COUNT": self._count,
            "PERCENT": self._percent,
            "DOCNO": lambda mention, surface: parse_docno(surface),
            "POLICY": lambda mention, surface: normalise_policy(surface),
            "ORG": lambda mention, surface: OrgNorm(name=surface),
            "METRIC": self._metric,
        }

    def entities(self, mentions: Iterable[Mention]) -> tuple[Entity, ...]:
        """Entities T1, T2, … in text order, the outer before the inner."""
        ordered = sorted(mentions, key=lambda mention: (mention.start, -mention.end, mention.label))
        periods = self._periods.read(ordered)
        return tuple(self._entity(f"T{place}", mention, periods) for place, mention in enumerate(ordered, 1))

    def _entity(self, entity_id: str, mention: Mention, periods: Mapping[Mention, PeriodNorm]) -> Entity:
        surface = self._view[mention.start : mention.end]
        return Entity(
            id=entity_id,
            label=mention.label,
            start=mention.start,
            end=mention.end,
            text=self._text[mention.start : mention.end],
            score=mention.score,
            by=mention.by,
            norm=periods.get(mention) or self._norm(mention, surface),
        )

    def _norm(self, mention: Mention, surface: str) -> Norm | None:
        """None where the words cannot be read: a span that the rules did not tag may hold anything."""
        try:
            return self._by_label[mention.label](mention, surface)
        except ValueError:
            return None

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
        if mention.start in self._metric_at:
            row = self._metric_at[mention.start]
            return None if row is None else MetricNorm(metric_id=row, score=1.0)
        number = self._number_of_metric.get(mention)
        place = self._surroundings.at(mention.start)
        return self._matcher.match(surface, unit=self._unit(number) if number else None, place=place)

    def _unit(self, number: Mention) -> str | None:
        if number.label == "PERCENT":
            return "%"
        norm = self._norm(number, self._view[number.start : number.end])
        return norm.unit if isinstance(norm, CountNorm) else None
