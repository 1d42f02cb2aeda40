"""Marked-up table cells to a grid: merged cells resolved, each cell's kind of statement told apart."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from gongkai.ingest.content import PlacedCell
from gongkai.text import fold
from gongkai.types import Cell, CellState

MAX_COLUMNS = 1000
"""The HTML standard's own bound on colspan; columns beyond it are placed, but not merged."""

_IN_BOUNDS = (1 << MAX_COLUMNS) - 1
_NUMBER = re.compile(r"([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?) ?(%?)")
_SLASH = re.compile(r"[/\\-]+")
_BLANK = re.compile(r"[\s\u200b]*")


class RawCell(msgspec.Struct, frozen=True):
    """A cell as it is marked up. `row_span` 0 means: to the last row (HTML)."""

    text: str
    row_span: int = 1
    column_span: int = 1
    header: bool = False


def place(rows: list[list[RawCell]]) -> list[PlacedCell]:
    """Resolve row and column spans as the HTML standard does; spans are clipped to the table.

    Columns that a merged cell of an earlier row still covers are held as the bits of one integer, so that
    a cell costs the same however large the spans are that a page states.
    """
    cells: list[PlacedCell] = []
    covered = 0
    released: dict[int, int] = {}
    for row, raws in enumerate(rows):
        covered &= ~released.pop(row, 0)
        begun = 0
        column = 0
        for raw in raws:
            column = _next_free(covered, column)
            span = min(max(raw.column_span, 1), MAX_COLUMNS)
            height = len(rows) - row if raw.row_span == 0 else min(max(raw.row_span, 1), len(rows) - row)
            if height > 1 and column < MAX_COLUMNS:
                bits = (((1 << span) - 1) << column) & _IN_BOUNDS
                begun |= bits
                released[row + height] = released.get(row + height, 0) | bits
            cells.append(
                PlacedCell(
                    text=raw.text,
                    row=row,
                    column=column,
                    row_span=height,
                    column_span=span,
                    header=raw.header,
                )
            )
            column += span
        covered |= begun
    width = max((cell.column for cell in cells), default=0) + 1
    return [
        cell
        if cell.column + cell.column_span <= width
        else msgspec.structs.replace(cell, column_span=width - cell.column)
        for cell in cells
    ]


def _next_free(covered: int, column: int) -> int:
    if column >= MAX_COLUMNS:
        return column
    free = ~(covered >> column)
    return column + (free & -free).bit_length() - 1


def state_of(text: str) -> CellState:
    """`empty`, `slash`, `number` or `text`: on the standard forms three different statements, and labels.

    >>> [state_of(text) for text in ("", "／", "１,０２４", "0.5", "41.67%", "12件", "—")]
    ['empty', 'slash', 'number', 'number', 'number', 'text', 'slash']
    """
    view = fold(text).strip()
    if _BLANK.fullmatch(view):
        return "empty"
    if _SLASH.fullmatch(view):
        return "slash"
    return "number" if _NUMBER.fullmatch(view) else "text"


def value_of(text: str) -> float | None:
    """The number of a `number` cell, a percentage as a fraction; None for any other cell.

    >>> [value_of(text) for text in ("１,０２４", "41.67％", "12件")]
    [1024.0, 0.4167, None]
    """
    number = _NUMBER.fullmatch(fold(text).strip())
    if number is None:
        return None
    digits, percent = number[1].replace(",", ""), number[2]
    return float(f"{digits}e-2" if percent else digits)


def cells_of(rows: list[list[RawCell]]) -> list[tuple[PlacedCell, Cell]]:
    """Placed cells with their states, in text order; offsets are given when the text is put together.

    A header is a cell marked as one, or text in the rows that the first row's merged cells reach over
    (a first guess, which the structure stage refines).
    """
    placed = place(rows)
    header_rows = _header_rows(placed)
    return [(cell, _cell(cell, header_rows)) for cell in placed]


def _header_rows(cells: Iterable[PlacedCell]) -> int:
    height = 0
    for cell in cells:
        if cell.row == 0 and cell.row_span < 6:
            height = max(height, cell.row_span)
        elif cell.row < height and state_of(cell.text) == "number":
            return cell.row
    return height


def _cell(source: PlacedCell, header_rows: int) -> Cell:
    state = state_of(source.text)
    if state == "text" and (source.header or source.row < header_rows):
        state = "header"
    return Cell(
        row=source.row,
        column=source.column,
        start=0,
        end=0,
        row_span=source.row_span,
        column_span=source.column_span,
        state=state,
        value=value_of(source.text),
    )
