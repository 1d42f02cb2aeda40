"""Showing a record to a reader: on a terminal, or as a page.

This module holds what both have in common: the names in Chinese, how a value or period reads, and how spans
that nest or cross become pieces of text that can be marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from gongkai.spans import Extent
from gongkai.types import (
    Check,
    CountNorm,
    Direction,
    DocnoNorm,
    DocType,
    EntityLabel,
    Fact,
    Finding,
    MetricNorm,
    Norm,
    OrgNorm,
    PercentNorm,
    PeriodNorm,
    PolicyNorm,
    Qualifier,
    Record,
    Severity,
)

LABELS: Mapping[EntityLabel, str] = {
    "METRIC": "指标",
    "COUNT": "数量",
    "PERCENT": "比例",
    "DOCNO": "文号",
    "POLICY": "政策文件名",
    "ORG": "机构",
    "PERIOD": "时间",
}
CHECKS: Mapping[Check, str] = {
    "sum": "合计不符",
    "share": "占比不符",
    "growth": "增幅不符",
    "balance": "勾稽不平",
    "repeat": "前后不一",
    "rate": "比率存疑",
}
SEVERITIES: Mapping[Severity, str] = {"error": "错误", "warning": "警告", "notice": "提示"}
DOC_TYPES: Mapping[DocType, str] = {
    "annual_report_a": "年度报告（A 式）",
    "annual_report_b": "年度报告（B 式）",
    "annual_report_c": "年度报告（C 式）",
    "notice": "通知",
    "plan": "要点、计划",
    "other": "其他",
}
_BOUNDS: Mapping[Qualifier, str] = {
    "exact": "",
    "approx": "≈",
    "at_least": "≥",
    "at_most": "≤",
    "more_than": ">",
    "less_than": "<",
}
_ARROWS: Mapping[Direction | None, str] = {"up": "↑ ", "down": "↓ ", None: ""}
PERCENT = "%"
"""The unit of facts whose value is a fraction."""

_CONTROLS = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A, 0x0D)}
_CONTROLS |= dict.fromkeys(range(0x7F, 0xA0), "\ufffd")

E = TypeVar("E", bound=Extent)


def visible(text: str) -> str:
    """`text` with control characters shown as pictures, one for one: no escape sequence reaches a screen.

    Tab, line feed and carriage return stay.

    >>> visible("a\\x1b[2J")
    'a␛[2J'
    """
    return text.translate(_CONTROLS)


def pieces(length: int, spans: Sequence[E]) -> Iterator[tuple[int, int, tuple[E, ...]]]:
    """Cut a text of `length` at every boundary of `spans`.

    Yields:
        (start, end, spans that cover it, outermost first). The pieces tile the text; empty spans cover none.
    """
    ordered = sorted((s for s in spans if s.start < s.end), key=lambda s: (s.start, -s.end))
    cuts = sorted({0, length, *(s.start for s in ordered), *(s.end for s in ordered)})
    waiting = iter(ordered)
    following = next(waiting, None)
    covering: list[E] = []
    for start, end in pairwise(cuts):
        covering = [span for span in covering if span.end > start]
        while following is not None and following.start == start:
            covering.append(following)
            following = next(waiting, None)
        yield start, end, tuple(covering)


def number_text(value: float) -> str:
    """A number for reading: grouped by thousands, without the noise of binary fractions.

    >>> number_text(25520.0), number_text(0.4167)
    ('25,520', '0.4167')
    """
    return f"{value:,.12g}"


def value_text(value: float, unit: str | None) -> str:
    """A number in its unit; a fraction whose unit is % as a percentage.

    >>> value_text(0.4167, "%"), value_text(863, "条"), value_text(863, None)
    ('41.67%', '863 条', '863')
    """
    if unit == PERCENT:
        return f"{number_text(value * 100)}%"
    return f"{number_text(value)} {unit or ''}".rstrip()


def _quantity(value: float, value_max: float | None, qualifier: Qualifier, unit: str | None) -> str:
    lower = "" if value_max is None else f"{number_text(value * 100 if unit == PERCENT else value)}–"
    return f"{_BOUNDS[qualifier]}{lower}{value_text(value if value_max is None else value_max, unit)}"


def fact_value(fact: Fact) -> str:
    """A fact's value in its unit, with its bound or range, e.g. `≈300 条`, `3–5 个`, `↓ 1.23%`."""
    return _ARROWS[fact.direction] + _quantity(fact.value, fact.value_max, fact.qualifier, fact.unit)


def finding_numbers(finding: Finding, facts: Mapping[str, Fact]) -> tuple[str, str]:
    """What is printed and what was expected, in the unit of the doubtful number."""
    doubtful = facts.get(finding.evidence[0]) if finding.evidence else None
    unit = doubtful.unit if doubtful else None
    # A quotient has no last decimal; one more than percentages print is enough to see the difference.
    expected = round(finding.expected, 5) if unit == PERCENT else round(finding.expected, 3)
    return value_text(finding.reported, unit), value_text(expected, unit)


def period_text(period: PeriodNorm | None) -> str:
    """A period for reading: the year alone for a whole year, one day for one day.

    >>> period_text(PeriodNorm(start="2018-01-01", end="2018-12-31"))
    '2018'
    """
    if period is None:
        return ""
    start, end = period.start or "", period.end or ""
    if start.endswith("-01-01") and end == f"{start[:4]}-12-31":
        return start[:4]
    return start if start == end else f"{start}–{end}"


def norm_text(norm: Norm | None) -> str:
    """What a norm says, in one short phrase; empty for none."""
    match norm:
        case None:
            return ""
        case CountNorm():
            return _quantity(norm.value, norm.value_max, norm.qualifier, norm.unit)
        case PercentNorm():
            return _ARROWS[norm.direction] + _quantity(norm.value, norm.value_max, norm.qualifier, PERCENT)
        case DocnoNorm():
            issuer = f"，{norm.issuer}" if norm.issuer else ""
            return f"{norm.canonical}{issuer}{'（已修复）' if norm.repaired else ''}"
        case PeriodNorm():
            return period_text(norm)
        case PolicyNorm():
            return f"{norm.name}（{norm.kind}）" if norm.kind else norm.name
        case OrgNorm():
            return norm.name
        case MetricNorm():
            return f"{norm.metric_id}（{norm.score:.2f}）"


def fact_reference(record: Record, fact_id: str | None, facts: Mapping[str, Fact]) -> str:
    """How another fact is named: its metric and number as printed; else the id or interval itself."""
    if fact_id is None:
        return ""
    fact = facts.get(fact_id)
    if fact is None:
        return fact_id
    return f"{fact.metric or ''} {record.text[fact.start : fact.end]}".strip()


def meta_rows(record: Record) -> list[tuple[str, str]]:
    """Name and value of what is known of the document, in reading order; the unknown is left out."""
    meta, source = record.meta, record.source
    place = f"{source.path or ''}{f' · {source.member}' if source.member else ''}"
    rows = [
        ("发布机构", meta.issuer),
        ("报告年度", None if meta.year is None else str(meta.year)),
        ("类型", DOC_TYPES[meta.doc_type]),
        ("文号", meta.docno),
        ("索引号", meta.index_number),
        ("发布日期", meta.published),
        ("来源", place),
    ]
    return [(name, value) for name, value in rows if value]
