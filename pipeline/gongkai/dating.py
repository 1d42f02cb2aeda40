"""What a PERIOD without a year of its own takes from what is said around it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import msgspec

from gongkai.normalise.periods import (
    UNKNOWN,
    is_school_year,
    normalise_period,
    reported_period,
    single_year,
)
from gongkai.resources import load_yaml
from gongkai.spans import IntervalIndex
from gongkai.structure.metadata import is_work_report, tells_of_the_past
from gongkai.structure.patterns import PatternRow, compile_row
from gongkai.text import fold
from gongkai.types import Mention, Meta, PeriodNorm, Section

_FILE = "periods.yaml"
_BEFORE = 8
"""Characters before a period in which its relation to what is spoken of is looked for."""
_LINE_END = 60
"""Characters at the end of a line that tell whether it runs on."""
_EVIDENCE = 60_000
"""Characters in which the signs of a report on past years are looked for."""
_normalised = lru_cache(maxsize=1 << 12)(normalise_period)
"""The same few surfaces (全年, 2018年) make up most of an archive's periods."""


class PeriodsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`configs/periods.yaml`."""

    words: dict[str, tuple[str, ...]]
    rows: tuple[PatternRow, ...]


@cache
def config() -> PeriodsFile:
    """What `configs/periods.yaml` holds."""
    return load_yaml(_FILE, PeriodsFile)


@cache
def cues() -> dict[str, re.Pattern[str]]:
    """Each row's pattern by its name."""
    return {row.name: compile_row(row, _FILE, {}, config().words) for row in config().rows}


class _Block(NamedTuple):
    """Lines that are one paragraph: their number, and that of the block ending in a colon that leads to them."""

    number: int
    lead: int


class SectionPeriods:
    """Which section holds a position, and the period that its heading states.

    Args:
        sections: Of the document.
        coming: What a heading of plans means that states no period itself (下一步工作打算).
    """

    def __init__(self, sections: Sequence[Section], coming: PeriodNorm | None = None) -> None:
        self._sections = sections
        self._starts = [section.start for section in sections]
        self._by_id = {section.id: section for section in sections}
        self._coming = coming
        self._stated: dict[str, PeriodNorm] = {}
        plans = cues()["plans_heading"]
        self._planned = {s.id: coming for s in sections if coming and s.title and plans.match(fold(s.title))}

    def state(self, start: int, end: int, norm: PeriodNorm) -> None:
        """A period of the text: its section's own if it is the first to stand in the heading."""
        section = self.holding(start)
        if section is None or not section.title or section.level == 0:
            return
        heading = section.start + len(section.number or "") + len(section.title) + 4
        if end > heading or (norm == self._coming and cues()["lacks"].match(fold(section.title))):
            return
        self._stated.setdefault(section.id, norm)

    def holding(self, position: int) -> Section | None:
        """The innermost section that holds a position."""
        place = bisect_right(self._starts, position) - 1
        section = self._sections[place] if place >= 0 else None
        while section is not None and position >= section.end:
            section = self._parent(section)
        return section

    def of(self, section: Section | None) -> PeriodNorm | None:
        """What the section's heading states, else the headings of those that hold it."""
        while section is not None:
            if found := self._stated.get(section.id) or self._planned.get(section.id):
                return found
            section = self._parent(section)
        return None

    def _parent(self, section: Section) -> Section | None:
        return self._by_id.get(section.parent) if section.parent else None


class PeriodReader:
    """Gives every PERIOD of one document its days.

    One without a year of its own takes it from the period stated before it in its paragraph, else from the line
    that leads to its item (2016年拟做好以下工作：), else from its section's heading, else from the report; what a
    report plans is for the year after it. A text that says no year of itself has the latest that it states.

    Args:
        view: Folded text.
        meta: Of the document.
        sections, sentences, paragraphs: Of the document.
    """

    def __init__(
        self,
        view: str,
        meta: Meta,
        sections: Sequence[Section] = (),
        sentences: Sequence[tuple[int, int]] = (),
        paragraphs: Sequence[tuple[int, int]] = (),
    ) -> None:
        self._view = view
        self._meta = meta
        self._coming = coming_period(meta)
        self._headings = SectionPeriods(sections, self._coming)
        self._sentences = IntervalIndex(sentences)
        self._paragraphs = IntervalIndex(paragraphs)
        self._blocks = _blocks(view, paragraphs)
        self._dated: dict[int, PeriodNorm] = {}
        """Of each block so far, the last period with a year of its own."""
        self._school: PeriodNorm | None = None

    def read(self, mentions: Sequence[Mention]) -> dict[Mention, PeriodNorm]:
        """The days of each PERIOD among the mentions; those are the document's, in text order."""
        cited = _cited(mentions)
        periods = [mention for mention in mentions if mention.label == "PERIOD"]
        own = {m: None if m in cited else self._spoken_of(m) for m in periods}
        self._school = next((norm for norm in own.values() if is_school_year(norm)), None)
        year, now = self._years([mention for mention in periods if mention not in cited])
        plans = deque(self._plans())
        last: PeriodNorm | None = None
        sentence: int | None = None
        found: dict[Mention, PeriodNorm] = {}
        for mention, stated in own.items():
            while plans and plans[0] < mention.start:
                self._date(plans.popleft(), self._coming)
            before, sentence = sentence, self._sentences.find(mention.start)
            if sentence is None or sentence != before:
                last = None
            found[mention] = norm = self._norm(mention, year, now, last)
            if stated is None or norm.start is None or norm.end is None:
                continue
            last = norm
            self._headings.state(mention.start, mention.end, norm)
            if _has_one_year(stated):
                self._date(mention.start, stated)
        return found

    def _spoken_of(self, mention: Mention) -> PeriodNorm | None:
        """What a period says by its own words; None for one that is only compared with or counted from."""
        if "同期" in self._surface(mention) or self._is_compared(mention):
            return None
        return _normalised(self._surface(mention), year=None)

    def _years(self, mentions: Sequence[Mention]) -> tuple[int | None, int | None]:
        """The year that the document tells of, and the one that it speaks in."""
        year = self._meta.year
        if year is not None:
            return year, year + is_work_report(self._meta.title)
        year = max(filter(None, (self._year_shown(mention) for mention in mentions)), default=None)
        if year is None:
            return None, None
        return year, year + bool(cues()["looks_back"].search(self._view[:_EVIDENCE]))

    def _year_shown(self, mention: Mention) -> int | None:
        """The year that a period names, if it may be the one that the text tells of: no aim, nothing compared with."""
        before, after = self._before(mention), mention.end
        if cues()["aimed_before"].search(before) or cues()["aimed_after"].match(self._view, after):
            return None
        if cues()["compared_before"].search(before) and not self._view.startswith("起", after):
            return None
        return single_year(_normalised(self._surface(mention), year=None))

    def _plans(self) -> Iterator[int]:
        """Where the text turns to what a report's body will do in the year after it."""
        if self._coming is not None:
            yield from (match.end() - 1 for match in cues()["plans_begin"].finditer(self._view))

    def _norm(
        self, mention: Mention, year: int | None, now: int | None, last: PeriodNorm | None
    ) -> PeriodNorm:
        if cues()["recurring"].search(self._before(mention)):
            return UNKNOWN
        surface = self._surface(mention)
        anchor = self._anchor(mention.start)
        if "学年" in surface and not is_school_year(anchor):
            anchor = self._school
        if surface.startswith("今年") and anchor is not None and anchor == self._coming:
            now = single_year(anchor)
        norm = _normalised(surface, year=year, now=now, anchor=anchor, last=last)
        if (
            surface.startswith("前")
            and norm.start
            and cues()["compared_before"].search(self._before(mention))
        ):
            # 比前五年增长: the five before those that are told of
            return _normalised(surface, year=int(norm.start[:4]) - 1)
        return norm

    def _anchor(self, position: int) -> PeriodNorm | None:
        """The period whose year goes for what has none here."""
        block = self._block_at(position)
        if block is not None and (dated := self._dated.get(block.number) or self._dated.get(block.lead)):
            return dated
        headed = self._headings.of(self._headings.holding(position))
        return headed if headed and _has_one_year(headed) else self._school

    def _date(self, position: int, period: PeriodNorm | None) -> None:
        block = self._block_at(position)
        if block is not None and period is not None:
            self._dated[block.number] = period

    def _block_at(self, position: int) -> _Block | None:
        paragraph = self._paragraphs.find(position)
        return None if paragraph is None else self._blocks[paragraph]

    def _is_compared(self, mention: Mention) -> bool:
        before = cues()["compared_before"].search(self._before(mention))
        return bool(before or cues()["compared_after"].match(self._view, mention.end))

    def _before(self, mention: Mention) -> str:
        return self._view[max(0, mention.start - _BEFORE) : mention.start]

    def _surface(self, mention: Mention) -> str:
        return self._view[mention.start : mention.end]


def coming_period(meta: Meta) -> PeriodNorm | None:
    """The year after the one that a report tells of, which its plans are for; None for what is no report."""
    if meta.year is None or not tells_of_the_past(meta):
        return None
    return reported_period(meta.year + 1, meta.title)


def _cited(mentions: Sequence[Mention]) -> set[Mention]:
    """The mentions that lie in a document's name or number."""
    found = set()
    end = 0
    for mention in mentions:
        if mention.label in ("POLICY", "DOCNO"):
            end = max(end, mention.end)
        elif mention.end <= end:
            found.add(mention)
    return found


def _has_one_year(period: PeriodNorm) -> bool:
    return single_year(period) is not None or is_school_year(period)


def _blocks(view: str, paragraphs: Sequence[tuple[int, int]]) -> list[_Block]:
    """The block of each paragraph: a paragraph with the lines that it runs on to, and the one that leads to it."""
    blocks: list[_Block] = []
    number = lead = -1
    before: tuple[int, int] | None = None
    for start, end in paragraphs:
        if before is None or not _runs_on(view, before, start):
            number += 1
            if before is not None and view[before[1] - 1] == ":" and lead < 0:
                lead = number - 1
            if not cues()["item"].match(view, start, end):
                lead = -1
        blocks.append(_Block(number, lead))
        before = (start, end)
    return blocks


def _runs_on(view: str, line: tuple[int, int], following: int) -> bool:
    if view.count("\n", line[1], following) != 1:
        return False
    start, end = line
    return bool(cues()["runs_on"].search(view, max(start, end - _LINE_END), end))
