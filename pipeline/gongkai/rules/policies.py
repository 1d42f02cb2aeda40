"""Names of official documents: in 《》, with a mark lost, or whole titles without marks.

Title marks are paired here, line by line, with one pass over the text; what a title is, the rows of
`configs/rules/policies.yaml` decide from its last word and from what stands around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from gongkai.rules.table import CompiledRule, alternatives, compile_rules, load_rules
from gongkai.types import Mention

_MARKS = re.compile(r"[《》\n]")
_BROKEN_AT_MARKS = re.compile("《[ \u200b]*\n[^《》\n]{1,80}\n?[ \u200b]*》|《[^《》\n]{1,80}\n[ \u200b]*》")
"""A title whose page put the name, as a link, on a line of its own between its marks."""
_WHITE = " \u200b"
_LONGEST_TITLE = 200
_BEFORE = 24
"""Characters before a title that its context is read from."""
_AFTER = 24
_LONGEST_ISSUER = 70
_LONGEST_HEADING = 110
_CLAUSE_BEFORE = re.compile(r"[^\n]*[,。;:!?“”()《》、]")
_SIBLING = re.compile(r"[、,;和及与]{0,2}[ \u200b]{0,2}")


class Marks(NamedTuple):
    """Title marks of a text: outermost pairs (start, end), and the places of marks without a partner."""

    pairs: list[tuple[int, int]]
    opened: list[int]
    closed: list[int]


def pair_marks(view: str) -> Marks:
    """Pair 《 with 》 within each line; of nested pairs the outermost stays.

    >>> pair_marks("《关于转发《甲》的通知》、《乙")
    Marks(pairs=[(0, 12)], opened=[13], closed=[])
    """
    marks = Marks([], [], [])
    stack: list[int] = []
    line: list[tuple[int, int]] = []
    for match in _MARKS.finditer(view):
        position = match.start()
        if match[0] == "《":
            stack.append(position)
        elif match[0] == "\n":
            _end_line(marks, stack, line)
        elif stack:
            line.append((stack.pop(), position + 1))
        else:
            marks.closed.append(position)
    _end_line(marks, stack, line)
    return marks


def _end_line(marks: Marks, stack: list[int], line: list[tuple[int, int]]) -> None:
    marks.opened.extend(stack)
    last = -1
    for start, end in sorted(line):
        if start >= last:
            marks.pairs.append((start, end))
            last = end
    stack.clear()
    line.clear()


def tag_policies(view: str) -> list[Mention]:
    """POLICY mentions of the folded view, the outermost alone, in text order.

    >>> from gongkai.text import fold
    >>> view = fold("根据《公园条例》和《示例日报》")
    >>> [view[m.start : m.end] for m in tag_policies(view)]
    ['《公园条例》']
    """
    view = _BROKEN_AT_MARKS.sub(lambda title: title[0].replace("\n", " "), view)
    marks = pair_marks(view)
    found = [*_quoted(view, marks.pairs), *_half_quoted(view, marks)]
    found += _titles(view)
    return _outermost(found)


def _quoted(view: str, pairs: list[tuple[int, int]]) -> Iterator[Mention]:
    previous_end = -1
    previous: Mention | None = None
    for start, end in pairs:
        mention = _judge(view, start, end)
        if mention is None and previous is not None and _SIBLING.fullmatch(view, previous_end, start):
            mention = (
                Mention("POLICY", start, end, previous.by, 0.7) if not _refused(view, start, end) else None
            )
        if mention is not None:
            yield mention
        previous_end, previous = end, mention


def _judge(view: str, start: int, end: int) -> Mention | None:
    if end - start > _LONGEST_TITLE or end - start < 3:
        return None
    rules = _rules()
    if rules["policy.quoted"].regex.fullmatch(_trimmed(view, start, end)):
        return _mention(rules["policy.quoted"], start, end)
    if _refused(view, start, end):
        return None
    left, right = max(view.rfind("\n", 0, start) + 1, start - _BEFORE), min(len(view), end + _AFTER)
    if any(
        match.end("span") == end
        for match in rules["policy.quoted_in_context"].regex.finditer(view, left, end)
    ):
        return _mention(rules["policy.quoted_in_context"], start, end)
    if rules["policy.quoted_numbered"].regex.match(view, start, right):
        return _mention(rules["policy.quoted_numbered"], start, end)
    return None


def _refused(view: str, start: int, end: int) -> bool:
    rules = _rules()
    title = _trimmed(view, start, end)
    return any(rules[name].regex.fullmatch(title) for name in ("policy.quoted_media", "policy.quoted_report"))


def _trimmed(view: str, start: int, end: int) -> str:
    """The title without the white space that a page left inside its marks."""
    return f"《{view[start + 1 : end - 1].strip(_WHITE)}》"


def _half_quoted(view: str, marks: Marks) -> Iterator[Mention]:
    lost_close, lost_open = _rules()["policy.close_lost"], _rules()["policy.open_lost"]
    for position in marks.opened:
        if match := lost_close.regex.match(view, position, position + _LONGEST_TITLE):
            yield _mention(lost_close, *match.span())
    for position in marks.closed:
        left = max(view.rfind("\n", max(0, position - 80), position) + 1, position - 80)
        clause = _CLAUSE_BEFORE.match(view, left, position)
        if match := lost_open.regex.search(view, clause.end() - 1 if clause else left, position + 1):
            yield _mention(lost_open, *_title_start(view, *match.span("span")))


def _title_start(view: str, start: int, end: int) -> tuple[int, int]:
    """Where a title without its 《 starts: at 关于, else behind the verb that governs it."""
    about = view.find("关于", start, end)
    if about >= 0:
        return about, end
    verb = _before_title().match(view, start, end)
    return (verb.end() if verb else start), end


@cache
def _before_title() -> re.Pattern[str]:
    return re.compile(rf".*?{alternatives(load_rules('policies').words['before_title'])}+(?=.{{5}})")


def _titles(view: str) -> Iterator[Mention]:
    """Whole titles without marks, and short forms defined in quotes.

    The rows are tried only around what every such title has (关于, a kind of plan at the end of a line), so
    that ordinary prose costs one fast search.
    """
    for match in _about().finditer(view):
        yield from _titles_about(view, match.start(), match.end())
    heading = _rules()["policy.heading"]
    for match in _plan_at_line_end().finditer(view):
        line = view.rfind("\n", max(0, match.start() - _LONGEST_HEADING), match.start()) + 1
        if found := heading.regex.match(view, line):
            yield _mention(heading, *found.span("span"))
    short_form = _rules()["policy.short_form"]
    for start, end in short_form.spans(view):
        yield _mention(short_form, start, end)


def broken_titles(view: str) -> list[tuple[int, int]]:
    """Titles with 关于 that run over two or three lines (GB/T 9704-2012, 7.3.1).

    They are no mentions, for none crosses a line break, but what stands in them is part of a title.

    >>> view = "示例市人民政府关于2018年度\\n公园建设奖励的决定\\n各单位:"
    >>> [view[start:end] for start, end in broken_titles(view)]
    ['示例市人民政府关于2018年度\\n公园建设奖励的决定']
    """
    found: list[tuple[int, int]] = []
    for match in _about_over_lines().finditer(view):
        left = max(0, match.start() - _LONGEST_ISSUER)
        line = view.rfind("\n", left, match.start()) + 1
        if (line or left == 0) and not _CLAUSE_BEFORE.match(view, line, match.start()):
            found.append((line, match.end()))
    return found


@cache
def _about_over_lines() -> re.Pattern[str]:
    loaded = load_rules("policies")
    ending = f"的{alternatives(loaded.words['issued'])}{loaded.pieces['note']}"
    return re.compile(
        rf"关于(?=[^\n。;:!?]{{0,60}}\n)(?![^\n]{{0,60}}{ending}[ \u200b]*\n)[^\n]*+"
        rf"(?:\n[ \u200b]*+[^\n,。;:!?]{{2,60}}?){{1,2}}?{ending}(?=[ \u200b]*(?:\n|\Z))"
    )


def _titles_about(view: str, about: int, kind_end: int) -> Iterator[Mention]:
    left = max(0, about - _LONGEST_ISSUER)
    line = view.rfind("\n", left, about) + 1
    title_line, in_sentence, with_number = (
        _rules()[name]
        for name in ("policy.title_line", "policy.notice_in_sentence", "policy.notice_with_number")
    )
    if (line or left == 0) and (found := title_line.regex.match(view, line)):
        yield _mention(title_line, *found.span("span"))
    else:
        for rule in (in_sentence, with_number):
            if found := rule.regex.search(view, max(line, left), kind_end + _AFTER):
                yield _mention(rule, *found.span("span"))
                return


@cache
def _about() -> re.Pattern[str]:
    return re.compile(
        rf"关于(?:(?!关于)[^\n。;!?]){{2,100}}?的{alternatives(load_rules('policies').words['issued'])}"
    )


@cache
def _plan_at_line_end() -> re.Pattern[str]:
    loaded = load_rules("policies")
    plan, note = alternatives(loaded.words["plan"]), loaded.pieces["note"]
    return re.compile(rf"{plan}{note}[ \u200b]{{0,8}}$", re.MULTILINE)


def _mention(rule: CompiledRule, start: int, end: int) -> Mention:
    return Mention("POLICY", start, end, rule.by, rule.rule.score)


def _outermost(found: list[Mention]) -> list[Mention]:
    kept: list[Mention] = []
    for mention in sorted(found, key=lambda m: (m.start, -m.end)):
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
    return kept


@cache
def _rules() -> dict[str, CompiledRule]:
    return {rule.rule.name: rule for rule in compile_rules("policies")}
