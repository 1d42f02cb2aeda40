"""From mentions to entities: ids in text order, exact text, and the normal form of each label."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from gongkai.normalise.docnos import parse_docno
from gongkai.normalise.metrics import MetricMatcher
from gongkai.normalise.periods import normalise_period
from gongkai.normalise.policies import normalise_policy
from gongkai.normalise.quantities import lookup_unit, normalise_count, normalise_percent
from gongkai.spans import IntervalIndex
from gongkai.types import CountNorm, Entity, EntityLabel, Mention, Norm, OrgNorm, PeriodNorm

_count = lru_cache(maxsize=1 << 14)(normalise_count)
"""The same few hundred surfaces (0件, 1次, 100条) make up most of an archive's numbers."""
_period = lru_cache(maxsize=1 << 12)(normalise_period)

_CONTEXT = 8
"""Characters before a percent in which its direction is looked for."""
_COMPARES = re.compile(r"[比较同与自从][ \u200b]?$")
_COMPARED = re.compile(r"[ \u200b]?(?:以来|起(?!草|诉)|相比|相较)")


class _Said:
    """The periods stated so far that later ones of the sentence, or of the paragraph, take their year from.

    Attributes:
        last: The last of this sentence: what 去年同期 is a year before.
        dated: The last with a year of its own, of this sentence, else of this paragraph.
    """

    def __init__(self) -> None:
        self.last: PeriodNorm | None = None
        self.dated: PeriodNorm | None = None
        self._sentence: int | None = None
        self._paragraph: int | None = None

    def turn_to(self, sentence: int | None, paragraph: int | None) -> None:
        """Forget what was said in another sentence or paragraph; None is a place outside all of them."""
        if sentence is None or sentence != self._sentence:
            self.last = None
            if paragraph is None or paragraph != self._paragraph:
                self.dated = None
        self._sentence, self._paragraph = sentence, paragraph

    def add(self, norm: PeriodNorm, own: PeriodNorm) -> None:
        """A period was stated: as resolved, and by its own words alone."""
        if norm.start is not None and norm.end is not None:
            self.last = norm
        if own.start is not None and own.end is not None and own.start[:4] == own.end[:4]:
            self.dated = own


class Normaliser:
    """Normalises the mentions of one document.

    Args:
        text: The document.
        view: Its folded view.
        year: The year that the report is about; resolves 全年 and 上半年.
        matcher: The metric ontology.
        number_of_metric: METRIC mention → a number that it has, for the unit that the metric must allow.
        unit_at: Start of a table cell's bare number → the unit that its row or form gives it.
        sentences, paragraphs: Of the document; a bare 6月底 or 全年 takes its year from a period before it in
            its sentence, else in its paragraph, else from the report.
    """

    def __init__(
        self,
        text: str,
        view: str,
        year: int | None,
        matcher: MetricMatcher,
        number_of_metric: dict[Mention, Mention],
        unit_at: Mapping[int, str],
        sentences: Sequence[tuple[int, int]] = (),
        paragraphs: Sequence[tuple[int, int]] = (),
    ) -> None:
        self._text = text
        self._view = view
        self._year = year
        self._matcher = matcher
        self._number_of_metric = number_of_metric
        self._unit_at = unit_at
        self._sentences = IntervalIndex(sentences)
        self._paragraphs = IntervalIndex(paragraphs)
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
        periods = self._periods(ordered)
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

    def _periods(self, ordered: Sequence[Mention]) -> dict[Mention, PeriodNorm]:
        """Each PERIOD with what the periods before it in its sentence and paragraph supply."""
        found: dict[Mention, PeriodNorm] = {}
        said = _Said()
        cited = 0
        for mention in ordered:
            if mention.label in ("POLICY", "DOCNO"):
                cited = max(cited, mention.end)
            if mention.label != "PERIOD":
                continue
            surface = self._view[mention.start : mention.end]
            said.turn_to(self._sentences.find(mention.start), self._paragraphs.find(mention.start))
            same_period = "同期" in surface
            anchor = said.last if same_period else said.dated
            found[mention] = norm = _period(surface, year=self._year, anchor=anchor)
            if mention.end > cited and not same_period and not self._is_compared(mention):
                said.add(norm, own=_period(surface, year=None))
        return found

    def _is_compared(self, mention: Mention) -> bool:
        """Whether a period is what another is compared with or counted from, not what is spoken of."""
        before = self._view[max(0, mention.start - 2) : mention.start]
        return bool(_COMPARES.search(before) or _COMPARED.match(self._view, mention.end))

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
        norm = self._norm(number, self._view[number.start : number.end])
        return norm.unit if isinstance(norm, CountNorm) else None
