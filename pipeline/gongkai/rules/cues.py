"""The typed form of `configs/relations.yaml`: the rules of relations, and the cues by which they see them."""

from __future__ import annotations

import re
from functools import cache

import msgspec

from gongkai.resources import config_path, load_yaml
from gongkai.rules.masking import PIECES
from gongkai.rules.table import expand
from gongkai.text import fold
from gongkai.types import RelationLabel


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
