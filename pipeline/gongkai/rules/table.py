"""Rule rows: patterns as data, each with the text it must match and a near miss that it must not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

import msgspec

from gongkai.errors import ConfigError
from gongkai.resources import config_path, load_yaml
from gongkai.text import fold
from gongkai.types import EntityLabel

_PIECE = re.compile(r"\{([A-Za-z_]+)\}")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of `configs/rules/*.yaml`.

    Attributes:
        name: Signs what the rule finds, as `by="rule:<name>"`; stable across versions.
        pattern: Regular expression over the folded view (Simplified, ASCII punctuation); `{piece}` is
            replaced from the file's `pieces`. If it has a group named `span`, that group is the span.
        score: How often the rule is right, estimated once, 0 to 1.
        source: Where the form comes from: a standard, a design decision, pages where it was seen.
        match: Texts that it must match, the span between ⟦ and ⟧.
        reject: Near misses that it must not match at all.
    """

    name: str
    label: EntityLabel
    pattern: str
    source: str
    match: tuple[str, ...]
    reject: tuple[str, ...]
    score: float = 0.9


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of `configs/rules/`: named pieces of patterns, word lists, and the rows."""

    rules: tuple[Rule, ...]
    pieces: dict[str, str] = {}
    words: dict[str, tuple[str, ...]] = {}


class CompiledRule(msgspec.Struct, frozen=True):
    """A rule with its compiled pattern."""

    rule: Rule
    regex: re.Pattern[str]

    @property
    def by(self) -> str:
        return f"rule:{self.rule.name}"

    def spans(self, view: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
        """Spans the rule finds in `view[start:end]`, left to right, not overlapping."""
        group: str | int = "span" if "span" in self.regex.groupindex else 0
        for match in self.regex.finditer(view, start, len(view) if end is None else end):
            yield match.span(group)


@cache
def load_rules(name: str) -> RuleFile:
    """Rows of `configs/rules/<name>.yaml`; refuses a row without both kinds of example."""
    loaded = load_yaml(f"rules/{name}.yaml", RuleFile)
    where = str(config_path(f"rules/{name}.yaml"))
    for rule in loaded.rules:
        if not rule.match or not rule.reject:
            raise ConfigError(
                where, f"Rule {rule.name} lacks a match or a reject example.", "Add one of each."
            )
    return loaded


@cache
def compile_rules(name: str) -> tuple[CompiledRule, ...]:
    """The compiled rules of a file, in its order."""
    loaded = load_rules(name)
    pieces = dict(loaded.pieces)
    for word_list, words in loaded.words.items():
        pieces[word_list] = alternatives(words)
    where = str(config_path(f"rules/{name}.yaml"))
    return tuple(CompiledRule(rule, _compile(rule, pieces, where)) for rule in loaded.rules)


def alternatives(words: tuple[str, ...]) -> str:
    """A non-capturing group that matches any of the words, the longest first, folded as the view is."""
    ordered = sorted({fold(word) for word in words}, key=lambda word: (-len(word), word))
    return f"(?:{'|'.join(map(re.escape, ordered))})"


def expand(pattern: str, pieces: Mapping[str, str], where: str) -> str:
    """`pattern` with each `{piece}` replaced, pieces within pieces too."""

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name not in pieces:
            raise ConfigError(where, f"Unknown piece {{{name}}}.", f"Known: {', '.join(sorted(pieces))}.")
        return expand(pieces[name], pieces, where)

    return _PIECE.sub(replace, pattern)


def _compile(rule: Rule, pieces: Mapping[str, str], where: str) -> re.Pattern[str]:
    try:
        return re.compile(expand(rule.pattern, pieces, where), re.MULTILINE)
    except re.error as error:
        raise ConfigError(where, f"Rule {rule.name}: {error}.", "Correct its pattern.") from None
