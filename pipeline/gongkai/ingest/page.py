"""`configs/page.yaml`: what a page holds besides the document, and how it labels the document's metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Literal

import msgspec

from gongkai.errors import ConfigError
from gongkai.resources import config_path, load_yaml
from gongkai.text import fold

Field = Literal["index_number", "docno", "issuer", "published", "written", "title", "source", "site"]
NAME = "page.yaml"
_SPACE = re.compile(r"[\s\u200b]+")


class ContentName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Id or class of the element that holds the document."""

    name: str
    example: str


class Pattern(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row: what it matches wholly, with examples and near misses. `strong` is for footers alone."""

    name: str
    pattern: str
    match: tuple[str, ...]
    reject: tuple[str, ...]
    strong: bool = False


class Labels(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Labels that a page prints before one piece of metadata; `field` None: known, but not kept."""

    labels: tuple[str, ...]
    example: str
    field: Field | None = None


class Tags(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names of `<meta>` tags, lower case."""

    names: tuple[str, ...]
    example: str
    field: Field


class PageConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as it stands."""

    content: tuple[ContentName, ...]
    elements: tuple[Pattern, ...]
    pieces: tuple[Pattern, ...]
    lines: tuple[Pattern, ...]
    related: tuple[Pattern, ...]
    footer: tuple[Pattern, ...]
    labels: tuple[Labels, ...]
    tags: tuple[Tags, ...]
    issuer_endings: tuple[str, ...]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The file compiled. `labels` and `tags` lead to fields; labels are folded and free of spaces."""

    content: frozenset[str]
    element: re.Pattern[str]
    piece: re.Pattern[str]
    line: re.Pattern[str]
    related: re.Pattern[str]
    footer: re.Pattern[str]
    strong_footer: re.Pattern[str]
    labels: dict[str, Field | None]
    label: re.Pattern[str]
    tags: dict[str, Field]
    issuer_endings: tuple[str, ...]


@cache
def load_page_config() -> PageConfig:
    """The rows, for the tests that run their examples."""
    return load_yaml(NAME, PageConfig)


@cache
def load_page() -> Page:
    """The shipped configuration, compiled.

    Raises:
        ConfigError: The file breaks its schema or a pattern does not compile.
    """
    config = load_page_config()
    labels = {squeeze(label): row.field for row in config.labels for label in row.labels}
    return Page(
        content=frozenset(row.name for row in config.content),
        element=compile_patterns(config.elements),
        piece=compile_patterns(config.pieces),
        line=compile_patterns(config.lines),
        related=compile_patterns(config.related),
        footer=compile_patterns(config.footer),
        strong_footer=compile_patterns(row for row in config.footer if row.strong),
        labels=labels,
        label=_label_pattern(labels),
        tags={name: row.field for row in config.tags for name in row.names},
        issuer_endings=tuple(fold(ending) for ending in config.issuer_endings),
    )


def compile_patterns(rows: Iterable[Pattern]) -> re.Pattern[str]:
    """One regular expression for any of the rows.

    Raises:
        ConfigError: A pattern does not compile; the text names its row.
    """
    patterns: list[str] = []
    for row in rows:
        try:
            re.compile(row.pattern)
        except re.error as error:
            where = str(config_path(NAME))
            raise ConfigError(where, f"Row {row.name}: {error}.", "Correct its pattern.") from None
        patterns.append(f"(?:{row.pattern})")
    return re.compile("|".join(patterns), re.IGNORECASE)


def squeeze(label: str) -> str:
    """A label folded, without the spaces that pages set it with.

    >>> squeeze("索 引 号")
    '索引号'
    """
    return _SPACE.sub("", fold(label))


def _label_pattern(labels: Iterable[str]) -> re.Pattern[str]:
    """A known label and its colon, spaced or not, not within a longer word."""
    ordered = sorted(labels, key=lambda label: (-len(label), label))
    spaced = "|".join(r"[ ]{0,4}".join(map(re.escape, label)) for label in ordered)
    return re.compile(rf"(?<![\w])[\[【(]?({spaced})[\]】)]?[ ]{{0,4}}:[\]】)]?")
