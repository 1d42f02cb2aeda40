"""The facts of one document, indexed the way the checks look at them; each index is built in one pass."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property, lru_cache

from gongkai.checks.rounding import Interval, fact_interval, is_percent
from gongkai.checks.settings import load_settings
from gongkai.rules.table import alternatives
from gongkai.text import fold
from gongkai.types import Fact

_NEIGHBOURS = 8
_OF_ONE_MENTION = 4
"""How many numbers on either side may share a mention of their metric with the one looked at."""


class Ledger:
    """Facts in text order with the text they stand in.

    Args:
        facts: In any order; ids unique.
        text: The source text that the facts' offsets point into.
    """

    def __init__(self, facts: Sequence[Fact], text: str) -> None:
        self.facts = sorted(facts, key=lambda fact: (fact.start, fact.end, fact.id))
        self.text = text
        self.by_id = {fact.id: fact for fact in self.facts}
        self.parts: dict[str, list[Fact]] = defaultdict(list)
        self.shares: dict[str, list[Fact]] = defaultdict(list)
        self.of_metric: dict[str, list[Fact]] = defaultdict(list)
        self.values_in: Counter[tuple[int | None, float]] = Counter()
        self.counts: list[Fact] = []
        self._counts_before: dict[str, int] = {}
        self._place_in_metric: dict[str, int] = {}
        for fact in self.facts:
            self._enter(fact)
        self._intervals: dict[str, Interval] = {}

    def _enter(self, fact: Fact) -> None:
        if fact.part_of in self.by_id and fact.part_of is not None:
            self.parts[fact.part_of].append(fact)
        if fact.share_of in self.by_id and fact.share_of is not None:
            self.shares[fact.share_of].append(fact)
        if (mention := metric_mention(fact)) is not None:
            self._place_in_metric[fact.id] = len(self.of_metric[mention])
            self.of_metric[mention].append(fact)
        self._counts_before[fact.id] = len(self.counts)
        if fact.table is None and not is_percent(fact):
            self.counts.append(fact)
            self.values_in[fact.sentence, fact.value] += 1

    @cached_property
    def statement_rank(self) -> dict[str, int]:
        """Place of each count of the prose among those that are neither changes nor compared values."""
        stated = (fact for fact in self.counts if fact.direction is None and fact.id not in self.compared)
        return {fact.id: rank for rank, fact in enumerate(stated)}

    @cached_property
    def compared(self) -> frozenset[str]:
        """Ids of facts that another is compared with."""
        return frozenset(fact.compared_with for fact in self.facts if fact.compared_with in self.by_id)

    def printed(self, fact: Fact) -> str:
        """The fact's number as it stands in the text."""
        return self.text[fact.start : fact.end]

    def interval(self, fact: Fact) -> Interval:
        """The true values that the fact's number may stand for."""
        found = self._intervals.get(fact.id)
        if found is None:
            found = self._intervals[fact.id] = fact_interval(fact, self.printed(fact))
        return found

    def between(self, left: int, right: int, limit: int) -> str | None:
        """The folded text between two places; None if they are in the wrong order or too far apart."""
        if not 0 <= right - left <= limit:
            return None
        return fold(self.text[left:right])

    def clause_before(self, fact: Fact, limit: int = 40, stops: str = "。;,\n") -> str:
        """The folded text before a fact's number, back to the last stop, at most `limit` characters."""
        view = fold(self.text[max(0, fact.start - limit) : fact.start])
        cut = max(view.rfind(mark) for mark in stops)
        return view[cut + 1 :]

    def count_before(self, fact: Fact) -> Fact | None:
        """The count printed last before `fact`, in the prose."""
        index = self._counts_before[fact.id]
        return self.counts[index - 1] if index else None

    def counts_near(self, fact: Fact) -> Iterator[Fact]:
        """Counts of the fact's own and the neighbouring sentences, the nearest before it first."""
        place = self._counts_before[fact.id]
        before = self.counts[max(0, place - _NEIGHBOURS) : place][::-1]
        for count in (*before, *self.counts[place : place + _NEIGHBOURS]):
            if count.section == fact.section and _adjacent(count.sentence, fact.sentence):
                yield count

    def is_change(self, fact: Fact) -> bool:
        """Whether the number says by how much something changed: by its relation, or by the verb before it.

        A list of percentages behind one verb (增长29.2%、39.4%和23.9%) is a list of changes.
        """
        return fact.direction is not None or _ends_in_change().search(self.clause_before(fact)) is not None

    def is_base(self, fact: Fact) -> bool:
        """Whether the number is the value that a change starts from (由7159亿元增加到…)."""
        before = fold(self.text[max(0, fact.start - 2) : fact.start]).rstrip()
        return before.endswith(load_settings().base_words)

    def nearest(self, fact: Fact, accept: Callable[[Fact], bool]) -> Fact | None:
        """The accepted fact of the same metric mention nearest before `fact`, else nearest after it."""
        mention = metric_mention(fact)
        if mention is None:
            return None
        candidates = self.of_metric[mention]
        place = self._place_in_metric[fact.id]
        before = candidates[max(0, place - _OF_ONE_MENTION) : place][::-1]
        after = candidates[place : place + _OF_ONE_MENTION]
        return next((other for other in (*before, *after) if other is not fact and accept(other)), None)

    def prose(self) -> Iterator[Fact]:
        """Facts that stand in sentences, in text order."""
        return (fact for fact in self.facts if fact.table is None)


def _adjacent(sentence: int | None, other: int | None) -> bool:
    return sentence == other or (sentence is not None and other is not None and abs(sentence - other) == 1)


@cache
def _ends_in_change() -> re.Pattern[str]:
    return re.compile(
        rf"{alternatives(load_settings().change_words)}[了约近达为]{{0,2}}(?:[\d.]+[%、和及约 ]+)*$"
    )


@lru_cache(maxsize=4096)
def _folded(words: str) -> str:
    return "".join(fold(words).split())


def label(fact: Fact) -> str:
    """The metric's words in the folded view, without white space; empty where nothing names it."""
    return _folded(fact.metric) if fact.metric else ""


def metric_mention(fact: Fact) -> str | None:
    """Entity id of the phrase that names the fact's metric."""
    return fact.evidence[1] if fact.metric is not None and len(fact.evidence) > 1 else None


def units_agree(a: Fact, b: Fact) -> bool:
    """Whether two counts can be added: one unit, classifiers of the same things, or a bare table cell."""
    if a.unit == b.unit:
        return True
    if is_percent(a) or is_percent(b):
        return False
    if (a.unit is None and a.table) or (b.unit is None and b.table):
        return True
    return any(a.unit in group and b.unit in group for group in load_settings().same_units)


def is_sharp(fact: Fact) -> bool:
    """Whether the number is printed as exact: no 余, 约, 以上, no range."""
    return fact.qualifier == "exact" and fact.value_max is None
