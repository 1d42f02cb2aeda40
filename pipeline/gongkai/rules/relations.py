"""The numeric relations: value_of, during, part_of, share_of, change_from."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

import msgspec

from gongkai.resources import config_path, load_yaml
from gongkai.rules.masking import PIECES
from gongkai.rules.table import expand
from gongkai.text import fold
from gongkai.types import CountNorm, Entity, PercentNorm, Relation, RelationLabel

_REACH = 80
_CLAUSES_AHEAD = 16
_CLAUSES_BACK = 12
_NEAR = 20
_CLOSE = 0.0006
_TELLING = 20
_SHARE_TOLERANCE = 0.006
_RATE_CLAUSES = 2
_RATE_COUNTS = 8
_LIST_LIMIT = 40


class RelationRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of `configs/relations.yaml`; its head explains the columns."""

    name: str
    label: RelationLabel
    score: float
    source: str
    match: tuple[str, ...]
    reject: tuple[str, ...]


class RelationFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`configs/relations.yaml`."""

    rules: tuple[RelationRule, ...]
    cues: dict[str, str]
    document_units: tuple[str, ...]
    unit_families: tuple[tuple[str, ...], ...]


class Cues:
    """The compiled cues of `configs/relations.yaml`, and the rules that use them, by name."""

    def __init__(self, file: RelationFile) -> None:
        where = str(config_path("relations.yaml"))
        self._patterns = {
            name: re.compile(expand(fold(pattern), PIECES, where)) for name, pattern in file.cues.items()
        }
        self.rules = {rule.name: rule for rule in file.rules}
        self.document_units = frozenset(map(fold, file.document_units))
        self.families = tuple(frozenset(map(fold, family)) for family in file.unit_families)

    def __getitem__(self, name: str) -> re.Pattern[str]:
        return self._patterns[name]

    def same_unit(self, a: str | None, b: str | None) -> bool:
        """Whether counts in these units can be parts of one total."""
        if a == b:
            return True
        return any(a in family and b in family for family in self.families)


@cache
def load_cues() -> Cues:
    """The shipped cues, compiled once."""
    return Cues(load_yaml("relations.yaml", RelationFile))


class Clause(NamedTuple):
    """A sentence with its numbers and periods, in text order."""

    start: int
    end: int
    paragraph: int
    numbers: tuple[Entity, ...]
    periods: tuple[Entity, ...]


class NumberRelations:
    """Ties the numbers of one document's prose to periods, totals and what they are compared with.

    Args:
        masked: The masked view, METRICs unmasked.
        entities: All entities, with their norms, in text order.
        metric_of: Number id → METRIC entity.
        sentences, paragraphs: (start, end) pairs.
    """

    def __init__(
        self,
        masked: str,
        entities: Sequence[Entity],
        metric_of: dict[str, Entity],
        sentences: Sequence[tuple[int, int]],
        paragraphs: Sequence[tuple[int, int]],
        cues: Cues,
    ) -> None:
        self.masked = masked
        self.metric_of = metric_of
        self.cues = cues
        self.paragraphs = paragraphs
        self.clauses = _clauses(entities, sentences, paragraphs)
        self._by_paragraph: dict[int, list[Clause]] = {}
        for clause in self.clauses:
            self._by_paragraph.setdefault(clause.paragraph, []).append(clause)
        self.relations: list[Relation] = []
        self._total_of: dict[str, Entity] = {}
        self._changes: dict[str, Entity | None] = {}
        self._compared: set[str] = set()
        self._sharing: set[str] = set()
        self._counts_of: dict[int, list[Entity]] = {}

    def relate(self) -> list[Relation]:
        """All relations found, each head with at most one tail a label."""
        for clause in self.clauses:
            self._during(clause)
            self._change_from(clause)
        self._compared = {tail.id for tail in self._changes.values() if tail is not None}
        for index, clause in enumerate(self.clauses):
            self._cued_parts(index, clause)
            self._listed_parts(clause)
            self._subsets(clause)
            self._some_of(clause)
        # From the last total to the first: where a list adds up to two of them, it breaks down the nearer.
        for index, clause in reversed(list(enumerate(self.clauses))):
            self._lists_below(index, clause)
        self._announced_parts()
        for index, clause in enumerate(self.clauses):
            self._share_of(index, clause)
        return self.relations

    # -- during -------------------------------------------------------------------------------------------

    def _during(self, clause: Clause) -> None:
        naming = {period.id for period in clause.periods if self._names(period)}
        passed = 0
        for number in clause.numbers:
            while passed < len(clause.periods) and clause.periods[passed].end <= number.start:
                passed += 1
            if self._outside_time(clause, number):
                continue
            for period in reversed(clause.periods[max(0, passed - _LIST_LIMIT) : passed]):
                if period.id not in naming and self._governs(clause, period, number):
                    self._add("during.preceding", number, period)
                    break

    def _outside_time(self, clause: Clause, number: Entity) -> bool:
        """上年结转2件 is an indicator's name; the first value of 由9个增至14个 is of no stated time."""
        before = max(clause.start, number.start - _NEAR)
        if self.cues["carried"].search(self.masked, before, number.start):
            return True
        opened = self.cues["from_value"].search(self.masked, before, number.start)
        return opened is not None and self.cues["to_value"].match(self.masked, number.end) is not None

    def _governs(self, clause: Clause, period: Entity, number: Entity) -> bool:
        start = max(clause.start, period.start - 2)
        if not self.cues["compared_period"].search(self.masked, start, period.start):
            return True
        # 比2017年的3510宗, 由上年的84.6%: the compared value's own period; 是2012年的1.6倍 is a change since.
        own = self.masked[period.end : number.start] in ("的", "")
        return own and (number.label == "COUNT" or self.masked[period.start - 1] not in "是为")

    def _names(self, period: Entity) -> bool:
        naming = self.cues["naming_period"]
        before = self.masked[max(0, period.start - _NEAR) : period.start]
        if naming.match(self.masked, period.end) or naming.search(before[-2:]):
            return True
        return before.rfind("《") > before.rfind("》")

    # -- change_from --------------------------------------------------------------------------------------

    def _change_from(self, clause: Clause) -> None:
        by_start = {entity.start: entity for entity in (*clause.numbers, *clause.periods)}
        previous: Entity | None = None
        for number in clause.numbers:
            start = max(clause.start, number.start - _REACH)
            match = _last(self.cues["compared_with"], self.masked, start, number.start)
            if match is not None:
                group = next((name for name in ("count", "period", "base") if match[name]), "period")
                at = match.start(group)
                tail = by_start.get(at)
                self._changes[number.id] = tail
                if tail is not None:
                    self._add("change_from.compared", number, tail)
            elif previous is not None and previous.id in self._changes and self._goes_on(previous, number):
                tail = self._changes[previous.id]
                self._changes[number.id] = tail
                if tail is not None:
                    self._add("change_from.goes_on", number, tail)
            elif self.cues["change"].search(self.masked, start, number.start):
                self._changes[number.id] = None
            previous = number

    def _goes_on(self, previous: Entity, number: Entity) -> bool:
        between = self.masked[previous.end : number.start]
        return self.cues["change_goes_on"].search(between) is not None

    # -- part_of ------------------------------------------------------------------------------------------

    def _cued_parts(self, index: int, clause: Clause) -> None:
        """Counts after 其中 or 包括 are parts of the count before it."""
        for cue in self.cues["among"].finditer(self.masked, clause.start, clause.end):
            counts = self._counts(clause)
            first = bisect_left(counts, cue.end(), key=_start)
            parts = counts[first : first + _LIST_LIMIT]
            if not parts or parts[0].start - cue.end() > _REACH:
                continue
            total = self._total_before(index, clause, cue.start(), parts[0])
            if total is not None:
                self._link_parts(total, parts, "part_of.among")

    def _total_before(self, index: int, clause: Clause, position: int, part: Entity) -> Entity | None:
        before = self._counts_before(clause, position)
        if not before and index:
            earlier = self.clauses[index - 1]
            if earlier.paragraph != clause.paragraph or clause.start + 3 < position:
                return None
            before = self._counts_before(earlier, position)
        fitting = [n for n in before if self._fits(n, part)]
        free = [n for n in fitting if n.id not in self._total_of]
        chosen = free or fitting
        return chosen[-1] if chosen else None

    def _listed_parts(self, clause: Clause) -> None:
        """A list after a total: in its bracket, after its colon, or adding up to exactly the total."""
        counts = self._counts(clause)
        for place, total in enumerate(counts):
            following = counts[place + 1 : place + 1 + _LIST_LIMIT]
            opening = self.masked[total.end : total.end + 1]
            if opening == "(":
                close = self.masked.find(")", total.end, clause.end)
                inside = [n for n in following if n.end <= close and self._labelled(n)]
                self._link_parts(total, inside, "part_of.bracket")
            elif opening == ":":
                self._link_parts(total, following, "part_of.colon")
            else:
                self._link_parts(total, self._summing_prefix(total, following), "part_of.adds_up")

    def _lists_below(self, index: int, clause: Clause) -> None:
        """Lists in the sentences and paragraphs after a total, recognised by adding up to it exactly."""
        ahead = []
        for later in self.clauses[index + 1 : index + 1 + _CLAUSES_AHEAD]:
            if later.paragraph != clause.paragraph and self._new_section(clause.paragraph, later.paragraph):
                break
            ahead.append(self._counts(later))
        rest = [count for counts in ahead for count in counts]
        for counts in ahead:
            for total in self._counts(clause):
                parts = self._summing_prefix(total, rest)
                same_unit = all(_unit(part) == _unit(total) for part in parts)
                # Two small numbers add up to a third by chance.
                if same_unit and (len(parts) > 2 or _value(total) >= _TELLING):
                    self._link_parts(total, parts, "part_of.adds_up_below")
            rest = rest[len(counts) :]

    def _new_section(self, paragraph: int, later: int) -> bool:
        """Whether a heading 二、 stands between the two paragraphs."""
        starts = (start for start, _ in self.paragraphs[paragraph + 1 : later + 1])
        return any(_HEADING.match(self.masked, start) for start in starts)

    def _summing_prefix(self, total: Entity, counts: Sequence[Entity]) -> list[Entity]:
        parts: list[Entity] = []
        amount = 0.0
        for count in counts[:_LIST_LIMIT]:
            if count.id in self._total_of or not self._fits(total, count) or count.id not in self.metric_of:
                break
            parts.append(count)
            amount += _value(count)
            if amount >= _value(total):
                return parts if amount == _value(total) and len(parts) > 1 and amount else []
        return []

    def _subsets(self, clause: Clause) -> None:
        """589个政务服务事项…,其余554个事项: a smaller count of the same noun is part of the larger."""
        counts = [n for n in self._counts(clause) if n.id in self.metric_of]
        for place, part in enumerate(counts):
            metric = self.metric_of[part.id]
            if part.id in self._total_of or metric.start < part.start:
                continue
            for total in reversed(counts[max(0, place - _LIST_LIMIT) : place]):
                whole = self.metric_of[total.id]
                same_noun = whole.text.endswith(metric.text) and whole.start > total.start
                if same_noun and self._fits(total, part) and _value(part) < _value(total):
                    root = self._total_of.get(total.id, total)
                    self._link_parts(root, [part], "part_of.same_noun")
                    break

    def _some_of(self, clause: Clause) -> None:
        """14个区县中尚有5个: some of the count just before."""
        for total, part in pairwise(self._counts(clause)):
            gap = self.masked[total.end : part.start]
            if part.id not in self._total_of and self.cues["of_these"].search(gap):
                self._link_parts(total, [part], "part_of.of_these")

    def _announced_parts(self) -> None:
        """(主要有以下几种:) The paragraphs below one that ends so break its total down, up to the next 一、."""
        for number, (start, end) in enumerate(self.paragraphs):
            if not self.cues["announced_list"].search(self.masked, max(start, end - _REACH), end):
                continue
            own = [n for c in self._by_paragraph.get(number, ()) for n in self._counts(c)]
            totals = [n for n in own if n.id not in self._total_of and _unit(n) in self.cues.document_units]
            if not totals:
                continue
            for below in range(number + 1, min(number + _LIST_LIMIT, len(self.paragraphs))):
                if _HEADING.match(self.masked, self.paragraphs[below][0]):
                    break
                for clause in self._by_paragraph.get(below, ()):
                    self._link_parts(totals[-1], self._counts(clause), "part_of.announced", to_sum=False)

    def _link_parts(self, total: Entity, parts: Sequence[Entity], by: str, to_sum: bool = True) -> None:
        amount = 0.0
        for part in parts:
            if part.id in self._total_of or part.id in self._changes or not self._fits(total, part):
                if part.id not in self._total_of and _value(part) > _value(total):
                    return
                continue
            self._total_of[part.id] = total
            self._add(by, part, total)
            amount += _value(part)
            if to_sum and amount >= _value(total) > 0:
                return

    def _fits(self, total: Entity, part: Entity) -> bool:
        """Whether `part` can be counted in `total` at all."""
        a, b = total.norm, part.norm
        if not isinstance(a, CountNorm) or not isinstance(b, CountNorm) or total.id == part.id:
            return False
        return b.value <= a.value and self.cues.same_unit(a.unit, b.unit)

    def _labelled(self, number: Entity) -> bool:
        metric = self.metric_of.get(number.id)
        return metric is not None and metric.end <= number.start

    # -- share_of -----------------------------------------------------------------------------------------

    def _share_of(self, index: int, clause: Clause) -> None:
        for place, percent in enumerate(clause.numbers):
            if percent.label != "PERCENT" or percent.id in self._changes:
                continue
            found = self._shared_total(index, clause, place, percent) or self._rated_totals(
                index, clause, percent
            )
            for total, rule in found:
                self._add(rule, percent, total)

    def _shared_total(
        self, index: int, clause: Clause, place: int, percent: Entity
    ) -> list[tuple[Entity, str]]:
        before = [n for n in clause.numbers[max(0, place - _LIST_LIMIT) : place] if n.label == "COUNT"]
        if not before:
            return self._labelled_share(index, clause, percent)
        count = before[-1]
        start = max(clause.start, percent.start - _REACH)
        if self.cues["share"].search(self.masked, start, percent.start) or self._same_metric(count, percent):
            if percent.id in self.metric_of and not self._same_metric(count, percent):
                return [(self._total_of.get(count.id, count), "share_of.labelled")]
            self._sharing.add(count.id)
            total = self._total_of.get(count.id) or self._whole(count, percent, before[:-1])
            total = total or self._whole_above(index, clause, count, percent)
            return [(total, "share_of.part")] if total is not None else []
        metric, group = self.metric_of.get(percent.id), self.metric_of.get(count.id)
        if metric is None or group is None or metric.start < percent.end:
            return []
        beside = _HAN_ONLY.fullmatch(self.masked, group.end, percent.start)
        return [(count, "share_of.group")] if beside else []

    def _labelled_share(self, index: int, clause: Clause, percent: Entity) -> list[tuple[Entity, str]]:
        """征地补偿占41%: a labelled share, of the last total of the sentence before."""
        start = max(clause.start, percent.start - _REACH)
        if not index or not self.cues["share"].search(self.masked, start, percent.start):
            return []
        above = self.clauses[index - 1]
        metric = self.metric_of.get(percent.id)
        if metric is None or above.paragraph != clause.paragraph:
            return []
        if self.cues["free_rate"].search(self.masked, metric.start, metric.end):
            return []
        wholes = [count for count in self._counts(above) if self._is_whole(count)]
        return [(wholes[-1], "share_of.labelled")] if wholes else []

    def _whole(self, part: Entity, percent: Entity, before: Sequence[Entity]) -> Entity | None:
        """The earlier count that the share is of: the one that makes it true, else the nearest larger."""
        fitting = [n for n in reversed(before) if self._fits(n, part) and _value(n) > 0]
        true = [n for n in fitting if abs(_value(part) / _value(n) - _share(percent)) < _SHARE_TOLERANCE]
        larger = [n for n in fitting if self._is_whole(n) and _value(n) > _value(part)]
        chosen = true or larger
        if not chosen:
            return None
        self._link_share(part, chosen[0])
        return chosen[0]

    def _whole_above(self, index: int, clause: Clause, part: Entity, percent: Entity) -> Entity | None:
        """A total some sentences above that makes the share true (a list of one item a line)."""
        for above in reversed(self.clauses[max(0, index - _CLAUSES_BACK) : index]):
            if self._new_section(above.paragraph, clause.paragraph):
                return None
            for count in self._counts(above):
                if not self._is_whole(count) or not self._fits(count, part) or not _value(count):
                    continue
                if abs(_value(part) / _value(count) - _share(percent)) < _CLOSE:
                    self._link_share(part, count)
                    return count
        return None

    def _is_whole(self, count: Entity) -> bool:
        return count.id not in self._total_of and count.id not in self._sharing

    def _link_share(self, part: Entity, total: Entity) -> None:
        if part.id not in self._total_of:
            self._total_of[part.id] = total
            self._add("part_of.share", part, total)

    def _rated_totals(self, index: int, clause: Clause, percent: Entity) -> list[tuple[Entity, str]]:
        """The cases that a rate is of, in its sentence or one just before."""
        metric = self.metric_of.get(percent.id)
        if metric is None or not self.cues["rate"].search(self.masked, metric.start, metric.end):
            return []
        name = self.masked[metric.start : metric.end]
        stems = set(self.cues["rate_stem"].findall(name))
        if self.cues["free_rate"].search(name) or self.cues["aimed_at"].search(
            self.masked, metric.end, percent.start
        ):
            return []
        base = self._true_base(index, clause, percent)
        if base is not None:
            return [(base, "share_of.rate")]
        if not stems:
            return []
        for near in reversed(self.clauses[max(0, index - _RATE_CLAUSES) : index + 1]):
            if near.paragraph != clause.paragraph:
                break
            cases = [n for n in self._counts_before(near, percent.start) if self._is_case(n, stems)]
            if not cases:
                continue
            if self.cues["each"].search(self.masked, metric.end, percent.start):
                return [(case, "share_of.each_rate") for case in cases[-2:]]
            return [(self._total_of.get(cases[-1].id, cases[-1]), "share_of.rate")]
        return []

    def _true_base(self, index: int, clause: Clause, percent: Entity) -> Entity | None:
        """The count just before of which another count just before is that share (2765件,办结2741件,99.1%)."""
        norm = percent.norm
        if not isinstance(norm, PercentNorm) or norm.value >= 1:
            return None
        near = [
            count
            for above in self.clauses[max(0, index - 1) : index + 1]
            if above.paragraph == clause.paragraph
            for count in self._counts_before(above, percent.start)
        ][-_RATE_COUNTS:]
        half = 0.5 * 10.0 ** -(norm.decimals + 2) + 1e-9
        for base in reversed(near):
            for part in near:
                if (
                    self._fits(base, part)
                    and _value(base)
                    and abs(_value(part) / _value(base) - norm.value) <= half
                ):
                    return base
        return None

    def _is_case(self, count: Entity, stems: set[str]) -> bool:
        """Whether a rate can be of this count: things or people, and not those that the rate counts."""
        metric = self.metric_of.get(count.id)
        if metric is None or not any(_unit(count) in family for family in self.cues.families):
            return False
        words = self.masked[metric.start : metric.end]
        return not any(stem in words for stem in stems)

    def _same_metric(self, a: Entity, b: Entity) -> bool:
        return a.id in self.metric_of and self.metric_of[a.id] is self.metric_of.get(b.id)

    # -- common -------------------------------------------------------------------------------------------

    def _counts(self, clause: Clause) -> list[Entity]:
        """Counts that state something themselves: no change, and not what a change is compared with."""
        if clause.start not in self._counts_of:
            self._counts_of[clause.start] = [
                n
                for n in clause.numbers
                if n.label == "COUNT" and n.id not in self._changes and n.id not in self._compared
            ]
        return self._counts_of[clause.start]

    def _counts_before(self, clause: Clause, position: int) -> list[Entity]:
        """The last of them that end at or before `position`; a bounded number, so that cost stays linear."""
        counts = self._counts(clause)
        place = bisect_right(counts, position, key=_end)
        return counts[max(0, place - _LIST_LIMIT) : place]

    def _add(self, name: str, head: Entity, tail: Entity) -> None:
        rule = self.cues.rules[name]
        self.relations.append(
            Relation(label=rule.label, head=head.id, tail=tail.id, score=rule.score, by=f"rule:{name}")
        )


_start = attrgetter("start")
_end = attrgetter("end")
_HEADING = re.compile(r"[ \u200b]*[一二三四五六七八九十]{1,3}、")
_HAN_ONLY = re.compile(r"[一-鿿]{0,6}")


def _value(entity: Entity) -> float:
    return entity.norm.value if isinstance(entity.norm, CountNorm) else 0.0


def _unit(entity: Entity) -> str | None:
    return entity.norm.unit if isinstance(entity.norm, CountNorm) else None


def _share(percent: Entity) -> float:
    return percent.norm.value if isinstance(percent.norm, PercentNorm) else 0.0


def _last(pattern: re.Pattern[str], text: str, start: int, end: int) -> re.Match[str] | None:
    """The match that ends at `end` and starts last; patterns end in `$`."""
    for opening in reversed([m.start() for m in _COMPARE.finditer(text, start, end)]):
        match = pattern.match(text, opening, end)
        if match is not None:
            return match
    return None


_COMPARE = re.compile("[比较与同是为达]|相当于")


def _clauses(
    entities: Sequence[Entity], sentences: Sequence[tuple[int, int]], paragraphs: Sequence[tuple[int, int]]
) -> list[Clause]:
    """Sentences that hold a number, with their numbers and the periods outside policy names."""
    policies = [(e.start, e.end) for e in entities if e.label == "POLICY"]
    numbers = [e for e in entities if e.label in ("COUNT", "PERCENT")]
    periods = [e for e in entities if e.label == "PERIOD" and not _inside(e, policies)]
    number_starts = [e.start for e in numbers]
    period_starts = [e.start for e in periods]
    paragraph_starts = [start for start, _ in paragraphs]
    clauses = []
    for start, end in _holding(sentences, number_starts):
        own = numbers[bisect_left(number_starts, start) : bisect_left(number_starts, end)]
        times = periods[bisect_left(period_starts, start) : bisect_left(period_starts, end)]
        paragraph = bisect_right(paragraph_starts, own[0].start) - 1
        clauses.append(Clause(start, end, paragraph, tuple(own), tuple(times)))
    return clauses


def _holding(sentences: Sequence[tuple[int, int]], positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    for start, end in sentences:
        place = bisect_left(positions, start)
        if place < len(positions) and positions[place] < end:
            yield start, end


def _inside(entity: Entity, spans: Sequence[tuple[int, int]]) -> bool:
    place = bisect_right(spans, (entity.start, float("inf"))) - 1
    return place >= 0 and entity.end <= spans[place][1]
