"""Findings in words: one Chinese sentence, numbers as printed."""

from __future__ import annotations

from collections.abc import Sequence

from gongkai.checks.ledger import Ledger
from gongkai.checks.rounding import printed_decimals
from gongkai.checks.settings import KindName, kinds, load_settings
from gongkai.types import Fact, Finding

_SCALES = ((1e8, "亿"), (1e4, "万"))


def finding(
    kind: KindName,
    ledger: Ledger,
    evidence: Sequence[Fact],
    reported: float,
    expected: float,
    **fields: str | int,
) -> Finding:
    """A finding of the kind, its template filled in; `evidence` the doubtful fact first."""
    row = kinds()[kind]
    return Finding(
        check=row.check,
        severity=row.severity,
        message=row.template.format(**fields),
        reported=float(reported),
        expected=float(expected),
        evidence=tuple(fact.id for fact in evidence),
        spans=tuple((fact.start, fact.end) for fact in evidence),
    )


def named(fact: Fact) -> str:
    """「the metric's words」, or 该数 where nothing names it."""
    return f"「{_words_of(fact)}」" if fact.metric else "该数"


def as_printed(ledger: Ledger, fact: Fact) -> str:
    """The number as printed, white space taken out."""
    return "".join(ledger.printed(fact).split())


def part_list(ledger: Ledger, parts: Sequence[Fact]) -> str:
    """The parts with their numbers, the first few named, then 等."""
    limit = load_settings().parts_named
    shown = "、".join(_words_of(part) + as_printed(ledger, part) for part in parts[:limit])
    return shown + ("等" if len(parts) > limit else "")


def _words_of(fact: Fact) -> str:
    return "".join((fact.metric or "").split())


def quantity(value: float, unit: str | None) -> str:
    """A computed number with its unit; money in 万元 or 亿元 as officials write it.

    >>> quantity(24510, "条"), quantity(125000.0, "元")
    ('24510条', '12.5万元')
    """
    unit = unit or ""
    if unit == "元":
        for scale, name in _SCALES:
            if abs(value) >= scale:
                return f"{_plain(value / scale)}{name}{unit}"
    return f"{_plain(value)}{unit}"


def _plain(value: float) -> str:
    rounded = round(value, 6)
    return str(int(rounded)) if rounded == int(rounded) else f"{rounded:.6f}".rstrip("0")


def percentage(value: float, ledger: Ledger, beside: Fact) -> str:
    """A computed percentage, with as many decimals as the printed one beside it, at least two."""
    decimals = printed_decimals(beside, ledger.printed(beside))
    return f"{value * 100:.{max(2, (decimals or 0) - 2)}f}%"
