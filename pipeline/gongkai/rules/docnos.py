"""Document numbers (发文字号): one grammar for the tagger and the normaliser.

The rows of `configs/rules/docnos.yaml` find a number from its year on. Where its code starts, nothing marks:
it may stand right behind an issuer's name, a verb or the tail of a title. `_code_start` reads it leftwards
with the word lists of the same file and the table of issuer codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from gongkai.normalise.issuers import known_codes
from gongkai.rules.table import CompiledRule, alternatives, compile_rules, load_rules
from gongkai.types import Mention

_WINDOW = 32
"""Characters read before a number's year: the longest issuer's name with a code behind it."""
_LONGEST_CODE = 12
_LONGEST_UNKNOWN_CODE = 8
_LONGEST_BODY = 26
_NUMBER_END = re.compile(
    r"号(?<=[\d \u200b〇零一二三四五六七八九十百]号)"
    r"|[〕\]】)〉}](?=[ \u200b]{0,3}\d{1,4}(?:[)》,。;、\n]|\Z))"
)
_REACH = 40
"""Characters between the year or the 令 of a number and its 号, at most."""
_AFTER = 8
_NOT_OF_A_CODE = re.compile(r".*[^\u3400-\u9fffA-Za-z.·\u200b-]|.*号", re.DOTALL)
_GAP_BEFORE = re.compile(r"(?<![ \u200b])[ \u200b]{1,3}\Z")
_AFTER_DATE = re.compile(r"\A[年月日](?=..)")
_SPACED_CODE = re.compile(r"(?<![\u3400-\u9fff])(?:[\u3400-\u9fff][ \u200b]){2,8}[\u3400-\u9fff]\Z")


class DocnoMatch(NamedTuple):
    """A number as found in a view: its extent, its code as printed, its parts and the rule that found it."""

    start: int
    end: int
    code: str
    year: str | None
    serial: str
    kind: str | None
    rule: CompiledRule


def find_docnos(view: str) -> list[DocnoMatch]:
    """Every document number in the folded view, in text order, not overlapping."""
    rules = compile_rules("docnos")
    found = [
        match
        for start, end in _neighbourhoods(view)
        for rule in rules
        for match in _apply(rule, view, start, end)
    ]
    found.sort(key=lambda match: (match.start, -match.end))
    kept: list[DocnoMatch] = []
    for match in found:
        if not kept or match.start >= kept[-1].end:
            kept.append(match)
        elif match.rule.rule.score > kept[-1].rule.rule.score and match.end >= kept[-1].end:
            kept[-1] = match
    return kept


def tag_docnos(view: str) -> list[Mention]:
    """DOCNO mentions of the folded view, from the first character of the code to 号 (or 公告, 令).

    >>> from gongkai.text import fold
    >>> [(m.start, m.end) for m in tag_docnos(fold("根据市府办〔2018 〕 10 号"))]
    [(2, 17)]
    """
    return [Mention("DOCNO", m.start, m.end, m.rule.by, m.rule.rule.score) for m in find_docnos(view)]


def _neighbourhoods(view: str) -> Iterator[tuple[int, int]]:
    """Stretches of text around what ends a number: all that the rules need to look at."""
    start = end = 0
    for match in _NUMBER_END.finditer(view):
        if match.start() - _REACH > end:
            if end:
                yield start, end
            start = match.start() - _REACH
        end = min(match.end() + _AFTER, len(view))
    if end:
        yield max(0, start), end


def _apply(rule: CompiledRule, view: str, first: int, last: int) -> Iterator[DocnoMatch]:
    name = rule.rule.name
    for match in rule.regex.finditer(view, first, last):
        groups = match.groupdict()
        parts = (groups.get("year"), groups["serial"], groups.get("kind"))
        if name in _words("codeless"):
            yield DocnoMatch(match.start(), match.end(), "", *parts, rule)
            continue
        extent = _code_before(view, match, rule)
        if extent is not None:
            start, end = extent
            yield DocnoMatch(start, match.end(), view[start:end], *parts, rule)


def _code_before(view: str, match: re.Match[str], rule: CompiledRule) -> tuple[int, int] | None:
    """Extent of the code that ends right before what the rule matched, None if that is no code."""
    position = match.start()
    window = view[max(0, position - _WINDOW) : position]
    if gap := _GAP_BEFORE.search(window):
        window = window[: gap.start()]
    end = max(0, position - _WINDOW) + len(window)
    if spaced := _SPACED_CODE.search(window):
        run = window[spaced.start() :]
    else:
        cut = _NOT_OF_A_CODE.match(window)
        run = window[cut.end() :] if cut else window
    run = _AFTER_DATE.sub("", run.lstrip(".·-\u200b"), count=1)
    by_body = rule.rule.name in _words("signed_by_body")
    code = _body(run, match.groupdict()) if by_body else _code(run)
    if code is None or not _allowed(code, rule):
        return None
    return end - len(code), end


def _allowed(code: str, rule: CompiledRule) -> bool:
    """Whether the rule trusts this code: damaged forms hold only for codes that look like one."""
    name, plain = rule.rule.name, _plain(code)
    if plain.endswith(tuple(_words("no_code_endings"))):
        return False
    if plain in known_codes():
        return True
    if name in _words("code_ending_only"):
        return plain.endswith(tuple(_words("code_endings")))
    if name in _words("known_code_only"):
        return name != "docno.through" and bool(_lists().regional.fullmatch(plain))
    return True


def _code(run: str) -> str | None:
    """The issuer code that a run of characters ends in."""
    if _plain(run) in known_codes():
        return run
    run = _behind_words(run)
    if _plain(run) in known_codes():
        return run
    run = _behind(_lists().issuers, run)
    if not _lists().heads.match(run):
        run = _behind(_lists().glued, run)
    if not _lists().heads.match(run) and len(run) > _LONGEST_UNKNOWN_CODE // 2:
        run = _inner_code(run) or run
    known = _lists().heads.match(run) is not None
    longest = _LONGEST_CODE if known else _LONGEST_UNKNOWN_CODE
    return run if 2 <= len(_plain(run)) <= longest else None


def _inner_code(run: str) -> str | None:
    """The part of an unknown run that is a known code, or begins like one and ends like one."""
    match = _lists().inner.search(run, 1)
    return run[match.start() :] if match else None


def _body(run: str, parts: Mapping[str, str | None]) -> str | None:
    """The body's name (or its code) that signs an order or announcement; a dated 公告 may stand without."""
    kind = parts.get("kind") or ""
    if not run:
        return "" if kind == "公告" and parts.get("year") else None
    run = _behind_words(run)
    if _plain(run) + kind in known_codes():
        return run
    return run if _lists().body.fullmatch(run) and len(run) <= _LONGEST_BODY else None


def _behind_words(run: str) -> str:
    """What stands behind the last preposition, verb or end of a title.

    One such character before 府 or 政 is a county's: 从府办, 并政发.
    """
    masked = _lists().protected.sub(lambda match: "#" * len(match[0]), run)
    cut = _lists().before.match(masked)
    if cut is None or (cut.end() == 1 and run[1] in "府政"):
        return run
    return run[cut.end() :]


def _behind(words: re.Pattern[str], run: str) -> str:
    """What stands behind the last of `words`, if at least two characters do."""
    cut = words.match(run)
    return run[cut.end() :] if cut else run


def _plain(code: str) -> str:
    return code.replace(" ", "").replace("\u200b", "")


class _Lists(NamedTuple):
    protected: re.Pattern[str]
    before: re.Pattern[str]
    issuers: re.Pattern[str]
    glued: re.Pattern[str]
    heads: re.Pattern[str]
    inner: re.Pattern[str]
    regional: re.Pattern[str]
    body: re.Pattern[str]


@cache
def _lists() -> _Lists:
    words = load_rules("docnos").words
    provinces, cities = alternatives(words["provinces"]), alternatives(words["cities"])
    codes = alternatives(tuple(code for code in known_codes() if len(code) > 1))
    endings, bodies = alternatives(words["code_endings"]), alternatives(words["body_endings"])
    regional = rf"(?:{provinces}|{cities})[\u3400-\u9fff\u200b]{{0,6}}?{endings}"
    return _Lists(
        protected=re.compile(alternatives(words["not_before_code"])),
        before=re.compile(rf".*{alternatives(words['before_code'])}(?=..)", re.DOTALL),
        issuers=re.compile(rf".*{alternatives(words['issuer_endings'])}(?=..)(?!公告|通告|令)", re.DOTALL),
        glued=re.compile(
            rf".{{2,}}?{alternatives(words['issuer_characters'])}(?={provinces}|{cities})(?=..)"
        ),
        heads=re.compile(rf"{codes}|{provinces}"),
        inner=re.compile(rf"(?:{codes}[\u3400-\u9fff]{{0,4}}|{provinces}[\u3400-\u9fff]{{0,5}}{endings})\Z"),
        regional=re.compile(regional),
        body=re.compile(rf"[\u3400-\u9fff\u200b]{{1,24}}{bodies}"),
    )


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(load_rules("docnos").words[name])
