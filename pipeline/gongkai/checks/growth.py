"""Check `growth`: a printed change against the two values that it compares."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gongkai.checks.agreement import verdict
from gongkai.checks.ledger import Ledger, units_agree
from gongkai.checks.message import as_printed, finding, named, percentage, quantity
from gongkai.checks.rounding import Interval, is_percent
from gongkai.checks.settings import KindName
from gongkai.text import fold
from gongkai.types import Fact, Finding

_COMPARES = re.compile(r"[^,;。]{0,12}[,(]?[^,;。]{0,4}[比较与]")
_MULTIPLE = re.compile(r"[倍番]")
_POINTS = re.compile(r"\s*个?百分点")
_SIGN = {"up": 1, "down": -1}
_WORD = {"up": "上升", "down": "下降"}


def check_growth(ledger: Ledger) -> Iterator[Finding]:
    """Changes whose direction or size does not follow from the value before and the value now."""
    for fact in ledger.prose():
        if fact.direction is None or fact.compared_with is None:
            continue
        previous = ledger.by_id.get(fact.compared_with)
        if previous is None or is_percent(previous) or _in_points(ledger, fact):
            continue
        if ledger.is_change(previous):
            continue
        current = _current(ledger, fact, previous)
        if current is not None:
            yield from _judge(ledger, fact, previous, current)


def _in_points(ledger: Ledger, fact: Fact) -> bool:
    return _POINTS.match(fold(ledger.text[fact.end : fact.end + 6])) is not None


def _current(ledger: Ledger, fact: Fact, previous: Fact) -> Fact | None:
    """The value now: of the change's own metric mention, else the count that stands before the comparison."""

    def accepted(other: Fact) -> bool:
        return (
            other is not previous
            and other.start < fact.start
            and other.direction is None
            and other.id not in ledger.compared
            and units_agree(other, previous)
        )

    if (found := ledger.nearest(fact, accepted)) is not None:
        return found
    before = ledger.count_before(previous)
    if before is None or fact.metric is not None or not accepted(before) or before.sentence != fact.sentence:
        return None
    gap = ledger.between(before.end, previous.start, 40)
    return before if gap is not None and _COMPARES.match(gap) else None


def _judge(ledger: Ledger, fact: Fact, previous: Fact, current: Fact) -> Iterator[Finding]:
    kind = _kind(ledger, fact, previous, current)
    if kind is None or _fits_other(ledger, fact, previous, current):
        return
    sign = _SIGN[fact.direction or "up"]
    expected = (current.value - previous.value) / (previous.value if is_percent(fact) else 1.0)
    yield finding(
        kind,
        ledger,
        (fact, current, previous),
        sign * abs(fact.value),
        expected,
        metric=named(current),
        change=as_printed(ledger, fact),
        word=_WORD[fact.direction or "up"],
        actual=_WORD["up" if expected > 0 else "down"],
        before=as_printed(ledger, previous),
        now=as_printed(ledger, current),
        computed=_size(ledger, fact, abs(expected)),
    )


def _kind(ledger: Ledger, fact: Fact, previous: Fact, current: Fact) -> KindName | None:
    """What is wrong with the change between the two values, if anything; nothing follows from a base of 0."""
    now, then = ledger.interval(current), ledger.interval(previous)
    relative = is_percent(fact)
    if relative and then.low <= 0:
        return None
    sign = _SIGN[fact.direction or "up"]
    moved = now.minus(then)
    if (moved.high < 0 < sign) or (moved.low > 0 > sign):
        return "growth.direction"
    derived = now.over(then).shifted(-1.0) if relative else moved
    found = verdict(ledger, fact, derived if sign > 0 else _negated(derived))
    if found == "right" or _meant_as_multiple(ledger, fact, now.over(then)):
        return None
    if not relative:
        return "growth.difference"
    return "growth.cut" if found == "cut" else "growth.wrong"


def _fits_other(ledger: Ledger, fact: Fact, previous: Fact, current: Fact) -> bool:
    """Whether the change is right for the count just before the comparison: then it is likelier of that."""
    other = ledger.count_before(previous)
    if (
        other is None
        or other is current
        or other.sentence != fact.sentence
        or not units_agree(other, previous)
    ):
        return False
    return _kind(ledger, fact, previous, other) is None


def _negated(interval: Interval) -> Interval:
    return Interval(-interval.high, -interval.low)


def _size(ledger: Ledger, fact: Fact, value: float) -> str:
    return percentage(value, ledger, fact) if is_percent(fact) else quantity(value, fact.unit)


def _meant_as_multiple(ledger: Ledger, fact: Fact, ratio: Interval) -> bool:
    """增长2倍 is written both for twice and for three times the value before: either reading is let pass."""
    if not is_percent(fact) or _MULTIPLE.search(fold(ledger.printed(fact))) is None:
        return False
    return verdict(ledger, fact, ratio) != "wrong" or verdict(ledger, fact, ratio.shifted(-1.0)) != "wrong"
