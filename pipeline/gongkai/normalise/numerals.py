"""Numbers as reports write them: digits, Chinese numerals, and digits with a scale (1.5万)."""

from __future__ import annotations

import re
from decimal import Decimal

from gongkai.text import ZERO_WIDTH, fold

_DIGITS = {character: value for value, character in enumerate("〇一二三四五六七八九")}
_DIGITS |= {fold(character): value for value, character in enumerate("零壹贰叁肆伍陆柒捌玖")} | {
    "两": 2,
    "参": 3,
}
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_MYRIADS = {"万": 10_000, "亿": 100_000_000}
_JOINED_TENS = {"廿": "二十", "卅": "三十", "卌": "四十"}
_REWRITE = str.maketrans({",": None, " ": None, ZERO_WIDTH: None} | _JOINED_TENS)
_TOKEN = re.compile(
    rf"(?P<digits>\d+(?:\.\d+)?)|(?P<words>[{''.join(_DIGITS)}]+)|(?P<point>点)"
    rf"|(?P<ten>[{''.join(_TENS)}])|(?P<myriad>[{''.join(_MYRIADS)}])"
)


def parse_number(surface: str) -> float:
    """The value of a numeral: digits with separators, Chinese numerals (两, 廿 and 壹贰叁 too), or both.

    Full-width digits and Traditional forms are folded first; 〇 to 9,999,999,999,999 are exact.

    Raises:
        ValueError: `surface` holds anything else than a numeral, or nothing.

    >>> parse_number("1,125,246"), parse_number("三百二十五"), parse_number("63.6万亿")
    (1125246.0, 325.0, 63600000000000.0)
    """
    text = fold(surface).translate(_REWRITE)
    total = Decimal(0)  # what 万 and 亿 have closed
    section = Decimal(0)  # what 十, 百 and 千 have added up since
    current: Decimal | None = None  # a number that still waits for its scale
    fraction = False
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError(f"{surface!r} is no number: {text[position]!r} at {position}")
        position = token.end()
        match token.lastgroup:
            case "digits":
                current = Decimal(token[0])
            case "words":
                current = _positional(token[0], current if fraction else None)
            case "ten":
                section += (Decimal(1) if current is None else current) * _TENS[token[0]]
                current = None
            case "myriad":
                closed = section + (current or 0)
                if token[0] == "亿":
                    total = (total + closed or Decimal(1)) * _MYRIADS["亿"]
                else:
                    total += (closed or Decimal(1)) * _MYRIADS["万"]
                section, current = Decimal(0), None
        fraction = token.lastgroup == "point"
    if not text or fraction:
        raise ValueError(f"{surface!r} is no number")
    return float(total + section + (current or 0))


def _positional(words: str, whole: Decimal | None) -> Decimal:
    """二〇一八 is 2018; after 点 the words are decimals of `whole`."""
    value = Decimal("".join(str(_DIGITS[word]) for word in words))
    return value if whole is None else whole + value.scaleb(-len(words))
