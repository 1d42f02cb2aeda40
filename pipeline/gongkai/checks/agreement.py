"""How a printed number stands to the one that others give: right, cut off instead of rounded, or wrong."""

from __future__ import annotations

from typing import Literal

from gongkai.checks.ledger import Ledger, is_sharp
from gongkai.checks.rounding import Interval, is_rounded, printed_decimals, unit_of
from gongkai.types import Fact

Verdict = Literal["right", "cut", "wrong"]


def verdict(ledger: Ledger, fact: Fact, derived: Interval) -> Verdict:
    """Compare `fact` as printed with the interval that follows from other numbers.

    Within half a unit of the last printed place it is rightly rounded; within a whole unit it was cut off
    (or rounded up), which a reader forgives; beyond it is wrong. Bounds and 约 allow what they say.
    """
    distance = ledger.interval(fact).distance(derived)
    if distance == 0:
        return "right"
    decimals = printed_decimals(fact, ledger.printed(fact))
    if decimals is None or not is_sharp(fact) or not is_rounded(fact, decimals):
        return "wrong"
    return "cut" if distance <= unit_of(decimals) / 2 * (1 + 1e-6) else "wrong"
