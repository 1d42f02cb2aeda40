"""The folded view: the same text with one spelling for each character, offset by offset.

Rules are written once, in Simplified script with ASCII punctuation and digits. `fold` rewrites a document
character by character to that spelling. Every character maps to exactly one character, so a span found in
the view selects the same characters in the source: no alignment table, no shifted offset.
"""

from __future__ import annotations

from functools import cache

import opencc

from gongkai.types import Script

ZERO_WIDTH = "\u200b"
"""What every zero-width character becomes in the view; patterns allow it by name."""

_LINE_BREAKS = "\x0b\x0c\x85\u2028\u2029"
_SPACES = "\t\x1c\x1d\x1e\x1f\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_ZERO_WIDTHS = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\xad\u180e"
_LIKE_FOR_LIKE = {
    "．": ".",
    "﹝": "〔",
    "﹞": "〕",
    "〘": "〔",
    "〙": "〕",
    "「": "“",
    "」": "”",
    "『": "‘",
    "』": "’",
    "﹁": "“",
    "﹂": "”",
    "○": "〇",
    "◯": "〇",
    "Ｏ": "O",
    "—": "-",
    "–": "-",
    "―": "-",
    "‐": "-",
    "‑": "-",
    "−": "-",
    "─": "-",
    "～": "~",
    "〜": "~",
    "﹪": "%",
    "＜": "〈",
    "＞": "〉",
    "•": "·",
    "‧": "·",
    "・": "·",
}
_ONE_WORD_TWO_CHARACTERS = {"覆": "复", "瞭": "了", "藉": "借", "甦": "苏", "揹": "背", "像": "象"}
"""Characters that Traditional text chooses by word, where Simplified has one: 答覆 and 答复 read alike."""


def _han() -> list[str]:
    ranges = ((0x4E00, 0xA000), (0xF900, 0xFB00))
    return [chr(code) for first, last in ranges for code in range(first, last)]


def _converted(config: str, characters: list[str]) -> dict[str, str]:
    """Each character as OpenCC converts it on its own, where that is another single character."""
    results = opencc.OpenCC(config).convert("\n".join(characters)).split("\n")
    return {a: b for a, b in zip(characters, results, strict=True) if a != b and len(b) == 1}


def _script_table() -> dict[str, str]:
    """Traditional (Taiwan and Hong Kong forms too) to Simplified.

    OpenCC's two directions are not inverse on every character (著 stays 著 one way, comes back as 着 the
    other); where they differ, both are led to one form, so that either script folds to the same view.
    """
    characters = _han()
    table: dict[str, str] = {}
    for config in ("hk2s", "tw2s", "t2s"):
        table |= _converted(config, characters)
    for config in ("s2t", "s2tw", "s2hk"):
        for simplified, traditional in _converted(config, characters).items():
            back = table.get(traditional, traditional)
            if back != simplified and simplified not in table:
                table[simplified] = back
    table |= _ONE_WORD_TWO_CHARACTERS
    return {a: _last(table, a) for a in table}


def _last(table: dict[str, str], character: str) -> str:
    seen = {character}
    while (following := table.get(character)) and following not in seen:
        seen.add(following)
        character = following
    return character


@cache
def fold_table() -> dict[int, str]:
    """Code point → its one spelling in the view."""
    table = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    table |= dict.fromkeys(_SPACES, " ") | dict.fromkeys(_ZERO_WIDTHS, ZERO_WIDTH)
    table |= dict.fromkeys(_LINE_BREAKS, "\n")
    table |= _LIKE_FOR_LIKE
    table |= _script_table()
    return {ord(a): b for a, b in table.items()}


def fold(text: str) -> str:
    """The view of `text`: same length, Simplified, ASCII punctuation, one kind of space and of line break.

    >>> fold("２０１８年，《政府信息公開條例》（以下簡稱“《條例》”）")
    '2018年,《政府信息公开条例》(以下简称“《条例》”)'
    """
    view = text.translate(fold_table())
    return view.replace("\r", " " if "\n" in view else "\n")


@cache
def _only(config: str) -> dict[int, None]:
    """Deletion table of the characters that OpenCC's `config` rewrites: those of the other script alone."""
    return dict.fromkeys(map(ord, _converted(config, _han())))


def script_of(text: str, sample: int = 20_000) -> Script:
    """ISO 15924 code of the script: `Hant` if Traditional-only characters outnumber Simplified-only ones.

    >>> script_of("主動公開政府信息"), script_of("主动公开政府信息")
    ('Hant', 'Hans')
    """
    head = text[:sample]
    without_traditional = len(head.translate(_only("t2s")))
    without_simplified = len(head.translate(_only("s2t")))
    return "Hant" if without_traditional < without_simplified else "Hans"
