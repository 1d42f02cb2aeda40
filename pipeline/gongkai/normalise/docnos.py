"""Document numbers to their canonical form, with issuer, year and serial."""

from __future__ import annotations

import re

from gongkai.normalise.issuers import issuer_of
from gongkai.rules.docnos import DocnoMatch, find_docnos
from gongkai.text import fold
from gongkai.types import DocnoNorm

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0}
_NOT_PRINTED = re.compile(r"[ \u200b]")
_STATE = re.compile(r"(?:中华人民|人民|民)?共?和国(?=.)")


def parse_docno(surface: str) -> DocnoNorm | None:
    """The document number in `surface`, None if it holds none.

    It is the tagger's grammar: what stands before the code (an issuer's name, the tail of a title) is left
    out. `repaired` says that brackets, spaces, zero-width characters, full-width digits or leading zeros were
    mended.

    >>> parse_docno("珠港办2018〕123号").canonical
    '珠港办〔2018〕123号'
    >>> norm = parse_docno("沪科合【２０１８】9号")
    >>> norm.canonical, norm.issuer, norm.year, norm.serial, norm.repaired
    ('沪科合〔2018〕9号', '上海市科学技术委员会', 2018, 9, True)
    """
    found = find_docnos(fold(surface))
    return _norm(found[0], surface[found[0].start : found[0].end]) if found else None


def _norm(match: DocnoMatch, printed: str) -> DocnoNorm:
    code = _STATE.sub("", _NOT_PRINTED.sub("", match.code), count=1)
    year = _number(match.year) if match.year else None
    serial = _NOT_PRINTED.sub("", match.serial)
    number = _number(serial)
    serial = str(number) if number is not None else serial
    code, canonical = _canonical(match, code, year, serial)
    issuer = issuer_of(code, year) if code else None
    return DocnoNorm(
        canonical=canonical,
        code=code or None,
        issuer=issuer,
        year=year,
        serial=number,
        repaired=_is_repaired(match, printed),
    )


def _canonical(match: DocnoMatch, code: str, year: int | None, serial: str) -> tuple[str, str]:
    """The code with its kind (国务院令), and the number in the standard's form for that kind."""
    name = match.rule.rule.name
    if name == "docno.year_first":
        return match.kind or "", f"{year}年第{serial}号{match.kind}"
    if match.kind is not None:
        code += match.kind
    if match.kind is None and name not in ("docno.year_without_kind", "docno.through"):
        return code, f"{code}〔{year}〕{serial}号"
    if year is None:
        return code, f"{code}第{serial}号"
    return code, f"{code}{year}年第{serial}号"


def _is_repaired(match: DocnoMatch, printed: str) -> bool:
    """Whether the number as printed differs from a well-formed one by more than its style."""
    if match.rule.rule.name in (
        "docno.open_lost",
        "docno.close_lost",
        "docno.brackets_lost",
        "docno.hao_lost",
    ):
        return True
    if _NOT_PRINTED.search(fold(printed)) or re.search(r"[０-９]|第0|[〕\]】)]0\d", printed):
        return True
    if match.rule.rule.name != "docno.bracketed":
        return False
    return "〔" not in printed or "〕" not in printed or printed.count("〔") > 1


def _number(digits: str) -> int | None:
    """A number in digits or Chinese numerals (〇 to 九百九十九), None for one with letters or a hyphen."""
    digits = _NOT_PRINTED.sub("", digits)
    if digits.isdecimal():
        return int(digits)
    if not set(digits) <= set(_DIGITS) | {"十", "百"}:
        return None
    if not set(digits) & {"十", "百"}:
        return int("".join(str(_DIGITS[character]) for character in digits))
    total, current = 0, 0
    for character in digits:
        if character in _DIGITS:
            current = _DIGITS[character]
            continue
        total += (current or 1) * (10 if character == "十" else 100)
        current = 0
    return total + current
