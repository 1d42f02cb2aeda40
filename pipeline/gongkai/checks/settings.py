"""What the checks take from `configs/checks.yaml`: severities, tolerances, word lists, message templates."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

import msgspec

from gongkai.errors import ConfigError
from gongkai.resources import config_path, load_yaml
from gongkai.rules.table import alternatives
from gongkai.types import Check, Severity


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A worked example: text with marked numbers, and the one sentence that the check says of it.

    `text` marks numbers as `⟦id key=value|number⟧`; tests/marked_facts.py reads it.
    """

    text: str
    says: str


class Kind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of finding.

    Attributes:
        name: Stable, e.g. `sum.over`.
        template: The message; `{…}` fields as the check supplies them.
        note: When it is said, for people who read the configuration.
    """

    name: str
    check: Check
    severity: Severity
    template: str
    note: str
    example: Example


class SumSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a list claims to be a whole breakdown of its total.

    Attributes:
        complete: Words before a list that claim that it is complete.
        weak: Words that open a list which may or may not be complete.
        partial: Words that say it is not.
        closing: Words between a list and the total that follows it.
        rest: Labels of a last part that take up all that is left.
        opposites: Pairs of labels that leave nothing between them.
        overlapping: Words in labels of parts that may share members (channels of one text, properties).
        disjoint: Words in the total's or a part's label that make even those disjoint.
        coverage, claimed_coverage: Least share of the total that a list without and with a claim must reach
            before a remainder is called an inconsistency rather than an unlisted rest.
        overlap_ratio: Lists that exceed the total more than so many times overlap rather than err.
    """

    complete: tuple[str, ...]
    weak: tuple[str, ...]
    partial: tuple[str, ...]
    closing: tuple[str, ...]
    rest: tuple[str, ...]
    opposites: tuple[tuple[str, str], ...]
    overlapping: tuple[str, ...]
    disjoint: tuple[str, ...]
    coverage: float
    claimed_coverage: float
    overlap_ratio: float


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of rate: the words that name it, its numerator, and what a rate of 100% leaves no room for."""

    rate: tuple[str, ...]
    numerator: tuple[str, ...]
    remainder: tuple[str, ...]


class Affixes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words that a rate's numerator may carry before and after its verb and still count every case."""

    before: tuple[str, ...]
    after: tuple[str, ...]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`configs/checks.yaml`.

    Attributes:
        approximation: How far, as a fraction of itself, a number with 约 may be from the true value.
        sure: Least score of a fact that `repeat` compares.
        parts_named: How many parts a message names before 等.
        measured_units: Units of measured quantities, whose numbers without decimals are rounded all the same.
        same_units: Classifiers that count the same things.
        scope_words: Endings of a body or a field of work before a number: it counts for that one alone.
        whole_words: What makes such a body the reporting one again (我局, 全区).
        previous_words: What puts a carry-over before the period rather than after it.
        change_words: Verbs right before a number that make it a change, not a value.
        base_words: What stands right before the value that a change starts from (由…增加到).
        columns: Columns of the standard forms as messages name them.
    """

    approximation: float
    sure: float
    parts_named: int
    measured_units: tuple[str, ...]
    same_units: tuple[tuple[str, ...], ...]
    sum: SumSettings
    scope_words: tuple[str, ...]
    whole_words: tuple[str, ...]
    previous_words: tuple[str, ...]
    change_words: tuple[str, ...]
    base_words: tuple[str, ...]
    rates: tuple[Rate, ...]
    rate_affixes: Affixes
    columns: dict[str, str]
    kinds: tuple[Kind, ...]


KindName = Literal[
    "sum.over",
    "sum.under",
    "share.wrong",
    "share.cut",
    "share.list",
    "growth.wrong",
    "growth.cut",
    "growth.direction",
    "growth.difference",
    "balance",
    "repeat",
    "rate.wrong",
    "rate.rounded",
    "rate.remainder",
]


@cache
def load_settings() -> Settings:
    """The shipped settings.

    Raises:
        ConfigError: The file breaks its schema, or lacks a kind of finding.
    """
    settings = load_yaml("checks.yaml", Settings)
    names = {kind.name for kind in settings.kinds}
    wanted = set(KindName.__args__)  # type: ignore[attr-defined]
    if names != wanted:
        where = str(config_path("checks.yaml"))
        odd = ", ".join(sorted(names ^ wanted))
        raise ConfigError(where, f"Kinds missing or unknown: {odd}.", "Give one row for each kind.")
    return settings


@cache
def kinds() -> dict[str, Kind]:
    """Kinds of finding by name."""
    return {kind.name: kind for kind in load_settings().kinds}


@cache
def words(values: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern for any of the words, in the folded view."""
    return re.compile(alternatives(values))
