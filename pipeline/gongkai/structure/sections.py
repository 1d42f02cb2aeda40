"""The tree of numbered sections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import msgspec

from gongkai.resources import load_yaml
from gongkai.structure.patterns import PatternRow, compile_row
from gongkai.types import Section

_FILE = "structure/numbering.yaml"
_BLANK = re.compile(r"[\s\u200b]*")
_CONTENTS = re.compile(r"^[ \u200b]{0,20}目[ \u200b]{0,20}录[ \u200b]{0,20}$", re.MULTILINE)
_LEADER = re.compile(r"[.·…_\-]*[0-9]*$")
_LONGEST_ALONE = 60
_LONGEST_RUN_IN = 40
_LONGEST_HEAD = 120
_OUTSIDE = -1
"""Rank of what stands before the first number, and of an attachment's head."""
_NUMERALS = {numeral: value for value, numeral in enumerate("一二三四五六七八九", 1)}
_IDEOGRAPHS = {"㈠": 10, "⒈": 20, "⑴": 20, "①": 20}


class NumberingRow(PatternRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to number a heading.

    Attributes:
        rank: Place among the kinds of numbering; a section holds those of higher rank that follow it.
        begins: The characters that it can begin with.
        in_order: Taken only where its number continues those around it.
    """

    rank: int
    begins: str
    in_order: bool = False


class NumberingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`configs/structure/numbering.yaml`."""

    rows: tuple[NumberingRow, ...]
    attachment: PatternRow
    pieces: dict[str, str]


class _Heading(NamedTuple):
    """A paragraph that may begin a section; `row` is None for the start of an attachment."""

    start: int
    number_end: int
    end: int
    row: NumberingRow | None
    value: tuple[int, ...] | None


@cache
def numbering() -> tuple[tuple[NumberingRow, re.Pattern[str]], ...]:
    """The rows of `configs/structure/numbering.yaml` with their patterns, in the order they are tried."""
    file = load_yaml(_FILE, NumberingFile)
    return tuple((row, compile_row(row, _FILE, file.pieces, {})) for row in file.rows)


@cache
def attachment() -> re.Pattern[str]:
    """What a paragraph looks like that begins an attachment."""
    file = load_yaml(_FILE, NumberingFile)
    return compile_row(file.attachment, _FILE, file.pieces, {})


def tree(view: str, paragraphs: Sequence[tuple[int, int]], printed: str | None = None) -> tuple[Section, ...]:
    """Sections of the view, in text order; those without a parent tile it.

    A section begins at a paragraph that begins with a number (configs/structure/numbering.yaml: GB/T
    9704-2012, 7.3.3, with parts, chapters and articles above, and forms that pages damage) and reaches to the
    next section of its level or above. What stands before the first number, and each attachment's head, is a
    section of level 0. Levels are 1 for 一、, 2 for （一）, 3 for 1., 4 for （1）, 5 for ①; parts, chapters,
    1.1 and 1.1.1 push down those below them where the document has them. A missing level is left out: a
    section's parent is the nearest open section of a lower level.

    Args:
        paragraphs: (start, end) of the paragraphs that may be headings, in order: leave tables out.
        printed: The source of the view, for numbers and titles as printed; the view itself by default.
    """
    if not view:
        return ()
    found = [heading for start, end in paragraphs if (heading := _heading(view, start, end))]
    headings = _accepted(_without_contents(view, found))
    return _nest(view, headings, view if printed is None else printed)


def _heading(view: str, start: int, end: int) -> _Heading | None:
    if view[start] == "附" and attachment().match(view, start, end):
        return _Heading(start, end, end, None, None)
    for row, pattern in _rows_by_first_character().get(view[start], ()):
        if match := pattern.match(view, start, min(end, start + _LONGEST_HEAD)):
            return _Heading(start, match.end(), end, row, _value(match))
    return None


def _without_contents(view: str, found: list[_Heading]) -> list[_Heading]:
    """The headings without those of a table of contents: from 目录 to where its first one comes again."""
    contents = _CONTENTS.search(view) if found else None
    if contents is None:
        return found
    after = [number for number, heading in enumerate(found) if heading.start >= contents.end()]
    if not after:
        return found
    first = after[0]
    words = _entry(view, found[first])
    again = (number for number in after[1:] if _entry(view, found[number]).startswith(words))
    return found[:first] + found[next(again, first) :]


def _entry(view: str, heading: _Heading) -> str:
    """A heading's characters without spaces, and without the dots and page number of a contents entry."""
    line = view[heading.start : min(heading.end, heading.start + _LONGEST_HEAD)]
    return _LEADER.sub("", line.replace(" ", ""))


@cache
def _rows_by_first_character() -> dict[str, tuple[tuple[NumberingRow, re.Pattern[str]], ...]]:
    firsts = {character for row, _ in numbering() for character in row.begins}
    return {first: tuple(entry for entry in numbering() if first in entry[0].begins) for first in firsts}


def _value(match: re.Match[str]) -> tuple[int, ...] | None:
    """The number's value, (1, 2) for 1.2; None where the page lost it."""
    digits = match["number"] or match.groupdict().get("bare")
    if not digits:
        return None
    for first, count in _IDEOGRAPHS.items():
        if 0 <= ord(digits[0]) - ord(first) < count:
            return (ord(digits[0]) - ord(first) + 1,)
    if digits[0].isascii():
        return tuple(int(part) for part in digits.split("."))
    return (_chinese(digits),)


def _chinese(numeral: str) -> int:
    """Value of a numeral up to 九十九, or of its tens and units after 百.

    >>> _chinese("二十三"), _chinese("十"), _chinese("七")
    (23, 10, 7)
    """
    hundreds, hundred, rest = numeral.rpartition("百")
    tens, ten, units = rest.replace("零", "").rpartition("十")
    value = _NUMERALS.get(units, 0)
    value += 10 * _NUMERALS.get(tens, 1) if ten else 0
    return value + (100 * _NUMERALS.get(hundreds, 1) if hundred else 0)


def _accepted(found: list[_Heading]) -> list[_Heading]:
    """The headings without those doubtful forms that do not continue the numbering around them."""
    following = _following(found)
    latest: dict[int, tuple[int, ...]] = {}
    accepted: list[_Heading] = []
    for heading, after in zip(found, following, strict=True):
        if heading.row is None:
            latest.clear()
            accepted.append(heading)
            continue
        rank = heading.row.rank
        value = heading.value or _implied(latest.get(rank), after)
        if heading.row.in_order and not _in_order(value, latest, rank, after):
            continue
        accepted.append(heading)
        for deeper in [other for other in latest if other > rank]:
            del latest[deeper]
        latest[rank] = value or (0,)
    return accepted


def _following(found: list[_Heading]) -> list[tuple[int, ...] | None]:
    """For each heading the value of the next one of its rank, before one of lower rank."""
    ahead: dict[int, tuple[int, ...]] = {}
    following: list[tuple[int, ...] | None] = []
    for heading in reversed(found):
        if heading.row is None:
            ahead.clear()
            following.append(None)
            continue
        rank = heading.row.rank
        following.append(ahead.get(rank))
        for deeper in [other for other in ahead if other > rank]:
            del ahead[deeper]
        if heading.value:
            ahead[rank] = heading.value
    following.reverse()
    return following


def _implied(before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Value of a number that the page lost, from its neighbours."""
    if before:
        return (before[-1] + 1,)
    return (after[-1] - 1,) if after and after[-1] > 1 else None


def _in_order(
    value: tuple[int, ...] | None,
    latest: dict[int, tuple[int, ...]],
    rank: int,
    after: tuple[int, ...] | None,
) -> bool:
    if not value:
        return False
    before = latest.get(rank)
    if before and value == (*before[:-1], before[-1] + 1):
        return True
    if len(value) > 1:
        return value[-1] == 1 and latest.get(_above(rank)) == value[:-1]
    return value[0] == 1 and after == (2,)


def _above(rank: int) -> int:
    """Rank of 1. for 1.1, of 1.1 for 1.1.1."""
    return rank - 1


def _nest(view: str, headings: list[_Heading], printed: str) -> tuple[Section, ...]:
    """Sections from accepted headings: one pass, with the chain of open sections on a stack."""
    levels = _levels(headings)
    first = headings[0].start if headings else len(view)
    before = _BLANK.match(view)
    entries: list[_Heading | None] = list(headings)
    if before is not None and (before.end() < first or not headings):
        entries.insert(0, None)
    opened: list[tuple[int, int]] = []
    starts: list[int] = []
    ends: list[int] = []
    parents: list[str | None] = []
    for index, heading in enumerate(entries):
        rank = heading.row.rank if heading and heading.row else _OUTSIDE
        start = heading.start if heading and index else 0
        while opened and (opened[-1][0] >= rank or opened[-1][0] == _OUTSIDE):
            ends[opened.pop()[1]] = start
        starts.append(start)
        ends.append(len(view))
        parents.append(f"S{opened[-1][1] + 1}" if opened else None)
        opened.append((rank, index))
    return tuple(
        Section(
            id=f"S{index + 1}",
            level=levels[heading.row.rank] if heading and heading.row else 0,
            start=starts[index],
            end=ends[index],
            number=printed[heading.start : heading.number_end].strip() if heading and heading.row else None,
            title=_title(view, heading, printed) if heading else None,
            parent=parents[index],
        )
        for index, heading in enumerate(entries)
    )


def _levels(headings: list[_Heading]) -> dict[int, int]:
    """Level of each rank the document uses: the tens are fixed, the ranks between push down what follows."""
    ranks = sorted({heading.row.rank for heading in headings if heading.row})
    between = [rank for rank in ranks if rank % 10 or rank == 0]
    return {rank: rank // 10 + sum(other <= rank for other in between) for rank in ranks}


def _title(view: str, heading: _Heading, printed: str) -> str | None:
    """The heading's own words: its line, or its first sentence where the text runs on behind it."""
    if heading.row is None:
        return printed[heading.start : heading.end].strip()
    stop = view.find("。", heading.number_end, min(heading.end, heading.number_end + _LONGEST_RUN_IN + 1))
    if stop >= 0:
        return printed[heading.number_end : stop].strip() or None
    if heading.end - heading.number_end > _LONGEST_ALONE or view[heading.end - 1] in "。!?":
        return None
    return printed[heading.number_end : heading.end].strip().rstrip(";；:：,，.．") or None
