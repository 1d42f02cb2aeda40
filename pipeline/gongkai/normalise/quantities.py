"""Counts and percents as values: unit, scale, bounds, direction, precision."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Literal

import msgspec

from gongkai.normalise.numerals import parse_number
from gongkai.resources import load_yaml
from gongkai.text import ZERO_WIDTH, fold
from gongkai.types import CountNorm, Direction, PercentNorm, Qualifier

UnitKind = Literal[
    "count", "money", "time", "age", "length", "area", "volume", "mass", "power", "energy", "data",
    "temperature", "sound",
]  # fmt: skip


class Unit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of `configs/units.yaml`; the head of that file explains the columns."""

    unit: str
    kind: UnitKind
    example: str
    spellings: tuple[str, ...] = ()
    factor: float = 1.0
    unless: str = ""
    words: bool = False
    calendar: bool = False

    @property
    def forms(self) -> frozenset[str]:
        """Every spelling, folded as the view is; a fraction of the unit (角) has only its own."""
        own = (self.unit,) if self.factor == 1.0 else ()
        return frozenset(map(fold, (*own, *self.spellings)))


class Bound(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A word that bounds a value, e.g. 不超过 before the number, 余 inside, 以上 after it."""

    word: str
    place: Literal["before", "inside", "after"]
    qualifier: Qualifier
    unless: str = ""


class UnitTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`configs/units.yaml`."""

    units: tuple[Unit, ...]
    bounds: tuple[Bound, ...]
    directions: dict[Direction, tuple[str, ...]]


@cache
def unit_table() -> UnitTable:
    """The shipped table of units and bounds."""
    return load_yaml("units.yaml", UnitTable)


_SIGNS = "+-"
_BLANKS = str.maketrans("", "", f" {ZERO_WIDTH}")
_TO = re.compile(r"-+|[~至到]")
_SCALE = re.compile(r"[万亿]+$")
_PLAIN_NUMBER = re.compile(r"[\d,]+(?:\.(\d+))?")
_LEVEL = re.compile(r"(?<!达)到|至|为原")
_TENTHS = re.compile(r"成(?=[一二三四五六七八九])")
_PARTS = {"百分之": 2, "千分之": 3, "万分之": 4}


def lookup_unit(text: str) -> tuple[str, float] | None:
    """Canonical unit and the factor to it of a unit as a table head prints it, its scale included.

    >>> lookup_unit("万元"), lookup_unit("條"), lookup_unit("千瓦"), lookup_unit("说明")
    (('元', 10000.0), ('条', 1.0), ('千瓦', 1.0), None)
    """
    name = fold(text).translate(_BLANKS)
    for scaled in range(min(len(name), 3)):
        unit = _forms().get(name[scaled:])
        if unit is not None and not name[:scaled].strip("十百千万亿"):
            return unit.unit, unit.factor * (parse_number(name[:scaled]) if scaled else 1.0)
    return None


def normalise_count(surface: str) -> CountNorm:
    """The value of a COUNT in its base unit (money in 元), with its bound and canonical unit.

    近 and 约 make a value approx, 余 多 超 more_than, 不足 less_than, 以上 at_least, 以内 at_most; of a word
    before and one after the number, the one before decides.

    Raises:
        ValueError: `surface` holds no number.

    >>> normalise_count("超6.07亿吨")
    CountNorm(value=607000000.0, value_max=None, qualifier='more_than', unit='吨')
    >>> normalise_count("3至5个工作日").value_max
    5.0
    """
    if surface[:1] in _SIGNS:
        return _signed(surface)
    core, qualifier = _unbound(surface.replace("个多", "多个"))
    number, unit = _split_unit(core)
    low, high = _ends(number)
    factor = Decimal(str(unit.factor)) if unit else Decimal(1)
    value, bounded = _bounded_number(_split_unit(low)[0] if high else low)
    value_max = None
    if high:
        value_max, bounded = _bounded_number(high)
        value = _same_scale(value, low, value_max, high)
    return CountNorm(
        value=float(value * factor),
        value_max=None if value_max is None else float(value_max * factor),
        qualifier=qualifier or bounded or "exact",
        unit=unit.unit if unit else None,
    )


def _signed(surface: str) -> CountNorm:
    """本年增/减 in a table's cell: -2, +4."""
    norm = normalise_count(surface[1:].lstrip())
    return msgspec.structs.replace(norm, value=-norm.value) if surface[0] == "-" else norm


def printed_decimals(surface: str) -> int | None:
    """Decimals printed of a COUNT; None where it was rounded or bounded in words (万, 亿, 三百, 近, 余).

    >>> printed_decimals("863条"), printed_decimals("98.50分"), printed_decimals("6.07亿吨")
    (0, 2, None)
    """
    core, qualifier = _unbound(surface.lstrip(_SIGNS))
    _, high = _ends(_split_unit(core)[0])
    number = high or _split_unit(core)[0]
    match = _PLAIN_NUMBER.fullmatch(number)
    if qualifier or match is None:
        return None
    return len(match[1] or "")


def normalise_percent(surface: str, before: str = "") -> PercentNorm:
    """The value of a PERCENT as a fraction, with bound, direction and printed decimals.

    百分点 are fractions too (5个百分点 is 0.05); 成 and 分之 are round by nature, hence approx at best.

    Args:
        surface: The span, as in the folded view.
        before: About eight characters of the view before it; the last word of change there gives the
            direction, unless 到 or 至 follows it (下降到5% is a level).

    Raises:
        ValueError: `surface` holds no number.

    >>> normalise_percent("1.23%", "同比下降")
    PercentNorm(value=0.0123, value_max=None, qualifier='exact', direction='down', decimals=2)
    """
    core, qualifier = _unbound(surface)
    if "番" in core:
        return PercentNorm(value=_doublings(core), qualifier=qualifier or "exact", direction="up")
    direction = _direction(before)
    if core.startswith("-"):
        core, direction = core[1:], "down"
    number, places, rounded = _percent_number(core)
    low, high = _ends(number)
    value, bounded = _bounded_number(low)
    value_max = None
    if high:
        value_max, bounded = _bounded_number(high)
    return PercentNorm(
        value=float(value.scaleb(-places)),
        value_max=None if value_max is None else float(value_max.scaleb(-places)),
        qualifier=qualifier or bounded or ("approx" if rounded else "exact"),
        direction=direction,
        decimals=max(0, _decimals(high or low) + places - 2),
    )


@cache
def _forms() -> dict[str, Unit]:
    return {form: unit for unit in unit_table().units for form in unit.forms}


@cache
def _bound_words(place: str) -> tuple[tuple[str, Qualifier], ...]:
    rows = [(fold(bound.word), bound.qualifier) for bound in unit_table().bounds if bound.place == place]
    return tuple(sorted(rows, key=lambda row: -len(row[0])))


@cache
def _directions() -> dict[Direction, tuple[str, ...]]:
    return {direction: tuple(map(fold, words)) for direction, words in unit_table().directions.items()}


def _unbound(surface: str) -> tuple[str, Qualifier | None]:
    """The span without blanks and the bounds around it, and what they say."""
    core = fold(surface).translate(_BLANKS)
    qualifier: Qualifier | None = None
    for word, meaning in (*_bound_words("after"), ("多", "more_than")):
        if core.endswith(word) and len(core) > len(word):
            core, qualifier = core.removesuffix(word), meaning
            break
    for word, meaning in _bound_words("before"):
        if core.startswith(word):
            return core.removeprefix(word), meaning
    return core, qualifier


def _split_unit(core: str) -> tuple[str, Unit | None]:
    """Number and unit: the longest unit that the text ends with."""
    for start in range(1, len(core)):
        unit = _forms().get(core[start:])
        if unit is not None:
            return core[:start], unit
    return core, None


def _ends(number: str) -> tuple[str, str]:
    """Both sides of a range; the second is empty where there is only one number."""
    parts = _TO.split(number, maxsplit=1)
    return parts[0], parts[1] if len(parts) == 2 else ""


def _bounded_number(number: str) -> tuple[Decimal, Qualifier | None]:
    """The value and what a word inside says of it (三百余, 2千多万)."""
    qualifier: Qualifier | None = None
    for word, meaning in _bound_words("inside"):
        if word in number:
            number, qualifier = number.replace(word, ""), meaning
    return Decimal(str(parse_number(number))), qualifier


def _same_scale(value: Decimal, low: str, value_max: Decimal, high: str) -> Decimal:
    """3至5万 is 30,000 to 50,000: a scale printed once is meant for both."""
    scale = _SCALE.search(high)
    if scale is None or _SCALE.search(_split_unit(low)[0]):
        return value
    scaled = value * Decimal(str(parse_number(scale[0])))
    return scaled if scaled <= value_max else value


def _doublings(core: str) -> float:
    """翻一番 is twice as much, an increase by 1.0; 翻两番 is four times, by 3.0."""
    number = core.removeprefix("翻").removeprefix("了").partition("番")[0]
    return float(2 ** (parse_number(number) if number else 1.0)) - 1.0


def _percent_number(core: str) -> tuple[str, int, bool]:
    """The bare number or range, the power of ten it is divided by, whether it is round by nature."""
    for words, places in _PARTS.items():
        if core.startswith(words):
            return core.replace(words, ""), places, False
    if "分之" in core:
        below, _, above = core.partition("分之")
        return str(Decimal(str(parse_number(above))) / Decimal(str(parse_number(below)))), 0, True
    if "成" in core:
        return _TENTHS.sub("点", core.replace("成半", "点五")).replace("成", ""), 1, True
    if core in ("一半", "半数"):
        return "0.5", 0, True
    if "倍" in core:
        return core.replace("倍", ""), 0, False
    places = 3 if "‰" in core else 2
    return core.replace("个百分点", "").replace("%", "").replace("‰", ""), places, False


def _decimals(number: str) -> int:
    _, _, after = number.replace("点", ".").partition(".")
    return len(after)


def _direction(before: str) -> Direction | None:
    """Which way the last word of change before a percent points."""
    clause = re.split(r"[,。;:!?\n]", before)[-1]
    found: tuple[int, int, Direction] | None = None
    for direction, words in _directions().items():
        for word in words:
            at = clause.rfind(word)
            if at >= 0 and (found is None or (at + len(word), len(word)) > found[:2]):
                found = (at + len(word), len(word), direction)
    if found is None or _LEVEL.search(clause, found[0]):
        return None
    return found[2]
