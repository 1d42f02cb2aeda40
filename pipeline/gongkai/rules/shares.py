"""share_of: which total a percentage is a share or a rate of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gongkai.rules.clauses import Clause
from gongkai.rules.ledger import LIST_LIMIT, REACH, Ledger, count_unit, count_value
from gongkai.types import Entity, PercentNorm

_CLAUSES_BACK = 12
"""Sentences before a share's in which a total that makes it true is looked for."""
_SHARE_TOLERANCE = 0.006
"""A share of a count of its own sentence is true within this."""
_CLOSE = 0.0006
"""A share of a count further above is true within this."""
_RATE_CLAUSES = 2
"""Sentences before a rate's in which its cases may stand."""
_RATE_COUNTS = 8
"""Counts before a rate of which it may be the share of one in another."""
_HAN_ONLY = re.compile(r"[一-鿿]{0,6}")

Share = tuple[Entity, str]
"""A total, and the name of the rule that found it."""


def relate_shares(ledger: Ledger) -> None:
    """Enter what each percentage is of; changes and parts must be entered before."""
    for clause in ledger.clauses:
        for place, percent in enumerate(clause.numbers):
            if percent.label != "PERCENT" or percent.id in ledger.changes:
                continue
            found = _shared_total(ledger, clause, place, percent) or _rated_totals(ledger, clause, percent)
            for total, rule in found:
                ledger.add(rule, percent, total)


def _shared_total(ledger: Ledger, clause: Clause, place: int, percent: Entity) -> list[Share]:
    before = [n for n in clause.numbers[max(0, place - LIST_LIMIT) : place] if n.label == "COUNT"]
    if not before:
        return _labelled_share(ledger, clause, percent)
    count = before[-1]
    of_count = _same_metric(ledger, count, percent)
    if not of_count and not _says_share(ledger, clause, percent):
        return _group_share(ledger, count, percent)
    if not of_count and percent.id in ledger.metric_of:
        return [(ledger.whole_of(count), "share_of.labelled")]
    ledger.sharing.add(count.id)
    total = (
        ledger.total_of.get(count.id)
        or _whole(ledger, count, percent, before[:-1])
        or _whole_above(ledger, clause, count, percent)
    )
    return [(total, "share_of.part")] if total is not None else []


def _same_metric(ledger: Ledger, a: Entity, b: Entity) -> bool:
    return a.id in ledger.metric_of and ledger.metric_of[a.id] is ledger.metric_of.get(b.id)


def _says_share(ledger: Ledger, clause: Clause, percent: Entity) -> bool:
    start = max(clause.start, percent.start - REACH)
    return ledger.cues["share"].search(ledger.masked, start, percent.start) is not None


def _group_share(ledger: Ledger, count: Entity, percent: Entity) -> list[Share]:
    """589个事项100%进驻: stated of the whole group that stands beside it."""
    metric, group = ledger.metric_of.get(percent.id), ledger.metric_of.get(count.id)
    if metric is None or group is None or metric.start < percent.end:
        return []
    beside = _HAN_ONLY.fullmatch(ledger.masked, group.end, percent.start)
    return [(count, "share_of.group")] if beside else []


def _labelled_share(ledger: Ledger, clause: Clause, percent: Entity) -> list[Share]:
    """征地补偿占41%: a labelled share, of the last total of the sentence before."""
    metric = ledger.metric_of.get(percent.id)
    if metric is None or not clause.place or not _says_share(ledger, clause, percent):
        return []
    above = ledger.clauses[clause.place - 1]
    if above.paragraph != clause.paragraph:
        return []
    if ledger.cues["free_rate"].search(ledger.masked, metric.start, metric.end):
        return []
    wholes = list(filter(ledger.is_whole, ledger.counts(above)))
    return [(wholes[-1], "share_of.labelled")] if wholes else []


def _whole(ledger: Ledger, part: Entity, percent: Entity, before: Sequence[Entity]) -> Entity | None:
    """The earlier count that the share is of: the one that makes it true, else the nearest larger."""
    fitting = [n for n in reversed(before) if ledger.fits(n, part) and count_value(n) > 0]
    true = [n for n in fitting if _error(part, n, percent) < _SHARE_TOLERANCE]
    larger = [n for n in fitting if ledger.is_whole(n) and count_value(n) > count_value(part)]
    chosen = true or larger
    if not chosen:
        return None
    _link(ledger, part, chosen[0])
    return chosen[0]


def _whole_above(ledger: Ledger, clause: Clause, part: Entity, percent: Entity) -> Entity | None:
    """A total some sentences above that makes the share true (a list of one item a line)."""
    for above in reversed(ledger.clauses[max(0, clause.place - _CLAUSES_BACK) : clause.place]):
        if not ledger.same_section(above, clause):
            return None
        for count in ledger.counts(above):
            if not ledger.is_whole(count) or not ledger.fits(count, part) or not count_value(count):
                continue
            if _error(part, count, percent) < _CLOSE:
                _link(ledger, part, count)
                return count
    return None


def _error(part: Entity, total: Entity, percent: Entity) -> float:
    """How far the stated share is from that of `part` in `total`, which is not 0."""
    stated = percent.norm.value if isinstance(percent.norm, PercentNorm) else 0.0
    return abs(count_value(part) / count_value(total) - stated)


def _link(ledger: Ledger, part: Entity, total: Entity) -> None:
    if part.id not in ledger.total_of:
        ledger.add_part("part_of.share", part, total)


def _rated_totals(ledger: Ledger, clause: Clause, percent: Entity) -> list[Share]:
    """The cases that a rate is of, in its sentence or one just before."""
    metric = ledger.metric_of.get(percent.id)
    if metric is None or not _is_rate_of_cases(ledger, metric, percent):
        return []
    base = _true_base(ledger, clause, percent)
    if base is not None:
        return [(base, "share_of.rate")]
    cases = _nearest_cases(ledger, clause, metric, percent)
    if not cases:
        return []
    if ledger.cues["each"].search(ledger.masked, metric.end, percent.start):
        return [(case, "share_of.each_rate") for case in cases[-2:]]
    return [(ledger.whole_of(cases[-1]), "share_of.rate")]


def _is_rate_of_cases(ledger: Ledger, metric: Entity, percent: Entity) -> bool:
    """Whether the metric is a rate of something counted: no growth rate, and none that is only aimed at."""
    name = ledger.masked[metric.start : metric.end]
    if not ledger.cues["rate"].search(name) or ledger.cues["free_rate"].search(name):
        return False
    return ledger.cues["aimed_at"].search(ledger.masked, metric.end, percent.start) is None


def _true_base(ledger: Ledger, clause: Clause, percent: Entity) -> Entity | None:
    """The count just before of which another count just before is that share (2765件,办结2741件,99.1%)."""
    norm = percent.norm
    if not isinstance(norm, PercentNorm) or norm.value >= 1:
        return None
    near = [
        count
        for above in ledger.clauses[max(0, clause.place - 1) : clause.place + 1]
        if above.paragraph == clause.paragraph
        for count in ledger.counts_before(above, percent.start)
    ][-_RATE_COUNTS:]
    half = 0.5 * 10.0 ** -(norm.decimals + 2) + 1e-9
    for base in reversed(near):
        parts = [part for part in near if ledger.fits(base, part) and count_value(base)]
        if any(_error(part, base, percent) <= half for part in parts):
            return base
    return None


def _nearest_cases(ledger: Ledger, clause: Clause, metric: Entity, percent: Entity) -> list[Entity]:
    """The counts of cases before a rate, in the nearest sentence of the paragraph that has any."""
    stems = set(ledger.cues["rate_stem"].findall(ledger.masked[metric.start : metric.end]))
    if not stems:
        return []
    for near in _back_from(ledger, clause):
        cases = [n for n in ledger.counts_before(near, percent.start) if _is_case(ledger, n, stems)]
        if cases:
            return cases
    return []


def _back_from(ledger: Ledger, clause: Clause) -> Iterator[Clause]:
    """The clause and those just before it in its paragraph, nearest first."""
    for near in reversed(ledger.clauses[max(0, clause.place - _RATE_CLAUSES) : clause.place + 1]):
        if near.paragraph != clause.paragraph:
            return
        yield near


def _is_case(ledger: Ledger, count: Entity, stems: set[str]) -> bool:
    """Whether a rate can be of this count: things or people, and not those that the rate counts."""
    metric = ledger.metric_of.get(count.id)
    if metric is None or not any(count_unit(count) in family for family in ledger.cues.families):
        return False
    words = ledger.masked[metric.start : metric.end]
    return not any(stem in words for stem in stems)
