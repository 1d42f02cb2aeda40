"""Names of government, party and public bodies.

The rows of `configs/rules/orgs.yaml` find where a name ends; where it starts, `_start` reads leftwards with
the word lists of the same file. Names inside a POLICY or DOCNO, or a title broken over lines, are part of
those and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from gongkai.rules.docnos import tag_docnos
from gongkai.rules.policies import broken_titles, tag_policies
from gongkai.rules.table import CompiledRule, alternatives, compile_rules, expand, load_rules
from gongkai.spans import IntervalIndex, drop_overlapping
from gongkai.text import fold
from gongkai.types import Mention

_WINDOW = 26
"""Characters read before the end of a name: the longest names of bodies, places and all."""
_LONGEST_FUNCTION = 4
"""Characters before 信息科, 法规处, 宣传部 that still name its work."""
_SHORTEST_NAME = 2
_MOST_SHORT_FORMS = 16
_NOT_A_NAME = re.compile(r".*[^\u3400-\u9fff\u200b]", re.DOTALL)
_PARTY, _OFFICE = "委", "办公厅"
_SEATS = tuple("省市区县旗州镇乡")


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
    titles = (Mention("POLICY", start, end, "", 0) for start, end in broken_titles(view))
    covered = IntervalIndex([(m.start, m.end) for m in drop_overlapping([*taken, *titles])])

    def free(mention: Mention) -> bool:
        return covered.find(mention.start) is None and covered.find(mention.end - 1) is None

    found = (mention for rule in compile_rules("orgs") for mention in _apply(rule, view))
    named = drop_overlapping(filter(free, found))
    short = list(filter(free, _short_forms(view, named)))
    return drop_overlapping([*named, *short]) if short else named


def _apply(rule: CompiledRule, view: str) -> Iterator[Mention]:
    name, score = rule.rule.name, rule.rule.score
    if name in _words("defined"):
        return
    whole = name in _words("whole")
    for start, end in rule.spans(view):
        if whole:
            yield Mention("ORG", start, end, rule.by, score)
            continue
        first = _start(view, start, end, name)
        if first is not None:
            yield Mention("ORG", first, end, rule.by, score)


def _short_forms(view: str, bodies: Sequence[Mention]) -> Iterator[Mention]:
    """Short names defined right behind one of `bodies` (以下简称省厅), there and wherever they come again."""
    ends = {body.end for body in bodies}
    for rule in compile_rules("orgs"):
        if rule.rule.name not in _words("defined"):
            continue
        defined = [match for match in rule.regex.finditer(view) if match.start() in ends][:_MOST_SHORT_FORMS]
        if not defined:
            continue
        names = alternatives(tuple(match["span"] for match in defined))
        again = re.compile(rf"(?<![各每]){names}(?!门户|网|微|公众号|组长|副组长|成员)")
        for match in again.finditer(view, defined[0].start("span")):
            yield Mention("ORG", match.start(), match.end(), rule.by, rule.rule.score)


def _start(view: str, start: int, end: int, rule: str) -> int | None:
    """Where the name begins whose last part is `view[start:end]`; None if it names no one body."""
    window = view[max(0, start - _WINDOW) : start]
    cut = _NOT_A_NAME.match(window)
    run = window[cut.end() :] if cut else window
    if cut and cut[0][-1].isdigit() and (measure := _lists().measure.match(run)):
        run = run[measure.end() :]
    cut_at, introduces_group = _last_stop(run, view[start:end])
    if introduces_group:
        return None
    if rule in _words("titles"):
        at_line_start = start - len(run) == view.rfind("\n", max(0, start - _WINDOW), start) + 1
        return start - len(run) if run and at_line_start else None
    run = run[cut_at:]
    run = _from_place(run)
    return start - len(run) if _names_one_body(run, view[start:end], rule) else None


def _last_stop(run: str, ending: str) -> tuple[int, bool]:
    """End of the last word of `before_body` in the run, and whether what follows it is a group (各, 有关)."""
    text, stop = run + ending, 0
    for match in _lists().words.finditer(text):
        if match.end() > len(run):
            break
        if match[0] in _lists().stops and not _is_inside(text, match):
            stop = match.end()
    return stop, stop > 0 and run.endswith(_lists().introductions, 0, stop)


def _is_inside(text: str, match: re.Match[str]) -> bool:
    """Whether this word is inside a name after all.

    和 and 与 join two fields of work of one body (教育和体育局); 委 ends a name before another level
    (市委市政府 is two bodies), 办公厅 before the State Council; a verb of `before_level` governs only a level
    (办理市政府…), elsewhere it is the body's work.
    """
    word = match[0]
    if word in _lists().before_level:
        return not text.startswith(_SEATS, match.end())
    if word == _PARTY:
        return not (text.endswith(_SEATS, 0, match.start()) and text.startswith(_SEATS, match.end()))
    if word == _OFFICE:
        return not text.startswith(("国务院", *_SEATS), match.end())
    if word not in ("和", "与"):
        return False
    functions = _lists().function_words
    return text.endswith(functions, 0, match.start()) and text.startswith(functions, match.end())


def _from_place(run: str) -> str:
    """The run from the place or level on that a name in it begins with; all of it if there is none."""
    if _lists().place.match(run):
        return run
    inner = _lists().inner_place.search(run)
    return run[inner.start() :] if inner else run


def _names_one_body(run: str, ending: str, rule: str) -> bool:
    """Whether `run` makes a name with the `ending` that `rule` found."""
    if not run:
        return ending in _words("alone") or rule in _words("self_sufficient")
    if rule == "org.office" and run in _words("own_parts"):
        return True
    if run in _words("plural_levels") or _lists().group.search(run):
        return False
    if _lists().place.match(run):
        return rule not in _words("seated") or _lists().seat.search(run) is not None
    if rule in _words("named"):
        return _SHORTEST_NAME <= len(run) <= _LONGEST_FUNCTION and not _lists().nameless.search(run)
    if rule in _words("self_sufficient"):
        return len(run) <= _LONGEST_FUNCTION
    return rule not in _words("placed") and _lists().function.fullmatch(run) is not None


class _Lists(NamedTuple):
    words: re.Pattern[str]
    stops: frozenset[str]
    before_level: frozenset[str]
    measure: re.Pattern[str]
    group: re.Pattern[str]
    introductions: tuple[str, ...]
    function_words: tuple[str, ...]
    place: re.Pattern[str]
    inner_place: re.Pattern[str]
    seat: re.Pattern[str]
    function: re.Pattern[str]
    nameless: re.Pattern[str]


@cache
def _lists() -> _Lists:
    loaded = load_rules("orgs")
    words = {name: alternatives(listed) for name, listed in loaded.words.items()}
    level = expand("{level}", loaded.pieces, "configs/rules/orgs.yaml")
    stops = (*loaded.words["before_body"], *loaded.words["before_level"], _PARTY, _OFFICE)
    first = "".join({place[0] for place in map(fold, loaded.words["places"])}) + loaded.pieces["level_first"]
    return _Lists(
        words=re.compile(alternatives((*loaded.words["inside_body"], *stops))),
        stops=frozenset(map(fold, stops)),
        before_level=frozenset(map(fold, loaded.words["before_level"])),
        measure=re.compile(words["measures"]),
        group=re.compile(rf"\A{words['group_words']}|{words['group_ends']}\Z"),
        introductions=tuple(map(fold, loaded.words["group_introductions"])),
        function_words=tuple(map(fold, loaded.words["functions"])),
        place=re.compile(
            rf"{words['places']}|[\u3400-\u9fff\u200b]{{0,3}}?{level}|[\u3400-\u9fff]{{2,12}}自治[县州旗]"
        ),
        inner_place=re.compile(rf"(?=[{first}])(?:{words['places']}|{level})"),
        seat=re.compile(rf"(?:{level}|中国)(?:人民)?\Z"),
        function=re.compile(
            rf".{{0,4}}?{words['functions']}+(?:工作|管理|协调|建设|推进|服务|事务|监督|与|和|及){{0,3}}"
        ),
        nameless=re.compile(rf"{words['kinds']}|{words['before_level']}|\A{words['subjects']}+\Z"),
    )


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(load_rules("orgs").words[name])
