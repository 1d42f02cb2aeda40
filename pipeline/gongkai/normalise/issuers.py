"""The table of issuer codes (机关代字): which body signs with which code, and since when."""

from __future__ import annotations

from functools import cache

import msgspec

from gongkai.resources import load_yaml
from gongkai.text import fold


class IssuerRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of `configs/issuer_codes.yaml`; the file's head says what each key means."""

    issuer: str | None
    example: str
    codes: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    first_year: int | None = msgspec.field(default=None, name="from")
    last_year: int | None = msgspec.field(default=None, name="until")

    def holds_in(self, year: int | None) -> bool:
        """Whether the row holds in `year`; a row with limits holds for no unknown year."""
        if self.first_year is None and self.last_year is None:
            return True
        if year is None:
            return False
        return (self.first_year or 0) <= year <= (self.last_year or 9999)


class IssuerFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`configs/issuer_codes.yaml`."""

    rows: tuple[IssuerRow, ...]


_LONGEST_BRANCH = 6
"""Characters that departments and kinds add to a body's own code, at most (国中医药办医政函 adds 3)."""


@cache
def issuer_rows() -> tuple[IssuerRow, ...]:
    """The rows of the table."""
    return load_yaml("issuer_codes.yaml", IssuerFile).rows


@cache
def known_codes() -> frozenset[str]:
    """Every code and head of codes in the table, folded."""
    return frozenset(fold(code) for row in issuer_rows() for code in (*row.codes, *row.branches))


@cache
def _by_code() -> dict[str, list[IssuerRow]]:
    table: dict[str, list[IssuerRow]] = {}
    for row in issuer_rows():
        for code in row.codes:
            table.setdefault(fold(code), []).append(row)
    return table


@cache
def _by_branch() -> dict[str, list[IssuerRow]]:
    table: dict[str, list[IssuerRow]] = {}
    for row in issuer_rows():
        for head in row.branches:
            table.setdefault(fold(head), []).append(row)
    return table


@cache
def _names() -> dict[str, str]:
    return {fold(row.issuer): row.issuer for row in issuer_rows() if row.issuer}


def issuer_of(code: str, year: int | None = None) -> str | None:
    """The body that signs with `code` in `year`, None where the table does not say.

    A code that is not in the table belongs to the longest branch in it that it begins with.

    >>> issuer_of("国办发"), issuer_of("沪科合"), issuer_of("深鹏办通")
    ('国务院办公厅', '上海市科学技术委员会', None)
    >>> issuer_of("国卫医发", 2017), issuer_of("国卫医发", 2019)
    ('国家卫生和计划生育委员会', '国家卫生健康委员会')
    """
    code = fold(code)
    if rows := _by_code().get(code):
        return _in_year(rows, year)
    for kind in ("公告", "通告", "令"):
        if code.endswith(kind) and (name := _names().get(code.removesuffix(kind))):
            return name
    for length in range(min(len(code), 8), 0, -1):
        rows = _by_branch().get(code[:length])
        if rows and len(code) - length <= _LONGEST_BRANCH:
            return _in_year(rows, year)
    return _names().get(code)


def _in_year(rows: list[IssuerRow], year: int | None) -> str | None:
    return next((row.issuer for row in rows if row.holds_in(year)), None)
