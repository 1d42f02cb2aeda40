"""Lines of a page that are not the document's own."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import msgspec

from gongkai.resources import load_yaml
from gongkai.structure.patterns import PatternRow, compile_row
from gongkai.text import fold

_FILE = "structure/boilerplate.yaml"
_LONGEST_LINE = 160
_LINE = re.compile(r"[^\s\u200b](?:[^\n]*[^\s\u200b])?")
_SEPARATOR = r"[\s\u200b|/>»›·:,、\[\]【】()\-+<\ue000-\uf8ff]"
"""Between links; private-use characters are the icon fonts of pages."""


class BoilerplateRow(PatternRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of line; its pattern begins at the line's beginning unless it may stand `anywhere`."""

    anywhere: bool = False


class BoilerplateFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`configs/structure/boilerplate.yaml`."""

    words: dict[str, tuple[str, ...]]
    kept: PatternRow
    rows: tuple[BoilerplateRow, ...]


class _Patterns(NamedTuple):
    kept: re.Pattern[str]
    beginning: re.Pattern[str]
    anywhere: tuple[re.Pattern[str], ...]
    links: re.Pattern[str]
    separators: re.Pattern[str]
    topics: frozenset[str]


@cache
def config() -> BoilerplateFile:
    """The rows of `configs/structure/boilerplate.yaml`."""
    return load_yaml(_FILE, BoilerplateFile)


@cache
def _patterns() -> _Patterns:
    file = config()
    words = sorted({fold(word) for word in file.words["link"]}, key=lambda word: (-len(word), word))
    beginning = [row for row in file.rows if not row.anywhere]
    link = "|".join(map(re.escape, words))
    return _Patterns(
        kept=compile_row(file.kept, _FILE, {}, {}),
        beginning=re.compile("|".join(f"(?:{compile_row(row, _FILE, {}, {}).pattern})" for row in beginning)),
        anywhere=tuple(compile_row(row, _FILE, {}, {}) for row in file.rows if row.anywhere),
        links=re.compile(rf"{_SEPARATOR}*+(?:(?:{link})(?:{_SEPARATOR}++|$))+"),
        separators=re.compile(rf"{_SEPARATOR}++"),
        topics=frozenset(fold(word) for word in file.words["topic"]),
    )


def find(view: str) -> tuple[tuple[int, int], ...]:
    """(start, end), without outer white space, of lines that are navigation, counters, bars or footers.

    Only short lines with evidence of their own: a row of configs/structure/boilerplate.yaml, or nothing in
    the line but links. A line with a sentence or with the document's own metadata is kept.
    """
    return tuple(
        match.span()
        for match in _LINE.finditer(view)
        if match.end() - match.start() <= _LONGEST_LINE and is_boilerplate(match[0])
    )


def is_boilerplate(line: str) -> bool:
    """Whether a line of the folded view, without outer white space, belongs to the page and not the document.

    >>> is_boilerplate("【打印】 【关闭】"), is_boilerplate("发布日期:2019-03-11 浏览次数:-")
    (True, False)
    """
    if "。" in line or not (_has_evidence(line) or _only_links(line)):
        return False
    return not _patterns().kept.search(line)


def _has_evidence(line: str) -> bool:
    patterns = _patterns()
    return bool(patterns.beginning.match(line)) or any(row.search(line) for row in patterns.anywhere)


def _only_links(line: str) -> bool:
    patterns = _patterns()
    if not patterns.links.fullmatch(line):
        return False
    links = [link for link in patterns.separators.split(line) if link]
    return len(links) >= 2 or not patterns.topics.issuperset(links)
