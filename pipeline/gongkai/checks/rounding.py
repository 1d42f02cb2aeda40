"""Which true values a printed number may stand for. Every check compares through these intervals."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from gongkai.checks.settings import load_settings
from gongkai.text import fold
from gongkai.types import Fact, Qualifier

_NUMBER = re.compile(r"(\d[\d,]*)(?:\.(\d+))?")
_PLAIN_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?[^\d\s.．,，]*")
"""The usual case, read without folding."""
_GAPS = re.compile(r"[\s\u200b]")
_EPSILON = 1e-9
_LOOSE_PLACES = {"番": 0, "倍": 0, "成": 1, "半": 1}
"""Decimals of multiples and tenths written in words, as parts of one: 三成 is right within 0.05."""


class Interval(NamedTuple):
    """Closed interval of values; infinite where a side is open."""

    low: float
    high: float

    def distance(self, other: Interval) -> float:
        """How far apart the two are; 0.0 if they meet, float noise forgiven."""
        gap = max(self.low - other.high, other.low - self.high)
        scale = max((abs(x) for x in (*self, *other) if math.isfinite(x)), default=1.0)
        return gap if gap > _EPSILON * max(scale, 1e-6) else 0.0

    def plus(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def minus(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def over(self, other: Interval) -> Interval:
        """Quotient of non-negative by positive values; everything if the divisor may be 0."""
        if other.low <= 0:
            return ANYTHING
        return Interval(self.low / other.high, self.high / other.low)

    def shifted(self, by: float) -> Interval:
        return Interval(self.low + by, self.high + by)


ANYTHING = Interval(-math.inf, math.inf)


def printed_interval(
    value: float,
    decimals: int | None,
    qualifier: Qualifier = "exact",
    *,
    value_max: float | None = None,
    approximation: float = 0.0,
) -> Interval:
    """The true values that a number printed as `value` may stand for.

    Args:
        decimals: Place of the last printed digit, counted in decimals of `value`: 41.67% as 0.4167 has 4,
            2.5万 as 25000 has -3. None: unknown, so that nothing can be held against the number.
        qualifier: A bound opens the interval on its side.
        value_max: Upper end of a range (3至5个).
        approximation: Half width of an approximate number (约300), as a fraction of it.

    >>> printed_interval(25000.0, -3)
    Interval(low=24500.0, high=25500.0)
    >>> printed_interval(300.0, 0, "more_than")
    Interval(low=300.0, high=inf)
    """
    if qualifier in ("at_least", "more_than"):
        return Interval(value, math.inf)
    if qualifier in ("at_most", "less_than"):
        return Interval(-math.inf, value if value_max is None else value_max)
    if value_max is not None:
        return Interval(value, value_max)
    if decimals is None:
        return ANYTHING
    half = unit_of(decimals) / 2
    if qualifier == "approx":
        half = max(half, abs(value) * approximation)
    return Interval(value - half, value + half)


def unit_of(decimals: int) -> float:
    """One unit of the last printed place."""
    return float(f"1e{-decimals}")


def printed_decimals(fact: Fact, printed: str) -> int | None:
    """Place of the last printed digit in decimals of `fact.value`, read off the printed number itself.

    `Fact.decimals` counts decimals as printed; 万, 亿 and % move the point, which the quotient of value and
    printed digits shows. Numbers in words are exact below 100 and else rounded to their last non-zero place.
    """
    match = _PLAIN_NUMBER.fullmatch(printed)
    if match is None:
        view = _GAPS.sub("", fold(printed))
        match = _NUMBER.search(view)
        if match is None:
            return _decimals_of_words(fact, view)
    decimals = len(match[2] or "")
    digits = float(f"{match[1].replace(',', '')}.{match[2] or 0}")
    if digits == 0:
        return decimals + 2 if is_percent(fact) else decimals
    power = math.log10(abs(fact.value) / digits) if fact.value else 0.0
    if abs(power - round(power)) > 1e-6:
        return _last_place(fact.value)
    return decimals - round(power)


def _decimals_of_words(fact: Fact, view: str) -> int | None:
    if is_percent(fact):
        loose = (places for word, places in _LOOSE_PLACES.items() if word in view)
        return next(loose, 2 + (fact.decimals or 0))
    if not view:
        return fact.decimals
    return _last_place(fact.value)


def _last_place(value: float) -> int | None:
    if value != int(value):
        return None
    whole = str(abs(int(value)))
    return 0 if len(whole) < 3 else len(whole.rstrip("0")) - len(whole)


def is_percent(fact: Fact) -> bool:
    """Whether the fact is a share, rate or relative change."""
    return fact.unit == "%"


def is_rounded(fact: Fact, decimals: int | None) -> bool:
    """Whether the printed number may be a rounded one: counted things without decimals are exact."""
    return decimals != 0 or is_percent(fact) or fact.unit in load_settings().measured_units


def fact_interval(fact: Fact, printed: str) -> Interval:
    """The true values that a fact's number, printed as `printed`, may stand for."""
    decimals = printed_decimals(fact, printed)
    if fact.qualifier == "exact" and fact.value_max is None and not is_rounded(fact, decimals):
        return Interval(fact.value, fact.value)
    return printed_interval(
        fact.value,
        decimals,
        fact.qualifier,
        value_max=fact.value_max,
        approximation=load_settings().approximation,
    )
