"""The relations of numbers to time: during, and change_from, of changes to what they are compared with."""

from __future__ import annotations

import re

from gongkai.rules.clauses import Clause
from gongkai.rules.ledger import LIST_LIMIT, REACH, Ledger
from gongkai.types import Entity

_NEAR = 20
"""Characters before a mention that say what it is of."""
_COMPARE = re.compile("[比较与同是为达]|相当于")
"""How every match of the cue `compared_with` begins."""


def relate_times(ledger: Ledger) -> None:
    """Enter each number's period, the changes, and what they are compared with."""
    for clause in ledger.clauses:
        _during(ledger, clause)
        _change_from(ledger, clause)


def _during(ledger: Ledger, clause: Clause) -> None:
    naming = {period.id for period in clause.periods if _names(ledger, period)}
    passed = 0
    for number in clause.numbers:
        while passed < len(clause.periods) and clause.periods[passed].end <= number.start:
            passed += 1
        if _outside_time(ledger, clause, number):
            continue
        for period in reversed(clause.periods[max(0, passed - LIST_LIMIT) : passed]):
            if period.id not in naming and _governs(ledger, clause, period, number):
                ledger.add("during.preceding", number, period)
                break


def _outside_time(ledger: Ledger, clause: Clause, number: Entity) -> bool:
    """上年结转2件 is an indicator's name; the first value of 由9个增至14个 is of no stated time."""
    before = max(clause.start, number.start - _NEAR)
    if ledger.cues["carried"].search(ledger.masked, before, number.start):
        return True
    opened = ledger.cues["from_value"].search(ledger.masked, before, number.start)
    return opened is not None and ledger.cues["to_value"].match(ledger.masked, number.end) is not None


def _governs(ledger: Ledger, clause: Clause, period: Entity, number: Entity) -> bool:
    start = max(clause.start, period.start - 2)
    if not ledger.cues["compared_period"].search(ledger.masked, start, period.start):
        return True
    # 比2017年的3510宗, 由上年的84.6%: the compared value's own period; 是2012年的1.6倍 is a change since.
    own = ledger.masked[period.end : number.start] in ("的", "")
    return own and (number.label == "COUNT" or ledger.masked[period.start - 1] not in "是为")


def _names(ledger: Ledger, period: Entity) -> bool:
    """Whether the period only names something: 上年结转, 2018年决算, a document's name."""
    naming = ledger.cues["naming_period"]
    before = ledger.masked[max(0, period.start - _NEAR) : period.start]
    if naming.match(ledger.masked, period.end) or naming.search(before[-2:]):
        return True
    return before.rfind("《") > before.rfind("》")


def _change_from(ledger: Ledger, clause: Clause) -> None:
    by_start = {entity.start: entity for entity in (*clause.numbers, *clause.periods)}
    previous: Entity | None = None
    for number in clause.numbers:
        start = max(clause.start, number.start - REACH)
        match = _last(ledger.cues["compared_with"], ledger.masked, start, number.start)
        if match is not None:
            ledger.add_change("change_from.compared", number, by_start.get(_base_start(match)))
        elif previous is not None and _goes_on(ledger, previous, number):
            ledger.add_change("change_from.goes_on", number, ledger.changes[previous.id])
        elif ledger.cues["change"].search(ledger.masked, start, number.start):
            ledger.changes[number.id] = None
        previous = number


def _base_start(match: re.Match[str]) -> int:
    """Where the count, else the period, that a change is compared with begins; -1 if it names neither."""
    return next((match.start(name) for name in ("count", "period", "base") if match[name]), -1)


def _goes_on(ledger: Ledger, previous: Entity, number: Entity) -> bool:
    """多45条,增长13.2%: whether `number` is a second measure of the change before it."""
    if previous.id not in ledger.changes:
        return False
    between = ledger.masked[previous.end : number.start]
    return ledger.cues["change_goes_on"].search(between) is not None


def _last(pattern: re.Pattern[str], text: str, start: int, end: int) -> re.Match[str] | None:
    """The match that ends at `end` and starts last; patterns end in `$`."""
    for opening in reversed([m.start() for m in _COMPARE.finditer(text, start, end)]):
        match = pattern.match(text, opening, end)
        if match is not None:
            return match
    return None
