"""Names of government, party and public bodies.

The rows of `configs/rules/orgs.yaml` find where a name ends; where it starts, `_start` reads leftwards with
the word lists of the same file. Names inside a POLICY or DOCNO are part of those and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from gongkai.rules.docnos import tag_docnos
from gongkai.rules.policies import tag_policies
from gongkai.rules.table import CompiledRule, alternatives, compile_rules, expand, load_rules
from gongkai.spans import IntervalIndex, drop_overlapping
from gongkai.types import Mention

_WINDOW = 26
"""Characters read before the end of a name: the longest names of bodies, places and all."""
_NOT_A_NAME = re.compile(r".*[^\u3400-\u9fff\u200b]", re.DOTALL)
_PARTY_BEFORE_GOVERNMENT = "(?<=[省市区县旗州镇乡])委(?=[省市区县旗州镇乡])"
"""市委市政府 is two bodies."""
_GAP = "\u0001"


def tag_orgs(view: str, inside: Sequence[Mention] | None = None) -> list[Mention]:
    """ORG mentions of the folded view, in text order.

    Args:
        view: The folded view of a document.
        inside: Its POLICY and DOCNO mentions, whose parts are no ORG; tagged here if not given.

    >>> from gongkai.text import fold
    >>> view = fold("由示例区教育局、各街道办事处报市政府")
    >>> [view[m.start : m.end] for m in tag_orgs(view)]
    ['示例区教育局', '市政府']
    """
    taken = [*tag_policies(view), *tag_docnos(view)] if inside is None else inside
    covered = IntervalIndex([(m.start, m.end) for m in drop_overlapping(taken)])
    found = (mention for rule in compile_rules("orgs") for mention in _apply(rule, view))
    return drop_overlapping(m for m in found if covered.find(m.start) is None and covered.find(m.end - 1) is None)


def _apply(rule: CompiledRule, view: str) -> Iterator[Mention]:
    name, score = rule.rule.name, rule.rule.score
    whole = name in _words("whole")
    for start, end in rule.spans(view):
        if whole:
            yield Mention("ORG", start, end, rule.by, score)
            continue
        first = _start(view, start, end, placed=name in _words("placed"))
        if first is not None:
            yield Mention("ORG", first, end, rule.by, score)


def _start(view: str, start: int, end: int, placed: bool) -> int | None:
    """Where the name begins whose last part is `view[start:end]`; None if it names no one body."""
    window = view[max(0, start - _WINDOW) : start]
    cut = _NOT_A_NAME.match(window)
    run = window[cut.end() :] if cut else window
    masked = _lists().inside.sub(lambda m: _GAP * len(m[0]), run + view[start:end])[: len(run)]
    if stop := _lists().before.match(masked):
        if _lists().group_stop.search(masked, 0, stop.end()):
            return None
        run = run[stop.end() :]
    if not run:
        return start if view[start:end] in _words("alone") else None
    if run in _words("own_parts"):
        return start - len(run)
    if _lists().group.match(run):
        return None
    place = _lists().place.match(run)
    if place is None and placed:
        return None
    if place is None and not _lists().function.fullmatch(run + view[start:end]):
        return None
    return start - len(run)


class _Lists(NamedTuple):
    before: re.Pattern[str]
    inside: re.Pattern[str]
    group: re.Pattern[str]
    group_stop: re.Pattern[str]
    place: re.Pattern[str]
    function: re.Pattern[str]


@cache
def _lists() -> _Lists:
    loaded = load_rules("orgs")
    words, where = loaded.words, "configs/rules/orgs.yaml"
    level = expand("{level}", loaded.pieces, where)
    return _Lists(
        before=re.compile(rf".*(?:{alternatives(words['before_body'])}|{_PARTY_BEFORE_GOVERNMENT})", re.DOTALL),
        inside=re.compile(alternatives(words["inside_body"])),
        group=re.compile(rf"{alternatives(words['group_words'])}"),
        group_stop=re.compile(r"(?:各|有关|相关|所有|多个|每|任何|上级|下级|某)\Z"),
        place=re.compile(rf"(?:[\u3400-\u9fff\u200b]{{0,8}}?{level})"),
        function=re.compile(rf".{{0,4}}?{alternatives(words['functions'])}+.*"),
    )


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(load_rules("orgs").words[name])
