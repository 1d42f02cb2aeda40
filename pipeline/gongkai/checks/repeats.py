"""Check `repeat`: one indicator, one period, two values."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from gongkai.checks.ledger import Ledger, is_sharp, label, units_agree
from gongkai.checks.message import as_printed, finding, named
from gongkai.checks.settings import load_settings, words
from gongkai.types import Fact, Finding

_WHOLE_COLUMN = "total"
_MOST_VALUES = 2
"""More values than so many for one indicator are an enumeration (of bodies, of months), not a slip."""


def check_repeats(ledger: Ledger) -> Iterator[Finding]:
    """Indicators with different values for one period, in prose or table; one finding an indicator."""
    groups: dict[tuple[object, ...], list[Fact]] = defaultdict(list)
    for fact in ledger.facts:
        if _states_the_whole(ledger, fact):
            period = (fact.period.start, fact.period.end) if fact.period else None
            groups[fact.metric_id, fact.category or _WHOLE_COLUMN, period].append(fact)
    for group in groups.values():
        yield from _judge(ledger, group)


def _states_the_whole(ledger: Ledger, fact: Fact) -> bool:
    """Whether the fact gives its indicator's value for the whole body, not a part or a change."""
    if fact.metric_id is None or fact.direction is not None or fact.id in ledger.compared:
        return False
    if fact.share_of is not None or fact.compared_with is not None:
        return False
    if fact.table is not None:
        return True
    return fact.part_of is None and fact.score >= load_settings().sure


def _of_one_body(ledger: Ledger, fact: Fact) -> bool:
    """Whether the clause limits the number to one body or field of work (公安局收到…)."""
    settings = load_settings()
    clause = ledger.clause_before(fact, 60, "。\n").removesuffix(label(fact))
    return words(settings.scope_words).search(words(settings.whole_words).sub("", clause)) is not None


def _judge(ledger: Ledger, group: list[Fact]) -> Iterator[Finding]:
    if len({(fact.value, fact.qualifier) for fact in group}) < 2:
        return
    group = [fact for fact in group if fact.table is not None or not _of_one_body(ledger, fact)]
    sharp = [fact for fact in group if is_sharp(fact)]
    tabled = {fact.value for fact in sharp if fact.table is not None}
    if not sharp or len(tabled) > 1 or len({fact.value for fact in sharp}) > _MOST_VALUES:
        return
    reference = _reference(sharp)
    odd = [fact for fact in group if _contradicts(ledger, fact, reference)]
    if not odd:
        return
    yield finding(
        "repeat",
        ledger,
        (odd[0], reference, *odd[1:]),
        odd[0].value,
        reference.value,
        metric=named(odd[0]),
        printed=as_printed(ledger, odd[0]),
        place="表格" if reference.table is not None else "另一处",
        other=as_printed(ledger, reference),
    )


def _reference(sharp: list[Fact]) -> Fact:
    """The value to hold the others against: the table's, else the one printed most often, else the first."""
    often = Counter(fact.value for fact in sharp)
    return min(sharp, key=lambda fact: (fact.table is None, -often[fact.value], fact.start))


def _contradicts(ledger: Ledger, fact: Fact, reference: Fact) -> bool:
    if fact.table is None and reference.table is None and fact.section == reference.section:
        return False
    return units_agree(fact, reference) and ledger.interval(fact).distance(ledger.interval(reference)) > 0
