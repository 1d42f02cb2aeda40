"""What the archive's views and checks take from `configs/archive.yaml`."""

from __future__ import annotations

import re
from functools import cache

import msgspec

from gongkai.errors import ConfigError
from gongkai.resources import config_path, load_yaml
from gongkai.types import Severity


class Rewrite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A substitution in a folded name. `example` becomes `becomes` by this row alone, where it is applied."""

    pattern: str
    replace: str
    example: str
    becomes: str

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"{self.pattern}: {error}") from None


class IssuerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which names stand for one body.

    Attributes:
        rewrite: Substitutions, in order.
        placed: What a name begins with that says its place.
        national: What the name of a national body begins with.
        shared: Places that several cities have.
        clear, ambiguous: Worked examples.
    """

    rewrite: tuple[Rewrite, ...]
    placed: str
    national: str
    shared: tuple[str, ...]
    clear: tuple[str, ...]
    ambiguous: tuple[str, ...]


class TitleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When two titles name the same document: substitutions, in order."""

    rewrite: tuple[Rewrite, ...]


class ValuesExample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values of one issuer's reports of 2020 and 2021, by metric id, and the one sentence said of them."""

    last: dict[str, float]
    this: dict[str, float]
    says: str


class TitlesExample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number with two titles: `one` is cited more often, `other` once; and what is said of that."""

    docno: str
    one: str
    other: str
    says: str


class Balance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one year's report leaves for the next: `last` of a report is Σ`plus` − Σ`minus` of the next.

    Attributes:
        name: Stable, e.g. `carryover.requests`.
        source: The document that says so, and the place in it.
    """

    name: str
    severity: Severity
    last: str
    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()
    template: str
    source: str
    example: ValuesExample


class Restated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a year's value is told that the next year's report states otherwise."""

    severity: Severity
    template: str
    example: ValuesExample


class Titles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a document number with two titles is told."""

    severity: Severity
    template: str
    example: TitlesExample


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`configs/archive.yaml`; its comments say what each key means."""

    sure: float
    issuer: IssuerSettings
    title: TitleSettings
    balances: tuple[Balance, ...]
    restated: Restated
    titles: Titles


@cache
def load_settings() -> Settings:
    """The shipped settings.

    Raises:
        ConfigError: The file breaks its schema, or two balances have one name.
    """
    settings = load_yaml("archive.yaml", Settings)
    names = [balance.name for balance in settings.balances]
    if len(set(names)) < len(names):
        where = str(config_path("archive.yaml"))
        raise ConfigError(where, "Two balances have one name.", "Give each its own.")
    return settings
