"""Lists that break a total down, and how strongly each claims to be complete.

A relation ties a part to its total; only the text between the numbers tells a full breakdown (区直部门…、街道
…、驻区单位…) from numbers that merely happen to be counted in the same total.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from gongkai.checks.ledger import Ledger, is_sharp, label, units_agree
from gongkai.checks.settings import load_settings, words
from gongkai.text import fold
from gongkai.types import Fact

_LIST_GAP = 80
_LEAD = 120
_TAIL = 40
_NEAR = 40
_TOO_FAR = "。"
"""Lead of a list that stands too far from its total for any word between to tie the two."""
_NOUN = r"[^,;、。!?:(\d]{0,12}"
_LABEL = r"[^,;、。!?\d]{0,24}"
_SHARE = r"(?:[,(]?[^,;、。\d]{0,6}占[^,;、。\d]{0,16}\d[\d.]*%\)?)?"
_NUMBERING = r"(?:[(]?[一二三四五六七八九十\d]{1,3}[).、])?"
_AND = r"(?:以及|和|及|与)"
_BETWEEN = re.compile(rf"{_NOUN}{_SHARE}(?:[,、;]{_AND}?|{_AND}|[。;,]?\n{_NUMBERING}){_LABEL}")
_BRACKETS = re.compile(r"\([^()]*\)")
_BLANKS = re.compile(r"[ \u200b]+")
_CHANGE = re.compile(
    r"[,(]?(?:同比|环比|(?:与|同|相)?[比较][^,;。]{0,24}?)(?:增|减|上升|下降|提高|降低|多|少|持平)[^,;。)]{0,14}\)?"
)
_DIRECT = re.compile(rf"{_NOUN}[,:(;-]{{0,2}}{_LABEL}")
_AND_SO_ON = re.compile(rf"{_NOUN}等")
_TAIL_NOUN = r"[^,;、。!?:()\d]{0,12}"
_NEXT_ITEM = r"(?!\D{0,20}[比较])[^,;、。!?\d%]{0,20}\d[\d,.]*(?![\d.%])"
_GOES_ON = re.compile(rf"{_TAIL_NOUN}{_SHARE}(?:[,、]|{_AND}){_NEXT_ITEM}")
_GOES_ON_BY_SEMICOLON = re.compile(rf"{_TAIL_NOUN}{_SHARE};{_NEXT_ITEM}")


class Claim(IntEnum):
    """How strongly a list says that it is the whole of its total."""

    NONE = 0
    WEAK = 1
    STRONG = 2


class Breakdown(NamedTuple):
    """A run of parts of one total, in text order.

    Attributes:
        claim: Whether the list is said, or merely looks, to be complete; NONE where the text ties it loosely.
        open_ended: Words such as 主要 or 等 say that more parts exist.
    """

    total: Fact
    parts: tuple[Fact, ...]
    claim: Claim
    open_ended: bool


def breakdowns(ledger: Ledger, total: Fact, members: Sequence[Fact]) -> Iterator[Breakdown]:
    """The lists among the prose `members` of `total`, single parts too; none with approximate numbers."""
    prose = [member for member in members if member.table is None]
    for first, run in _runs(ledger, prose):
        if not all(is_sharp(part) and not ledger.is_base(part) for part in run):
            continue
        lead = _lead(ledger, total, run, first)
        if lead is None:
            continue
        if total.start > run[-1].start:
            yield Breakdown(total, tuple(run), Claim.STRONG, open_ended=False)
            continue
        claim = _claim(lead, run, directly=first == 0)
        open_ended = words(load_settings().sum.partial).search(lead) is not None or _goes_on(ledger, run)
        yield Breakdown(total, tuple(run), claim, open_ended)


def _runs(ledger: Ledger, members: list[Fact]) -> Iterator[tuple[int, list[Fact]]]:
    """Stretches of members that the text lists one after the other, each with its place among the members."""
    start = 0
    for place in range(1, len(members) + 1):
        if place < len(members) and _listed(ledger, members[place - 1], members[place]):
            continue
        yield start, members[start:place]
        start = place


def _listed(ledger: Ledger, before: Fact, after: Fact) -> bool:
    """Whether nothing but a share, a separator and the next label stands between two numbers."""
    gap = ledger.between(before.end, after.start, _LIST_GAP)
    if gap is None or "其中" in gap or not units_agree(before, after):
        return False
    return _BETWEEN.fullmatch(_without_label(_plain(gap), after)) is not None


def _plain(gap: str) -> str:
    """A gap without brackets (nested parts, shares), blanks and comparisons with another year."""
    return _CHANGE.sub("", _BRACKETS.sub("", _BLANKS.sub("", gap)))


def _without_label(gap: str, fact: Fact) -> str:
    """A gap without the metric's own words at its end, which may hold digits and marks (12345热线)."""
    return gap.removesuffix(label(fact))


def _lead(ledger: Ledger, total: Fact, run: list[Fact], first: int) -> str | None:
    """What ties the list to its total; None if other numbers stand between.

    An earlier breakdown of the same total may stand between: then the lead is the clause before the list.
    """
    if total.start > run[-1].start:
        closing = ledger.between(run[-1].end, total.start, _TAIL)
        return closing if closing and words(load_settings().sum.closing).search(closing) else None
    rank = ledger.statement_rank
    if total.id in rank and run[0].id in rank and rank[run[0].id] - rank[total.id] - 1 != first:
        return None
    if first:
        gap: str | None = ledger.clause_before(run[0], _LEAD, "。;\n")
    else:
        gap = ledger.between(total.end, run[0].start, _LEAD)
    if gap is None or gap.count("。") > 1:
        return _TOO_FAR
    return _plain(gap)[-_NEAR:]


def _claim(lead: str, run: list[Fact], directly: bool) -> Claim:
    settings = load_settings().sum
    takes_the_rest = words(settings.rest).match(label(run[-1])) is not None
    if words(settings.complete).search(lead) or (takes_the_rest and len(run) > 2):
        return Claim.STRONG
    follows = directly and _DIRECT.fullmatch(_without_label(lead, run[0])) is not None
    if not follows and words(settings.weak).search(lead) is None:
        return Claim.NONE
    return Claim.STRONG if takes_the_rest or (len(run) == 2 and _opposite(run)) else Claim.WEAK


def may_overlap(breakdown: Breakdown) -> bool:
    """Whether parts may share members, so that their sum may exceed the total.

    One text counts in every channel that carried it, and once in the total (table of 国办发〔2014〕32号,
    row 主动公开政府信息数); an application comes in one way only.
    """
    settings = load_settings().sum
    labels = [label(fact) for fact in (breakdown.total, *breakdown.parts)]
    if any(map(words(settings.disjoint).search, labels)):
        return False
    return any(map(words(settings.overlapping).search, labels[1:]))


def _opposite(run: list[Fact]) -> bool:
    first, second = map(label, run)
    pairs = ((fold(a), fold(b)) for a, b in load_settings().sum.opposites)
    return any((a in first and b in second) or (b in first and a in second) for a, b in pairs)


def _goes_on(ledger: Ledger, run: list[Fact]) -> bool:
    """Whether the list goes on behind its last part: with 等, or with a number not tied to the total.

    A semicolon continues a list of semicolons; behind items set off by 、 or , it ends the list.
    """
    last = run[-1]
    tail = _plain(fold(ledger.text[last.end : last.end + _TAIL]))
    if _AND_SO_ON.match(tail) or _GOES_ON.match(tail):
        return True
    before = ledger.between(run[-2].end, last.start, _LIST_GAP) if len(run) > 1 else None
    return before is not None and ";" in before and _GOES_ON_BY_SEMICOLON.match(tail) is not None
