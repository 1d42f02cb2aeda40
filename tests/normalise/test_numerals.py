"""Numerals: every Chinese numeral to 9,999, samples beyond, mixed spellings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongkai.normalise.numerals import parse_number

PLAIN = ("〇一二三四五六七八九", "十百千")
FINANCIAL = ("零壹贰叁肆伍陆柒捌玖", "拾佰仟")
TRADITIONAL = ("零壹貳參肆伍陸柒捌玖", "拾佰仟")


def written(number: int, words: tuple[str, str] = PLAIN) -> str:
    """The numeral of 0 to 9,999,999,999,999 as it is written out (三百零五, 一万零三)."""
    digits, _ = words
    if number == 0:
        return digits[0]
    text = ""
    for size, name in ((10**12, "万亿"), (10**8, "亿"), (10**4, "万"), (1, "")):
        group, number = divmod(number, size)
        if not group:
            continue
        gap = bool(text) and group < 1000
        text += (digits[0] if gap else "") + _group(group, words) + (name if size < 10**12 else "万")
        if size == 10**12 and not number // 10**8:
            text += "亿"
    return text


def _group(number: int, words: tuple[str, str]) -> str:
    digits, (ten, hundred, thousand) = words
    text = ""
    for size, name in ((1000, thousand), (100, hundred), (10, ten), (1, "")):
        digit, number = divmod(number, size)
        if digit:
            text += digits[digit] + name
        elif text and number and not text.endswith(digits[0]):
            text += digits[0]
    return text


@pytest.mark.parametrize("words", [PLAIN, FINANCIAL, TRADITIONAL], ids=["plain", "financial", "traditional"])
def test_every_numeral_to_9999(words: tuple[str, str]) -> None:
    assert [n for n in range(10_000) if parse_number(written(n, words)) != n] == []


def test_ten_without_one() -> None:
    assert [parse_number(written(n).removeprefix("一")) for n in range(10, 20)] == list(range(10, 20))


@given(st.integers(0, 9_999_999_999_999))
def test_large_numerals(number: int) -> None:
    assert parse_number(written(number)) == number


@given(st.integers(0, 9_999_999_999_999))
def test_digits_with_separators(number: int) -> None:
    assert parse_number(f"{number:,}") == number


@pytest.mark.parametrize(
    ("surface", "value"),
    [
        ("１，１２５", 1125),
        ("1.5万", 15_000),
        ("3千", 3_000),
        ("2千万", 20_000_000),
        ("63.6万亿", 63_600_000_000_000),
        ("6.07亿", 607_000_000),
        ("7亿5000万", 750_000_000),
        ("1万6千", 16_000),
        ("两百", 200),
        ("两万", 20_000),
        ("廿五", 25),
        ("卅", 30),
        ("二〇一八", 2018),
        ("二零一八", 2018),
        ("百", 100),
        ("万", 10_000),
        ("九十八点五", 98.5),
        ("三点六五万", 36_500),
        ("三百〇五", 305),
        ("伍仟元"[:2], 5_000),
        ("0", 0),
        ("1 125", 1125),
    ],
)
def test_mixed_spellings(surface: str, value: float) -> None:
    assert parse_number(surface) == value


@pytest.mark.parametrize("surface", ["", "条", "3条", "近百", "三点", "一-二"])
def test_no_number(surface: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        parse_number(surface)
