"""Counts and percents as values: unit, scale, bounds, direction, precision."""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from gongkai.resources import load_yaml
from gongkai.text import fold
from gongkai.types import Qualifier

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
        """Every spelling, folded as the view is."""
        return frozenset(map(fold, (self.unit, *self.spellings)))


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


@cache
def unit_table() -> UnitTable:
    """The shipped table of units and bounds."""
    return load_yaml("units.yaml", UnitTable)
