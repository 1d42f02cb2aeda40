"""Which metric of the ontology a phrase names, and how sure that is; the unknown stays unmapped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Literal

import msgspec

from gongkai.errors import ConfigError
from gongkai.resources import config_path, load_yaml
from gongkai.rules.table import alternatives
from gongkai.text import fold
from gongkai.types import MetricNorm

LABEL_SCORE = 1.0
SYNONYM_SCORE = 0.95
_SUBJECT_SCORE = 0.9
_REDUCED_BEST = 0.88
_REDUCED_LOSS = 0.4
_LOST_HEAD_SCORE = 0.8
_LOST_HEAD_LENGTH = 6
_LEAST_SCORE = 0.5
_OTHER_THING = 0.9
_UNKNOWN_UNIT = 0.8
_OTHER_FAMILY = 0.55
_LONGEST_PHRASE = 60

_UNSEEN = re.compile(r"[\s\u200b,.;:、。·“”‘’\"'()《》〈〉\[\]/\-]+")


class Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One indicator: a row of `configs/metrics.yaml`, whose head explains the fields."""

    id: str
    label: str
    traditional: str
    units: tuple[str, ...]
    match: str
    reject: str
    kind: Literal["count", "money", "rate"] = "count"
    parent: str | None = None
    forms: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    with_unit: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """The unit that the form gives it."""
        return self.units[0]


class Reduction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What approximate matching may remove from a phrase, and which words it takes for one another."""

    drop: tuple[str, ...]
    drop_first: tuple[str, ...]
    drop_last: tuple[str, ...]
    keep: tuple[str, ...]
    same: dict[str, tuple[str, ...]]
    shortest: int


class Ontology(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`configs/metrics.yaml`."""

    reduction: Reduction
    families: dict[str, tuple[str, ...]]
    metrics: tuple[Metric, ...]


@cache
def load_ontology() -> Ontology:
    """The shipped ontology.

    Raises:
        ConfigError: An id stands twice, a parent is no row, or two rows claim one phrase.
    """
    ontology = load_yaml("metrics.yaml", Ontology)
    ids = {metric.id for metric in ontology.metrics}
    if len(ids) < len(ontology.metrics):
        twice = Counter(metric.id for metric in ontology.metrics).most_common(1)[0][0]
        raise _refused(f"Metric {twice} stands twice.", "Remove one.")
    for metric in ontology.metrics:
        if metric.parent is not None and metric.parent not in ids:
            raise _refused(f"Metric {metric.id} has the unknown parent {metric.parent}.", "Name a row.")
    return ontology


def _refused(problem: str, remedy: str) -> ConfigError:
    return ConfigError(str(config_path("metrics.yaml")), problem, remedy)


def surface(phrase: str) -> str:
    """The folded phrase without white space, zero-width characters, quotes and punctuation.

    >>> surface("收到 「政府資訊公開」申請")
    '收到政府资讯公开申请'
    """
    return _UNSEEN.sub("", fold(phrase))


class MetricMatcher:
    """Maps phrases to metrics by dictionary: a row's label (1.0), its synonyms (0.95), then reduced forms.

    A reduced form is what is left of a phrase without the words that make no difference (政府, 信息, 数量 …)
    and with one word for several (收到 for 受理, 接到). It scores less the more had to go. A form that two
    rows reduce to maps to neither.
    """

    def __init__(self, ontology: Ontology) -> None:
        self._metrics = {metric.id: metric for metric in ontology.metrics}
        self._units = {metric.id: frozenset(map(fold, metric.units)) for metric in ontology.metrics}
        self._family = {fold(u): name for name, units in ontology.families.items() for u in units}
        self._reduction = ontology.reduction
        self._spelling = {
            fold(word): fold(one) for one, words in ontology.reduction.same.items() for word in (one, *words)
        }
        self._subject = re.compile(alternatives(ontology.reduction.drop_first))
        self._words = self._compile_words()
        self._exact: dict[str, tuple[str, float]] = {}
        self._with_unit: dict[tuple[str, str], str] = {}
        for metric in ontology.metrics:
            self._add(metric)
        self._reduced = self._index_reduced()
        self._lost_head = self._index_lost_heads()
        self._match = lru_cache(maxsize=65_536)(self._match_uncached)

    def match(self, phrase: str, *, unit: str | None = None) -> MetricNorm | None:
        """The metric that `phrase` names, or None where that is not sure.

        Args:
            phrase: Words of the text, in either script.
            unit: Unit of the number, as printed (`件`, `万元`, `%`). One that the metric cannot have lowers
                the score or refuses the match; 万 and 亿 before it are passed over. Give none for a share
                (占57%) or a change of the metric.

        >>> load_matcher().match("受理政府信息公開申請", unit="件")
        MetricNorm(metric_id='requests.received', score=0.95)
        >>> load_matcher().match("发布信息") is None
        True
        """
        if len(phrase) > _LONGEST_PHRASE:
            return None
        return self._match(phrase, unit)

    def _match_uncached(self, phrase: str, unit: str | None) -> MetricNorm | None:
        key = surface(phrase)
        unit = fold(unit or "").strip().removeprefix("万").removeprefix("亿") or None
        if unit is not None:
            owner = self._with_unit.get((key, unit))
            if owner is not None:
                return MetricNorm(metric_id=owner, score=SYNONYM_SCORE)
        found = self._exact.get(key) or self._match_subject(key) or self._match_reduced(key)
        found = found or self._lost_head.get(key)
        if found is None:
            return None
        score = round(found[1] * self._unit_factor(self._metrics[found[0]], unit), 3)
        return MetricNorm(metric_id=found[0], score=score) if score >= _LEAST_SCORE else None

    def _match_subject(self, key: str) -> tuple[str, float] | None:
        """An exact phrase after the words for the reporting body (全市, 本机关)."""
        subject = self._subject.match(key)
        found = self._exact.get(key[subject.end() :]) if subject else None
        return None if found is None else (found[0], _SUBJECT_SCORE)

    def _match_reduced(self, key: str) -> tuple[str, float] | None:
        """By the reduced form; its score falls with the share of characters that had to go on both sides."""
        reduced = self._reduce(key)
        found = self._reduced.get(reduced)
        if found is None:
            return None
        metric_id, length = found
        dropped = abs(len(key) - len(reduced)) + abs(length - len(reduced))
        return metric_id, _REDUCED_BEST - _REDUCED_LOSS * min(1.0, dropped / (len(key) + length))

    def _unit_factor(self, metric: Metric, unit: str | None) -> float:
        """1 for a unit of the metric, less for another of the same kind, 0 for one that contradicts it."""
        if unit is None or unit in self._units[metric.id]:
            return 1.0
        family = self._family.get(unit)
        expected = self._family[fold(metric.unit)]
        if family is None:
            return _UNKNOWN_UNIT if expected == "thing" else 0.0
        if family == expected:
            return 1.0 if family == "money" else _OTHER_THING
        return _OTHER_FAMILY if {family, expected} == {"thing", "person"} else 0.0

    def _add(self, metric: Metric) -> None:
        for phrase, score in self._phrases(metric):
            owner = self._exact.setdefault(surface(phrase), (metric.id, score))[0]
            if owner != metric.id:
                raise _refused(f"{owner} and {metric.id} both claim {phrase}.", "Leave it with one of them.")
        for phrase in metric.with_unit:
            for unit in metric.units:
                owner = self._with_unit.setdefault((surface(phrase), fold(unit)), metric.id)
                if owner != metric.id:
                    raise _refused(f"{owner} and {metric.id} both claim {phrase} in {unit}.", "Leave one.")

    def _phrases(self, metric: Metric) -> Iterator[tuple[str, float]]:
        yield metric.label, LABEL_SCORE
        yield metric.traditional, LABEL_SCORE
        for synonym in metric.synonyms:
            yield synonym, SYNONYM_SCORE

    def _compile_words(self) -> re.Pattern[str]:
        reduction = self._reduction
        return re.compile(
            f"(?P<keep>{alternatives(reduction.keep)})"
            f"|(?P<drop>^{alternatives(reduction.drop_first)}|{alternatives(reduction.drop_last)}$)"
            f"|(?P<same>{alternatives(tuple(self._spelling))})"
            f"|(?P<gone>{alternatives(reduction.drop)})"
        )

    def _reduce(self, key: str) -> str:
        def replace(match: re.Match[str]) -> str:
            if match["keep"]:
                return match["keep"]
            word = self._spelling.get(match["same"] or "", "")
            return "" if word in self._reduction.drop else word

        return self._words.sub(replace, key)

    def _index_reduced(self) -> dict[str, tuple[str, int]]:
        """Reduced form → metric and length of the shortest phrase that it was reduced from."""
        index: dict[str, tuple[str, int]] = {}
        shared: set[str] = set()
        for phrase, (metric_id, _) in self._exact.items():
            reduced = self._reduce(phrase)
            if len(reduced) < self._reduction.shortest:
                continue
            owner, length = index.get(reduced, (metric_id, len(phrase)))
            if owner != metric_id:
                shared.add(reduced)
            index[reduced] = (metric_id, min(length, len(phrase)))
        return {reduced: found for reduced, found in index.items() if reduced not in shared}

    def _index_lost_heads(self) -> dict[str, tuple[str, float]]:
        """Labels and synonyms without their first character: what pages lose most often."""
        index: dict[str, tuple[str, float]] = {}
        shared: set[str] = set()
        for phrase, (metric_id, _) in self._exact.items():
            rest = phrase[1:]
            if len(rest) < _LOST_HEAD_LENGTH or phrase[0] in "不未非无没":
                continue
            if index.setdefault(rest, (metric_id, _LOST_HEAD_SCORE))[0] != metric_id:
                shared.add(rest)
        return {rest: found for rest, found in index.items() if rest not in shared}


@cache
def load_matcher() -> MetricMatcher:
    """The matcher of the shipped ontology."""
    return MetricMatcher(load_ontology())
